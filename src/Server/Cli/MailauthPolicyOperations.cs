using System.Net;
using System.Text.Json;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Cli;

/// <summary>The questions to what domains publish about their mail: <c>spf</c> and <c>dmarc</c>.</summary>
static class MailauthPolicyOperations
{
    /// <summary>May this host send in this name?</summary>
    public static async ValueTask SpfAsync(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel)
    {
        var ip = CheckMailauth.String(request, "ip");
        if (!IPAddress.TryParse(ip, out var client)) throw new FormatException($"\"ip\" is no address: {ip}");
        var query = new SpfQuery(client, CheckMailauth.String(request, "helo", ""), CheckMailauth.String(request, "mailfrom", ""))
        {
            Receiver = CheckMailauth.String(request, "receiver", "unknown"),
            Now = DateTimeOffset.FromUnixTimeSeconds(CheckMailauth.Seconds(request, "now") ?? TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()),
            DefaultExplanation = CheckMailauth.String(request, "default_explanation", ""),
        };
        var result = await SpfVerifier.CheckAsync(query, dns, cancel);
        answer.WriteString("result", result.Result.Word());
        if (result.Result == AuthResult.Fail) answer.WriteString("explanation", result.Explanation);
        if (result.Mechanism is { } mechanism) answer.WriteString("mechanism", mechanism);
        if (result.Problem is { } problem) answer.WriteString("problem", problem);
    }

    /// <summary>Does what SPF and DKIM proved speak for the author's domain?</summary>
    public static async ValueTask DmarcAsync(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel)
    {
        var spf = request.TryGetProperty("spf", out var given) ? Identity(given, "spf") : null;
        var dkim = new List<DmarcIdentity>();
        if (request.TryGetProperty("dkim", out var list) && list.ValueKind != JsonValueKind.Null)
        {
            if (list.ValueKind != JsonValueKind.Array) throw new FormatException("\"dkim\" must be a list");
            foreach (var one in list.EnumerateArray())
                if (Identity(one, "dkim") is { } identity) dkim.Add(identity);
        }

        var result = await DmarcVerifier.CheckAsync(CheckMailauth.String(request, "from_domain", ""), spf, dkim, dns, PublicSuffixList.Shipped, cancel);
        answer.WriteString("result", result.Result.Word());
        answer.WriteString("policy", result.Policy?.Word() ?? "");
        if (result.Discovery.Problem is { } problem) answer.WriteString("problem", problem);
    }

    static DmarcIdentity? Identity(JsonElement value, string name)
    {
        if (value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind != JsonValueKind.Object) throw new FormatException($"\"{name}\" must hold objects with \"result\" and \"domain\"");
        var word = CheckMailauth.String(value, "result", "none");
        return AuthResults.TryParse(word, out var result) ? new(result, CheckMailauth.String(value, "domain", "")) : throw new FormatException($"\"{word}\" is no result");
    }
}
