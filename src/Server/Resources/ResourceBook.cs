using System.Collections.Concurrent;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Resources;

/// <summary>The resources: held in memory, written through to their table.</summary>
public sealed class ResourceBook
{
    /// <summary>Addresses of one list of a profile.</summary>
    const int MostNamed = 200;

    readonly Store store;
    readonly UserDirectory directory;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, Resource> resources = new(StringComparer.Ordinal);

    public ResourceBook(Store store, UserDirectory directory, TimeProvider time)
    {
        (this.store, this.directory, this.time) = (store, directory, time);
        using var read = store.Read();
        foreach (var resource in ResourceTable.All(read)) resources[resource.Address.Key] = resource;
        directory.AddressMoving += Follow;
        directory.IsServed = address => !resources.IsEmpty && resources.ContainsKey(address.Key);
    }

    /// <summary>Who has another address stays an owner, may book as before, and his bookings stay his.</summary>
    void Follow(WriteTransaction write, MailAddress old, MailAddress now)
    {
        var (from, to) = (old.ToString(), now.ToString());
        foreach (var known in resources.Values.Where(one => one.Profile.Owners?.Contains(from) == true || one.Profile.Bookers?.Contains(from) == true))
        {
            if (ResourceTable.Find(write.Prepare, known.Id) is not { } resource) continue;
            var next = resource with { Profile = resource.Profile with { Owners = Following(resource.Profile.Owners), Bookers = Following(resource.Profile.Bookers) } };
            ResourceTable.SetProfile(write, next);
            write.OnCommitted(() => resources[next.Address.Key] = next);
        }
        ResourceTable.SetOrganizer(write, old.Key, now.Key);

        IReadOnlyList<string>? Following(IReadOnlyList<string>? list) => list is null ? null : [.. list.Select(one => one == from ? to : one).Distinct()];
    }

    public Resource? Find(MailAddress address) => Names.TryAddress(address, out var normal) ? resources.GetValueOrDefault(normal.Key) : null;

    /// <summary>Sorted by domain and local part.</summary>
    public IReadOnlyList<Resource> List(Domain? domain = null) =>
        [.. resources.Values.Where(one => domain is null || one.DomainId == domain.Id).OrderBy(one => one.Address.Domain, StringComparer.Ordinal).ThenBy(one => one.Address.LocalPart, StringComparer.Ordinal)];

