using System.Runtime.InteropServices;
using CbaMail.Config;

namespace CbaMail.Net;

/// <summary>
/// How often each of many may do something (<see cref="Rate"/>): the whole number at once, and then as it comes back, evenly over the time.
/// Bounded: who has all of his back is forgotten, and in a crowd those who were heard of longest ago.
/// </summary>
public sealed class TokenBuckets(Rate rate, TimeProvider time, int most = 50_000)
{
    record struct Bucket(double Left, long At);

    readonly Dictionary<string, Bucket> buckets = [];
    readonly Lock gate = new();
    readonly double perSecond = rate.IsLimit ? rate.Count / rate.Per.TotalSeconds : 0;

    public bool IsOn => rate.IsLimit;

    /// <summary>Takes one.</summary>
    /// <returns>Zero, or how long until there is one.</returns>
    public TimeSpan Take(string key)
    {
        if (!rate.IsLimit) return TimeSpan.Zero;
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

    double Left(in Bucket bucket, long now) => Math.Min(rate.Count, bucket.Left + time.GetElapsedTime(bucket.At, now).TotalSeconds * perSecond);

    void MakeRoom(long now)
    {
        foreach (var (key, bucket) in buckets)
            if (Left(bucket, now) >= rate.Count) buckets.Remove(key);
        if (buckets.Count < most) return;
        foreach (var key in buckets.OrderBy(pair => pair.Value.At).Take(Math.Max(1, most / 8)).Select(pair => pair.Key).ToList()) buckets.Remove(key);
    }
}
