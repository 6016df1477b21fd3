using System.Net;
using CbaMail.Config;
using CbaMail.Net;

namespace CbaMail.Sasl;

/// <summary>
/// Remembers wrong passwords by name and by address (IPv6: by /64, or whoever has one would have 2^64 attempts), for ten minutes and for at most 10,000 of them.
/// The minutes are the monotonic clock's: setting the other one bars nobody for years. Who is allowed is slowed down, and never barred: many sign in
/// through one web mail. A name that many addresses guess at slows those who are wrong, and never its owner: whoever is right is answered at once.
/// </summary>
public sealed class LoginLimits(Settings settings, TimeProvider time, AllowList? allowed = null)
{
    internal const int MostAddresses = 10_000;
    const int GuessesOfOne = 4; // wrong ones of a name that count like one of an address: people mistype at home and on the phone
    static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    readonly Dictionary<IPAddress, (int Failures, long Last)> failures = [];
    readonly Dictionary<string, (int Failures, long Last)> names = new(StringComparer.Ordinal);
    readonly Lock gate = new();
    readonly TimeSpan delay = settings.Limits.Delay(settings.Evaluation);
    readonly int most = settings.Limits.Failures(settings.Evaluation);

    public bool IsBarred(IPAddress address)
    {
        if (most == 0 || allowed?.Holds(address) == true) return false;
        lock (gate) return Known(ConnectionLimits.Household(address)) >= most;
    }

    public void Succeeded(IPAddress address)
    {
        lock (gate) failures.Remove(ConnectionLimits.Household(address));
    }

    internal int Count { get { lock (gate) return failures.Count; } }

    /// <returns>How long to hold the answer back.</returns>
    public TimeSpan Failed(IPAddress address, string name = "")
    {
        address = ConnectionLimits.Household(address);
        lock (gate)
        {
            if (failures.Count >= MostAddresses && !failures.ContainsKey(address)) Forget();
            var count = Known(address) + 1;
            failures[address] = (count, time.GetTimestamp());
            return delay * (1 << Math.Min(Math.Max(count, Guessed(name) / GuessesOfOne) - 1, 4));
        }
    }

    // of names that are nobody's too: the answer must not tell
    int Guessed(string name)
    {
        if (name.Length is 0 or > 320) return 0;
        name = name.ToLowerInvariant();
        var count = names.TryGetValue(name, out var known) && time.GetElapsedTime(known.Last) < Memory ? known.Failures + 1 : 1;
        if (names.Count >= MostAddresses && !names.ContainsKey(name))
            foreach (var old in names.OrderBy(one => one.Value.Failures).ThenBy(one => one.Value.Last).Take(MostAddresses / 8).Select(one => one.Key).ToList()) names.Remove(old);
        names[name] = (count, time.GetTimestamp());
        return count;
    }

    int Known(IPAddress address) =>
        failures.TryGetValue(address, out var known) && time.GetElapsedTime(known.Last) < Memory ? known.Failures : 0;

    void Forget()
    {
        var now = time.GetTimestamp();
        foreach (var (address, known) in failures)
            if (time.GetElapsedTime(known.Last, now) >= Memory) failures.Remove(address);
        if (failures.Count < MostAddresses) return;
        // an eighth at a time: a crowd pays for the sorting once in many
        foreach (var address in failures.OrderBy(known => known.Value.Failures).ThenBy(known => known.Value.Last).Take(MostAddresses / 8).Select(known => known.Key).ToList()) failures.Remove(address);
    }
}
