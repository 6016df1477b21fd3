using CbaMail.Envelope;
using CbaMail.Inbound;

namespace CbaMail.Smtp.Server;

/// <summary>
/// The first word, which is ours (RFC 5321 3.1, 4.3.1). A stranger has to wait for it: who talks before his turn is software that sends spam, and
/// hears 554. While he waits he has no thread, and what is asked of DNS about him is under way.
/// </summary>
static class Greeting
{
    static readonly Reply OutOfTurn = new(554, "5.5.1", "You spoke before the greeting; wait for 220");

    public static async ValueTask SayAsync(SmtpSession session)
    {
        if (session.Parts.Pipeline.Asks(Moment.Connect))
        {
            var verdict = await session.Parts.Pipeline.AskAsync(Moment.Connect, session.NewArrival(""), session.Connection.Closed);
            if (!verdict.IsAccept)
            {
                session.Refuse(verdict);
                session.End();
                return;
            }
        }
        if (session.Standing is { } standing && session.Parts.Edge is { } edge && edge.GreetingDelay(standing) is var delay && delay > TimeSpan.Zero)
        {
            if (!await WaitsAsync(session, delay))
            {
                if (session.HasEnded) return;
                edge.SpokeFirst(standing);
                session.Reply(OutOfTurn);
                session.End();
                return;
            }
            edge.Waited(standing);
        }
        session.Reply(220, "", $"{session.Parts.Settings.Hostname} {(session.IsLmtp ? "LMTP" : "ESMTP")} CBA Mail");
    }

    /// <returns>Whether the client was silent for so long. False with the session ended: it went away, or the server stops.</returns>
    static async ValueTask<bool> WaitsAsync(SmtpSession session, TimeSpan delay)
    {
        var result = await session.Connection.ReadAsync(delay);
        var spoke = !result.Buffer.IsEmpty;
        session.Connection.Input.AdvanceTo(result.Buffer.Start);
        if (spoke) return false;
        if (session.Connection.Closed.IsCancellationRequested) session.Stop();
        else if (result.IsCanceled) return true;
        else if (result.IsCompleted) session.End();
        return false;
    }
}
