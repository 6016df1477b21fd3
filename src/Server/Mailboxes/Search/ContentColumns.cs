using CbaMail.Storage;

namespace CbaMail.Mailboxes.Search;

/// <summary>Which content every message of a mailbox has, by rising UID.</summary>
/// <param name="Next">The first UID that is not known here.</param>
sealed record ContentColumn(List<uint> Uids, List<long> Contents, uint Next)
{
    /// <summary>As it is now.</summary>
    /// <param name="known">What is known of it already.</param>
    public static ContentColumn Read(ReadTransaction read, Mailbox mailbox, ContentColumn? known = null)
    {
        var room = (int)Math.Min(mailbox.Messages, 1 << 20);
        var column = new ContentColumn(new(room), new(room), mailbox.UidNext);
        if (known is not null)
        {
            column.Uids.AddRange(known.Uids);
            column.Contents.AddRange(known.Contents);
        }
        MessageTable.Contents(read, mailbox.Id, known?.Next ?? 1, column.Uids, column.Contents);
        return column;
    }
}

/// <summary>
/// The columns of the mailboxes that were searched last, twelve octets a message, for as long as the collector leaves them. A message keeps its
/// content, so only what has come since is read; what has been expunged since stays, and nobody asks for it.
/// </summary>
sealed class ContentColumns
{
    const int Most = 64;

    readonly Lock gate = new();
    readonly Dictionary<long, WeakReference<ContentColumn>> columns = [];

    public ContentColumn Of(ReadTransaction read, Mailbox mailbox)
    {
        ContentColumn? known = null;
        lock (gate)
            if (columns.TryGetValue(mailbox.Id, out var place)) place.TryGetTarget(out known);
        // a restore, or much that has been expunged
        if (known is not null && (known.Next > mailbox.UidNext || known.Uids.Count > 2 * mailbox.Messages + 100)) known = null;
        if (known?.Next == mailbox.UidNext) return known;
        var column = ContentColumn.Read(read, mailbox, known);
        lock (gate)
        {
            if (columns.Count >= Most) columns.Clear();
            columns[mailbox.Id] = new(column);
        }
        return column;
    }
}
