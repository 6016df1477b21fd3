using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Lists;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/lists</summary>
static class ListsApi
{
    /// <param name="Kind">discussion, announcement; discussion unless set.</param>
    /// <param name="Language">Of what the list writes itself: ru, en; en unless set.</param>
    /// <param name="Posters">Who may post: anybody, domain, members, moderators, addresses, @domain; none: members, or moderators of an announcement list.</param>
    /// <param name="Moderation">What waits for a moderator: none, strangers, all; strangers unless set, none of an announcement list.</param>
    /// <param name="Subscription">open, approval, closed; open unless set.</param>
    /// <param name="Owners">Addresses; none: the administrator.</param>
    /// <param name="Moderators">Addresses; none: the owners.</param>
    /// <param name="Prefix">Before each subject; an empty text: none.</param>
    /// <param name="Footer">Below each text; an empty text: none.</param>
    /// <param name="ReplyTo">Where answers go: sender, list; sender unless set.</param>
    /// <param name="MaxSize">Bytes of the largest post; 10 MiB unless set.</param>
    /// <param name="MaxRecipients">Addresses in To and Cc of a post; 20 unless set.</param>
    /// <param name="ChangeSigned">Prefix and footer are put in where that breaks a signature that DMARC insists on: the list writes as itself then.</param>
    /// <param name="Archive">Who may read what was posted: none (nothing is kept), private (owners and moderators), members, public; none unless set.</param>
    /// <param name="DigestHours">A digest goes out when its oldest post is so old; 24 unless set.</param>
    /// <param name="DigestPosts">Or when so many posts wait; 30 unless set.</param>
    /// <param name="DigestSize">Or when they have so many bytes; 256 KiB unless set.</param>
    /// <param name="BounceScore">A member is paused after so many bounces, one a day at most; 5 unless set, 0: never.</param>
    /// <param name="BounceDays">They are forgotten after so many days without one; 7 unless set.</param>
    /// <param name="BounceProbes">After so many letters to a paused member that came back he is off the list; 3 unless set.</param>
    /// <param name="HoldDays">How long a post waits for a moderator; 7 unless set.</param>
    record ListFields(string? Name = null, string? Kind = null, string? Language = null, IReadOnlyList<string>? Posters = null, string? Moderation = null, string? Subscription = null, IReadOnlyList<string>? Owners = null, IReadOnlyList<string>? Moderators = null,
        string? Prefix = null, string? Footer = null, string? ReplyTo = null, long? MaxSize = null, int? MaxRecipients = null, bool? ChangeSigned = null, int? HoldDays = null,
        string? Archive = null, int? DigestHours = null, int? DigestPosts = null, long? DigestSize = null, int? BounceScore = null, int? BounceDays = null, int? BounceProbes = null)
    {
        public ListProfile Apply(ListProfile old) => old with
        {
            Name = Name ?? old.Name,
            Kind = Kind ?? old.Kind,
            Language = Language ?? old.Language,
            Posters = Posters ?? old.Posters,
            Moderation = Moderation ?? old.Moderation,
            Subscription = Subscription ?? old.Subscription,
            Owners = Owners ?? old.Owners,
            Moderators = Moderators ?? old.Moderators,
            Prefix = Prefix ?? old.Prefix,
            Footer = Footer ?? old.Footer,
            ReplyTo = ReplyTo ?? old.ReplyTo,
            MaxSize = MaxSize ?? old.MaxSize,
            MaxRecipients = MaxRecipients ?? old.MaxRecipients,
            ChangeSigned = ChangeSigned ?? old.ChangeSigned,
            HoldDays = HoldDays ?? old.HoldDays,
            Archive = Archive ?? old.Archive,
            DigestHours = DigestHours ?? old.DigestHours,
            DigestPosts = DigestPosts ?? old.DigestPosts,
            DigestSize = DigestSize ?? old.DigestSize,
            BounceScore = BounceScore ?? old.BounceScore,
            BounceDays = BounceDays ?? old.BounceDays,
            BounceProbes = BounceProbes ?? old.BounceProbes,
        };
    }

    sealed record NewList(string Address) : ListFields;

    sealed record ListView(string Address, string? Name, string Kind, string Language, int Members, IReadOnlyList<string> Posters, string Moderation, string Subscription, IReadOnlyList<string> Owners, IReadOnlyList<string> Moderators,
        string? Prefix, string? Footer, string ReplyTo, long MaxSize, int MaxRecipients, bool ChangeSigned, int HoldDays, string Archive, int DigestHours, int DigestPosts, long DigestSize, int BounceScore, int BounceDays, int BounceProbes, int Held, DateTimeOffset Created);

    /// <param name="Mode">normal, digest (MIME), digest-plain, nomail; normal unless set.</param>
    sealed record NewMembers(IReadOnlyList<string> Addresses, string? Mode = null);

