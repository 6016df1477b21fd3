using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>A message that came to an address of a list.</summary>
/// <param name="ReversePath">Null for the null reverse-path.</param>
/// <param name="SignedIn">Whose account sends it, or null: a stranger.</param>
/// <param name="Proven">The From domain, where SPF or a signature proves it; or null.</param>
/// <param name="Signatures">Those that are right.</param>
/// <param name="Arrival">Id of the transaction.</param>
/// <param name="Door">Of the trace.</param>
/// <param name="Alongside">Runs in the commit that takes it.</param>
public sealed record ListMail(
    MailAddress? ReversePath, ReadOnlyMemory<byte> Message, Account? SignedIn, string? Proven, IReadOnlyList<DkimSignature> Signatures, bool Junk, bool RequireTls, bool SmtpUtf8, string Arrival, string Door, Action<WriteTransaction>? Alongside);

/// <summary>
/// Takes posts and sends them out. What is taken is durable with the list of all who are to get it; the copies follow, some in each commit, and
/// each commit strikes those off that it has placed. So after a cut nobody gets it twice and nobody is left out.
/// </summary>
public sealed class ListPosts
{
    /// <summary>Copies of one commit: more would keep others waiting (measured.md 3).</summary>
    internal const int PieceRows = 250;

    /// <summary>How long a Message-ID is remembered.</summary>
    static readonly TimeSpan Remembered = TimeSpan.FromDays(60);

    /// <summary>What waits for the moderators of one list: strangers can fill no more, of the store or of moderators' mailboxes.</summary>
    const int MostHeld = 500, MostHeldOfAuthor = 20;
    const long MostHeldBytes = 256 << 20;

    static readonly Refusal TooManyHeld = Refusal.TooMany.Because("Too many posts wait for the moderators of this list; try again later");

    const long UsualSize = 10 << 20;
    const int UsualRecipients = 20, UsualHoldDays = 7;

    readonly Store store;
    readonly MailStore mail;
    readonly MailQueue queue;
    readonly UserDirectory directory;
    readonly ListBook book;
    readonly ListTokens tokens;
    readonly ListLetters letters;
    readonly IResolver? resolver;
    readonly ListArchive? archive;
    readonly Settings settings;
    readonly ILogger<ListPosts> log;
    readonly SemaphoreSlim waiting = new(0);

    public ListPosts(Store store, MailStore mail, MailQueue queue, UserDirectory directory, ListBook book, ListTokens tokens, ListLetters letters, Settings settings, ILogger<ListPosts> log, IResolver? resolver = null, ListArchive? archive = null)
    {
        this.archive = archive;
        (this.store, this.mail, this.queue, this.directory, this.book, this.tokens, this.letters) = (store, mail, queue, directory, book, tokens, letters);
        (this.settings, this.log, this.resolver) = (settings, log, resolver);
    }

