using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Which messages were expunged is remembered for clients that were away (RFC 7162 3.2), for a while: a client that has been away
/// for longer is told of every UID without a message instead.
/// </summary>
public sealed class ExpungeHistory(Store store, Settings settings, TimeProvider time)
{
    const int RowsPerCommit = 1000;

    /// <summary>Forgets what is older than the settings say.</summary>
    /// <returns>Rows removed.</returns>
    public async Task<long> PruneAsync(CancellationToken cancel)
    {
        var (least, before) = (settings.Storage.KeepExpungedAtLeast, time.GetUtcNow() - settings.Storage.KeepExpunged);
        List<long> mailboxes;
        using (var read = store.Read()) mailboxes = MessageTable.WithMoreExpunged(read, least);
        var forgotten = 0L;
        foreach (var mailbox in mailboxes)
        {
            long? upTo;
            using (var read = store.Read()) upTo = MessageTable.Forgettable(read, mailbox, least, before);
            if (upTo is not { } modseq) continue;
            int rows;
            do
            {
                rows = await store.CommitAsync(t => MessageTable.Forget(t, mailbox, modseq, RowsPerCommit), cancel);
                forgotten += rows;
            }
            while (rows == RowsPerCommit);
        }
        return forgotten;
    }
}
