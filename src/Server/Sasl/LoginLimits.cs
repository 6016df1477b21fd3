using System.Net;
using CbaMail.Config;

namespace CbaMail.Sasl;

/// <summary>Remembers wrong passwords by address, for ten minutes and for at most 10,000 addresses. The minutes are the monotonic clock's: setting the other one bars nobody for years.</summary>
public sealed class LoginLimits(Settings settings, TimeProvider time)
{
    const int MostAddresses = 10_000;
    static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    readonly Dictionary<IPAddress, (int Failures, long Last)> failures = [];
    readonly Lock gate = new();
    readonly TimeSpan delay = settings.Limits.Delay(settings.Evaluation);
    readonly int most = settings.Limits.Failures(settings.Evaluation);

    public bool IsBarred(IPAddress address)
    {
        if (most == 0) return false;
        lock (gate) return Known(address) >= most;
    }

    public void Succeeded(IPAddress address)
    {
        lock (gate) failures.Remove(address);
    }

    /// <returns>How long to hold the answer back.</returns>
    public TimeSpan Failed(IPAddress address)
    {
        lock (gate)
        {
            if (failures.Count >= MostAddresses && !failures.ContainsKey(address)) Forget();
            var count = Known(address) + 1;
            failures[address] = (count, time.GetTimestamp());
            return delay * (1 << Math.Min(count - 1, 4));
        }
    }

    int Known(IPAddress address) =>
        failures.TryGetValue(address, out var known) && time.GetElapsedTime(known.Last) < Memory ? known.Failures : 0;

    void Forget()
    {
        var now = time.GetTimestamp();
        foreach (var (address, known) in failures)
            if (time.GetElapsedTime(known.Last, now) >= Memory) failures.Remove(address);
        if (failures.Count < MostAddresses) return;
        failures.Remove(failures.MinBy(f => f.Value.Last).Key);
    }
}
