using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>SQL over the database of a snapshot, and over the one that a restore has just copied.</summary>
static class BackupTable
{
    /// <summary>How far the rows of a snapshot reach into each pack, by number.</summary>
    public static SortedDictionary<int, long> PackEnds(SqliteConnection snapshot)
    {
        var ends = new SortedDictionary<int, long>();
        foreach (var sql in new[] { "SELECT pack, max(position + stored) FROM content GROUP BY pack", "SELECT pack, max(position + stored) FROM object GROUP BY pack" })
        {
            using var row = snapshot.Prepare(sql);
            while (row.Step()) ends[row.Int32(0)] = Math.Max(row.Int64(1), ends.GetValueOrDefault(row.Int32(0)));
        }
        return ends;
    }

    public static (long Accounts, long Messages, long Bytes) Counts(SqliteConnection snapshot)
    {
        using var row = snapshot.Prepare("SELECT (SELECT count(*) FROM account), coalesce(sum(messages), 0), coalesce(sum(bytes), 0) FROM usage");
        row.Step();
        return (row.Int64(0), row.Int64(1), row.Int64(2));
    }

    public static long Schema(SqliteConnection snapshot) => snapshot.Prepare("PRAGMA user_version").Scalar() ?? 0;

    public static int SafePack(SqliteConnection snapshot) => VaultTable.Safe(snapshot).Pack;

    // ---- a restored database, before a server sees it

    /// <summary>Above everything that the lost server may have given out after the snapshot.</summary>
    const long Gap = 1_000_000;
    const long ModSeqGap = 1_000_000_000;
    const long LastUid = 4_200_000_000;

    /// <summary>
    /// Makes numbers that clients remember rise above whatever they may have seen after the snapshot was taken (RFC 9051 2.3.1.1: a UID is
    /// never given twice; RFC 7162 3.1: neither is a MODSEQ, and flags that have gone back are news), and begins a pack of its own.
    /// </summary>
    public static void Renumber(SqliteConnection restored, int firstPack)
    {
        PendingFlagTable.Settle(restored.Prepare); // or they would come after what is numbered now
        restored.Prepare("UPDATE mailbox SET recent_uid = CASE WHEN recent_uid = uid_next THEN recent_uid + ?1 ELSE recent_uid END, uid_next = uid_next + ?1 WHERE uid_next < ?2")
            .Bind(1, Gap).Bind(2, LastUid).Run();
        restored.Prepare("UPDATE usage SET modseq = modseq + ?").Bind(1, ModSeqGap).Run();
        restored.Prepare("UPDATE mailbox SET modseq = (SELECT modseq FROM usage WHERE usage.account_id = mailbox.account_id) WHERE account_id IN (SELECT account_id FROM usage)").Run();
        // what came after the snapshot is gone without having been expunged: whoever asks what vanished resynchronises (RFC 7162 3.2.5)
        restored.Prepare("UPDATE mailbox SET forgotten = modseq - 1").Run();
        restored.Prepare("UPDATE message SET modseq = (SELECT modseq FROM mailbox WHERE mailbox.id = message.mailbox_id) WHERE mailbox_id IN (SELECT id FROM mailbox)").Run();
        restored.Prepare("UPDATE sqlite_sequence SET seq = seq + ? WHERE name IN ('mailbox', 'content', 'object', 'queue_message', 'participant', 'person', 'enrolment', 'ledger')").Bind(1, Gap).Run();
        VaultTable.SetSafe(restored, (firstPack, 0));
    }

    /// <summary>Keeps what waits to be sent from being sent: it may have been since.</summary>
    /// <returns>Recipients held, mailings paused.</returns>
    public static (int Held, int Paused) HoldMail(SqliteConnection restored) => (
        restored.Prepare("UPDATE queue_recipient SET held = 1 WHERE held = 0").Run(),
        restored.Prepare("UPDATE mailing SET state = 'paused' WHERE state = 'sending'").Run());
}
