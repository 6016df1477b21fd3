using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>The lists, held in memory and written through, and who is on them, who stands in the table alone.</summary>
public sealed class ListBook
{
    public const int MostMembers = 100_000;
    const int MostNamed = 200;

    readonly Store store;
    readonly UserDirectory directory;
    readonly MailStore mail;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, MailList> lists = new(StringComparer.Ordinal);

    public ListBook(Store store, UserDirectory directory, MailStore mail, TimeProvider time)
    {
        (this.store, this.directory, this.mail, this.time) = (store, directory, mail, time);
        using (var read = store.Read())
            foreach (var list in ListTable.All(read)) lists[list.Address.Key] = list;
        var others = directory.IsServed;
        directory.IsServed = address => others?.Invoke(address) == true || Serves(address);
        directory.ListsOf = ListsOf;
        directory.AddressMoving += (write, old, now) => ListTable.Move(write, old.Key, now.Key);
        directory.AccountRemoving += (write, account) => ListTable.RemoveEverywhere(write, account.Address.Key);
    }

    internal DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Whether the address is a list's, its own or one of its commands.</summary>
    public bool Serves(MailAddress address) => !lists.IsEmpty && TryFind(address, out _, out _, out _);

    /// <param name="address">In its form for comparison.</param>
    public bool TryFind(MailAddress address, [NotNullWhen(true)] out MailList? list, out ListCommand command, out string? token)
    {
        (command, token) = (ListCommand.Post, null);
        if (lists.TryGetValue(address.Key, out list)) return true;
        (var local, command, token) = ListAddress.Read(address.LocalPart);
        return command != ListCommand.Post && lists.TryGetValue((address with { LocalPart = local }).Key, out list);
    }

    public MailList? Find(MailAddress address) => Names.TryAddress(address, out var normal) ? lists.GetValueOrDefault(normal.Key) : null;

    public MailList? Find(long id) => lists.Values.FirstOrDefault(list => list.Id == id);

    /// <summary>Sorted by domain and local part.</summary>
    public IReadOnlyList<MailList> List(Domain? domain = null) =>
        [.. lists.Values.Where(one => domain is null || one.DomainId == domain.Id).OrderBy(one => one.Address.Domain, StringComparer.Ordinal).ThenBy(one => one.Address.LocalPart, StringComparer.Ordinal)];

    public async ValueTask<Result<MailList>> AddAsync(string address, ListProfile profile, CancellationToken cancel = default)
    {
        if (!Names.TryAddress(address, out var normal)) return Refusal.BadAddress.Because($"\"{address}\" is not a valid address").At("address");
        if (directory.FindDomain(normal.Domain) is not { } domain) return Refusal.NoSuchDomain.Because($"The domain {normal.Domain} is not here; add it with: cbamail domain add {normal.Domain}");
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the address there");
        if (normal.LocalPart.Length > 40 || normal.LocalPart.Contains('+', StringComparison.Ordinal) || ListAddress.Read(normal.LocalPart).Command != ListCommand.Post)
            return Refusal.Invalid.Because("The name of a list has at most 40 characters, no \"+\", and does not end like its addresses for commands (-owner, -request and so on)").At("address");
        if (Problem(profile) is { } problem) return problem;
        var list = new MailList(0, domain.Id, normal, Normal(profile), Now);
        return await store.CommitAsync<Result<MailList>>(write =>
        {
            if (ListTable.Add(write, list) is not { } id) return Refusal.AlreadyExists.Because($"The address {normal} is taken already");
            var added = list with { Id = id };
            Changed?.Invoke(write, added);
            write.OnCommitted(() => lists[normal.Key] = added);
            return added;
        }, cancel);
    }

    public async ValueTask<Result<MailList>> SetAsync(MailList list, Func<ListProfile, Result<ListProfile>> change, CancellationToken cancel = default) =>
        await store.CommitAsync<Result<MailList>>(write =>
        {
            if (ListTable.Find(write.Prepare, list.Id) is not { } now) return NoList(list.Address.ToString());
            var profile = change(now.Profile);
            if (!profile.Ok) return profile.Refusal;
            if (Problem(profile.Value) is { } problem) return problem;
            var next = now with { Profile = Normal(profile.Value) };
            ListTable.SetProfile(write, next);
            if (next.Profile.Archive != now.Profile.Archive || now.Profile.HasArchive) Changed?.Invoke(write, next);
            write.OnCommitted(() => lists[next.Address.Key] = next);
            return next;
        }, cancel);

