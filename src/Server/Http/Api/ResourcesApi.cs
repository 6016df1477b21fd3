using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Calendar;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Resources;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/resources</summary>
static class ResourcesApi
{
    /// <param name="Kind">room, equipment.</param>
    /// <param name="TimeZone">IANA's name: of the opening hours and of dates in answers; none: UTC.</param>
    /// <param name="Bookers">everyone, domain, addresses (of groups too), @domain; none: domain.</param>
    /// <param name="Owners">Who approves.</param>
    /// <param name="DaysAhead">How far ahead it may be booked; 365 unless set.</param>
    /// <param name="Hours">Opening hours, as in 08:00-18:00; an empty text: always.</param>
    /// <param name="Weekdays">monday to sunday; none: each day.</param>
    /// <param name="AcceptPart">Of a series with taken dates the free ones are accepted.</param>
    /// <param name="Parallel">How many bookings it takes at the same time.</param>
    /// <param name="ShowsWho">Who is declined may learn who has booked it.</param>
    record ResourceFields(string? Name = null, string? Kind = null, int? Capacity = null, string? Place = null, string? TimeZone = null, IReadOnlyList<string>? Bookers = null, IReadOnlyList<string>? Owners = null,
        bool? Approval = null, int? MaxMinutes = null, int? DaysAhead = null, string? Hours = null, IReadOnlyList<string>? Weekdays = null, bool? Recurring = null, bool? AcceptPart = null, int? Parallel = null, bool? ShowsWho = null)
    {
        public Result<ResourceProfile> Apply(ResourceProfile old)
        {
            var (opens, closes) = (old.OpensAt, old.ClosesAt);
            if (Hours is { Length: 0 }) (opens, closes) = (null, null);
            else if (Hours is { } hours)
            {
                if (hours.Split('-', StringSplitOptions.TrimEntries) is not [var from, var to] || Minutes(from) is not { } first || Minutes(to) is not { } last) return Refusal.Invalid.Because("Opening hours are written as in 08:00-18:00").At("hours");
                (opens, closes) = (first, last);
            }
            var days = old.Weekdays;
            if (Weekdays is not null)
            {
                var named = new List<DayOfWeek>();
                foreach (var word in Weekdays)
                {
                    if (!Enum.GetValues<DayOfWeek>().Any(day => day.ToString().Equals(word, StringComparison.OrdinalIgnoreCase))) return Refusal.Invalid.Because("Days of the week are monday to sunday").At("weekdays");
                    named.Add(Enum.Parse<DayOfWeek>(word, ignoreCase: true));
                }
                days = named;
            }
            return old with
            {
                Name = Name ?? old.Name,
                Kind = Kind ?? old.Kind,
                Capacity = Capacity ?? old.Capacity,
                Place = Place ?? old.Place,
                TimeZone = TimeZone ?? old.TimeZone,
                Bookers = Bookers ?? old.Bookers,
                Owners = Owners ?? old.Owners,
                Approval = Approval ?? old.Approval,
                MaxMinutes = MaxMinutes ?? old.MaxMinutes,
                DaysAhead = DaysAhead ?? old.DaysAhead,
                OpensAt = opens,
                ClosesAt = closes,
                Weekdays = days,
                Recurring = Recurring ?? old.Recurring,
                AcceptPart = AcceptPart ?? old.AcceptPart,
                Parallel = Parallel ?? old.Parallel,
                ShowsWho = ShowsWho ?? old.ShowsWho,
            };
        }

        static int? Minutes(string text) => text == "24:00" ? 24 * 60 : TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? at.Hour * 60 + at.Minute : null;
    }

    sealed record NewResource(string Address) : ResourceFields;

    sealed record ResourceView(string Address, string? Name, string Kind, int? Capacity, string? Place, string TimeZone, IReadOnlyList<string> Bookers, IReadOnlyList<string> Owners, bool Approval, int? MaxMinutes, int DaysAhead,
        string Hours, IReadOnlyList<string> Weekdays, bool Recurring, bool AcceptPart, int Parallel, bool ShowsWho, DateTimeOffset Created);

    sealed record BookingView(long Id, DateTimeOffset Start, DateTimeOffset End, string State, string Organizer, string Summary, string Uid);

    sealed record BookingDone(long Id, string State);

