using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Each reader of a mailbox has \Seen of his own (RFC 4314 2.1, s; 5.2, "shared flag rights"): that in the message's row is the owner's,
/// those of others are marks beside it, kept for whoever has made one. To a reader a message's modification sequence is that of its row or of his
/// mark, whichever is greater; both come from the owner's account, so they rise together (RFC 7162 3.1). In a public folder everybody is a reader.
/// </summary>
static class Readers
{
    /// <summary>The row as the reader sees it.</summary>
    public static MessageRow See(in MessageRow row, ReaderMark? mark) => row with
    {
        Flags = row.Flags & ~MessageFlags.Seen | (mark is { Seen: true } ? MessageFlags.Seen : 0),
        ModSeq = Math.Max(row.ModSeq, mark?.ModSeq ?? 0),
    };

    public static FlagState See(in FlagState state, ReaderMark? mark) => state with
    {
        Flags = state.Flags & ~MessageFlags.Seen | (mark is { Seen: true } ? MessageFlags.Seen : 0),
        ModSeq = Math.Max(state.ModSeq, mark?.ModSeq ?? 0),
    };

    /// <summary>The mailbox with the reader's counter and modification sequence.</summary>
    public static Mailbox See(ReadTransaction read, Mailbox mailbox, long reader)
    {
        if (reader == 0) return mailbox;
        var (seen, modseq) = ReaderTable.Get(read, mailbox.Id, reader) ?? (0, 0);
        return mailbox with { Unseen = mailbox.Messages - seen, ModSeq = Math.Max(mailbox.ModSeq, modseq) };
    }

    /// <summary>Rows by rising UID as the reader sees them.</summary>
    public static List<MessageRow> See(List<MessageRow> rows, List<ReaderMark> marks)
    {
        var next = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            while (next < marks.Count && marks[next].Uid < rows[i].Uid) next++;
            rows[i] = See(rows[i], next < marks.Count && marks[next].Uid == rows[i].Uid ? marks[next] : null);
        }
        return rows;
    }

    /// <summary>What has changed for the reader: rows, and his marks alone.</summary>
    public static List<MessageRow> ChangedSince(ReadTransaction read, long mailboxId, long reader, List<MessageRow> changed, long modseq)
    {
        var rows = new SortedDictionary<uint, MessageRow>();
        foreach (var row in changed) rows[row.Uid] = See(row, ReaderTable.Mark(read, mailboxId, reader, row.Uid));
        foreach (var mark in ReaderTable.ChangedSince(read, mailboxId, reader, modseq))
            if (!rows.ContainsKey(mark.Uid) && MessageTable.Get(read, mailboxId, mark.Uid) is { } row) rows[mark.Uid] = See(row, mark);
        return [.. rows.Values];
    }

    /// <summary>The marks of copies: everybody's where the owner stays the same, else that of who copies.</summary>
    /// <param name="by">Who copies; his mark goes along where he may set it there.</param>
    public static void Copy(WriteTransaction transaction, Mailbox source, Mailbox destination, List<(uint From, uint To)> pairs, long by, bool maySee, long modseq)
    {
        foreach (var reader in ReaderTable.Readers(transaction, source.Id))
        {
            if (reader == by ? !maySee : source.AccountId != destination.AccountId) continue;
            if (reader == destination.AccountId) continue; // his is in the row
            Mark(transaction, destination.Id, reader, pairs.Where(pair => ReaderTable.Mark(transaction, source.Id, reader, pair.From) is { Seen: true }).Select(pair => pair.To), modseq);
        }
    }

    /// <summary>Marks messages that he has not marked before as seen.</summary>
    public static void Mark(WriteTransaction transaction, long mailboxId, long reader, IEnumerable<uint> uids, long modseq)
    {
        var seen = 0;
        foreach (var uid in uids)
        {
            ReaderTable.Put(transaction, mailboxId, reader, new(uid, true, modseq));
            seen++;
        }
        if (seen > 0) ReaderTable.Adjust(transaction, mailboxId, reader, seen, modseq);
    }
}
