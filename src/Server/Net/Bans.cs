using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>One ban as people look at it.</summary>
/// <param name="Until">Null: until somebody removes it.</param>
public sealed record Ban(string Address, DateTimeOffset Since, DateTimeOffset? Until, int Level, string Reason);

/// <summary>
/// Who is not let in, for a while. Bad sessions are counted by address (IPv6: by /64); enough of them within an hour and the door stays shut for
/// ten minutes, the next time for twenty, up to a week. Never for those who are allowed, nor where somebody has signed in lately.
/// </summary>
/// <remarks>
/// In an entry of <see cref="Banned"/>, Last is the end of the ban, Count how often there was one (0: an administrator's), and Until when that is forgotten.
/// A look is made at each connection: without any ban it costs nothing, with some one look into a table.
/// </remarks>
public sealed class Bans
{
    const int MostBans = 50_000, MostCounted = 20_000, MostOffices = 20_000;
    static readonly TimeSpan ForEver = TimeSpan.FromDays(36500);

    readonly BanSettings settings;
    readonly int most;
    readonly AllowList allowed;
    readonly TimeProvider time;
    readonly ILogger<Bans> log;
    readonly Dictionary<IPAddress, (int Count, long Since)> counted = [];
    readonly Lock gate = new();
    ImmutableArray<IPNetwork> networks = [];

    public Bans(Settings settings, AllowList allowed, TimeProvider time, ILogger<Bans> log)
    {
        (this.settings, most, this.allowed, this.time, this.log) = (settings.Inbound.Bans, settings.Inbound.Bans.Most(settings.Evaluation), allowed, time, log);
        Banned = new Remembered("ban", MostBans, ForEver + TimeSpan.FromDays(1), time, memo => memo.Count == 0 ? int.MaxValue : memo.Count); // no flood pushes out what an administrator has banned
        Offices = new Remembered("signed-in", MostOffices, this.settings.SparedAfterSignIn + TimeSpan.FromDays(1), time);
    }

    /// <summary>Kept on the disk by Inbound, as <see cref="Offices"/> is.</summary>
    public Remembered Banned { get; }

    /// <summary>Where somebody has signed in.</summary>
    public Remembered Offices { get; }

    internal int Counted { get { lock (gate) return counted.Count; } }

    static string Key(IPAddress address) => ConnectionLimits.Household(address).ToString();

    /// <summary>Whether the address is not to be let in, and until when (null: for good).</summary>
    public bool IsBanned(IPAddress address, out DateTimeOffset? until)
    {
        until = null;
        if (Banned.Count == 0 || allowed.Holds(address)) return false;
        if (Find(Key(address), out until)) return true;
        foreach (var network in networks)
            if (network.Contains(address) && Find(Networks.Show(network), out until)) return true;
        return false;
    }

    bool Find(string key, out DateTimeOffset? until)
    {
        until = null;
        if (!Banned.TryFind(key, out var memo)) return false;
        var now = time.GetUtcNow();
        if (memo.Last <= now) return false;
        if (memo.Last - now < ForEver / 2) until = memo.Last;
        return true;
    }

    /// <summary>Whether nothing that comes from the address leads to a ban.</summary>
    public bool Spares(IPAddress address) => allowed.Holds(address) || Offices.TryFind(Key(address), out _);

    /// <summary>A bad session, or a failed sign-in. Enough of them are a ban.</summary>
    public void Offend(IPAddress address, string what)
    {
        if (most == 0 || Spares(address)) return;
        var household = ConnectionLimits.Household(address);
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (counted.Count >= MostCounted && !counted.ContainsKey(household)) Forget(now);
            var known = counted.TryGetValue(household, out var before) && time.GetElapsedTime(before.Since, now) < settings.Within ? before : (Count: 0, Since: now);
            counted[household] = (known.Count + 1, known.Since);
            if (known.Count + 1 < most) return;
            counted.Remove(household);
        }
        var memo = Banned.Change(Key(address), (before, now) =>
        {
            if (before is { } running && running.Last > now) return running; // banned by somebody else meanwhile
            var level = (before?.Count ?? 0) + 1;
            var length = Length(level);
            return new Memo(now, now + length, now + length + settings.Longest, level, what);
        });
        NetTelemetry.Banned(log, address, memo!.Value.Last - memo.Value.Since, memo.Value.Count, what);
    }

    /// <summary>Ten minutes, twenty, forty ... a week.</summary>
    internal TimeSpan Length(int level)
    {
        var length = settings.First * Math.Pow(2, Math.Min(level - 1, 30));
        return length < settings.Longest ? length : settings.Longest;
    }

    void Forget(long now)
    {
        foreach (var (address, known) in counted)
            if (time.GetElapsedTime(known.Since, now) >= settings.Within) counted.Remove(address);
        if (counted.Count < MostCounted) return;
        // an eighth at a time, who has offended least first: strangers of one bad session each do not hide the one who goes on
        foreach (var household in counted.OrderBy(entry => entry.Value.Count).ThenBy(entry => entry.Value.Since).Take(MostCounted / 8).Select(entry => entry.Key).ToList()) counted.Remove(household);
    }

    /// <summary>Somebody has signed in from there: what others there do wrong is a mistake, not an attack.</summary>
    public void SignedIn(IPAddress address)
    {
        Offices.Change(Key(address), (before, now) =>
            before is { } fresh && now - fresh.Last < TimeSpan.FromHours(1) ? fresh : new Memo(before?.Since ?? now, now, now + settings.SparedAfterSignIn, 1));
        lock (gate) counted.Remove(ConnectionLimits.Household(address));
    }

    // ---- for administrators

    /// <param name="length">Null: until it is removed.</param>
    public Ban Add(IPNetwork network, TimeSpan? length, string reason)
    {
        var (now, key) = (time.GetUtcNow(), KeyOf(network));
        var end = now + (length ?? ForEver);
        Banned.Set(key, new Memo(now, end, end, 0, reason));
        Renew();
        return Show(key, new Memo(now, end, end, 0, reason));
    }

    public bool Remove(IPNetwork network)
    {
        var removed = Banned.Remove(KeyOf(network));
        Renew();
        return removed;
    }

    // one address of IPv6 stands for its /64, as everywhere here
    static string KeyOf(IPNetwork network) =>
        network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && network.PrefixLength >= 64 ? Key(network.BaseAddress) : Networks.Show(network);

    /// <summary>After <see cref="Banned"/> has been filled.</summary>
    public void Renew() =>
        networks = [.. Banned.All().Where(entry => entry.Key.Contains('/', StringComparison.Ordinal)).Select(entry => Networks.TryParse(entry.Key, out var network) ? network : default)];

    /// <summary>Those that hold now, the newest first.</summary>
    public IReadOnlyList<Ban> List()
    {
        var now = time.GetUtcNow();
        return [.. Banned.All().Where(entry => entry.Memo.Last > now).OrderByDescending(entry => entry.Memo.Since).Select(entry => Show(entry.Key, entry.Memo))];
    }

    Ban Show(string key, in Memo memo) =>
        new(key.EndsWith("::", StringComparison.Ordinal) ? key + "/64" : key, memo.Since, memo.Last - time.GetUtcNow() < ForEver / 2 ? memo.Last : null, memo.Count, memo.Note);

    /// <summary>What the banned hear.</summary>
    public static string Sentence(IPAddress address, DateTimeOffset? until) =>
        until is { } end ? string.Create(CultureInfo.InvariantCulture, $"{address} is not let in until {end.UtcDateTime:yyyy-MM-dd HH:mm} UTC after too many bad sessions") : $"{address} is not let in here";
}