    /// <summary>Takes a post. When the task completes with null, it is durable that everybody gets it, or that it waits for a moderator, or that it is of no one's concern.</summary>
    public async ValueTask<Refusal?> TakeAsync(MailList list, ListMail post, CancellationToken cancel)
    {
        var header = HeaderList.Parse(post.Message.Span);
        if (ListText.LoopIn(list, post.ReversePath, header) is { } loop) return await DropAsync(list, post, loop, cancel);
        if (post.Junk) return Refusal.NotPermitted.Because("The list takes no junk");
        if (post.Message.Length > (list.Profile.MaxSize ?? UsualSize)) return Refusal.TooLarge.Because($"The list takes posts of at most {(list.Profile.MaxSize ?? UsualSize) / 1024} KiB");
        if (header.Addresses("To").Mailboxes.Count() + header.Addresses("Cc").Mailboxes.Count() > (list.Profile.MaxRecipients ?? UsualRecipients)) return Refusal.NotPermitted.Because("The post names more recipients than the list allows");
        if (header.Addresses("From").Mailboxes.ToList() is not [var from] || !MailAddress.TryParse(from.Address, out var author)) return Refusal.NotPermitted.Because("A post has one author in From");
        var proven = post.SignedIn is not null || post.Proven == author.DomainKey;
        string? why = null;
        if (!book.MayPost(list, author, post.SignedIn))
        {
            if ((list.Profile.Moderation ?? (list.IsAnnouncement ? "none" : "strangers")) == "none") return Refusal.NotPermitted.Because("This sender may not post to this list");
            why = "stranger";
        }
        // whoever may post by his name must be the one he says
        else if (!proven && list.Profile.Posters?.Contains("anybody") != true) why = "unproven";
        else if (list.Profile.Moderation == "all" && !(proven && book.Decides(list, author, post.SignedIn))) why = "all";
        var edit = await EditAsync(list, post, from, author, cancel);
        var known = header.Find("Message-ID") is { } field ? MessageId.Parse(field.Raw.Span) : null;
        // one that has none is known again by its text when it is sent once more
        var id = known is { Length: > 0 and <= 900 } ? known : $"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(post.Message.Span)[..16])}@{list.Address.Domain}";
        ReadOnlyMemory<byte> text = ListText.Write(list, post.Message.Span, edit, id == known ? null : id, settings.Admission.Root(settings));
        var subject = header.Value("Subject")?.Trim() ?? "";
        var flags = (edit.Author is not null || (post.SignedIn is not null && directory.IsLocal(author)) ? PostFlags.Own : 0) | (System.Text.Ascii.IsValid(text.Span) ? 0 : PostFlags.EightBit)
            | (post.SmtpUtf8 ? PostFlags.SmtpUtf8 : 0) | (post.RequireTls ? PostFlags.RequireTls : 0)
            | (proven ? PostFlags.Proven : 0) | (header.Value("X-No-Archive")?.Trim().Equals("yes", StringComparison.OrdinalIgnoreCase) == true ? PostFlags.NoArchive : 0);
        var entry = new ListPost(0, list.Id, id, author.ToString(), subject.Length > 500 ? subject[..500] : subject, why is null ? "sending" : "held", null, text.Length, flags, book.Now, 0);
        using var turn = await mail.StagingRoom.EnterAsync(text.Length);
        using var staged = mail.Stage(text);
        if (why is not null) return await HoldAsync(list, post, entry, staged, why, cancel);
        await store.CommitAsync(write =>
        {
            if (ListPostTable.Exists(write.Prepare, list.Id, id))
            {
                Trace(write, list, post, id, "dropped: the list has had a message with this Message-ID");
                post.Alongside?.Invoke(write);
                return true;
            }
            var content = mail.AddContent(write, staged);
            mail.AddReference(write, content.Id); // held until the last copy is placed
            var added = entry with { ContentId = content.Id };
            added = added with { Id = ListPostTable.Add(write, added, null)!.Value };
            var copies = Send(write, list, added, content, post.Arrival);
            Trace(write, list, post, id, $"to {copies} members of the list");
            post.Alongside?.Invoke(write);
            write.OnCommitted(() => ListsTelemetry.Posted(log, post.Arrival, id, list.Address.ToString(), entry.Author, copies, text.Length));
            return true;
        }, cancel);
        return null;
    }

    async ValueTask<Refusal?> DropAsync(MailList list, ListMail post, string why, CancellationToken cancel)
    {
        await store.CommitAsync(write =>
        {
            Trace(write, list, post, null, "dropped: " + why);
            post.Alongside?.Invoke(write);
            return true;
        }, cancel);
        ListsTelemetry.Dropped(log, post.Arrival, list.Address.ToString(), why);
        return null;
    }

    void Trace(WriteTransaction write, MailList list, ListMail post, string? messageId, string what) =>
        queue.Trail.Add(write, new TrailEntry(TrailKind.Placed, post.Arrival, messageId, post.ReversePath?.ToString() ?? "", $"{list.Address}\t{what}", post.Message.Length, null, post.Door, ""));

    /// <summary>
    /// Where the author's domain has others refuse what it has not signed (DMARC), his From stays only under a signature of his that the list leaves
    /// whole: prefix and footer are left off for it, unless the list is set to write as itself.
    /// </summary>
    async ValueTask<ListEdit> EditAsync(MailList list, ListMail post, HeaderAddress from, MailAddress author, CancellationToken cancel)
    {
        var changes = !ListText.IsSealed(post.Message.Span);
        var alters = changes && (list.Profile.Prefix is not null || list.Profile.Footer is not null || list.Profile.ReplyTo == "list");
        if (post.SignedIn is not null && directory.IsLocal(author)) return new(null, changes); // we sign it as it leaves
        if (!await IsGuardedAsync(author, cancel)) return new(null, changes);
        var holds = post.Signatures.Any(signature => PublicSuffixList.InUse.AreOfOneOrganization(signature.Domain, author.Domain) && signature.Length is null && !signature.Fields.Any(ListText.Touches));
        if (!holds) return new(from, changes);
        return alters && list.Profile.ChangeSigned == true ? new(from, true) : new(null, !alters && changes);
    }

