using CbaMail.Envelope;
using CbaMail.Inbound;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>DATA (RFC 5321 4.1.1.4): the text up to CRLF.CRLF.</summary>
static class DataCommand
{
    /// <summary>Octets beyond the limit that are read over before the connection is closed.</summary>
    public const long MostDropped = 256L << 20;

    public static async ValueTask Run(SmtpSession session, string arguments)
    {
        var transaction = session.Transaction!;
        if (arguments.Length > 0)
        {
            session.SyntaxError(501, "5.5.4", "DATA takes no argument");
            return;
        }
        if (transaction.IsChunked || transaction.IsBinary)
        {
            // RFC 3030 2 and 3
            session.SyntaxError(503, "5.5.1", transaction.IsChunked ? "The text has been begun by BDAT; DATA cannot follow" : "BINARYMIME needs BDAT");
            return;
        }
        if (transaction.Arrival.Recipients.Count == 0)
        {
            session.SyntaxError(NoRecipients(session, transaction).Code, "5.5.1", NoRecipients(session, transaction).Text);
            return;
        }
        if (session.SpokeOn("DATA")) return;
        if (await RefusalAsync(session, transaction) is { } refusal)
        {
            session.Reset();
            session.Reply(refusal);
            return;
        }
        session.Reply(354, "", "Go ahead; end with a dot on a line of its own");
        if (await ReadAsync(session, session.OpenSink(transaction))) await Acceptance.FinishAsync(session);
        else session.Reset();
    }

    /// <summary>What speaks against taking the text of these recipients at all (RFC 5321 4.3.2).</summary>
    public static async ValueTask<Refusal?> RefusalAsync(SmtpSession session, SmtpTransaction transaction)
    {
        if (!session.Parts.Pipeline.Asks(Moment.Data)) return null;
        var verdict = await session.Parts.Pipeline.AskAsync(Moment.Data, transaction.Arrival, session.Connection.Closed);
        if (verdict.Refusal is { } refusal)
            SmtpTelemetry.MessageRefused(session.Parts.Log, session.Connection.Id, transaction.Id, transaction.Sender, session.Connection.Remote.Address, refusal.ToString());
        return verdict.Refusal;
    }

    /// <summary>RFC 5321 3.3, RFC 2033 4.2: what DATA and BDAT say when nobody was accepted.</summary>
    public static Reply NoRecipients(SmtpSession session, SmtpTransaction transaction) =>
        transaction.Asked > 0 && !session.IsLmtp ? new(554, "5.5.1", "No recipient was accepted") : new(503, "5.5.1", "Say RCPT first");

    /// <returns>Whether the end mark came; otherwise the session has ended.</returns>
    static async ValueTask<bool> ReadAsync(SmtpSession session, MessageSink sink)
    {
        var reader = new DotReader(sink);
        var pace = new Pace(session);
        var connection = session.Connection;
        while (!reader.Ended)
        {
            if (!connection.Input.TryRead(out var result))
            {
                await connection.Output.FlushAsync(CancellationToken.None);
                result = await connection.ReadAsync(session.Limits.DataTimeout);
            }
            connection.Input.AdvanceTo(reader.Feed(result.Buffer));
            if (reader.Ended) break;
            if (pace.Ends(result.IsCanceled, result.IsCompleted, sink)) return false;
        }
        return true;
    }
}

/// <summary>Whether text still comes, and fast enough; if not, the session is ended with what there is to say.</summary>
readonly struct Pace(SmtpSession session)
{
    static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);
    readonly long began = session.Parts.Time.GetTimestamp();

    public bool Ends(bool canceled, bool completed, MessageSink? sink)
    {
        if (canceled)
        {
            if (session.Connection.Closed.IsCancellationRequested) session.Close("4.3.2", "The server is being stopped; try again later", "server stops");
            else session.Close("4.4.2", "The text did not come", "timeout in the text"); // RFC 5321 4.5.3.2.5
            return true;
        }
        if (completed)
        {
            session.End(); // the client went away in mid-text: nothing was promised
            return true;
        }
        var received = sink?.Received ?? 0;
        if (session.Parts.Time.GetElapsedTime(began) > Grace + TimeSpan.FromSeconds((double)received / session.Limits.SlowestTransfer))
        {
            session.Close("4.4.2", "The text comes too slowly", "slow text");
            return true;
        }
        if (received > session.Limits.MessageSize + DataCommand.MostDropped)
        {
            session.Reply(Refusal.TooLarge);
            session.End();
            return true;
        }
        return false;
    }
}
