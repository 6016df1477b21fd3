using System.Text.Json;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;

namespace CbaMail.Cli;

/// <summary><c>arc</c> and <c>arc-seal</c> of <c>check mailauth</c>.</summary>
static class CheckMailauthArc
{
    /// <summary><c>message</c>, <c>now</c>: <c>result</c>, and a <c>reason</c> where it is fail.</summary>
    public static async ValueTask VerifyAsync(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel)
    {
        var verdict = await VerdictAsync(CheckMailauth.Message(request), dns, CheckMailauth.Now(request), cancel);
        answer.WriteString("result", verdict.Result.Word());
        if (verdict.Reason.Length > 0) answer.WriteString("reason", verdict.Reason);
        if (verdict.Result == AuthResult.Pass) answer.WriteNumber("oldest_pass", verdict.OldestPass);
    }

    /// <summary><c>message</c>, <c>authserv_id</c>, <c>domain</c>, <c>selector</c>, <c>private_key</c> and so on: <c>headers</c>, each without its line end.</summary>
    public static async ValueTask SealAsync(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel)
    {
        var message = CheckMailauth.Message(request);
        var now = DateTimeOffset.FromUnixTimeSeconds(CheckMailauth.Seconds(request, "timestamp") ?? 0);
        using var key = CheckMailauthDkim.Key(request);
        var verdict = await VerdictAsync(message, dns, now, cancel);
        var sealer = new ArcSealer(CheckMailauth.String(request, "authserv_id"), new(CheckMailauth.String(request, "domain"), CheckMailauth.String(request, "selector"), key));
        answer.WriteStartArray("headers");
        foreach (var field in sealer.Seal(message, verdict, now, CheckMailauth.Names(request, "headers"))) answer.WriteStringValue(field.TrimEnd());
        answer.WriteEndArray();
    }

    static async ValueTask<ArcVerdict> VerdictAsync(byte[] message, IResolver dns, DateTimeOffset now, CancellationToken cancel)
    {
        using var signed = new SignedMessage(message);
        return await new ArcVerifier(new DkimKeys(dns)).VerifyAsync(signed, now, cancel);
    }
}
