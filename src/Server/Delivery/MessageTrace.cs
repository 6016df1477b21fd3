using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>"Where is my mail" in one question: the trail and the queue (<see cref="TraceSearch"/>), and the ledger for copies of mailings.</summary>
public sealed class MessageTrace(Store store, TraceSearch search)
{
    /// <summary>The newest messages that fit, the newest first.</summary>
    public async Task<IReadOnlyList<TraceMessage>> FindAsync(TraceQuestion question, int limit, CancellationToken cancel = default)
    {
        var found = await search.FindAsync(question, limit, cancel);
        if (question.QueueId is null && (question.Sender is null || question.MessageId is not null))
        {
            var inQueue = found.Where(message => message.Mailing is not null).Select(message => message.QueueId).ToHashSet();
            using var read = store.Read();
            var copies = LedgerTable.Find(read, question.MessageId, QueueFilter.Like(question.Recipient), question.Text is { } text ? QueueFilter.Like("*" + text + "*") : null, question.Since, question.Until, limit);
            found.AddRange(copies.Where(copy => copy.QueueId is null || !inQueue.Contains(copy.QueueId)).Select(copy => Copy(read, copy.Row, copy.Mailing, copy.QueueId)));
        }
        return [.. found.OrderByDescending(message => message.At).Take(limit)];
    }

    static TraceMessage Copy(ReadTransaction read, LedgerRow row, long mailing, long? queueId) =>
        new(row.At, "", row.MessageId, Ledger.Owner(read, row.Id)?.Sender ?? "", 0, null, null, queueId, mailing,
            [new TraceRecipient(row.Address, LedgerTable.Word(row.State), row.At, row.Class, null, row.Host, row.Tls, row.Reply, row.Attempts)]);
}
