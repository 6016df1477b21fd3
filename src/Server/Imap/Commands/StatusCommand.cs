using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>What STATUS can tell (RFC 9051 6.3.11, RFC 3501 6.3.10, RFC 7162 3.1.7, RFC 8438, RFC 7889 3.1, RFC 8474 4.3, RFC 9208 4.1.4).</summary>
[Flags]
internal enum StatusItems { None = 0, Messages = 1, Recent = 2, UidNext = 4, UidValidity = 8, Unseen = 16, Deleted = 32, Size = 64, HighestModSeq = 128, AppendLimit = 256, DeletedStorage = 512, MailboxId = 1024 }

/// <summary>What has to be counted over the rows.</summary>
internal readonly record struct StatusCounts(int Recent, long DeletedStorage);

/// <summary>STATUS, and the same answer for LIST RETURN (STATUS ...) (RFC 5819).</summary>
internal static class StatusCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.Space();
        var items = Items(ref arguments);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (items.HasFlag(StatusItems.HighestModSeq)) session.EnableCondStore(); // RFC 7162 3.1.2

        Access? found;
        StatusCounts counts = default;
        using (var reader = session.Mail.Read())
        {
            found = session.Find(reader, name);
            if (found is not null) counts = Count(session, reader, found.Mailbox, items);
        }
        if (session.Refusing(found, Rights.Read, out var access) is { } refusal) return new(refusal);
        var mailbox = access.Mailbox;
        // RFC 3501 2.3.2: those that this session has taken are recent to it, and to nobody else
        if (session.Selected is { IsShownReadOnly: false } selected && selected.Id == mailbox.Id) counts = counts with { Recent = counts.Recent + selected.RecentCount };
        Write(session, access, items, counts);
        return new(Outcome.Done);
    }

    public static StatusItems Items(ref ImapReader arguments)
    {
        var items = StatusItems.None;
        arguments.Open();
        if (arguments.TakeClose()) return items; // not in the grammar, harmless
        do
        {
            var word = arguments.Keyword();
            var item = word switch
            {
                "MESSAGES" => StatusItems.Messages,
                "RECENT" => StatusItems.Recent,
                "UIDNEXT" => StatusItems.UidNext,
                "UIDVALIDITY" => StatusItems.UidValidity,
                "UNSEEN" => StatusItems.Unseen,
                "DELETED" => StatusItems.Deleted,
                "DELETED-STORAGE" => StatusItems.DeletedStorage,
                "SIZE" => StatusItems.Size,
                "HIGHESTMODSEQ" => StatusItems.HighestModSeq,
                "APPENDLIMIT" => StatusItems.AppendLimit,
                "MAILBOXID" => StatusItems.MailboxId,
                _ => StatusItems.None,
            };
            if (item == StatusItems.None) arguments.Refuse($"{word} is not a status item");
            items |= item;
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        return items;
    }

    public static StatusCounts Count(ImapSession session, MailReader reader, Mailbox mailbox, StatusItems items) => new(
        items.HasFlag(StatusItems.Recent) ? CountRecent(session.Mail.RecentFrom(mailbox), reader, mailbox) : 0,
        items.HasFlag(StatusItems.DeletedStorage) && mailbox.Deleted > 0
            ? reader.Messages(mailbox.Id).Where(row => row.Flags.HasFlag(MessageFlags.Deleted)).Sum(row => row.Size) : 0);

    static int CountRecent(uint from, MailReader reader, Mailbox mailbox) => from >= mailbox.UidNext ? 0 : reader.Messages(mailbox.Id, from).Count;

    public static void Write(ImapSession session, Access access, StatusItems items, StatusCounts counts)
    {
        var (writer, mailbox) = (session.Writer, access.Mailbox);
        writer.Write("* STATUS "u8).Mailbox(access.Name).Write(" ("u8);
        var first = true;
        void Item(StatusItems item, string name, long value)
        {
            if (!items.HasFlag(item)) return;
            if (!first) writer.Space();
            first = false;
            writer.Write(name).Space().Write(value);
        }
        Item(StatusItems.Messages, "MESSAGES", mailbox.Messages);
        Item(StatusItems.Recent, "RECENT", counts.Recent);
        Item(StatusItems.UidNext, "UIDNEXT", mailbox.UidNext);
        Item(StatusItems.UidValidity, "UIDVALIDITY", mailbox.UidValidity);
        Item(StatusItems.Unseen, "UNSEEN", mailbox.Unseen);
        Item(StatusItems.Deleted, "DELETED", mailbox.Deleted);
        Item(StatusItems.DeletedStorage, "DELETED-STORAGE", counts.DeletedStorage);
        Item(StatusItems.Size, "SIZE", mailbox.Bytes);
        Item(StatusItems.HighestModSeq, "HIGHESTMODSEQ", Math.Max(1, mailbox.ModSeq));
        Item(StatusItems.AppendLimit, "APPENDLIMIT", session.Settings.MaxMessage);
        if (items.HasFlag(StatusItems.MailboxId))
        {
            if (!first) writer.Space();
            writer.Write("MAILBOXID ("u8).Write(mailbox.ObjectId).Write(")"u8);
        }
        writer.Write(")\r\n"u8);
    }
}
