using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>What becomes of mail for somebody: /api/v1/me/vacation and forwarding for oneself, /api/v1/accounts/{address}/... for others.</summary>
static class OwnMailApi
{
    const int LongestText = 32 << 10, MostDays = 60, MostAddresses = 50, MostForwards = 20;

    /// <param name="From">A day or a time; "" is at once.</param>
    /// <param name="Until">The last day, in the account's zone or the server's, or a time; "" is until it is switched off.</param>
    /// <param name="Subject">"" is "Auto:" and the subject of what is answered.</param>
    /// <param name="DomainText">What senders of one's own domain read instead; "" is the same.</param>
    /// <param name="Days">A sender is answered once in so many days: 1 to 60.</param>
    /// <param name="Addresses">Further ones to which mail for the account is sent.</param>
    sealed record VacationFields(
        bool? Enabled = null, [property: NullMeans("\"\"")] string? From = null, [property: NullMeans("\"\"")] string? Until = null, [property: NullMeans("\"\"")] string? Subject = null, string? Text = null,
        [property: NullMeans("\"\"")] string? Html = null, [property: NullMeans("\"\"")] string? DomainText = null, int? Days = null, IReadOnlyList<string>? Addresses = null);

    /// <param name="Active">Whether it answers now.</param>
    sealed record VacationView(
        bool Enabled, bool Active, DateTimeOffset? From, DateTimeOffset? Until, string? Subject, string Text, string? Html, string? DomainText, int Days, IReadOnlyList<string> Addresses);

    /// <param name="To">All of them; none ends it.</param>
    /// <param name="KeepCopy">Whether it also stays in the mailbox; yes where nothing is said.</param>
    sealed record Forwarding(IReadOnlyList<string> To, bool KeepCopy = true);

    /// <param name="Pending">Addresses elsewhere that were sent a code and have not agreed yet.</param>
    /// <param name="Allowed">Where people of the domain may forward to by themselves: here, @domain, @*.domain, anywhere; empty: nowhere.</param>
    sealed record ForwardingView(IReadOnlyList<string> To, bool KeepCopy, IReadOnlyList<string> Pending, IReadOnlyList<string> Allowed);

