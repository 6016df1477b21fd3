using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>
/// What people ask of a list by mail: to join, to leave, for help; what they confirm, and what moderators decide. Whoever has not signed in is asked
/// whether it was he: a letter with a word that only its reader has. All that is done and the letter that tells of it are one commit.
/// </summary>
public sealed class ListCommands(Store store, UserDirectory directory, ListBook book, ListPosts posts, ListLetters letters, MailStore mail, ILogger<ListCommands> log, ListTokens? tokens = null)
{
    static readonly TimeSpan ConfirmWithin = TimeSpan.FromDays(3), ApproveWithin = TimeSpan.FromDays(30);

    /// <summary>Requests of one list that wait: strangers cannot fill the table.</summary>
    const int MostWaiting = 10_000;

    const int LinesRead = 10, LongestBody = 64 << 10;

    static readonly Refusal NoSuchToken = Refusal.NoSuchThing.Because("This confirmation is not valid, or not any more");

    /// <summary>Takes a message for one of a list's addresses for commands.</summary>
    public async ValueTask<Refusal?> TakeAsync(MailList list, ListCommand command, string? token, ListMail message, CancellationToken cancel)
    {
        var header = HeaderList.Parse(message.Message.Span);
        if (ListText.LoopIn(list, message.ReversePath, header) is { } loop)
        {
            ListsTelemetry.Dropped(log, message.Arrival, list.For(command).ToString(), loop);
            return await DoneAsync(message, cancel);
        }
        if (message.Junk) return Refusal.NotPermitted.Because("The list takes no junk");
        if (header.Addresses("From").Mailboxes.ToList() is not [var from] || !Names.TryAddress(from.Address, out var sender)) return Refusal.NotPermitted.Because("A command comes from one author in From");
        if (command == ListCommand.Request) (command, token) = CommandIn(message.Message.Span, header);
        // it was he himself: nobody signs in under another's name
        var sure = message.SignedIn is { } account && directory.MaySendAs(account, sender);
        switch (command)
        {
            case ListCommand.Subscribe: await AskAsync(list, sender, from.Name, joins: true, sure, message.Alongside, cancel); return null;
            case ListCommand.Unsubscribe: await AskAsync(list, sender, from.Name, joins: false, sure, message.Alongside, cancel); return null;
            case ListCommand.Set: await AskModeAsync(list, sender, token!, sure, message.Alongside, cancel); return null;
            case ListCommand.Confirm: return await ConfirmAsync(token!, cancel) is { Ok: false, Refusal: var refusal } ? refusal : await DoneAsync(message, cancel);
            case ListCommand.Accept or ListCommand.Reject: return await DecideAsync(list, token!, command == ListCommand.Accept, cancel) ?? await DoneAsync(message, cancel);
            default: await TellAsync(list, sender, "help", () => letters.Help(list, sender), message.Alongside, cancel); return null;
        }
    }

    async ValueTask<Refusal?> DoneAsync(ListMail message, CancellationToken cancel)
    {
        if (message.Alongside is { } alongside)
            await store.CommitAsync(write =>
            {
                alongside(write);
                return true;
            }, cancel);
        return null;
    }

    /// <summary>The first command in the subject, or in the first lines of the text.</summary>
    internal static (ListCommand Command, string? Token) CommandIn(ReadOnlySpan<byte> message, HeaderList header)
    {
        if (Of(header.Value("Subject") ?? "") is { } inSubject) return inSubject;
        var part = MimeTree.Parse(message).Walk().FirstOrDefault(part => part is { Type: "text", Subtype: "plain" });
        if (part is null || part.BodyLength > LongestBody) return (ListCommand.Help, null);
        foreach (var line in ContentDecoder.Text(message, part).Split('\n', LinesRead + 1).Take(LinesRead))
            if (Of(line) is { } command) return command;
        return (ListCommand.Help, null);

        static (ListCommand, string?)? Of(string line)
        {
            var words = line.Trim().ToLowerInvariant();
            if (words.StartsWith("re:", StringComparison.Ordinal)) words = words[3..].Trim();
            if (words.Split(' ') is ["set", var mode, ..] && ListMember.IsMode(mode)) return (ListCommand.Set, mode);
            ListCommand? known = words.Split(' ', 2)[0] switch { "subscribe" or "join" or "подписать" or "подписаться" => ListCommand.Subscribe, "unsubscribe" or "leave" or "signoff" or "отписать" or "отписаться" => ListCommand.Unsubscribe, "help" or "помощь" or "справка" => ListCommand.Help, _ => null };
            return known is { } one ? (one, null) : null;
        }
    }

    // ---- joining and leaving

