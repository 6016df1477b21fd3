using System.Globalization;
using CbaMail.Envelope;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>
/// BDAT (RFC 3030 2): the text in chunks of declared length. The octets of a chunk are read whatever the answer is:
/// they never become commands.
/// </summary>
static class BdatCommand
{
    public static async ValueTask Run(SmtpSession session, string arguments)
    {
        if (!TryParse(arguments, out var size, out var last))
        {
            session.SyntaxError(501, "5.5.4", "Say BDAT octets [LAST]");
            return;
        }
        if (size > session.Limits.MessageSize + DataCommand.MostDropped)
        {
            // nobody will read over so much: the connection cannot go on
            session.Reply(Refusal.TooLarge);
            session.End();
            return;
        }
        var wrong = Refuse(session);
        if (wrong is null && !session.Transaction!.IsChunked && await DataCommand.RefusalAsync(session, session.Transaction) is { } refusal)
        {
            session.Reset();
            if (await ReadAsync(session, null, size)) session.Reply(refusal);
            return;
        }
        var transaction = wrong is null ? session.Transaction : null;
        var sink = transaction is null ? null : transaction.Sink ?? session.OpenSink(transaction);
        if (transaction is not null)
        {
            transaction.IsChunked = true;
            if (sink!.Received + size > session.Limits.MessageSize) sink.Fail(Refusal.TooLarge);
        }
        if (!await ReadAsync(session, sink, size)) return;
        if (wrong is { } reply) session.SyntaxError(reply.Code, reply.Status, reply.Text);
        else await AnswerAsync(session, sink!, size, last);
    }

    static async ValueTask AnswerAsync(SmtpSession session, MessageSink sink, long size, bool last)
    {
        if (last)
        {
            sink.End();
            await Acceptance.FinishAsync(session);
            return;
        }
        if (sink.HasBareLineEnd && !session.Transaction!.IsBinary) sink.Fail(MessageSink.BareLineEnd);
        if (sink.Refusal is { } refusal)
        {
            session.Reset(); // RFC 3030 2: the transaction has failed; chunks that follow are read and answered 503
            session.Reply(refusal);
            return;
        }
        session.Reply(250, "2.0.0", string.Create(CultureInfo.InvariantCulture, $"{size} octets received"));
    }

    static Reply? Refuse(SmtpSession session)
    {
        if (session.Hello is null) return new Reply(503, "5.5.1", "Say EHLO first");
        if (session.Transaction is not { } transaction) return new Reply(503, "5.5.1", "Say MAIL first");
        return transaction.Arrival.Recipients.Count == 0 ? DataCommand.NoRecipients(session, transaction) : null;
    }

    /// <summary>Reads the chunk into the sink, or over it where there is none.</summary>
    static async ValueTask<bool> ReadAsync(SmtpSession session, MessageSink? sink, long left)
    {
        var pace = new Pace(session);
        var connection = session.Connection;
        while (left > 0)
        {
            if (!connection.Input.TryRead(out var result))
            {
                await connection.Output.FlushAsync(CancellationToken.None);
                result = await connection.ReadAsync(session.Limits.DataTimeout);
            }
            var chunk = result.Buffer.Slice(0, Math.Min(left, result.Buffer.Length));
            if (sink is not null)
                foreach (var segment in chunk) sink.WriteChecked(segment.Span);
            left -= chunk.Length;
            connection.Input.AdvanceTo(chunk.End);
            if (left > 0 && pace.Ends(result.IsCanceled, result.IsCompleted, sink)) return false;
        }
        return true;
    }

    // chunk-size *DIGIT, at most what a long can hold; LAST in any case
    internal static bool TryParse(ReadOnlySpan<char> text, out long size, out bool last)
    {
        last = false;
        var space = text.IndexOf(' ');
        var number = space < 0 ? text : text[..space];
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out size)) return false;
        if (space < 0) return true;
        last = text[(space + 1)..].Trim(' ').Equals("LAST", StringComparison.OrdinalIgnoreCase);
        return last;
    }
}
