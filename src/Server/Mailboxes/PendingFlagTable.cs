using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>Messages with neighbouring UIDs that have the same flags, keywords and modification sequence.</summary>
readonly record struct FlagRun(uint First, uint Last, MessageFlags Flags, string? Keywords, long ModSeq);

/// <summary>SQL of flags that are promised and not in their messages' rows yet.</summary>
static class PendingFlagTable
{
    /// <summary>The flags of a row of "message m".</summary>
    public const string FlagsOfM = "coalesce((SELECT p.flags FROM pending_flags p WHERE p.mailbox_id = m.mailbox_id AND p.first <= m.uid AND p.last >= m.uid), m.flags)";

    static List<FlagRun> Read(Statement statement)
    {
        using var row = statement;
        var runs = new List<FlagRun>();
        while (row.Step()) runs.Add(new((uint)row.Int64(0), (uint)row.Int64(1), (MessageFlags)row.Int32(2), row.Text(3), row.Int64(4)));
        return runs;
    }

    const string Within = "SELECT first, last, flags, keywords, modseq FROM pending_flags WHERE mailbox_id = ? AND last >= ? AND first <= ? ORDER BY first";

    /// <summary>Those that touch a range of UIDs, rising.</summary>
    public static List<FlagRun> Of(ReadTransaction read, long mailboxId, uint from, uint to) => Read(read.Prepare(Within).Bind(1, mailboxId).Bind(2, from).Bind(3, to));

    static List<FlagRun> Of(WriteTransaction write, long mailboxId, uint from, uint to) => Read(write.Prepare(Within).Bind(1, mailboxId).Bind(2, from).Bind(3, to));

    /// <summary>How many runs wait, and of how many changes, in all mailboxes.</summary>
    public static (long Runs, long Changes) Waiting(WriteTransaction write)
    {
        using var row = write.Prepare("SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT mailbox_id, modseq FROM pending_flags)) FROM pending_flags");
        return row.Step() ? (row.Int64(0), row.Int64(1)) : default;
    }

    /// <summary>Adds a run; of older ones there remains what it does not cover.</summary>
    public static void Add(WriteTransaction write, long mailboxId, in FlagRun run)
    {
        foreach (var old in Of(write, mailboxId, run.First, run.Last))
        {
            write.Prepare("DELETE FROM pending_flags WHERE mailbox_id = ? AND first = ?").Bind(1, mailboxId).Bind(2, old.First).Run();
            if (old.First < run.First) Insert(write, mailboxId, old with { Last = run.First - 1 });
            if (old.Last > run.Last) Insert(write, mailboxId, old with { First = run.Last + 1 });
        }
        Insert(write, mailboxId, run);
    }

    static void Insert(WriteTransaction write, long mailboxId, in FlagRun run) =>
        write.Prepare("INSERT INTO pending_flags (mailbox_id, first, last, flags, keywords, modseq) VALUES (?, ?, ?, ?, ?, ?)")
            .Bind(1, mailboxId).Bind(2, run.First).Bind(3, run.Last).Bind(4, (long)run.Flags).Bind(5, run.Keywords).Bind(6, run.ModSeq).Run();

    /// <summary>Puts all of them into their messages' rows.</summary>
    /// <param name="prepare">Of a connection that may write.</param>
    public static void Settle(Func<string, Statement> prepare)
    {
        var waiting = new List<(long Mailbox, FlagRun Run)>();
        using (var row = prepare("SELECT first, last, flags, keywords, modseq, mailbox_id FROM pending_flags"))
            while (row.Step()) waiting.Add((row.Int64(5), new((uint)row.Int64(0), (uint)row.Int64(1), (MessageFlags)row.Int32(2), row.Text(3), row.Int64(4))));
        if (waiting.Count == 0) return;
        foreach (var (mailbox, run) in waiting) MessageTable.SetFlags(prepare, mailbox, run);
        prepare("DELETE FROM pending_flags").Run();
    }
}