    sealed record Confirmation(string Address, string Code);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/me/vacation", Permissions.OwnMail, About.Asked, "What is answered while one is away", CredentialsApi.WithMe(ShowVacation)) { Gives = typeof(VacationView) },
        new("PATCH", "/me/vacation", Permissions.OwnMail, About.Asked, "Change it", Requests.With<VacationFields>((context, wanted) => CredentialsApi.WithMe((_, me) => SetVacationAsync(context, me, wanted))(context))) { Takes = typeof(VacationFields), Gives = typeof(VacationView), CanRehearse = true },
        new("GET", "/accounts/{address}/vacation", Permissions.AccountsRead, About.Account, "What is answered while somebody is away", Requests.WithAccount(ShowVacation)) { Gives = typeof(VacationView) },
        new("PATCH", "/accounts/{address}/vacation", Permissions.AccountsWrite, About.Account, "Change what is answered while somebody is away", Requests.With<VacationFields>((context, wanted) => Requests.WithAccount((_, account) => SetVacationAsync(context, account, wanted))(context))) { Takes = typeof(VacationFields), Gives = typeof(VacationView), CanRehearse = true },
        new("GET", "/me/forwarding", Permissions.OwnMail, About.Asked, "Where one's mail goes on to", CredentialsApi.WithMe(ShowForwarding)) { Gives = typeof(ForwardingView) },
        new("PUT", "/me/forwarding", Permissions.OwnMail, About.Asked, "Forward one's mail, as one's domain lets one; addresses elsewhere are sent a code first", Requests.With<Forwarding>((context, wanted) => CredentialsApi.WithMe((_, me) => ForwardOwnAsync(context, me, wanted))(context))) { Takes = typeof(Forwarding), Gives = typeof(ForwardingView) },
        new("POST", "/me/forwarding/confirm", Permissions.OwnMail, About.Asked, "Say the code that an address elsewhere was sent", Requests.With<Confirmation>((context, wanted) => CredentialsApi.WithMe((_, me) => ConfirmAsync(context, me, wanted))(context))) { Takes = typeof(Confirmation), Gives = typeof(ForwardingView) },
        new("GET", "/accounts/{address}/forwarding", Permissions.AccountsRead, About.Account, "Where somebody's mail goes on to", Requests.WithAccount(ShowForwarding)) { Gives = typeof(ForwardingView) },
        new("PUT", "/accounts/{address}/forwarding", Permissions.AccountsWrite, About.Account, "Forward somebody's mail", Requests.With<Forwarding>((context, wanted) => Requests.WithAccount((_, account) => ForwardAsync(context, account, wanted.To ?? [], wanted.KeepCopy))(context))) { Takes = typeof(Forwarding), Gives = typeof(ForwardingView), CanRehearse = true },
    ];

    // ---- vacation

    static Task ShowVacation(HttpContext context, Account account) => context.JsonAsync(Show(context, account));

    static VacationView Show(HttpContext context, Account account)
    {
        var vacation = account.Profile.Vacation ?? new Vacation();
        return new(vacation.Enabled, vacation.IsOn(context.Room<TimeProvider>().GetUtcNow()), vacation.From, vacation.Until, vacation.Subject, vacation.Text, vacation.Html, vacation.DomainText,
            vacation.Days ?? Vacation.UsualDays, vacation.Addresses ?? []);
    }

    static async Task SetVacationAsync(HttpContext context, Account account, VacationFields wanted)
    {
        Refusal? refused = null;
        var changed = await context.Room<UserDirectory>().SetAccountAsync(account, new(Profile: profile =>
        {
            var next = Apply(profile.Vacation ?? new Vacation(), wanted, Days.Zone(profile.Zone));
            refused = next.Refusal;
            return next.Ok ? profile with { Vacation = next.Value } : profile;
        }), context.RequestAborted);
        if (refused is not null) { await context.RefuseAsync(refused); return; }
        if (changed.Ok) await context.Room<Vacations>().ForgetAsync(account, context.RequestAborted);
        await context.ResultAsync(changed, now => Show(context, now));
    }

    static Result<Vacation> Apply(Vacation old, VacationFields wanted, TimeZoneInfo zone)
    {
        DateTimeOffset? from = old.From, until = old.Until;
        if ((wanted.From is not null && !AccountDetails.TryTime(wanted.From, zone, isEnd: false, out from)) || (wanted.Until is not null && !AccountDetails.TryTime(wanted.Until, zone, isEnd: true, out until)))
            return Refusal.Invalid.Because("from and until are days as in 2027-06-30, or times with their zone as in 2027-06-30T18:00:00+03:00").At(wanted.From is not null ? "from" : "until");
        if (until <= from) return Refusal.Invalid.Because("The end is before the beginning").At("until");
        if (wanted.Days is < 1 or > MostDays) return Refusal.Invalid.Because($"days is 1 to {MostDays}").At("days");
        if (wanted.Subject?.Length > 200 || wanted.Subject?.Any(char.IsControl) == true) return Refusal.Invalid.Because("A subject has at most 200 characters, in one line").At("subject");
        if (wanted.Text?.Length > LongestText || wanted.Html?.Length > LongestText || wanted.DomainText?.Length > LongestText) return Refusal.TooLarge.Because($"A text has at most {LongestText >> 10} KB").At("text");
        var addresses = old.Addresses;
        if (wanted.Addresses is not null)
        {
            var keys = wanted.Addresses.Select(text => MailAddress.TryParse(text ?? "", out var address) ? address.Key : null).ToList();
            if (keys.Count > MostAddresses || keys.Contains(null)) return Refusal.Invalid.Because($"addresses are at most {MostAddresses}, each as in anna@example.org").At("addresses");
            addresses = keys.Count == 0 ? null : [.. keys.OfType<string>().Distinct()];
        }
        var next = old with
        {
            Enabled = wanted.Enabled ?? old.Enabled,
            From = from,
            Until = until,
            Subject = Or(wanted.Subject, old.Subject),
            Text = wanted.Text ?? old.Text,
            Html = Or(wanted.Html, old.Html),
            DomainText = Or(wanted.DomainText, old.DomainText),
            Days = wanted.Days ?? old.Days,
            Addresses = addresses,
        };
        return next is { Enabled: true, Text.Length: 0 } ? Refusal.Invalid.Because("What is to be answered? Give a text").At("text") : next;

        static string? Or(string? given, string? kept) => given is null ? kept : given.Length == 0 ? null : given;
    }

    // ---- forwarding

    static Task ShowForwarding(HttpContext context, Account account) => context.JsonAsync(ShowForwards(context, account));

    static ForwardingView ShowForwards(HttpContext context, Account account) => new(
        account.Policy.Forward ?? [], account.Policy.KeepCopy != false, [.. context.Room<ForwardConfirmations>().PendingOf(account).Select(one => one.Address)], Allowed(context, account));

    static IReadOnlyList<string> Allowed(HttpContext context, Account account) => context.Room<UserDirectory>().FindDomain(account.Address.Domain)?.Profile.ForwardTo ?? [];

    static async Task ForwardAsync(HttpContext context, Account account, IReadOnlyList<string> to, bool keepCopy)
    {
        var directory = context.Room<UserDirectory>();
        var set = await directory.ChangePolicyAsync(account.Address.ToString(), policy => policy with { Forward = to, KeepCopy = to.Count == 0 || keepCopy ? null : false }, context.RequestAborted);
        if (!set.Ok) await context.RefuseAsync(set.Refusal);
        else await context.JsonAsync(ShowForwards(context, directory.GetAccount(account.Id) ?? account));
    }

    static async Task ForwardOwnAsync(HttpContext context, Account me, Forwarding wanted)
    {
        var (directory, allowed) = (context.Room<UserDirectory>(), Allowed(context, me));
        var (now, ask) = (new List<string>(), new List<MailAddress>());
        if (wanted.To?.Count > MostForwards) { await context.RefuseAsync(Refusal.Invalid.Because($"Mail is forwarded to at most {MostForwards} addresses").At("to")); return; }
        foreach (var text in wanted.To ?? [])
        {
            if (!Names.TryAddress(text ?? "", out var target)) { await context.RefuseAsync(Refusal.BadAddress.Because($"\"{text}\" is not a valid address").At("to")); return; }
            var isHere = directory.IsLocal(target);
            // what an administrator has set, and what was agreed to, stays
            if (me.Policy.Forward?.Contains(target.ToString()) == true) now.Add(target.ToString());
            else if (!allowed.Any(word => word == "anywhere" || (word == "here" ? isHere : SenderPattern.Matches(word, target, isMember: false)))) { await context.RefuseAsync(Refusal.NotPermitted.Because($"Your domain does not let you forward to {target}; ask its administrator").At("to")); return; }
            else if (target.Key == me.Address.Key) { await context.RefuseAsync(Refusal.Invalid.Because($"{target} cannot be its own target").At("to")); return; }
            else if (isHere) now.Add(target.ToString());
            else ask.Add(target);
        }
        var confirmations = context.Room<ForwardConfirmations>();
        if (await confirmations.KeepOnlyAsync(me, ask, context.RequestAborted) is { } kept) { await context.RefuseAsync(kept); return; }
        var known = confirmations.PendingOf(me).Select(one => one.Address).ToHashSet();
        if (ask.Where(target => !known.Contains(target.Key)).ToList() is { Count: > 0 } fresh && await context.Room<ForwardConfirmations>().AskAsync(me, fresh, context.RequestAborted) is { } refusal) { await context.RefuseAsync(refusal); return; }
        // nothing is taken out of the mailbox before somebody gets it elsewhere
        await ForwardAsync(context, directory.GetAccount(me.Id) ?? me, now, wanted.KeepCopy || now.Count == 0);
    }

    static async Task ConfirmAsync(HttpContext context, Account me, Confirmation wanted)
    {
        var directory = context.Room<UserDirectory>();
        if (!Names.TryAddress(wanted.Address ?? "", out var target) || !context.Room<ForwardConfirmations>().IsRight(me, target, wanted.Code ?? "")) { await context.RefuseAsync(Refusal.NotPermitted.Because("This is not the code that was sent to this address, or its time is over").At("code")); return; }
        var left = (me.Profile.PendingForwards ?? []).Where(one => one.Address != target.Key).ToList();
        var changed = await directory.SetAccountAsync(me, new(Profile: profile => profile with { PendingForwards = left.Count == 0 ? null : left }), context.RequestAborted);
        if (!changed.Ok) await context.RefuseAsync(changed.Refusal);
        else await ForwardAsync(context, changed.Value, [.. (me.Policy.Forward ?? []).Append(target.ToString()).Distinct()], me.Policy.KeepCopy != false);
    }
}
