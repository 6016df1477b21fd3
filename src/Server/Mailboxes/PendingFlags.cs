using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Flags of many messages are durable as a few runs and get into the messages' own rows a moment later, before anything else is written
/// (<see cref="WriteTransaction.Defer"/>): to change 5,000 rows takes as long as all else that STORE does. This lays them over rows that are read;
/// ask by rising UID.
/// </summary>
sealed class PendingFlags
{
    /// <summary>Changes that may wait: what the next who writes puts into rows takes some 10 ms then.</summary>
    const int MostStores = 3;

    readonly List<FlagRun> runs;
    int at;

    PendingFlags(List<FlagRun> runs) => this.runs = runs;

    /// <summary>Those of a range of UIDs; null where nothing waits.</summary>
    public static PendingFlags? Of(ReadTransaction read, long mailboxId, uint from, uint to) =>
        PendingFlagTable.Of(read, mailboxId, from, to) is { Count: > 0 } runs ? new(runs) : null;

    /// <summary>UIDs from the first to the last that waits.</summary>
    public (uint First, uint Last) Span => (runs[0].First, runs[^1].Last);

    public FlagState Over(in FlagState row)
    {
        while (at < runs.Count && runs[at].Last < row.Uid) at++;
        if (at == runs.Count || runs[at].First > row.Uid) return row;
        var run = runs[at];
        return row with { Flags = run.Flags, Keywords = run.Keywords, ModSeq = run.ModSeq };
    }

    public MessageRow Over(in MessageRow row)
    {
        var now = Over(row.State);
        return row with { Flags = now.Flags, Keywords = now.Keywords, ModSeq = now.ModSeq };
    }

    /// <summary>STORE (RFC 9051 6.4.6) of what is known.</summary>
    /// <returns>What it is then; null: the rows have to be written.</returns>
    public static IReadOnlyList<KnownRun>? Store(WriteTransaction transaction, Notifier notifier, long mailboxId, KnownRuns known, FlagChange change, KeywordRoom room, OwnChange? own)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } mailbox || mailbox.ModSeq != known.ModSeq) return null;
        var (waiting, stores) = PendingFlagTable.Waiting(transaction);
        if (waiting >= KnownRuns.MostRuns || stores >= MostStores) return null;
        var now = new List<KnownRun>(known.Runs.Count);
        var (unseen, deleted) = (0, 0);
        long? modseq = null;
        foreach (var run in known.Runs)
        {
            var (flags, keywords) = change.Apply(run.Flags, run.Keywords);
            keywords = room.Fit(transaction, mailboxId, keywords, run.Keywords);
            now.Add(run with { Flags = flags, Keywords = keywords });
            if (flags == run.Flags && keywords == run.Keywords) continue;
            modseq ??= MailboxTable.Use(transaction, mailbox.AccountId, 0, 0, 0);
            PendingFlagTable.Add(transaction, mailboxId, new(run.First, run.Last, flags, keywords, modseq!.Value));
            unseen += run.Messages * (Flags.Bit(run.Flags, MessageFlags.Seen) - Flags.Bit(flags, MessageFlags.Seen));
            deleted += run.Messages * (Flags.Bit(flags, MessageFlags.Deleted) - Flags.Bit(run.Flags, MessageFlags.Deleted));
        }
        if (modseq is not { } last) return now;
        MailboxTable.Adjust(transaction, mailboxId, 0, unseen, deleted, 0, last);
        own?.Add(mailbox.ModSeq, last);
        Changes.Add(transaction, notifier, mailbox.AccountId, mailboxId, last);
        transaction.Defer(Settle);
        return now;
    }

    /// <summary>Puts all that waits into the rows.</summary>
    public static void Settle(WriteTransaction transaction) => PendingFlagTable.Settle(transaction.Prepare);
}