    async ValueTask<bool> IsGuardedAsync(MailAddress author, CancellationToken cancel)
    {
        if (resolver is null) return false;
        var found = await DmarcVerifier.DiscoverAsync(author.Domain, resolver, PublicSuffixList.InUse, cancel);
        // DNS that does not answer may hide a policy: with a From of the list's own the post arrives whatever it is
        return found.Policy is DmarcPolicy.Quarantine or DmarcPolicy.Reject || found.Status == MailAuth.AuthResult.TempError;
    }

    // ---- moderation

    async ValueTask<Refusal?> HoldAsync(MailList list, ListMail post, ListPost entry, StagedMessage staged, string why, CancellationToken cancel)
    {
        var (token, digest) = ListTokens.Make();
        var moderators = book.ModeratorsOf(list);
        using var letter = letters.Stage(letters.HeldPost(list, entry, why, token, post.Message, list.Profile.HoldDays ?? UsualHoldDays));
        return await store.CommitAsync<Refusal?>(write =>
        {
            if (ListPostTable.Exists(write.Prepare, list.Id, entry.MessageId))
            {
                Trace(write, list, post, entry.MessageId, "dropped: the list has had a message with this Message-ID");
                post.Alongside?.Invoke(write);
                return null;
            }
            var (waiting, bytes, ofAuthor) = ListPostTable.CountHeld(write, list.Id, entry.Author);
            if (waiting >= MostHeld || ofAuthor >= MostHeldOfAuthor || bytes + entry.Size > MostHeldBytes) return TooManyHeld;
            var content = mail.AddContent(write, staged);
            mail.AddReference(write, content.Id);
            ListPostTable.Add(write, entry with { ContentId = content.Id }, digest);
            letters.Enqueue(write, letter, moderators);
            Trace(write, list, post, entry.MessageId, $"held for a moderator ({why})");
            post.Alongside?.Invoke(write);
            write.OnCommitted(() => ListsTelemetry.Held(log, post.Arrival, entry.MessageId, list.Address.ToString(), entry.Author, why));
            return null;
        }, cancel);
    }

    /// <summary>What waits for a moderator, oldest first.</summary>
    public IReadOnlyList<ListPost> Held(MailList list)
    {
        using var read = store.Read();
        return [.. ListPostTable.Open(read.Prepare, list.Id).Where(post => post.State == "held")];
    }

    /// <summary>The held post that a moderator's answer speaks of, or null.</summary>
    public ListPost? FindHeld(MailList list, string token)
    {
        using var read = store.Read();
        return ListPostTable.FindHeld(read.Prepare, list.Id, ListTokens.Digest(token));
    }

    /// <summary>The same of whatever list.</summary>
    public (MailList List, ListPost Post)? FindHeld(string token)
    {
        using var read = store.Read();
        return ListPostTable.FindHeld(read.Prepare, ListTokens.Digest(token)) is { } post && book.Find(post.ListId) is { } list ? (list, post) : null;
    }

    static readonly Refusal Decided = Refusal.Conflict.Because("The post is not held any more: somebody has decided on it, or its time is over");

    /// <summary>Sends a held post out, or drops it; what was decided already is not decided again.</summary>
    public async ValueTask<Refusal?> DecideAsync(MailList list, long id, bool accept, CancellationToken cancel) => await store.CommitAsync<Refusal?>(write =>
    {
        if (ListPostTable.Find(write.Prepare, id) is not { State: "held", ContentId: { } content } post || post.ListId != list.Id) return Decided;
        if (accept) Send(write, list, post, new ContentRef(content, post.Size), "");
        else Drop(write, post, "rejected");
        write.OnCommitted(() => ListsTelemetry.Decided(log, post.MessageId, list.Address.ToString(), accept ? "accepted" : "rejected"));
        return null;
    }, cancel);

