using System.Text;
using System.Text.Json;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;

namespace CbaMail.Cli;

/// <summary><c>dkim</c> and <c>dkim-sign</c> of <c>check mailauth</c>.</summary>
static class CheckMailauthDkim
{
    /// <summary><c>message</c>, <c>now</c>: <c>signatures</c> from the header's top down; what is no pass has a <c>reason</c>.</summary>
    public static async ValueTask VerifyAsync(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel)
    {
        using var message = new SignedMessage(CheckMailauth.Message(request));
        var verdicts = await new DkimVerifier(new DkimKeys(dns)).VerifyAsync(message, CheckMailauth.Now(request), cancel);
        answer.WriteStartArray("signatures");
        foreach (var verdict in verdicts)
        {
            answer.WriteStartObject();
            answer.WriteString("domain", verdict.Domain);
            answer.WriteString("selector", verdict.Selector);
            answer.WriteString("result", verdict.Result.Word());
            if (verdict.Reason.Length > 0) answer.WriteString("reason", verdict.Reason);
            answer.WriteEndObject();
        }

        answer.WriteEndArray();
    }

    /// <summary><c>message</c>, <c>domain</c>, <c>selector</c>, <c>private_key</c> and so on: <c>header</c>, the field without its line end.</summary>
    public static ValueTask SignAsync(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel)
    {
        var message = CheckMailauth.Message(request);
        using var key = Key(request);
        var ways = CheckMailauth.String(request, "canonicalization", "relaxed/relaxed").Split('/');
        var rules = new SigningRules
        {
            Fields = CheckMailauth.Names(request, "headers"),
            HeaderWay = Way(ways[0]),
            BodyWay = ways.Length > 1 ? Way(ways[1]) : Canonicalization.Simple,
        };
        var signer = new DkimSigner([new(CheckMailauth.String(request, "domain"), CheckMailauth.String(request, "selector"), key)], rules);
        var field = signer.Sign(message, DateTimeOffset.FromUnixTimeSeconds(CheckMailauth.Seconds(request, "timestamp") ?? 0));
        answer.WriteString("header", Encoding.UTF8.GetString(field).TrimEnd());
        return ValueTask.CompletedTask;
    }

    /// <summary>The <c>private_key</c> of a request; with <c>algorithm</c> it must be of that one.</summary>
    public static DkimPrivateKey Key(JsonElement request)
    {
        var key = DkimPrivateKey.FromPem(CheckMailauth.String(request, "private_key"));
        if (CheckMailauth.String(request, "algorithm", key.Algorithm.Name()) == key.Algorithm.Name()) return key;
        var has = key.Algorithm.Name();
        key.Dispose();
        throw new FormatException($"the key is for {has}, not for the \"algorithm\" of the line");
    }

    static Canonicalization Way(string word) => word.Trim() switch
    {
        "simple" => Canonicalization.Simple,
        "relaxed" => Canonicalization.Relaxed,
        _ => throw new FormatException("\"canonicalization\" must be simple or relaxed, or two of them with a slash between"),
    };
}