    /// <summary>Removes it with its members and what waits; nobody is told.</summary>
    public ValueTask<Refusal?> RemoveAsync(MailList list, CancellationToken cancel = default) => store.CommitAsync<Refusal?>(write =>
    {
        if (ListTable.Find(write.Prepare, list.Id) is null) return NoList(list.Address.ToString());
        foreach (var post in ListPostTable.Open(write.Prepare, list.Id)) mail.DropReference(write, post.ContentId!.Value);
        foreach (var (_, content, _) in ListPostTable.DigestOf(write.Prepare, list.Id, int.MaxValue)) mail.DropReference(write, content);
        Removing?.Invoke(write, list);
        ListPostTable.RemoveOf(write, list.Id);
        ListTable.Remove(write, list.Id);
        write.OnCommitted(() => lists.TryRemove(list.Address.Key, out _));
        return null;
    }, cancel);

    /// <summary>A list is new or was changed, in the transaction that does it.</summary>
    internal event Action<WriteTransaction, MailList>? Changed;

    /// <summary>A list is removed, in the transaction that does it.</summary>
    internal event Action<WriteTransaction, MailList>? Removing;

    /// <summary>What stands for the lists that an account is a member of, by itself or in a group, where rights to mailboxes are given.</summary>
    IReadOnlyList<string> ListsOf(Account account)
    {
        if (!lists.Values.Any(list => list.Profile.Archive == "members")) return [];
        using var read = store.Read();
        var all = new List<string>();
        foreach (var address in account.Groups.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(group => (account.Address with { LocalPart = group }).Key).Prepend(account.Address.Key))
            foreach (var id in ListTable.ListsOf(read.Prepare, address))
                if (Find(id) is { Profile.Archive: "members" } list) all.Add(ListArchive.Identifier(list));
        return all;
    }

    /// <summary>Who is on the list changes with the transaction: what he may read does too.</summary>
    internal void MembersChange(WriteTransaction write, MailList list)
    {
        if (list.Profile.HasArchive) write.OnCommitted(mail.RightsChanged);
    }

    public static Refusal NoList(string address) => Refusal.NoSuchThing.Because($"There is no list {address}; list them with: cbamail list list");

    // ---- members

    public IReadOnlyList<ListMember> Members(MailList list)
    {
        using var read = store.Read();
        return ListTable.Members(read.Prepare, list.Id);
    }

    public ListMember? FindMember(MailList list, MailAddress address)
    {
        using var read = store.Read();
        return ListTable.FindMember(read.Prepare, list.Id, Named(address));
    }

    public int CountMembers(MailList list)
    {
        using var read = store.Read();
        return (int)ListTable.Count(read.Prepare, list.Id);
    }

    /// <summary>Puts people on the list without asking them: whoever may do that answers for it.</summary>
    /// <returns>How many are new.</returns>
    public async ValueTask<Result<int>> JoinAsync(MailList list, IReadOnlyList<(string Address, string Name)> people, string mode, CancellationToken cancel = default)
    {
        if (!IsMode(mode)) return BadMode;
        var normal = new List<(string Address, string Name)>(people.Count);
        foreach (var (text, name) in people)
        {
            if (!Names.TryAddress(text, out var address)) return Refusal.BadAddress.Because($"\"{text}\" is not a valid address").At("members");
            if (Serves(address)) return Refusal.Invalid.Because($"{text} is a list itself; a list is no member of another").At("members");
            normal.Add((Named(address), name.Length > 200 ? name[..200] : name));
        }
        return await store.CommitAsync<Result<int>>(write =>
        {
            if (ListTable.Find(write.Prepare, list.Id) is null) return NoList(list.Address.ToString());
            if (ListTable.Count(write.Prepare, list.Id) + normal.Count > MostMembers) return Refusal.TooMany.Because($"A list has at most {MostMembers} members");
            MembersChange(write, list);
            return normal.Count(one => ListTable.AddMember(write, list.Id, one.Address, one.Name, mode, Now));
        }, cancel);
    }

    public ValueTask<Result<ListMember>> SetMemberAsync(MailList list, MailAddress address, string? name, string? mode, CancellationToken cancel = default) => store.CommitAsync<Result<ListMember>>(write =>
    {
        if (mode is not null && !IsMode(mode)) return BadMode;
        if (ListTable.FindMember(write.Prepare, list.Id, Named(address)) is not { } member) return NoMember(list, address);
        var next = member with { Name = name ?? member.Name, Mode = mode ?? member.Mode };
        ListTable.SetMember(write, next);
        return next;
    }, cancel);

