using System.Net;
using System.Text.Json;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Cli;

/// <summary>The questions to what domains publish about their mail: <c>spf</c>.</summary>
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
}
