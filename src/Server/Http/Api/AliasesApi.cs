using System.Text.Json.Serialization;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/aliases, and /api/v1/me/aliases: those that people make for themselves.</summary>
static class AliasesApi
{
    const int LongestComment = 500, MostCounted = 1_000_000;

    /// <param name="Expires">Its last day, in the server's zone, or a time; "" is never.</param>
    /// <param name="MaxMessages">After so many nobody is there; 0: no matter how many.</param>
    /// <param name="InternalOnly">Who has not signed in here may not write to it.</param>
    /// <param name="MaySend">Whether its targets may write in its name; they may where nothing is said.</param>
    record AliasFields([property: NullMeans("\"\"")] string? Comment = null, [property: NullMeans("\"\"")] string? Expires = null, [property: NullMeans("0")] int? MaxMessages = null, bool? InternalOnly = null, bool? MaySend = null)
    {
        internal bool IsEmpty => (Comment, Expires, MaxMessages, InternalOnly, MaySend) is (null, null, null, null, null);

        public Refusal? Wrong()
        {
            if (Comment?.Length > LongestComment || Comment?.Any(char.IsControl) == true) return Refusal.Invalid.Because($"A comment has at most {LongestComment} characters, in one line").At("comment");
            if (Expires is not null && !AccountDetails.TryTime(Expires, TimeZoneInfo.Local, isEnd: true, out _)) return Refusal.Invalid.Because("expires is a day as in 2027-06-30, or a time with its zone as in 2027-06-30T18:00:00+03:00; \"\" is never").At("expires");
            return MaxMessages is < 0 or > MostCounted ? Refusal.Invalid.Because($"maxMessages is 0 to {MostCounted}").At("maxMessages") : null;
        }

        public AliasProfile Apply(AliasProfile old)
        {
            var when = old.Expires;
            if (Expires is not null) AccountDetails.TryTime(Expires, TimeZoneInfo.Local, isEnd: true, out when);
            var most = MaxMessages is null ? old.MaxMessages : MaxMessages == 0 ? null : MaxMessages;
            return old with
            {
                Comment = Comment is null ? old.Comment : Comment.Length == 0 ? null : Comment,
                Expires = when,
                MaxMessages = most,
                Messages = most is null ? null : old.Messages ?? 0,
                InternalOnly = InternalOnly is null ? old.InternalOnly : InternalOnly == true ? true : null,
                MaySend = MaySend is null ? old.MaySend : MaySend == false ? false : null,
            };
        }
    }

    /// <param name="Address">"@school.test": a name that nobody can guess is made.</param>
    sealed record NewAlias(string Address, IReadOnlyList<string> Targets) : AliasFields;

    /// <param name="Address">Of one's own domain; none, or "@school.test": a name that nobody can guess is made.</param>
    /// <param name="Name">What stands before the "@", in place of the address.</param>
    sealed record NewOwnAlias(string? Address = null, string? Name = null) : AliasFields;

