using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Ldap;

namespace CbaMail.Federation.Ldap;

/// <summary>How a directory stands: what the last sync found, and since when something is wrong.</summary>
/// <param name="Failing">Since when; null: all is well.</param>
/// <param name="Problem">What is wrong, or "".</param>
public sealed record LdapStanding(DateTimeOffset? Tried, DateTimeOffset? Done, DateTimeOffset? Failing, string Problem, LdapDifference? Last);

/// <summary>A directory of the settings: finds a server that answers, and asks it.</summary>
sealed class LdapSource(LdapSettings settings, UserDirectory directory, TimeProvider time, ILogger<LdapSource> log) : IAsyncDisposable
{
    const int PageSize = 500, MostEntries = 500_000;
    static readonly TimeSpan KeptIdle = TimeSpan.FromSeconds(60);

    readonly LdapServer[] servers = [.. settings.Servers.Select(text => LdapSettings.Address(text)!.Value).Select(one => new LdapServer(one.Host, one.Port, one.Tls))];
    readonly ConcurrentBag<LdapConnection> idle = [];
    int first; // of the servers: the one that answered last

    public LdapSettings Settings => settings;
    public string Name => settings.Name;
    public LdapMapping Mapping { get; } = new(settings, directory, time);

    /// <summary>One sync at a time.</summary>
    public SemaphoreSlim Syncing { get; } = new(1);

    public LdapStanding Standing { get; set; } = new(null, null, null, "", null);

    /// <summary>Connects to the first server that answers.</summary>
    public async Task<LdapConnection> OpenAsync(CancellationToken cancel)
    {
        var authorities = LdapFiles.Authorities(settings);
        var problems = new List<string>();
        for (var i = 0; i < servers.Length; i++)
        {
            var at = (first + i) % servers.Length;
            try
            {
                var connection = await LdapConnection.OpenAsync(servers[at], settings, authorities, time, cancel);
                first = at;
                return connection;
            }
            catch (LdapTrouble e)
            {
                problems.Add(e.Message);
            }
        }
        throw new LdapTrouble(string.Join("; ", problems));
    }

    /// <summary>Becomes whoever may read the directory.</summary>
    public async Task BindAsReaderAsync(LdapConnection connection, CancellationToken cancel)
    {
        if (settings.BindDn.Length == 0)
        {
            await connection.BindAsync("", "", cancel);
            return;
        }
        var password = await LdapFiles.PasswordAsync(settings, cancel);
        var result = await connection.BindAsync(settings.BindDn, password, cancel);
        if (!result.Ok) throw new LdapTrouble($"{connection.Server} does not take {settings.BindDn} and its password: {result}");
    }

    /// <summary>Everybody who is meant, and the groups.</summary>
    public async Task<(List<LdapEntry> People, List<LdapEntry> Groups)> ReadAsync(CancellationToken cancel)
    {
        await using var connection = await OpenAsync(cancel);
        await BindAsReaderAsync(connection, cancel);
        var groups = await ReadGroupsAsync(connection, cancel);
        return (await SearchPeopleAsync(connection, cancel), groups);
    }

    /// <summary>Everybody who is meant.</summary>
    public Task<List<LdapEntry>> SearchPeopleAsync(LdapConnection connection, CancellationToken cancel) =>
        connection.SearchAsync(new(settings.Base, Mapping.Scope, Mapping.Filter, Mapping.Attributes, PageSize), MostEntries, cancel);

    /// <summary>The entry of a name with all that it says of members; null where there is none.</summary>
    public async Task<LdapEntry?> FindGroupAsync(LdapConnection connection, string name, CancellationToken cancel)
    {
        try
        {
            return await connection.SearchAsync(new(name, LdapScope.Base, EveryEntry, Mapping.GroupAttributes), 1, cancel) is [var entry] ? await WholeAsync(connection, entry, cancel) : null;
        }
        catch (LdapTrouble trouble) when (trouble.Code is LdapResult.NoSuchObject)
        {
            return null;
        }
    }

    async Task<List<LdapEntry>> ReadGroupsAsync(LdapConnection connection, CancellationToken cancel)
    {
        if (Mapping.GroupFilter is not { } filter) return [];
        var groups = await connection.SearchAsync(new(Mapping.GroupBase, LdapScope.Subtree, filter, Mapping.GroupAttributes, PageSize), MostEntries, cancel);
        for (var i = 0; i < groups.Count; i++) groups[i] = await WholeAsync(connection, groups[i], cancel);
        return groups;
    }