    void Drop(WriteTransaction write, ListPost post, string state)
    {
        ListPostTable.SetState(write, post.Id, state, keepsContent: false, 0);
        mail.DropReference(write, post.ContentId!.Value);
    }

    /// <summary>Ends what nobody has decided on, telling its author, and forgets what is long over.</summary>
    internal async Task UpkeepAsync(CancellationToken cancel)
    {
        List<ListPost> held;
        using (var read = store.Read()) held = ListPostTable.In(read.Prepare, "held");
        var now = book.Now;
        foreach (var post in held)
        {
            if (book.Find(post.ListId) is not { } list || post.Taken.AddDays(list.Profile.HoldDays ?? UsualHoldDays) > now || !MailAddress.TryParse(post.Author, out var author)) continue;
            using var letter = letters.Stage(letters.Expired(list, post));
            await store.CommitAsync(write =>
            {
                if (ListPostTable.Find(write.Prepare, post.Id) is not { State: "held" } still) return true;
                Drop(write, still, "expired");
                // who only says that he is the author is not written to
                if (post.Flags.HasFlag(PostFlags.Proven) && letters.MayWrite(write, list, author, "expired")) letters.Enqueue(write, letter, [author]);
                return true;
            }, cancel);
        }
        await store.CommitAsync(write =>
        {
            ListPostTable.Prune(write, now - Remembered);
            ListTable.Prune(write, now, now - ListLetters.Day);
            return true;
        }, cancel);
    }

    // ---- copies

    /// <summary>Writes down who is to get it; few get it in this commit, many in those that follow.</summary>
    /// <returns>How many.</returns>
    int Send(WriteTransaction write, MailList list, ListPost post, ContentRef content, string arrival)
    {
        var members = Members(write, list);
        if (archive is not null && list.Profile.HasArchive && !post.Flags.HasFlag(PostFlags.NoArchive))
        {
            archive.Keep(write, list, content);
            write.OnCommitted(() => waiting.Release());
        }
        if (members.Exists(one => one.Member is { HasDigest: true, Paused: null }))
        {
            mail.AddReference(write, content.Id); // held until the digest is written
            ListPostTable.AddToDigest(write, post, content.Id);
        }
        return SendTo(write, list, post, content, arrival, members, "normal");
    }

    static List<(ListMember Member, MailAddress? Address)> Members(WriteTransaction write, MailList list) =>
        ListTable.Members(write.Prepare, list.Id).ConvertAll(member => (member, MailAddress.TryParse(member.Address, out var address) ? address : null));

    /// <summary>Sends a digest to those who want it so.</summary>
    internal int SendDigest(WriteTransaction write, MailList list, ListPost post, ContentRef content, string mode)
    {
        mail.AddReference(write, content.Id);
        var added = post with { ContentId = content.Id };
        return SendTo(write, list, added with { Id = ListPostTable.Add(write, added, null)!.Value }, content, "", Members(write, list), mode);
    }

    int SendTo(WriteTransaction write, MailList list, ListPost post, ContentRef content, string arrival, List<(ListMember Member, MailAddress? Address)> members, string mode)
    {
        var copies = Readers(members, mode);
        if (copies.Count <= PieceRows)
        {
            Place(write, list, post, content, copies, arrival);
            Finish(write, post, copies.Count);
        }
        else
        {
            foreach (var copy in copies) ListPostTable.AddCopy(write, post.Id, copy);
            ListPostTable.SetState(write, post.Id, "sending", keepsContent: true, copies.Count);
            write.OnCommitted(() => waiting.Release());
        }
        return copies.Count;
    }

    void Finish(WriteTransaction write, ListPost post, int copies)
    {
        ListPostTable.SetState(write, post.Id, "sent", keepsContent: false, copies);
        mail.DropReference(write, post.ContentId!.Value);
    }