    /// <summary>Somebody asks to join or leave; whether it is he is asked back, unless it is sure.</summary>
    public async ValueTask AskAsync(MailList list, MailAddress who, string name, bool joins, bool sure, Action<WriteTransaction>? alongside, CancellationToken cancel)
    {
        var isOn = book.FindMember(list, who) is not null;
        if (joins == isOn) { await TellAsync(list, who, joins ? "on" : "off", () => letters.Answer(list, who, joins ? "on" : "off"), alongside, cancel); return; }
        if (joins && list.Profile.Subscription == "closed") { await TellAsync(list, who, "closed", () => letters.Answer(list, who, "closed"), alongside, cancel); return; }
        var request = new ListApplicant(list.Id, joins ? "subscribe" : "unsubscribe", ListBook.Named(who), name.Length > 200 ? name[..200] : name, book.Now, book.Now + ConfirmWithin);
        if (sure)
        {
            await FulfilAsync(list, request, null, alongside, cancel);
            return;
        }
        var (token, digest) = ListTokens.Make();
        using var letter = letters.Stage(letters.Confirm(list, who, joins, token));
        await store.CommitAsync(write =>
        {
            alongside?.Invoke(write);
            if (ListTable.CountRequests(write, list.Id) >= MostWaiting || !letters.MayWrite(write, list, who, request.Kind)) return true;
            ListTable.RemoveRequests(write, list.Id, request.Address, request.Kind);
            ListTable.AddRequest(write, digest, request);
            letters.Enqueue(write, letter, [who]);
            return true;
        }, cancel);
    }

    /// <summary>Somebody asks to get mail otherwise.</summary>
    async ValueTask AskModeAsync(MailList list, MailAddress who, string mode, bool sure, Action<WriteTransaction>? alongside, CancellationToken cancel)
    {
        if (book.FindMember(list, who) is not { } member) { await TellAsync(list, who, "off", () => letters.Answer(list, who, "off"), alongside, cancel); return; }
        var request = new ListApplicant(list.Id, SetKind + mode, ListBook.Named(who), member.Name, book.Now, book.Now + ConfirmWithin);
        if (sure) { await FulfilAsync(list, request, null, alongside, cancel); return; }
        var (token, digest) = ListTokens.Make();
        using var letter = letters.Stage(letters.ConfirmMode(list, who, mode, token));
        await store.CommitAsync(write =>
        {
            alongside?.Invoke(write);
            if (ListTable.CountRequests(write, list.Id) >= MostWaiting || !letters.MayWrite(write, list, who, request.Kind)) return true;
            ListTable.RemoveRequests(write, list.Id, request.Address, request.Kind);
            ListTable.AddRequest(write, digest, request);
            letters.Enqueue(write, letter, [who]);
            return true;
        }, cancel);
    }

    /// <summary>What the kind of a request begins with that is about how one gets mail.</summary>
    public const string SetKind = "set ";

    /// <summary>The request that a confirmation speaks of.</summary>
    public (MailList List, ListApplicant Request)? FindRequest(string token)
    {
        using var read = store.Read();
        return ListTable.FindRequest(read.Prepare, ListTokens.Digest(token)) is { } request && request.Expires > book.Now && book.Find(request.ListId) is { } list ? (list, request) : null;
    }

    /// <summary>Whoever has the word has read the letter: what was asked for is done.</summary>
    public async ValueTask<Result<ListApplicant>> ConfirmAsync(string token, CancellationToken cancel)
    {
        if (FindRequest(token) is not var (list, request) || request.Kind == "approve") return NoSuchToken;
        return await FulfilAsync(list, request, ListTokens.Digest(token), null, cancel) ? request : NoSuchToken;
    }

