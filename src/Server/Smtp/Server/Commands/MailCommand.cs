using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Inbound;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>MAIL (RFC 5321 4.1.1.2) with SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH and REQUIRETLS; what has to do with time stands in <see cref="Extensions"/>.</summary>
static class MailCommand
{
    public static readonly Reply NeedsUtf8 = new(553, "5.6.7", "An address beyond ASCII needs SMTPUTF8"); // RFC 6531 3.5

    public static IEnumerable<string> Announce(SmtpSession session) =>
    [
        "SIZE " + session.Limits.MessageSize.ToString(CultureInfo.InvariantCulture), // RFC 1870 3
        "8BITMIME", // RFC 6152
        "SMTPUTF8", // RFC 6531
        "DSN", // RFC 3461
        // RFC 8689 2: of worth under TLS only
        .. session.Connection.IsSecure ? (string[])["REQUIRETLS"] : [],
        .. Extensions.Announce(session),
    ];

    public static async ValueTask Run(SmtpSession session, string arguments)
    {
        if (session.Transaction is not null)
        {
            session.SyntaxError(503, "5.5.1", "A message has been begun already; say RSET first"); // RFC 5321 3.3
            return;
        }
        if (!arguments.StartsWith("FROM:", StringComparison.OrdinalIgnoreCase))
        {
            session.SyntaxError(501, "5.5.4", "Say MAIL FROM:<address>");
            return;
        }
        if (session.Begin() is not { } transaction) return;
        if (Parse(session, transaction, arguments.AsSpan(5)) is { } wrong)
        {
            session.SyntaxError(wrong.Code, wrong.Status, wrong.Text);
            return;
        }
        var arrival = transaction.Arrival;
        if (session.IsSubmission && session.Parts.Submit.CheckSender(session.Account!, arrival.Sender) is { } refusal)
        {
            SmtpTelemetry.MessageRefused(session.Parts.Log, session.Connection.Id, transaction.Id, transaction.Sender, arrival.Remote, refusal.ToString());
            session.Reply(refusal);
            return;
        }
        if (session.IsSubmission && session.Account is { } account && session.Parts.Limits?.CheckMessage(account) is { } tooMany)
        {
            TrailNotes.Refused(session, transaction, [], tooMany);
            session.Reply(tooMany);
            return;
        }
        var verdict = await session.Parts.Pipeline.AskAsync(Moment.Sender, arrival, session.Connection.Closed);
        if (!verdict.IsAccept)
        {
            TrailNotes.Refused(session, transaction, [], verdict.Refusal!);
            session.Reply(verdict.Refusal!);
            return;
        }
        session.Started(transaction);
        if (transaction.IsLowered) session.Reply(250, "2.3.6", $"{transaction.Priority} is the priority of mail from those who have not signed in"); // RFC 6710 4.1
        else session.Reply(250, "2.1.0", "Sender accepted");
    }

    static Reply? Parse(SmtpSession session, SmtpTransaction transaction, ReadOnlySpan<char> text)
    {
        var path = MailPath.Read(text, out var sender, out var isPostmaster, out var rest);
        if (path == PathResult.NoPath) return new Reply(501, "5.5.4", "Say MAIL FROM:<address>");
        if (path == PathResult.BadAddress || isPostmaster) return new Reply(553, "5.1.7", "The sender is not a valid address"); // RFC 3463 3.2
        if (EsmtpParameters.Parse(rest) is not { } parameters) return new Reply(501, "5.5.4", "The parameters are not KEY=value, or one stands twice");
        (transaction.Arrival.Sender, transaction.Arrival.Parameters) = (sender, parameters);
        foreach (var (key, value) in parameters)
            if (Take(session, transaction, key, value) is { } wrong) return wrong;
        if (Extensions.Contradiction(transaction) is { } contradiction) return contradiction;
        return sender is { IsAscii: false } && !transaction.SmtpUtf8 ? NeedsUtf8 : null;
    }

    static Reply? Take(SmtpSession session, SmtpTransaction transaction, string key, string? value)
    {
        switch (key)
        {
            case "SIZE": // RFC 1870 6.1
                if (value is not { Length: <= 20 } || !ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size)) return Wrong(key);
                if (size > (ulong)session.Limits.MessageSize) return Reply.Of(Refusal.TooLarge);
                transaction.Arrival.DeclaredSize = (long)size;
                return null;
            case "BODY": // RFC 6152 2, RFC 3030 3
                transaction.Body = value?.ToUpperInvariant();
                return transaction.Body is "7BIT" or "8BITMIME" or "BINARYMIME" ? null : Wrong(key);
            case "SMTPUTF8": // RFC 6531 3.4
                transaction.SmtpUtf8 = true;
                return value is null ? null : Wrong(key);
            case "RET":
                return (transaction.Return = DsnOptions.Return(value)) is null ? Wrong(key) : null;
            case "ENVID":
                return (transaction.EnvelopeId = DsnOptions.EnvelopeId(value)) is null ? Wrong(key) : null;
            case "AUTH": // RFC 4954 5: believed of nobody, so read and forgotten
                return value is not null && (value == "<>" || Xtext.Decode(value) is not null) ? null : Wrong(key);
            case "REQUIRETLS" when session.Connection.IsSecure: // RFC 8689 4.1
                transaction.Arrival.RequireTls = true;
                return value is null ? null : Wrong(key);
            case "HOLDFOR" or "HOLDUNTIL" or "BY" or "MT-PRIORITY":
                return Extensions.Take(session, transaction, key, value);
            default:
                return new Reply(555, "5.5.4", $"The parameter {key} is not known"); // RFC 5321 4.1.1.11
        }
    }

    static Reply Wrong(string key) => new(501, "5.5.4", $"The value of {key} is not valid");
}
