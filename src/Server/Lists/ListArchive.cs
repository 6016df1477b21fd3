using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>
/// The archive of a list: a public folder of its domain, <c>Lists/NAME</c>, which a post is put into in the commit that sends it. What pages show is
/// made of the folder behind it, so what is taken out of the folder is gone from them too, and what is put into it is in them.
/// </summary>
public sealed class ListArchive
{
    readonly Store store;
    readonly MailStore mail;
    readonly ListBook book;

    public ListArchive(Store store, MailStore mail, ListBook book)
    {
        (this.store, this.mail, this.book) = (store, mail, book);
        book.Changed += Give;
        book.Removing += PutAway;
    }

    /// <summary>The identifier that stands for the members of a list where rights to its folder are given.</summary>
    public static string Identifier(MailList list) => "$list:" + list.Address;

    public static string FolderName(MailList list) => "Lists/" + list.Address.LocalPart;

    const int Piece = 100, LongestText = 8 << 10, MostShown = 2000, LargestShown = 32 << 20;

    // ---- keeping

    /// <summary>Puts a post into the folder.</summary>
    internal void Keep(WriteTransaction write, MailList list, ContentRef content, DateTimeOffset? at = null) =>
        mail.AddMessage(write, -list.DomainId, Folder(write, list), new NewMessage(content, default, MessageFlags.None, [], at ?? book.Now), 0);

    long Folder(WriteTransaction write, MailList list)
    {
        if (MailboxTable.Find(write, -list.DomainId, FolderName(list)) is { } there) return there.Id;
        mail.EnsureMailbox(write, -list.DomainId, "Lists");
        var id = mail.EnsureMailbox(write, -list.DomainId, FolderName(list));
        Give(write, list, id);
        return id;
    }

    /// <summary>Gives the rights that the list's setting says.</summary>
    internal void Give(WriteTransaction write, MailList list)
    {
        if (MailboxTable.Find(write, -list.DomainId, FolderName(list)) is { } there) Give(write, list, there.Id);
        else if (list.Profile.HasArchive) Folder(write, list);
    }

    /// <summary>What was posted stays with the domain's administrators, under another name: a new list of this name begins with nothing.</summary>
    void PutAway(WriteTransaction write, MailList list)
    {
        ListArchiveTable.RemoveOf(write, list.Id);
        if (MailboxTable.Find(write, -list.DomainId, FolderName(list)) is not { } folder) return;
        AclTable.RemoveAll(write, folder.Id);
        MailboxTable.Rename(write, folder.Id, $"{FolderName(list)} ({book.Now:yyyy-MM-dd HH.mm.ss})");
        write.OnCommitted(mail.RightsChanged);
    }

    void Give(WriteTransaction write, MailList list, long folder)
    {
        foreach (var entry in AclTable.Of(write, folder)) AclTable.Remove(write, folder, entry.Identifier);
        var reading = Rights.Lookup | Rights.Read | Rights.Seen;
        if (list.Profile.Archive == "members") AclTable.Put(write, folder, Identifier(list), reading);
        else if (list.Profile.Archive == "public") AclTable.Put(write, folder, MailboxAccess.Anyone, reading);
        foreach (var owner in book.OwnersOf(list)) AclTable.Put(write, folder, owner.ToString(), reading);
        write.OnCommitted(mail.RightsChanged);
    }

    /// <summary>Reads what has come into the folders.</summary>
    internal async Task IndexAsync(CancellationToken cancel)
    {
        foreach (var list in book.List())
            if (list.Profile.HasArchive)
                while (await IndexAsync(list, cancel)) { }
    }

    async ValueTask<bool> IndexAsync(MailList list, CancellationToken cancel)
    {
        var found = new List<(uint Uid, string Id, IReadOnlyList<string> Answered, string Author, string Subject, string Text, DateTimeOffset Taken)>();
        long? known;
        uint from;
        Mailbox? folder;
        using (var reader = mail.Read())
        {
            (known, from) = ListArchiveTable.Place(reader.Transaction.Prepare, list.Id);
            if ((folder = reader.Find(-list.DomainId, FolderName(list))) is null) return false;
            if (known != folder.Id) from = 0;
            foreach (var row in reader.Messages(folder.Id, from + 1).Take(Piece))
                if (reader.Content(folder.Id, row) is { } content) found.Add(Entry(row, content));
        }
        if (found.Count == 0 && known == folder.Id) return false;
        await store.CommitAsync(write =>
        {
            if (known != folder.Id) ListArchiveTable.RemoveOf(write, list.Id); // another folder than it was
            foreach (var (uid, id, answered, author, subject, text, taken) in found) ListArchiveTable.Add(write, list.Id, uid, id, answered, author, subject, text, taken);
            ListArchiveTable.SetPlace(write, list.Id, folder.Id, found.Count == 0 ? from : found[^1].Uid);
            return true;
        }, cancel);
        return found.Count == Piece;
    }