    /// <summary>By his number, as his own link names him.</summary>
    public ValueTask<bool> SetMemberAsync(MailList list, long member, string mode, CancellationToken cancel = default) => store.CommitAsync(write =>
    {
        if (!IsMode(mode) || ListTable.FindMember(write.Prepare, member) is not { } known || known.ListId != list.Id) return false;
        ListTable.SetMember(write, known with { Mode = mode });
        return true;
    }, cancel);

    public ValueTask<Refusal?> LeaveAsync(MailList list, MailAddress address, CancellationToken cancel = default) => store.CommitAsync<Refusal?>(write =>
    {
        MembersChange(write, list);
        return ListTable.FindMember(write.Prepare, list.Id, Named(address)) is { } member && ListTable.RemoveMember(write, member.Id) ? null : NoMember(list, address);
    }, cancel);

    static Refusal NoMember(MailList list, MailAddress address) => Refusal.NoSuchThing.Because($"{address} is not on the list {list.Address}");

    static bool IsMode(string mode) => ListMember.IsMode(mode);

    internal static readonly Refusal BadMode = Refusal.Invalid.Because("A member gets every post (normal), digests (digest, digest-plain) or nothing (nomail)").At("mode");

    /// <summary>As a member is called in the table.</summary>
    internal static string Named(MailAddress address) => Names.TryAddress(address, out var normal) ? normal.Key : address.Key;

    // ---- who may what

    /// <summary>Those who keep the list: its owners, or the administrator of its domain.</summary>
    public IReadOnlyList<MailAddress> OwnersOf(MailList list) => list.Profile.Owners is { Count: > 0 } owners ? Addresses(owners) : [list.Address with { LocalPart = "postmaster" }];

    public IReadOnlyList<MailAddress> ModeratorsOf(MailList list) => list.Profile.Moderators is { Count: > 0 } moderators ? Addresses(moderators) : OwnersOf(list);

    static List<MailAddress> Addresses(IReadOnlyList<string> texts) => [.. texts.Select(text => MailAddress.TryParse(text, out var address) ? address : null).OfType<MailAddress>()];

    public bool IsOwner(MailList list, Account account) => Is(OwnersOf(list), account.Address, account);

    /// <summary>An owner or a moderator.</summary>
    internal bool Decides(MailList list, MailAddress address, Account? signedIn) => Is(ModeratorsOf(list), address, signedIn) || Is(OwnersOf(list), address, signedIn);

    bool Is(IReadOnlyList<MailAddress> named, MailAddress address, Account? account) => named.Any(one =>
        one.Key == address.Key || (account is not null && (one.Key == account.Address.Key || (directory.FindGroup(one) is { } group && directory.IsIn(group, account))
            || (directory.FindGroup(one) is null && directory.IsLocal(one) && directory.Resolve(one) is { Ok: true, Value: var targets } && targets.Any(target => target.Account?.Id == account.Id)))));

    /// <summary>Whether the list's policy lets him post.</summary>
    internal bool MayPost(MailList list, MailAddress author, Account? signedIn)
    {
        if (Decides(list, author, signedIn)) return true;
        foreach (var word in list.Profile.Posters ?? [list.IsAnnouncement ? "moderators" : "members"])
        {
            var may = word switch
            {
                "anybody" => true,
                "domain" => signedIn?.DomainId == list.DomainId,
                "members" => IsMember(list, author, signedIn),
                "moderators" => false, // who is one may already
                _ => SenderPattern.Matches(word, author, isMember: false),
            };
            if (may) return true;
        }
        return false;
    }

    internal bool IsMember(MailList list, MailAddress author, Account? signedIn)
    {
        if (FindMember(list, author) is not null || (signedIn is not null && FindMember(list, signedIn.Address) is not null)) return true;
        return signedIn is not null && Members(list).Any(member => MailAddress.TryParse(member.Address, out var address) && directory.FindGroup(address) is { } group && directory.IsIn(group, signedIn));
    }

    // ---- what a profile may say

    static ListProfile Normal(ListProfile profile) => profile with
    {
        Posters = profile.Posters is { Count: > 0 } posters ? [.. posters.Select(Word).Distinct()] : null,
        Owners = Whole(profile.Owners),
        Moderators = Whole(profile.Moderators),
        Name = Filled(profile.Name),
        Prefix = Filled(profile.Prefix),
        Footer = Filled(profile.Footer),
    };

