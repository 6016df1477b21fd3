using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Smtp.Server;

/// <summary>What the trace is told by the door.</summary>
static class TrailNotes
{
    /// <summary>Address of the client, its name, account, protocol and TLS, with tabs between.</summary>
    public static string Door(SmtpSession session, SmtpTransaction transaction)
    {
        var connection = session.Connection;
        var with = ReceivedField.With(session, transaction.SmtpUtf8);
        return string.Concat(connection.Remote.Address.ToString(), "\t", Clean(transaction.Arrival.Hello),
            string.Concat("\t", session.Account?.Address.ToString(), "\t", connection.Tls is { } tls ? $"{with} {tls.Protocol} {tls.Cipher}" : with));
    }

    static string Clean(string hello) => hello.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && hello.Length <= 255 ? hello : "?";

    public static void Refused(SmtpSession session, SmtpTransaction transaction, IEnumerable<MailAddress> recipients, Refusal refusal)
    {
        if (session.Parts.Trail is not { IsKept: true } trail) return;
        var lines = string.Join('\n', recipients.Take(20).Select(recipient => $"{recipient}\trefused {refusal}"));
        trail.Note(new TrailEntry(TrailKind.Refused, transaction.Id, null, transaction.Arrival.Sender?.ToString() ?? "", lines, transaction.Sink?.Received ?? transaction.Arrival.DeclaredSize, null, Door(session, transaction), refusal.ToString()));
    }
}
