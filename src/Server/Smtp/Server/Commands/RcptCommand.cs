using CbaMail.Envelope;
using CbaMail.Inbound;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>RCPT (RFC 5321 4.1.1.3) with NOTIFY and ORCPT (RFC 3461 4).</summary>
static class RcptCommand
{
    public static IEnumerable<string> Announce(SmtpSession session) => [session.AnnouncedLimits];

    public static async ValueTask Run(SmtpSession session, string arguments)
    {
        var transaction = session.Transaction!;
        if (transaction.IsChunked)
        {
            session.SyntaxError(503, "5.5.1", "The text has begun; no recipient can be added"); // RFC 3030 2
            return;
        }
        if (!arguments.StartsWith("TO:", StringComparison.OrdinalIgnoreCase))
        {
            session.SyntaxError(501, "5.5.4", "Say RCPT TO:<address>");
            return;
        }
        transaction.Asked++;
        if (transaction.Arrival.Recipients.Count >= session.Limits.MostRecipients(session.IsEvaluation))
        {
            session.Reply(Refusal.TooMany.Because("Too many recipients; send to the others in a message of their own")); // RFC 5321 4.5.3.1.10
            return;
        }
        if (Parse(transaction, arguments.AsSpan(3), out var recipient) is { } wrong)
        {
            session.SyntaxError(wrong.Code, wrong.Status, wrong.Text);
            return;
        }
        await AskAsync(session, transaction, recipient!);
    }

    static async ValueTask AskAsync(SmtpSession session, SmtpTransaction transaction, ArrivalRecipient recipient)
    {
        var arrival = transaction.Arrival;
        arrival.Asked = recipient;
        var verdict = await session.Parts.Pipeline.AskAsync(Moment.Recipient, arrival, session.Connection.Closed);
        arrival.Asked = null;
        if (session.Parts.Edge?.Slowness(session.Standing, session.UnknownRecipients) is { } slow && slow > TimeSpan.Zero)
        {
            await session.Connection.Output.FlushAsync(CancellationToken.None);
            await Task.Delay(slow, session.Parts.Time, session.Connection.Closed);
        }
        if (verdict.Refusal is { } refusal)
        {
            SmtpTelemetry.RecipientRefused(
                session.Parts.Log, session.Connection.Id, recipient.Address.ToString(), verdict.Check, MailPath.Write(arrival.Sender), arrival.Remote, refusal.ToString());
            TrailNotes.Refused(session, transaction, [recipient.Address], refusal);
            session.RefuseRecipient(Reply.Of(refusal));
            return;
        }
        if (session.IsSubmission && session.Account is { } account && session.Parts.Limits is { } limits)
        {
            var fresh = limits.IsFresh(account, recipient.Address);
            if (limits.CheckRecipient(account, arrival.Recipients.Count, transaction.Fresh, fresh) is { } tooMany)
            {
                TrailNotes.Refused(session, transaction, [recipient.Address], tooMany);
                session.Reply(tooMany);
                return;
            }
            if (fresh) transaction.Fresh++;
        }
        arrival.Recipients.Add(recipient);
        session.Reply(250, "2.1.5", "Recipient accepted");
    }

    static Reply? Parse(SmtpTransaction transaction, ReadOnlySpan<char> text, out ArrivalRecipient? recipient)
    {
        recipient = null;
        var path = MailPath.Read(text, out var address, out var isPostmaster, out var rest);
        if (path == PathResult.NoPath) return new Reply(501, "5.5.4", "Say RCPT TO:<address>");
        if (path == PathResult.BadAddress || (address is null && !isPostmaster)) return Reply.Of(Refusal.BadAddress);
        if (address is { IsAscii: false } && !transaction.SmtpUtf8) return MailCommand.NeedsUtf8;
        if (EsmtpParameters.Parse(rest) is not { } parameters) return new Reply(501, "5.5.4", "The parameters are not KEY=value, or one stands twice");
        string? notify = null, original = null;
        foreach (var (key, value) in parameters)
        {
            switch (key)
            {
                case "NOTIFY": // RFC 3461 4.1
                    if ((notify = DsnOptions.Notify(value)) is null) return new Reply(501, "5.5.4", "The value of NOTIFY is not valid");
                    break;
                case "ORCPT": // RFC 3461 4.2
                    if ((original = DsnOptions.OriginalRecipient(value)) is null) return new Reply(501, "5.5.4", "The value of ORCPT is not valid");
                    break;
                default:
                    return new Reply(555, "5.5.4", $"The parameter {key} is not known");
            }
        }
        recipient = new ArrivalRecipient(address ?? new MailAddress("postmaster", ""), notify, original);
        return null;
    }
}