    // Active Directory gives no more than 1,500 values at once, as "member;range=0-1499"; the last part is called "member;range=1500-*"
    static async Task<LdapEntry> WholeAsync(LdapConnection connection, LdapEntry entry, CancellationToken cancel)
    {
        while (entry.Ranged is var (attribute, next))
        {
            var found = await connection.SearchAsync(new(entry.Name, LdapScope.Base, EveryEntry, [$"{attribute};range={next}-*"]), 1, cancel);
            if (found is not [var more] || !entry.TryAppend(attribute, more)) throw new LdapTrouble($"{connection.Server} does not give all of {attribute} of {entry.Name}");
            if (entry.Values(attribute).Count > MostEntries) throw new LdapTrouble($"{connection.Server}: {entry.Name} has more than {MostEntries} members");
        }
        return entry;
    }

    static readonly LdapFilter EveryEntry = LdapFilter.TryParse("(objectClass=*)", out var every, out _) ? every : throw new InvalidOperationException();

    /// <summary>The one person of an address, or null; two of one address are nobody.</summary>
    public async Task<LdapPerson?> FindAsync(LdapConnection connection, MailAddress address, CancellationToken cancel)
    {
        await BindAsReaderAsync(connection, cancel);
        var found = await connection.SearchAsync(new(settings.Base, Mapping.Scope, Mapping.ByAddress(address), Mapping.Attributes, SizeLimit: 2), 2, cancel);
        if (found.Count != 1) return null;
        var groups = Mapping.SaysMembers ? Mapping.Members(await ReadGroupsAsync(connection, cancel)) : null;
        return Mapping.Read(found[0], groups).Person is { } person && person.Address.Key == address.Key ? person : null;
    }

    /// <summary>Whether a password is somebody's; LdapTrouble where nobody can say. A person whose entry has moved is found again by what never changes.</summary>
    public Task<bool> IsRightAsync(string name, string id, string password, CancellationToken cancel) => WithKeptAsync(async connection =>
    {
        var result = await connection.BindAsync(name, password, cancel);
        if (result.Ok) return true;
        if (IsTrouble(result)) throw new LdapTrouble($"{connection.Server} judges no passwords now: {result}");
        LdapTelemetry.Refused(log, Name, name, result.ToString());
        await BindAsReaderAsync(connection, cancel);
        var found = await connection.SearchAsync(new(settings.Base, Mapping.Scope, Mapping.ById(id), ["1.1"], SizeLimit: 2), 2, cancel); // RFC 4511 4.5.1.8: no attributes
        if (found is not [var entry] || LdapName.Plain(entry.Name) == LdapName.Plain(name)) return false;
        return (await connection.BindAsync(entry.Name, password, cancel)).Ok;
    }, cancel);

    // what says nothing about the password: the server is busy, asks for TLS, or sends us elsewhere
    static bool IsTrouble(LdapResult result) => result.Code is 1 or 2 or LdapResult.TimeLimit or 7 or LdapResult.StrongerRequired or LdapResult.Referral or LdapResult.AdminLimit or LdapResult.ConfidentialityRequired or LdapResult.Busy or LdapResult.Unavailable or 80;

    /// <summary>Asks by a connection that was used before, where there is one: a bind makes it somebody else's each time (RFC 4513 4).</summary>
    public async Task<T> WithKeptAsync<T>(Func<LdapConnection, Task<T>> ask, CancellationToken cancel)
    {
        while (idle.TryTake(out var kept))
        {
            if (time.GetElapsedTime(kept.IdleSince) < KeptIdle)
            {
                try { return await FinishAsync(kept, ask); }
                catch (LdapTrouble) { continue; } // hung up on meanwhile, or broken: another one says
            }
            await kept.DisposeAsync();
        }
        LdapTrouble? last = null;
        for (var i = 0; i < servers.Length; i++)
        {
            var connection = await OpenAsync(cancel);
            try { return await FinishAsync(connection, ask); }
            catch (LdapTrouble e)
            {
                last = e;
                first = (first + 1) % servers.Length; // it can be connected to, and does not do its work
            }
        }
        throw last!;
    }

    async Task<T> FinishAsync<T>(LdapConnection connection, Func<LdapConnection, Task<T>> ask)
    {
        var kept = false;
        try
        {
            var result = await ask(connection);
            if (kept = idle.Count < settings.Connections)
            {
                connection.IdleSince = time.GetTimestamp();
                idle.Add(connection);
            }
            return result;
        }
        finally
        {
            if (!kept) await connection.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (idle.TryTake(out var kept)) await kept.DisposeAsync();
    }
}