    /// <param name="Mode">normal, digest (MIME), digest-plain, nomail.</param>
    /// <param name="Paused">false: who was paused for his bounces gets mail again.</param>
    sealed record MemberFields(string? Name = null, string? Mode = null, bool? Paused = null);

    /// <param name="Score">Of bounces: each that says that nobody is there counts 1, others half.</param>
    /// <param name="Bounce">What the last one said.</param>
    /// <param name="Paused">Since when he gets nothing for them.</param>
    /// <param name="Probes">Letters that have asked since whether he can be reached.</param>
    sealed record MemberView(string Address, string Name, string Mode, DateTimeOffset Joined, double Score, string? Bounce, DateTimeOffset? Paused, int Probes);

    sealed record MembersJoined(string Address, int Added, int Members);

    /// <param name="Deed">added, changed, unchanged, left-out.</param>
    /// <param name="Problem">Why left out.</param>
    sealed record TakenLine(int Line, string Address, string Deed, string? Problem);

    sealed record MembersTaken(int Added, int Changed, int Unchanged, int LeftOut, IReadOnlyList<TakenLine> Lines);

    /// <param name="Number">From 1, in the order of the file.</param>
    sealed record LetterLeft(int Number, string Problem);

    /// <param name="Known">Were in the archive before.</param>
    sealed record LettersTaken(int Added, int Known, int LeftOut, IReadOnlyList<LetterLeft> Letters);

    sealed record HeldPostView(long Id, string Author, string Subject, string MessageId, long Size, DateTimeOffset Taken);

    sealed record ApplicantView(string Address, string Name, DateTimeOffset Made);

    sealed record Decided(string Decision);