    /// <summary>Everybody once, whatever ways lead to him: a member himself first, then as one of a group.</summary>
    List<ListCopy> Readers(List<(ListMember Member, MailAddress? Address)> members, string mode)
    {
        var copies = new List<ListCopy>();
        var accounts = new HashSet<long>();
        var elsewhere = new HashSet<string>();
        // who wants none, or wants it otherwise, does not get it by a group either
        foreach (var (member, address) in members)
            if (member.Mode == mode && member.Paused is null) continue;
            else if (address is not null && (directory.IsLocal(address) ? directory.FindAccount(address) : null) is { } silent) accounts.Add(silent.Id);
            else elsewhere.Add(member.Address);
        foreach (var groups in new[] { false, true })
            foreach (var (member, address) in members)
            {
                if (member.Mode != mode || member.Paused is not null || address is null || (directory.FindGroup(address) is not null) != groups) continue;
                if (!directory.IsLocal(address))
                {
                    if (elsewhere.Add(address.Key)) copies.Add(new(copies.Count, member.Id, null, member.Address, true));
                    continue;
                }
                var targets = directory.Resolve(address);
                if (!targets.Ok) continue; // nobody is there any more
                var own = !groups && targets.Value.Count == 1;
                foreach (var target in targets.Value)
                {
                    if (target.Account is { Id: > 0 } account && accounts.Add(account.Id)) copies.Add(new(copies.Count, member.Id, account.Id, account.Address.ToString(), own));
                    else if (target.Remote is { } remote && elsewhere.Add(remote.Key)) copies.Add(new(copies.Count, member.Id, null, remote.ToString(), own));
                }
            }
        return copies;
    }

    void Place(WriteTransaction write, MailList list, ListPost post, ContentRef content, IReadOnlyList<ListCopy> copies, string arrival)
    {
        write.BodiesFirst(); // what is told to be sent must have its text
        var now = book.Now;
        var root = settings.Admission.Root(settings);
        foreach (var copy in copies)
        {
            // each has a return address of his own, so that a bounce tells whose it is
            var path = queue.Bounces.IsOn ? queue.Bounces.Make(write, BounceKind.ListMember, copy.Member, list.Address.Domain) : list.For(ListCommand.Owner);
            var top = ListText.Top(list, copy.IsOwn ? $"{root}/list/{tokens.OfMember(copy.Member)}" : null);
            if (copy.Account is { } id && directory.GetAccount(id) is { } account)
            {
                // RFC 5321 4.4
                var prefix = System.Text.Encoding.UTF8.GetBytes($"Return-Path: {MailPath.Write(path)}\r\nDelivered-To: {account.Address}\r\n");
                var inbox = mail.InboxOf(account.Id) ?? mail.EnsureMailbox(write, account.Id, "INBOX");
                var placed = mail.AddMessage(write, account.Id, inbox, new NewMessage(content, (byte[])[.. prefix, .. top], MessageFlags.None, [], now), account.Quota);
                if (placed.Ok) continue;
            }
            if (!MailAddress.TryParse(copy.Address, out var address)) continue;
            // elsewhere, or a mailbox that is full now: the queue tries it again
            queue.Enqueue(write, new NewQueueEntry(path, content, [new QueueRecipient(address, "NEVER")], SmtpUtf8: post.Flags.HasFlag(PostFlags.SmtpUtf8), EightBit: post.Flags.HasFlag(PostFlags.EightBit), Class: MailClass.Bulk)
            {
                Forwarded = !post.Flags.HasFlag(PostFlags.Own),
                Sealer = list.Address.DomainKey,
                RequireTls = post.Flags.HasFlag(PostFlags.RequireTls),
                Top = top,
                MessageId = post.MessageId,
                Subject = post.Subject,
                Arrival = arrival,
            });
        }
    }

    /// <summary>Places the next copies of posts that are being sent.</summary>
    /// <returns>Whether there is more to do.</returns>
    internal async Task<bool> GoOnAsync(CancellationToken cancel)
    {
        var more = false;
        List<ListPost> open;
        using (var read = store.Read()) open = ListPostTable.In(read.Prepare, "sending");
        foreach (var post in open)
            more |= await store.CommitAsync(write =>
            {
                if (ListPostTable.Find(write.Prepare, post.Id) is not { State: "sending", ContentId: { } content } now || book.Find(now.ListId) is not { } list) return false;
                var copies = ListPostTable.Copies(write, now.Id, PieceRows);
                if (copies.Count > 0)
                {
                    Place(write, list, now, new ContentRef(content, now.Size), copies, "");
                    ListPostTable.RemoveCopies(write, now.Id, copies[^1].Number);
                }
                if (copies.Count == PieceRows) return true;
                Finish(write, now, now.Copies);
                return false;
            }, cancel);
        return more;
    }

    internal Task WaitAsync(TimeSpan most, CancellationToken cancel) => waiting.WaitAsync(most, cancel);
}