    sealed record BusyTime(DateTimeOffset Start, DateTimeOffset End);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/resources", Permissions.ResourcesRead, About.Asked, "Resources", ListAsync) { IsList = true, Query = ["domain"], Gives = typeof(ResourceView) },
        new("POST", "/resources", Permissions.ResourcesWrite, About.Asked, "Make a resource", Requests.With<NewResource>(AddAsync)) { Takes = typeof(NewResource), CanRehearse = true, Gives = typeof(ResourceView) },
        new("GET", "/resources/{address}", Permissions.ResourcesRead, About.Name, "One resource", With((context, resource) => context.JsonAsync(Show(resource)))) { Gives = typeof(ResourceView) },
        new("PATCH", "/resources/{address}", Permissions.ResourcesWrite, About.Name, "Change a resource", Requests.With<ResourceFields>((context, wanted) => With((_, resource) => SetAsync(context, resource, wanted))(context))) { Takes = typeof(ResourceFields), CanRehearse = true, Gives = typeof(ResourceView) },
        new("DELETE", "/resources/{address}", Permissions.ResourcesWrite, About.Name, "Remove a resource and its bookings", With(RemoveAsync)) { CanRehearse = true, Gives = typeof(AddressDone) },
        new("GET", "/resources/{address}/bookings", Permissions.ResourcesRead, About.Name, "Bookings of a resource: from now on and for a year unless said", With(BookingsAsync)) { IsList = true, Query = ["from", "to"], Gives = typeof(BookingView) },
        new("DELETE", "/resources/{address}/bookings/{id}", Permissions.ResourcesWrite, About.Name, "Free what a booking takes; its organizer is told", With(Decide(accept: false, "The booking was taken back"))) { Gives = typeof(BookingDone) },
        new("POST", "/resources/{address}/bookings/{id}/approve", Permissions.ResourcesWrite, About.Name, "Approve a booking", With(Decide(accept: true, null))) { Gives = typeof(BookingDone) },
        new("POST", "/resources/{address}/bookings/{id}/refuse", Permissions.ResourcesWrite, About.Name, "Refuse a booking", With(Decide(accept: false, "It was not approved"))) { Gives = typeof(BookingDone) },
        new("GET", "/resources/{address}/free-busy", Permissions.ResourcesRead, About.Name, "When a resource is taken: from now on and for a year unless said", With(FreeBusyAsync)) { IsList = true, Query = ["from", "to"], Gives = typeof(BusyTime) },
        new("GET", "/me/resources", Permissions.OwnMail, About.Asked, "Rooms and equipment that one is an owner of", CredentialsApi.WithMe(ListOwnedAsync)) { IsList = true, Gives = typeof(ResourceView) },
        new("GET", "/me/resources/{resource}/bookings", Permissions.OwnMail, About.Asked, "Bookings of a resource that one is an owner of: from now on and for a year unless said", WithOwned(BookingsAsync)) { IsList = true, Query = ["from", "to"], Gives = typeof(BookingView) },
        new("DELETE", "/me/resources/{resource}/bookings/{id}", Permissions.OwnMail, About.Asked, "Free what a booking takes; its organizer is told", WithOwned(Decide(accept: false, "The booking was taken back"))) { Gives = typeof(BookingDone) },
        new("POST", "/me/resources/{resource}/bookings/{id}/approve", Permissions.OwnMail, About.Asked, "Approve a booking as an owner", WithOwned(Decide(accept: true, null))) { Gives = typeof(BookingDone) },
        new("POST", "/me/resources/{resource}/bookings/{id}/refuse", Permissions.OwnMail, About.Asked, "Refuse a booking as an owner", WithOwned(Decide(accept: false, "It was not approved"))) { Gives = typeof(BookingDone) },
    ];

    /// <summary>Of an owner: what he is no owner of is not there for him.</summary>
    static RequestDelegate WithOwned(Func<HttpContext, Resource, Task> deed) => CredentialsApi.WithMe((context, me) =>
    {
        var text = context.Part("resource");
        return Names.TryAddress(text, out var address) && context.Room<ResourceBook>().Find(address) is { } resource && context.Room<Bookings>().IsOwner(resource, me) ? deed(context, resource)
            : context.RefuseAsync(Refusal.NoSuchThing.Because($"You are no owner of a resource {text}"));
    });

    static Task ListOwnedAsync(HttpContext context, Account me) =>
        context.ListAsync(context.Room<ResourceBook>().List().Where(one => context.Room<Bookings>().IsOwner(one, me)), one => one.Address.Domain + "\u0001" + one.Address.LocalPart, Show);

    static RequestDelegate With(Func<HttpContext, Resource, Task> deed) => context =>
    {
        var text = context.Part("address");
        return Names.TryAddress(text, out var address) && context.Room<ResourceBook>().Find(address) is { } resource ? deed(context, resource) : context.RefuseAsync(ResourceBook.NoResource(text));
    };

    static ResourceView Show(Resource resource)
    {
        var profile = resource.Profile;
        return new(resource.Address.ToString(), profile.Name, profile.Kind ?? "room", profile.Capacity, profile.Place, profile.TimeZone ?? "UTC", profile.Bookers ?? ["domain"], profile.Owners ?? [], profile.Approval == true, profile.MaxMinutes, profile.DaysAhead ?? 365,
            profile is { OpensAt: { } opens, ClosesAt: { } closes } ? $"{opens / 60:00}:{opens % 60:00}-{closes / 60:00}:{closes % 60:00}" : "", [.. (profile.Weekdays ?? []).Select(day => day.ToString().ToLowerInvariant())],
            profile.Recurring != false, profile.AcceptPart == true, profile.Parallel ?? 1, profile.ShowsWho == true, resource.Created);
    }

    static async Task ListAsync(HttpContext context)
    {
        if (await context.DomainOfQueryAsync(Permissions.ResourcesRead) is not (true, var domain)) return;
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        var seen = directory.ListDomains().Where(one => caller.May(Permissions.ResourcesRead, one)).Select(one => one.Id).ToHashSet();
        await context.ListAsync(context.Room<ResourceBook>().List(domain).Where(one => seen.Contains(one.DomainId)), one => one.Address.Domain + "\u0001" + one.Address.LocalPart, Show);
    }

    static async Task AddAsync(HttpContext context, NewResource wanted)
    {
        if (Names.TryAddress(wanted.Address ?? "", out var address) && context.Room<UserDirectory>().FindDomain(address.Domain) is { } domain && context.Forbids(Permissions.ResourcesWrite, domain) is { } refusal) { await context.RefuseAsync(refusal); return; }
        var profile = wanted.Apply(new());
        if (!profile.Ok) { await context.RefuseAsync(profile.Refusal); return; }
        await context.ResultAsync(await context.Room<ResourceBook>().AddAsync(wanted.Address ?? "", profile.Value, context.RequestAborted), Show, 201);
    }

    static async Task SetAsync(HttpContext context, Resource resource, ResourceFields wanted)
    {
        var profile = wanted.Apply(resource.Profile);
        if (!profile.Ok) { await context.RefuseAsync(profile.Refusal); return; }
        await context.ResultAsync(await context.Room<ResourceBook>().SetAsync(resource, profile.Value, context.RequestAborted), Show);
    }

    static async Task RemoveAsync(HttpContext context, Resource resource)
    {
        if (await context.Room<ResourceBook>().RemoveAsync(resource, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(resource.Address.ToString()));
    }

    /// <summary>?from= and ?to=; null where they cannot be read.</summary>
    static (DateTimeOffset From, DateTimeOffset To)? Range(HttpContext context)
    {
        var from = context.Room<TimeProvider>().GetUtcNow();
        if (context.Asked("from") is { } first && !DateTimeOffset.TryParse(first, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out from)) return null;
        if (from.Year > 9990) return null;
        var to = from.AddYears(1);
        if (context.Asked("to") is { } last && !DateTimeOffset.TryParse(last, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out to)) return null;
        return (from, to);
    }

    static readonly Refusal NoRange = Refusal.Invalid.Because("from and to are times as in 2026-09-01T08:00:00Z").At("from");

    static Task BookingsAsync(HttpContext context, Resource resource) => Range(context) is not var (from, to) ? context.RefuseAsync(NoRange)
        : context.ListAsync(context.Room<Bookings>().Between(resource, from, to), one => string.Create(CultureInfo.InvariantCulture, $"{one.Start.ToUnixTimeMilliseconds():D16} {one.Booking.Id:D16}"),
            one => new BookingView(one.Booking.Id, one.Start, one.End, one.Booking.State, one.Booking.Organizer, one.Booking.Summary, one.Booking.Uid));

    static Task FreeBusyAsync(HttpContext context, Resource resource) => Range(context) is not var (from, to) ? context.RefuseAsync(NoRange)
        : context.ListAsync(Invitation.Merged(from, to, context.Room<Bookings>().Between(resource, from, to).Select(one => (one.Start, one.End))), one => one.Start.ToUnixTimeMilliseconds().ToString("D16", CultureInfo.InvariantCulture), one => new BusyTime(one.Start, one.End));

    static Func<HttpContext, Resource, Task> Decide(bool accept, string? why) => async (context, resource) =>
    {
        var bookings = context.Room<Bookings>();
        if (!long.TryParse(context.Part("id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || bookings.Find(resource, id) is not { } booking)
        {
            await context.RefuseAsync(Refusal.NoSuchThing.Because("There is no booking with this number; list them with: cbamail resource bookings"));
            return;
        }
        var delivery = context.Room<LocalDelivery>();
        if (await bookings.DecideAsync(resource, booking, accept, why, letter => delivery.SendLetterAsync(letter, CancellationToken.None)) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new BookingDone(id, accept ? "accepted" : "declined"));
    };
}
