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
}
