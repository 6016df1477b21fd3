using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// How often each of many may do something (<see cref="Rate"/>): the whole number at once, and then as it comes back, evenly over the time.
/// Bounded in number and in size, since strangers choose the names: who has all of his back is forgotten, and in a crowd those who were heard of longest ago.
/// </summary>
public sealed class TokenBuckets(Rate rate, TimeProvider time, int most = 50_000)
{
    record struct Bucket(double Left, long At);

    readonly Dictionary<string, Bucket> buckets = [];
    readonly Lock gate = new();
    readonly double perSecond = rate.IsLimit ? rate.Count / rate.Per.TotalSeconds : 0;

    const int LongestKey = 64;

    public bool IsOn => rate.IsLimit;

    internal int Count { get { lock (gate) return buckets.Count; } }

    /// <summary>A long name in the place of which its digest is kept.</summary>
    internal static string Short(string key) => key.Length <= LongestKey ? key : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)), 0, 16);

    /// <summary>Takes one.</summary>
    /// <returns>Zero, or how long until there is one.</returns>
    public TimeSpan Take(string key)
    {
        if (!rate.IsLimit) return TimeSpan.Zero;
        key = Short(key);
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (buckets.Count >= most && !buckets.ContainsKey(key)) MakeRoom(now);
            ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(buckets, key, out var known);
            var left = known ? Left(bucket, now) : rate.Count;
            var missing = 1 - left;
            bucket = new Bucket(missing > 0 ? left : left - 1, now);
            return missing > 0 ? TimeSpan.FromSeconds(missing / perSecond) : TimeSpan.Zero;
        }
    }

    /// <summary>Takes so many more of what is left of a name that has taken; below nothing it does not fall by more than all.</summary>
    public void Spend(string key, double many)
    {
        if (!rate.IsLimit) return;
        key = Short(key);
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (buckets.TryGetValue(key, out var bucket)) buckets[key] = new Bucket(Math.Max(-(double)rate.Count, Left(bucket, now) - many), now);
        }
    }

    /// <summary>Whether there is none to take now; takes none.</summary>
    public bool IsEmpty(string key)
    {
        if (!rate.IsLimit) return false;
        lock (gate) return buckets.TryGetValue(Short(key), out var bucket) && Left(bucket, time.GetTimestamp()) < 1;
    }

    double Left(in Bucket bucket, long now) => Math.Min(rate.Count, bucket.Left + time.GetElapsedTime(bucket.At, now).TotalSeconds * perSecond);

    void MakeRoom(long now)
    {
        foreach (var (key, bucket) in buckets)
            if (Left(bucket, now) >= rate.Count) buckets.Remove(key);
        // room for some time to come: who sends a stream of new names pays for this once in many
        if (buckets.Count < most - most / 8) return;
        foreach (var key in buckets.OrderBy(pair => pair.Value.At).Take(Math.Max(1, most / 8)).Select(pair => pair.Key).ToList()) buckets.Remove(key);
    }
}