    /// <param name="State">active, pending (an administrator has yet to agree), or over: its time or its messages are.</param>
    /// <param name="Owner">Who made it for himself, or null.</param>
    sealed record AliasView(
        string Address, IReadOnlyList<string> Targets, DateTimeOffset Created, string? Comment, DateTimeOffset? Expires, int? MaxMessages, int? Messages, bool InternalOnly, bool MaySend, string State, string? Owner)
    {
        /// <summary>What is to be known of what was done.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public IReadOnlyList<string>? Warnings { get; init; }
    }

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/aliases", Permissions.AliasesRead, About.Asked, "Aliases", ListAsync) { IsList = true, Query = ["domain", "search", "state"], Gives = typeof(AliasView) },
        new("POST", "/aliases", Permissions.AliasesWrite, About.Asked, "Make an alias, or add targets to one", Requests.With<NewAlias>(AddAsync)) { Takes = typeof(NewAlias), CanRehearse = true, Gives = typeof(AliasView) },
        new("GET", "/aliases/{address}", Permissions.AliasesRead, About.Name, "One alias", WithAlias((context, alias) => context.JsonAsync(Show(context, alias)))) { Gives = typeof(AliasView) },
        new("PATCH", "/aliases/{address}", Permissions.AliasesWrite, About.Name, "Change what an alias is beside its targets", Requests.With<AliasFields>((context, wanted) => WithAlias((_, alias) => SetAsync(context, alias, wanted))(context))) { Takes = typeof(AliasFields), CanRehearse = true, Gives = typeof(AliasView) },
        new("POST", "/aliases/{address}/approve", Permissions.AliasesWrite, About.Name, "Agree to an alias that somebody has made for himself", WithAlias(ApproveAsync)) { CanRehearse = true, Gives = typeof(AliasView) },
        new("DELETE", "/aliases/{address}", Permissions.AliasesWrite, About.Name, "Remove an alias, or one target of it", RemoveAsync) { Query = ["target"], CanRehearse = true, Gives = typeof(AddressDone) },
        new("GET", "/me/aliases", Permissions.OwnMail, About.Asked, "Aliases that one has made for oneself", CredentialsApi.WithMe(ListOwnAsync)) { IsList = true, Gives = typeof(AliasView) },
        new("POST", "/me/aliases", Permissions.OwnMail, About.Asked, "Make an alias for oneself, as one's domain lets one", Requests.With<NewOwnAlias>((context, wanted) => CredentialsApi.WithMe((_, me) => AddOwnAsync(context, me, wanted))(context))) { Takes = typeof(NewOwnAlias), CanRehearse = true, Gives = typeof(AliasView) },
        new("PATCH", "/me/aliases/{alias}", Permissions.OwnMail, About.Asked, "Change an alias of one's own", Requests.With<AliasFields>((context, wanted) => WithOwn((_, alias) => SetAsync(context, alias, wanted))(context))) { Takes = typeof(AliasFields), CanRehearse = true, Gives = typeof(AliasView) },
        new("DELETE", "/me/aliases/{alias}", Permissions.OwnMail, About.Asked, "Remove an alias of one's own", WithOwn(RemoveOwnAsync)) { CanRehearse = true, Gives = typeof(AddressDone) },
    ];

    static RequestDelegate WithAlias(Func<HttpContext, Alias, Task> deed) => context => Find(context, "address") is { } alias ? deed(context, alias) : context.RefuseAsync(NoAlias(context.Part("address")));

    static RequestDelegate WithOwn(Func<HttpContext, Alias, Task> deed) => CredentialsApi.WithMe((context, me) =>
        Find(context, "alias") is { } alias && alias.Profile.Owner == me.Id ? deed(context, alias) : context.RefuseAsync(NoAlias(context.Part("alias"))));

    static Alias? Find(HttpContext context, string part) => Names.TryAddress(context.Part(part), out var address) ? context.Room<UserDirectory>().FindAlias(address) : null;

    static Refusal NoAlias(string address) => Refusal.NoSuchThing.Because($"There is no alias {address}; list them with: cbamail alias list");

    static async Task ListAsync(HttpContext context)
    {
        if (await context.DomainOfQueryAsync(Permissions.AliasesRead) is not (true, var domain)) return;
        var (caller, directory, search, state) = (context.Caller(), context.Room<UserDirectory>(), context.Asked("search"), context.Asked("state"));
        if (state is not (null or "active" or "pending" or "over")) { await context.RefuseAsync(Refusal.Invalid.Because("state is active, pending or over").At("state")); return; }
        var seen = directory.ListDomains().Where(one => caller.May(Permissions.AliasesRead, one)).Select(one => one.Id).ToHashSet();
        await context.ListAsync(directory.ListAliases(domain).Where(alias => seen.Contains(alias.DomainId) && (state is null || state == State(directory, alias))
                && (search is null || alias.Address.ToString().Contains(search, StringComparison.OrdinalIgnoreCase) || alias.Profile.Comment?.Contains(search, StringComparison.OrdinalIgnoreCase) == true)),
            alias => alias.Address.Domain + "\u0001" + alias.Address.LocalPart, alias => Show(context, alias));
    }

    static async Task AddAsync(HttpContext context, NewAlias wanted)
    {
        var directory = context.Room<UserDirectory>();
        var name = wanted.Address is { } text && text.StartsWith('@') ? UserDirectory.RandomName() + text : wanted.Address ?? "";
        if (Names.TryAddress(name, out var address) && directory.FindDomain(address.Domain) is { } domain && context.Forbids(Permissions.AliasesWrite, domain) is { } refusal) { await context.RefuseAsync(refusal); return; }
        if (wanted.Wrong() is { } wrong) { await context.RefuseAsync(wrong); return; }
        var added = await directory.AddAliasAsync(name, wanted.Targets ?? [], context.RequestAborted);
        if (added.Ok && !wanted.IsEmpty) added = await directory.SetAliasAsync(added.Value, wanted.Apply, context.RequestAborted);
        await context.ResultAsync(added, alias => Show(context, alias) with { Warnings = context.Warnings(LeadingNowhere(directory, wanted.Targets ?? [])) }, 201);
    }

    /// <summary>Targets in domains of ours that nobody has: an alias may be there before its accounts, and mail for it comes back until then.</summary>
    static IEnumerable<Refusal> LeadingNowhere(UserDirectory directory, IEnumerable<string> targets) => targets
        .Where(target => Names.TryAddress(target, out var address) && directory.FindDomain(address.Domain) is not null && directory.Resolve(address) is { Ok: false, Refusal.HttpStatus: 404 })
        .Select(target => Refusal.NoSuchUser.Because($"Nobody here has the address {target}: mail to it comes back until somebody does"));

    static async Task SetAsync(HttpContext context, Alias alias, AliasFields wanted)
    {
        if (wanted.Wrong() is { } wrong) await context.RefuseAsync(wrong);
        else await context.ResultAsync(await context.Room<UserDirectory>().SetAliasAsync(alias, wanted.Apply, context.RequestAborted), now => Show(context, now));
    }

    static async Task ApproveAsync(HttpContext context, Alias alias) =>
        await context.ResultAsync(await context.Room<UserDirectory>().SetAliasAsync(alias, profile => profile with { Pending = null }, context.RequestAborted), now => Show(context, now));

    static async Task RemoveAsync(HttpContext context)
    {
        var address = context.Part("address");
        if (await context.Room<UserDirectory>().RemoveAliasAsync(address, context.Asked("target"), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(address));
    }

    static Task ListOwnAsync(HttpContext context, Account me) => context.ListAsync(context.Room<UserDirectory>().OwnAliasesOf(me), alias => alias.Address.LocalPart, alias => Show(context, alias));

    static async Task AddOwnAsync(HttpContext context, Account me, NewOwnAlias wanted)
    {
        var name = OwnName(me, wanted);
        if ((wanted.Wrong() ?? name.Refusal) is { } wrong) await context.RefuseAsync(wrong);
        else await context.ResultAsync(await context.Room<UserDirectory>().AddOwnAliasAsync(me, name.Value is { Length: > 0 } local ? local : null, wanted.Apply(AliasProfile.None), context.RequestAborted), alias => Show(context, alias), 201);
    }

    /// <summary>What stands before the "@"; "" where it is to be made.</summary>
    static Result<string> OwnName(Account me, NewOwnAlias wanted)
    {
        var (address, name) = ((wanted.Address ?? "").Trim(), (wanted.Name ?? "").Trim());
        if (address.Length == 0) return name;
        if (name.Length > 0) return Refusal.Invalid.Because("Give one of address and name").At("name");
        var at = address.LastIndexOf('@');
        if (at < 0) return Refusal.BadAddress.Because($"\"{address}\" is not a valid address").At("address");
        return Names.TryDomain(address[(at + 1)..], out var domain) && domain == me.Address.Domain ? address[..at] : Refusal.Invalid.Because($"An alias of your own is in your own domain: as in name@{me.Address.Domain}").At("address");
    }

    static async Task RemoveOwnAsync(HttpContext context, Alias alias)
    {
        if (await context.Room<UserDirectory>().RemoveAliasAsync(alias.Address.ToString(), null, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(alias.Address.ToString()));
    }

    static string State(UserDirectory directory, Alias alias) => alias.Profile.Pending == true ? "pending" : directory.IsOpen(alias) ? "active" : "over";

    static AliasView Show(HttpContext context, Alias alias)
    {
        var (directory, profile) = (context.Room<UserDirectory>(), alias.Profile);
        return new(alias.Address.ToString(), alias.Targets, alias.Created, profile.Comment, profile.Expires, profile.MaxMessages, profile.Messages, profile.InternalOnly == true, profile.MaySend != false,
            State(directory, alias), profile.Owner is { } owner ? directory.GetAccount(owner)?.Address.ToString() : null);
    }
}
