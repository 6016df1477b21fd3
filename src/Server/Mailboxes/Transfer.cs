using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>Who copies, and what he may do in the destination: flags that he may not set there are not copied (RFC 4314 4).</summary>
/// <param name="Account">0: the owner of the source.</param>
/// <param name="Room">For the keywords, or null: what the server itself moves keeps them.</param>
readonly record struct Mover(long Account, Rights Rights, KeywordRoom? Room = null)
{
    public static readonly Mover Owner = new(0, Rights.All);
}

/// <summary>COPY and MOVE (RFC 9051 6.4.7, RFC 6851): rows only, bodies stay where they are. All or nothing.</summary>
static class Transfer
{
    public static Result<Copied> Copy(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, Mover mover, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } source || MailboxTable.Get(transaction, destinationId) is not { } destination) return Refusal.NoSuchMailbox;
        var rows = Flags.Rows(transaction, mailboxId, uids);
        return Copy(transaction, notifier, source, rows, destination, quota, now, mover);
    }

    public static Result<Copied> Move(WriteTransaction transaction, Notifier notifier, long mailboxId, IReadOnlyList<uint> uids, long destinationId, long quota, Mover mover, DateTimeOffset now)
    {
        if (MailboxTable.Get(transaction, mailboxId) is not { } source || MailboxTable.Get(transaction, destinationId) is not { } destination) return Refusal.NoSuchMailbox;
        var rows = Flags.Rows(transaction, mailboxId, uids);
        // moving within an account takes no space
        var copied = Copy(transaction, notifier, source, rows, destination, source.AccountId == destination.AccountId ? 0 : quota, now, mover);
        if (copied.Ok) Expunge.Take(transaction, notifier, MailboxTable.Get(transaction, mailboxId)!, rows, now);
        return copied;
    }

    public static Result<Copied> Copy(WriteTransaction transaction, Notifier notifier, Mailbox source, List<MessageRow> rows, Mailbox destination, long quota, DateTimeOffset now, Mover mover)
    {
        var (rights, by) = (mover.Rights, mover.Account == 0 ? source.AccountId : mover.Account);
        var (kept, isSame, maySee) = (Access.FlagsOf(rights), source.AccountId == destination.AccountId, (rights & Rights.Seen) != 0);
        if (rows.Count == 0) return new Copied(destination.UidValidity, []);
        if (MailboxTable.Use(transaction, destination.AccountId, rows.Sum(row => row.Size), rows.Count, quota) is not { } modseq) return Refusal.OverQuota;
        var copies = new List<(MessageFlags Flags, string? Keywords)>(rows.Count);
        foreach (var row in rows)
        {
            var flags = row.Flags & kept & ~MessageFlags.Seen;
            copies.Add((IsSeen(row) ? flags | MessageFlags.Seen : flags, (rights & Rights.Write) == 0 ? null : mover.Room is { } room ? room.Fit(transaction, destination.Id, row.Keywords, null) : row.Keywords));
        }
        var next = MailboxTable.TakeUids(transaction, destination.Id, rows.Count, copies.Count(one => !one.Flags.HasFlag(MessageFlags.Seen)),
            copies.Count(one => one.Flags.HasFlag(MessageFlags.Deleted)), rows.Sum(row => row.Size), modseq)!.Value.Uid;
        var pairs = new List<(uint, uint)>(rows.Count);
        for (var (i, first) = (0, 0); i < rows.Count; i++)
        {
            Changes.Refer(transaction, rows[i].ContentId, 1);
            pairs.Add((rows[i].Uid, next + (uint)i));
            // neighbours that become alike are one statement
            if (i + 1 < rows.Count && rows[i + 1].Uid == rows[i].Uid + 1 && copies[i + 1] == copies[i]) continue;
            MessageTable.Copy(transaction, source.Id, new UidRun(rows[first].Uid, rows[i].Uid), destination.Id, next + (uint)first, copies[i].Flags, copies[i].Keywords, now, modseq);
            first = i + 1;
        }
        Readers.Copy(transaction, source, destination, pairs, by, maySee, modseq);
        // the owner's, of what he puts into the mailbox of another
        if (!isSame && by == source.AccountId && maySee)
            Readers.Mark(transaction, destination.Id, by, pairs.Zip(rows).Where(both => (both.Second.Flags & MessageFlags.Seen) != 0).Select(both => both.First.Item2), modseq);
        Changes.Add(transaction, notifier, destination.AccountId, destination.Id, modseq);
        return new Copied(destination.UidValidity, pairs);

        // by the destination's owner: his own flag of the same mailboxes, whoever copies; else what he has seen of the other's, if it is he who copies
        bool IsSeen(in MessageRow row) => isSame
            ? (row.Flags & MessageFlags.Seen) != 0 && (maySee || by != source.AccountId)
            : by == destination.AccountId && maySee && ReaderTable.Mark(transaction, source.Id, by, row.Uid) is { Seen: true };
    }
}