    /// <param name="token">The row that must still be there; null: there is none.</param>
    async ValueTask<bool> FulfilAsync(MailList list, ListApplicant request, byte[]? token, Action<WriteTransaction>? alongside, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(request.Address, out var who)) return false;
        if (request.Kind.StartsWith(SetKind, StringComparison.Ordinal)) return await SetModeAsync(list, request, who, token, alongside, cancel);
        var joins = request.Kind != "unsubscribe";
        var waits = joins && request.Kind != "approve" && list.Profile.Subscription == "approval";
        var (word, digest) = ListTokens.Make();
        using var letter = letters.Stage(waits ? letters.Answer(list, who, "waits") : joins ? letters.Welcome(list, who) : letters.Goodbye(list, who));
        using var toOwners = waits ? letters.Stage(letters.Applicant(list, request.Address, word)) : null;
        return await store.CommitAsync(write =>
        {
            if (token is not null && ListTable.FindRequest(write.Prepare, token) is null) return false;
            ListTable.RemoveRequests(write, list.Id, request.Address);
            if (waits)
            {
                ListTable.AddRequest(write, digest, request with { Kind = "approve", Made = book.Now, Expires = book.Now + ApproveWithin });
                letters.Enqueue(write, toOwners!, book.OwnersOf(list));
            }
            else if (joins) ListTable.AddMember(write, list.Id, request.Address, request.Name, "normal", book.Now);
            else if (ListTable.FindMember(write.Prepare, list.Id, request.Address) is { } member) ListTable.RemoveMember(write, member.Id);
            book.MembersChange(write, list);
            letters.Enqueue(write, letter, [who]);
            alongside?.Invoke(write);
            write.OnCommitted(() => ListsTelemetry.Membership(log, list.Address.ToString(), request.Address, waits ? "waits for an owner" : joins ? "joined" : "left"));
            return true;
        }, cancel);
    }

    async ValueTask<bool> SetModeAsync(MailList list, ListApplicant request, MailAddress who, byte[]? token, Action<WriteTransaction>? alongside, CancellationToken cancel)
    {
        var mode = request.Kind[SetKind.Length..];
        using var letter = letters.Stage(letters.ModeSet(list, who, mode));
        return await store.CommitAsync(write =>
        {
            if (token is not null && ListTable.FindRequest(write.Prepare, token) is null) return false;
            ListTable.RemoveRequests(write, list.Id, request.Address, request.Kind);
            if (ListTable.FindMember(write.Prepare, list.Id, request.Address) is { } member) ListTable.SetMember(write, member with { Mode = mode });
            if (token is not null || letters.MayWrite(write, list, who, request.Kind)) letters.Enqueue(write, letter, [who]);
            alongside?.Invoke(write);
            return true;
        }, cancel);
    }

    /// <summary>By the link of one's own copy (RFC 8058): at once, and without a letter.</summary>
    /// <returns>False where he is not on the list any more.</returns>
    public async ValueTask<bool> LeaveAsync(long member, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        if (ListTable.FindMember(write.Prepare, member) is not { } known || !ListTable.RemoveMember(write, member)) return false;
        if (book.Find(known.ListId) is { } list) book.MembersChange(write, list);
        write.OnCommitted(() => ListsTelemetry.Membership(log, book.Find(known.ListId)?.Address.ToString() ?? "", known.Address, "left by the link"));
        return true;
    }, cancel);

    public (MailList List, ListMember Member)? FindMember(long id)
    {
        using var read = store.Read();
        return ListTable.FindMember(read.Prepare, id) is { } member && book.Find(member.ListId) is { } list ? (list, member) : null;
    }

    /// <summary>Sends a link into the archive to one who is on the list; nobody else hears anything.</summary>
    public async ValueTask SendArchiveLinkAsync(MailList list, MailAddress who, CancellationToken cancel)
    {
        if (tokens is null || book.FindMember(list, who) is not { } member || list.Profile.Archive is not ("members" or "public")) return;
        using var letter = letters.Stage(letters.ArchiveLink(list, who, tokens.OfReader(member.Id, book.Now)));
        await store.CommitAsync(write =>
        {
            if (letters.MayWrite(write, list, who, "archive")) letters.Enqueue(write, letter, [who]);
            return true;
        }, cancel);
    }

    // ---- deciding

    /// <summary>Those who have confirmed and wait for an owner.</summary>
    public IReadOnlyList<ListApplicant> Applicants(MailList list)
    {
        using var read = store.Read();
        return ListTable.Waiting(read.Prepare, list.Id);
    }

    /// <summary>By the word of a letter to moderators: about a held post, or somebody who asks to join.</summary>
    public async ValueTask<Refusal?> DecideAsync(MailList list, string token, bool accept, CancellationToken cancel)
    {
        if (posts.FindHeld(list, token) is { } post) return await posts.DecideAsync(list, post.Id, accept, cancel);
        return FindRequest(token) is var (of, request) && of.Id == list.Id && request.Kind == "approve" ? await AdmitAsync(list, request.Address, accept, cancel) : NoSuchToken;
    }

    public async ValueTask<Refusal?> AdmitAsync(MailList list, string address, bool accept, CancellationToken cancel)
    {
        var none = Refusal.NoSuchThing.Because("Nobody of this address waits to join the list");
        if (!Names.TryAddress(address, out var who) || Applicants(list).FirstOrDefault(one => one.Address == who.Key) is not { } request) return none;
        if (accept) return await FulfilAsync(list, request, null, null, cancel) ? null : none;
        using var letter = letters.Stage(letters.Answer(list, who, "refused"));
        return await store.CommitAsync<Refusal?>(write =>
        {
            if (!ListTable.Waiting(write.Prepare, list.Id).Exists(one => one.Address == who.Key)) return none;
            ListTable.RemoveRequests(write, list.Id, who.Key);
            letters.Enqueue(write, letter, [who]);
            return null;
        }, cancel);
    }

    async ValueTask TellAsync(MailList list, MailAddress to, string kind, Func<byte[]> text, Action<WriteTransaction>? alongside, CancellationToken cancel)
    {
        using var letter = mail.Stage(text());
        await store.CommitAsync(write =>
        {
            alongside?.Invoke(write);
            if (letters.MayWrite(write, list, to, kind)) letters.Enqueue(write, letter, [to]);
            return true;
        }, cancel);
    }
}