    static (uint, string, IReadOnlyList<string>, string, string, string, DateTimeOffset) Entry(MessageRow row, MessageContent content)
    {
        var message = content.Size <= LargestShown ? content.Read(0, (int)content.Size) : content.Read(0, 64 << 10);
        var header = HeaderList.Parse(message);
        var from = header.Addresses("From").Mailboxes.FirstOrDefault();
        var author = from is null ? "" : from.Name.Trim() is { Length: > 0 } name ? name : from.LocalPart;
        var subject = header.Value("Subject")?.Trim() ?? "";
        var answered = new List<string>();
        if (header.Find("In-Reply-To") is { } reply) answered.AddRange(MessageId.ParseList(reply.Raw.Span).Take(1));
        if (header.Find("References") is { } references) answered.AddRange(MessageId.ParseList(references.Raw.Span).Reverse().Take(20));
        var text = content.Size <= LargestShown ? DigestText.Readable(message, MimeTree.Parse(message)) : "";
        var searched = $"{subject}\n{author}\n{text}".ToLowerInvariant();
        return (row.Uid, content.MessageId ?? $"uid {row.Uid}", answered, Cut(author, 200), Cut(subject, 500), Cut(searched, LongestText), row.Received);
    }

    static string Cut(string text, int most) => text.Length > most ? text[..most] : text;

    /// <summary>Forgets what is not in the folder any more.</summary>
    internal async Task UpkeepAsync(CancellationToken cancel)
    {
        foreach (var list in book.List())
        {
            List<long> gone;
            using (var reader = mail.Read())
            {
                var all = ListArchiveTable.Uids(reader.Transaction, list.Id);
                if (all.Count == 0) continue;
                var there = reader.Find(-list.DomainId, FolderName(list)) is { } folder ? reader.Messages(folder.Id).Select(row => row.Uid).ToHashSet() : [];
                gone = [.. all.Where(one => !there.Contains(one.Uid)).Select(one => one.Id)];
            }
            if (gone.Count > 0)
                await store.CommitAsync(write =>
                {
                    foreach (var id in gone) ListArchiveTable.Remove(write, id);
                    return true;
                }, cancel);
        }
    }

    // ---- showing

    public IReadOnlyList<(string Month, int Messages)> Months(MailList list)
    {
        using var read = store.Read();
        return ListArchiveTable.Months(read, list.Id);
    }

    public IReadOnlyList<ArchivedPost> Month(MailList list, string month)
    {
        using var read = store.Read();
        return ListArchiveTable.Month(read, list.Id, month, MostShown);
    }

    public IReadOnlyList<ArchivedPost> Thread(MailList list, long thread)
    {
        using var read = store.Read();
        return ListArchiveTable.Thread(read, list.Id, thread, 500);
    }

    public IReadOnlyList<ArchivedPost> Newest(MailList list, int most)
    {
        using var read = store.Read();
        return ListArchiveTable.Newest(read, list.Id, most);
    }

    public IReadOnlyList<ArchivedPost> Search(MailList list, string wanted)
    {
        var words = wanted.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct().Take(8).ToList();
        if (words.Count == 0) return [];
        using var read = store.Read();
        return ListArchiveTable.Search(read, list.Id, words, 100);
    }

    /// <summary>A message whole, or null: it is not there any more, or too large to be shown.</summary>
    public (ArchivedPost Post, byte[] Message)? Message(MailList list, long id)
    {
        using var reader = mail.Read();
        if (ListArchiveTable.Find(reader.Transaction, list.Id, id) is not { } post || reader.Find(-list.DomainId, FolderName(list)) is not { } folder || ListArchiveTable.Place(reader.Transaction.Prepare, list.Id).Mailbox != folder.Id) return null;
        if (reader.Message(folder.Id, post.Uid) is not { } row || reader.Content(folder.Id, row) is not { } content || content.Size > LargestShown) return null;
        return (post, content.Read(0, (int)content.Size));
    }

    /// <summary>Whether somebody may look, and whether he sees addresses: a member, an owner, or nobody in particular.</summary>
    public bool MayRead(MailList list, MailAddress? who, Account? signedIn)
    {
        if (list.Profile.Archive == "public") return true;
        if (who is null && signedIn is null || !list.Profile.HasArchive) return false;
        return IsInside(list, who, signedIn) && (list.Profile.Archive == "members" || book.Decides(list, signedIn?.Address ?? who!, signedIn));
    }

    /// <summary>A member, an owner or a moderator.</summary>
    public bool IsInside(MailList list, MailAddress? who, Account? signedIn) =>
        (who is not null && (book.FindMember(list, who) is not null || book.Decides(list, who, null))) || (signedIn is not null && (book.IsMember(list, signedIn.Address, signedIn) || book.Decides(list, signedIn.Address, signedIn)));
}