    public async ValueTask<Result<Resource>> AddAsync(string address, ResourceProfile profile, CancellationToken cancel = default)
    {
        if (!Names.TryAddress(address, out var normal)) return Refusal.BadAddress.Because($"\"{address}\" is not a valid address").At("address");
        if (directory.FindDomain(normal.Domain) is not { } domain) return Refusal.NoSuchDomain.Because($"The domain {normal.Domain} is not here; add it with: cbamail domain add {normal.Domain}");
        if (domain.AliasOf is { } real) return Refusal.Invalid.Because($"{domain.Name} is an alias of {real}; add the address there");
        if (Problem(profile) is { } problem) return problem;
        var resource = new Resource(0, domain.Id, normal, Normal(profile), DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()));
        return await store.CommitAsync<Result<Resource>>(write =>
        {
            if (ResourceTable.Add(write, resource) is not { } id) return Refusal.AlreadyExists.Because($"The address {normal} is taken already");
            var added = resource with { Id = id };
            write.OnCommitted(() => resources[normal.Key] = added);
            return added;
        }, cancel);
    }

    public async ValueTask<Result<Resource>> SetAsync(Resource resource, ResourceProfile profile, CancellationToken cancel = default)
    {
        if (Problem(profile) is { } problem) return problem;
        return await store.CommitAsync<Result<Resource>>(write =>
        {
            if (ResourceTable.Find(write.Prepare, resource.Id) is not { } now) return NoResource(resource.Address.ToString());
            var next = now with { Profile = Normal(profile) };
            ResourceTable.SetProfile(write, next);
            write.OnCommitted(() => resources[next.Address.Key] = next);
            return next;
        }, cancel);
    }

    /// <summary>Removes it with its bookings; nobody is told.</summary>
    public ValueTask<Refusal?> RemoveAsync(Resource resource, CancellationToken cancel = default) => store.CommitAsync<Refusal?>(write =>
    {
        if (ResourceTable.Find(write.Prepare, resource.Id) is null) return NoResource(resource.Address.ToString());
        ResourceTable.Remove(write, resource.Id);
        write.OnCommitted(() => resources.TryRemove(resource.Address.Key, out _));
        return null;
    }, cancel);

    public static Refusal NoResource(string address) => Refusal.NoSuchThing.Because($"There is no resource {address}; list them with: cbamail resource list");

    /// <summary>Whether somebody may book it.</summary>
    /// <param name="asker">Whose rights count.</param>
    /// <param name="signedIn">Whose account it is, or null: a stranger whose domain is proven.</param>
    public bool MayBook(Resource resource, MailAddress asker, Account? signedIn) => (resource.Profile.Bookers ?? ["domain"]).Any(word => word switch
    {
        "everyone" => true,
        "domain" => signedIn?.DomainId == resource.DomainId,
        _ => SenderPattern.Matches(word, asker, isMember: false)
            || (signedIn is not null && (SenderPattern.Matches(word, signedIn.Address, isMember: false) || (MailAddress.TryParse(word, out var address) && directory.FindGroup(address) is { } group && directory.IsIn(group, signedIn)))),
    });

    static ResourceProfile Normal(ResourceProfile profile) => profile with
    {
        Bookers = profile.Bookers is { Count: > 0 } bookers ? [.. bookers.Select(word => SenderPattern.Normal(word.Trim()) ?? word.Trim().ToLowerInvariant()).Distinct()] : null,
        Owners = profile.Owners is { Count: > 0 } owners ? [.. owners.Select(word => Names.TryAddress(word, out var address) ? address.ToString() : word.Trim().ToLowerInvariant()).Distinct()] : null,
        Weekdays = profile.Weekdays is { Count: > 0 } days ? [.. days.Distinct().Order()] : null,
    };

    static Refusal? Problem(ResourceProfile profile)
    {
        if (profile.Name is { } name && (name.Length > 200 || name.Any(char.IsControl))) return Refusal.Invalid.Because("A resource's name has at most 200 characters in one line").At("name");
        if (profile.Place is { } place && (place.Length > 200 || place.Any(char.IsControl))) return Refusal.Invalid.Because("A resource's place has at most 200 characters in one line").At("place");
        if (profile.Kind is not (null or "room" or "equipment")) return Refusal.Invalid.Because("A resource is a room or equipment").At("kind");
        if (profile.Capacity is < 1 or > 100_000) return Refusal.Invalid.Because("The capacity is between 1 and 100000").At("capacity");
        if (profile.TimeZone is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)) return Refusal.Invalid.Because("This time zone is not known; name one as in Europe/Berlin").At("timeZone");
        if (profile.MaxMinutes is < 1 or > 366 * 24 * 60) return Refusal.Invalid.Because("A booking has at least a minute and at most a year").At("maxMinutes");
        if (profile.DaysAhead is < 1 or > ResourceProfile.MostDaysAhead) return Refusal.Invalid.Because("It can be booked between 1 and 730 days ahead").At("daysAhead");
        if (profile.OpensAt is null != profile.ClosesAt is null || profile.OpensAt is < 0 || profile.ClosesAt > 24 * 60 || profile.OpensAt >= profile.ClosesAt) return Refusal.Invalid.Because("Opening hours are a time of day and a later one").At("opensAt");
        if (profile.Parallel is < 1 or > 1000) return Refusal.Invalid.Because("It takes between 1 and 1000 bookings at the same time").At("parallel");
        if (profile.Bookers?.Count > MostNamed || profile.Owners?.Count > MostNamed) return Refusal.Invalid.Because("A list of a resource has at most 200 entries").At("bookers");
        foreach (var word in profile.Bookers ?? [])
            if (word.Trim().ToLowerInvariant() is not ("everyone" or "domain") && SenderPattern.Normal(word.Trim()) is null) return Refusal.Invalid.Because("Who may book is everyone, domain, an address, a group or @domain").At("bookers");
        foreach (var owner in profile.Owners ?? [])
            if (!MailAddress.TryParse(owner.Trim(), out _)) return Refusal.Invalid.Because("An owner is an address as in anna@example.org").At("owners");
        if (profile.Approval == true && profile.Owners is not { Count: > 0 }) return Refusal.Invalid.Because("Whoever approves has to be named: set owners").At("owners");
        return null;
    }
}