    /// <param name="Sent">Whether there was anything to send.</param>
    sealed record DigestSent(bool Sent);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/lists", Permissions.ListsRead, About.Asked, "Mailing lists", AllAsync) { IsList = true, Query = ["domain"], Gives = typeof(ListView) },
        new("POST", "/lists", Permissions.ListsWrite, About.Asked, "Make a mailing list", Requests.With<NewList>(AddAsync)) { Takes = typeof(NewList), CanRehearse = true, Gives = typeof(ListView) },
        new("DELETE", "/lists/{address}", Permissions.ListsWrite, About.Name, "Remove a mailing list, its members and what waits", With(RemoveAsync)) { CanRehearse = true, Gives = typeof(AddressDone) },
        .. Of("/lists/{address}", Permissions.ListsRead, Permissions.ListsWrite, About.Name, With),
        new("GET", "/me/lists", Permissions.OwnMail, About.Asked, "Mailing lists that one is an owner of", CredentialsApi.WithMe(OwnedAsync)) { IsList = true, Gives = typeof(ListView) },
        .. Of("/me/lists/{list}", Permissions.OwnMail, Permissions.OwnMail, About.Asked, WithOwned),
    ];

    /// <summary>What there is to do with one list, for an administrator and for its owner alike.</summary>
    static IEnumerable<ApiRoute> Of(string path, Permission reads, Permission writes, About about, Func<Func<HttpContext, MailList, Task>, RequestDelegate> with) =>
    [
        new("GET", path, reads, about, "One mailing list", with((context, list) => context.JsonAsync(Show(context, list)))) { Gives = typeof(ListView) },
        new("PATCH", path, writes, about, "Change a mailing list", Requests.With<ListFields>((context, wanted) => with((_, list) => SetAsync(context, list, wanted))(context))) { Takes = typeof(ListFields), CanRehearse = true, Gives = typeof(ListView) },
        new("GET", path + "/members", reads, about, "Members of a mailing list", with((context, list) => context.ListAsync(context.Room<ListBook>().Members(list), one => one.Address, View))) { IsList = true, Gives = typeof(MemberView) },
        new("POST", path + "/members", writes, about, "Put people on a mailing list, without asking them", Requests.With<NewMembers>((context, wanted) => with((_, list) => JoinAsync(context, list, wanted))(context))) { Takes = typeof(NewMembers), CanRehearse = true, Gives = typeof(MembersJoined) },
        new("POST", path + "/import", writes, about, "Put people on a mailing list from a file of listmonk, Mailman 3 or mlmmj, without asking them", with(ImportAsync)) { TakesType = "text/csv", Streams = true, CanRehearse = true, Query = ["mode", "role"], Gives = typeof(MembersTaken), GivesType = "application/json" },
        new("POST", path + "/archive", writes, about, "Put the letters of an mbox file into the archive of a mailing list", with(ArchiveAsync)) { TakesType = "application/mbox", Streams = true, CanRehearse = true, Gives = typeof(LettersTaken), GivesType = "application/json" },
        new("PATCH", path + "/members/{member}", writes, about, "Change how a member gets mail", Requests.With<MemberFields>((context, wanted) => with((_, list) => SetMemberAsync(context, list, wanted))(context))) { Takes = typeof(MemberFields), CanRehearse = true, Gives = typeof(MemberView) },
        new("DELETE", path + "/members/{member}", writes, about, "Take a member off a mailing list", with(LeaveAsync)) { CanRehearse = true, Gives = typeof(AddressDone) },
        new("GET", path + "/held", reads, about, "Posts that wait for a moderator", with((context, list) =>
            context.ListAsync(context.Room<ListPosts>().Held(list), one => one.Id.ToString("D19", CultureInfo.InvariantCulture), one => new HeldPostView(one.Id, one.Author, one.Subject, one.MessageId, one.Size, one.Taken)))) { IsList = true, Gives = typeof(HeldPostView) },
        new("POST", path + "/held/{id}/accept", writes, about, "Send a held post out", with(DecidePost(true))) { Gives = typeof(Decided) },
        new("POST", path + "/held/{id}/reject", writes, about, "Drop a held post", with(DecidePost(false))) { Gives = typeof(Decided) },
        new("POST", path + "/digest", writes, about, "Send the digest now", with(async (context, list) => await context.JsonAsync(new DigestSent(await context.Room<ListDigests>().IssueAsync(list, context.RequestAborted))))) { Gives = typeof(DigestSent) },
        new("GET", path + "/requests", reads, about, "Those who ask to join and wait for an owner", with((context, list) =>
            context.ListAsync(context.Room<ListCommands>().Applicants(list), one => one.Address, one => new ApplicantView(one.Address, one.Name, one.Made)))) { IsList = true, Gives = typeof(ApplicantView) },
        new("POST", path + "/requests/{member}/accept", writes, about, "Let somebody join who asks for it", with(Admit(true))) { Gives = typeof(Decided) },
        new("POST", path + "/requests/{member}/reject", writes, about, "Do not let somebody join; he is told", with(Admit(false))) { Gives = typeof(Decided) },
    ];

    static RequestDelegate With(Func<HttpContext, MailList, Task> deed) => context =>
    {
        var text = context.Part("address");
        return Names.TryAddress(text, out var address) && context.Room<ListBook>().Find(address) is { } list ? deed(context, list) : context.RefuseAsync(ListBook.NoList(text));
    };

    /// <summary>Of an owner: what he is no owner of is not there for him.</summary>
    static RequestDelegate WithOwned(Func<HttpContext, MailList, Task> deed) => CredentialsApi.WithMe((context, me) =>
    {
        var text = context.Part("list");
        return Names.TryAddress(text, out var address) && context.Room<ListBook>().Find(address) is { } list && context.Room<ListBook>().IsOwner(list, me) ? deed(context, list)
            : context.RefuseAsync(Refusal.NoSuchThing.Because($"You are no owner of a list {text}"));
    });

    static Task OwnedAsync(HttpContext context, Account me) =>
        context.ListAsync(context.Room<ListBook>().List().Where(one => context.Room<ListBook>().IsOwner(one, me)), Key, one => Show(context, one));

    static string Key(MailList list) => list.Address.Domain + "\u0001" + list.Address.LocalPart;

    static ListView Show(HttpContext context, MailList list)
    {
        var profile = list.Profile;
        return new(list.Address.ToString(), profile.Name, profile.Kind ?? "discussion", profile.Language ?? "en", context.Room<ListBook>().CountMembers(list), profile.Posters ?? [list.IsAnnouncement ? "moderators" : "members"],
            profile.Moderation ?? (list.IsAnnouncement ? "none" : "strangers"), profile.Subscription ?? "open", profile.Owners ?? [], profile.Moderators ?? [], profile.Prefix, profile.Footer, profile.ReplyTo ?? "sender",
            profile.MaxSize ?? 10 << 20, profile.MaxRecipients ?? 20, profile.ChangeSigned == true, profile.HoldDays ?? 7, profile.Archive ?? "none", profile.DigestHours ?? 24, profile.DigestPosts ?? 30, profile.DigestSize ?? 256 << 10, profile.BounceScore ?? 5, profile.BounceDays ?? 7, profile.BounceProbes ?? 3,
            context.Room<ListPosts>().Held(list).Count, list.Created);
    }

    static object View(ListMember member) => new MemberView(member.Address, member.Name, member.Mode, member.Joined, member.Score / 2.0, member.Bounce.Length > 0 ? member.Bounce : null, member.Paused, member.Probes);

    static async Task AllAsync(HttpContext context)
    {
        if (await context.DomainOfQueryAsync(Permissions.ListsRead) is not (true, var domain)) return;
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        var seen = directory.ListDomains().Where(one => caller.May(Permissions.ListsRead, one)).Select(one => one.Id).ToHashSet();
        await context.ListAsync(context.Room<ListBook>().List(domain).Where(one => seen.Contains(one.DomainId)), Key, one => Show(context, one));
    }

    static async Task AddAsync(HttpContext context, NewList wanted)
    {
        if (Names.TryAddress(wanted.Address ?? "", out var address) && context.Room<UserDirectory>().FindDomain(address.Domain) is { } domain && context.Forbids(Permissions.ListsWrite, domain) is { } refusal) { await context.RefuseAsync(refusal); return; }
        await context.ResultAsync(await context.Room<ListBook>().AddAsync(wanted.Address ?? "", wanted.Apply(new()), context.RequestAborted), list => Show(context, list), 201);
    }

    static async Task SetAsync(HttpContext context, MailList list, ListFields wanted) =>
        await context.ResultAsync(await context.Room<ListBook>().SetAsync(list, old => wanted.Apply(old), context.RequestAborted), now => Show(context, now));

    static async Task RemoveAsync(HttpContext context, MailList list)
    {
        if (await context.Room<ListBook>().RemoveAsync(list, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(list.Address.ToString()));
    }

    static async Task JoinAsync(HttpContext context, MailList list, NewMembers wanted)
    {
        var book = context.Room<ListBook>();
        await context.ResultAsync(await book.JoinAsync(list, [.. (wanted.Addresses ?? []).Select(address => (address ?? "", ""))], wanted.Mode ?? "normal", context.RequestAborted), added => new MembersJoined(list.Address.ToString(), added, book.CountMembers(list)));
    }

    static async Task ImportAsync(HttpContext context, MailList list)
    {
        if (await context.BytesAsync(context.Room<Settings>().Mailings.ImportBytes) is not { } file) return;
        await context.ResultAsync(await context.Room<ListIntake>().TakeAsync(list, file, context.Asked("mode"), context.Asked("role"), context.RequestAborted), lines =>
        {
            int Count(string deed) => lines.Count(one => one.Deed == deed);
            return new MembersTaken(Count("added"), Count("changed"), Count("unchanged"), Count("left-out"), [.. lines.Select(one => new TakenLine(one.Line, one.Address, one.Deed, one.Problem is { } problem ? context.Say(problem) : null))]);
        });
    }

    static async Task ArchiveAsync(HttpContext context, MailList list)
    {
        if (await context.BytesAsync(context.Room<Settings>().Mailings.ImportBytes) is not { } file) return;
        await context.ResultAsync(await context.Room<ListArchiveIntake>().TakeAsync(list, file, context.RequestAborted),
            taken => new LettersTaken(taken.Added, taken.Known, taken.LeftOut.Count, [.. taken.LeftOut.Select(one => new LetterLeft(one.Number, context.Say(one.Problem)))]));
    }

    static async Task SetMemberAsync(HttpContext context, MailList list, MemberFields wanted)
    {
        if (Member(context) is not { } member) { await context.RefuseAsync(NoAddress(context)); return; }
        if (wanted.Paused == true) { await context.RefuseAsync(Refusal.Invalid.Because("Nobody is paused by hand: mode nomail is for that").At("paused")); return; }
        if (wanted.Paused == false && context.Room<ListBook>().FindMember(list, member) is { } known) await context.Room<ListBounces>().ResumeAsync(known.Id, context.RequestAborted);
        await context.ResultAsync(await context.Room<ListBook>().SetMemberAsync(list, member, wanted.Name, wanted.Mode, context.RequestAborted), View);
    }

    static async Task LeaveAsync(HttpContext context, MailList list)
    {
        if (Member(context) is not { } member) await context.RefuseAsync(NoAddress(context));
        else if (await context.Room<ListBook>().LeaveAsync(list, member, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(member.ToString()));
    }

    static MailAddress? Member(HttpContext context) => Names.TryAddress(context.Part("member"), out var member) ? member : null;

    static Refusal NoAddress(HttpContext context) => Refusal.BadAddress.Because($"\"{context.Part("member")}\" is not a valid address");

    static Func<HttpContext, MailList, Task> DecidePost(bool accept) => async (context, list) =>
    {
        if (!long.TryParse(context.Part("id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) await context.RefuseAsync(Refusal.NoSuchThing.Because("There is no held post with this number; list them with: cbamail list held"));
        else if (await context.Room<ListPosts>().DecideAsync(list, id, accept, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new Decided(accept ? "accepted" : "rejected"));
    };

    static Func<HttpContext, MailList, Task> Admit(bool accept) => async (context, list) =>
    {
        if (await context.Room<ListCommands>().AdmitAsync(list, context.Part("member"), accept, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new Decided(accept ? "accepted" : "rejected"));
    };
}