    static string? Filled(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    static string Word(string word) => word.Trim().ToLowerInvariant() is "anybody" or "domain" or "members" or "moderators" ? word.Trim().ToLowerInvariant() : SenderPattern.Normal(word.Trim()) ?? word.Trim();

    static IReadOnlyList<string>? Whole(IReadOnlyList<string>? texts) => texts is { Count: > 0 } ? [.. texts.Select(text => Names.TryAddress(text.Trim(), out var address) ? address.ToString() : text.Trim()).Distinct()] : null;

    static Refusal? Problem(ListProfile profile)
    {
        if (profile.Name is { } name && (name.Length > 200 || name.Any(char.IsControl))) return Refusal.Invalid.Because("A list's name has at most 200 characters in one line").At("name");
        if (profile.Prefix is { } prefix && (prefix.Length > 50 || prefix.Any(char.IsControl))) return Refusal.Invalid.Because("A prefix has at most 50 characters in one line").At("prefix");
        if (profile.Footer?.Length > 2000) return Refusal.Invalid.Because("A footer has at most 2000 characters").At("footer");
        if (profile.Kind is not (null or "discussion" or "announcement")) return Refusal.Invalid.Because("A list is for discussion or for announcements: discussion, announcement").At("kind");
        if (profile.Language is not (null or "ru" or "en")) return Refusal.Invalid.Because("A list writes in ru or en").At("language");
        if (profile.Moderation is not (null or "none" or "strangers" or "all")) return Refusal.Invalid.Because("What waits for a moderator is none, strangers or all").At("moderation");
        if (profile.Subscription is not (null or "open" or "approval" or "closed")) return Refusal.Invalid.Because("One joins a list that is open, by approval, or not at all: open, approval, closed").At("subscription");
        if (profile.ReplyTo is not (null or "sender" or "list")) return Refusal.Invalid.Because("Answers go to the sender or to the list: sender, list").At("replyTo");
        if (profile.MaxSize is < 1024 or > 1 << 30) return Refusal.Invalid.Because("The largest post is between 1 KiB and 1 GiB").At("maxSize");
        if (profile.MaxRecipients is < 1 or > 1000) return Refusal.Invalid.Because("A post names between 1 and 1000 recipients").At("maxRecipients");
        if (profile.Archive is not (null or "none" or "private" or "members" or "public")) return Refusal.Invalid.Because("An archive is for owners, for members or for all: none, private, members, public").At("archive");
        if (profile.DigestHours is < 1 or > 24 * 31) return Refusal.Invalid.Because("A digest goes out after between 1 and 744 hours").At("digestHours");
        if (profile.DigestPosts is < 1 or > 500) return Refusal.Invalid.Because("A digest has between 1 and 500 posts").At("digestPosts");
        if (profile.DigestSize is < 1024 or > 16 << 20) return Refusal.Invalid.Because("A digest has between 1 KiB and 16 MiB").At("digestSize");
        if (profile.BounceScore is < 0 or > 100) return Refusal.Invalid.Because("A member is paused after between 1 and 100 bounces; 0: never").At("bounceScore");
        if (profile.BounceDays is < 1 or > 365) return Refusal.Invalid.Because("Bounces are forgotten after between 1 and 365 days").At("bounceDays");
        if (profile.BounceProbes is < 1 or > 20) return Refusal.Invalid.Because("A paused member is asked between 1 and 20 times").At("bounceProbes");
        if (profile.HoldDays is < 1 or > 60) return Refusal.Invalid.Because("A post is held between 1 and 60 days").At("holdDays");
        if (profile.Posters?.Count > MostNamed || profile.Owners?.Count > MostNamed || profile.Moderators?.Count > MostNamed) return Refusal.Invalid.Because("A list names at most 200 people").At("owners");
        foreach (var word in profile.Posters ?? [])
            if (word.Trim().ToLowerInvariant() is not ("anybody" or "domain" or "members" or "moderators") && SenderPattern.Normal(word.Trim()) is null) return Refusal.Invalid.Because("Who may post is anybody, domain, members, moderators, an address or @domain").At("posters");
        foreach (var (named, field) in new[] { (profile.Owners, "owners"), (profile.Moderators, "moderators") })
            foreach (var text in named ?? [])
                if (!MailAddress.TryParse(text.Trim(), out _)) return Refusal.Invalid.Because("Owners and moderators are addresses as in anna@example.org").At(field);
        return null;
    }
}
