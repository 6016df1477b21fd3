using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>Records of one name and type, or that there are none.</summary>
internal sealed record DnsResult(DnsStatus Status, IReadOnlyList<DnsRecord> Records, bool Authenticated, TimeSpan Age, string? Alias = null)
{
    public static readonly DnsResult Failed = new(DnsStatus.Failed, [], false, TimeSpan.Zero);
}

/// <summary>Answers by name and type until their time is over; bounded, the oldest go first.</summary>
internal sealed class DnsCache(int capacity, TimeProvider time)
{
    readonly Dictionary<(string Name, DnsType Type), (DnsResult Result, long Since)> entries = [];
    readonly Queue<(string Name, DnsType Type)> order = new();
    readonly Lock gate = new();

    public int Count { get { lock (gate) return entries.Count; } }

    public DnsResult? Find(string name, DnsType type)
    {
        lock (gate) return entries.TryGetValue((name, type), out var entry) && time.GetElapsedTime(entry.Since) < entry.Result.Age ? entry.Result : null;
    }

    public void Add(string name, DnsType type, DnsResult result)
    {
        if (capacity <= 0 || result.Age <= TimeSpan.Zero) return;
        lock (gate)
        {
            // each key stands in the order once: a renewed answer keeps its place
            if (!entries.ContainsKey((name, type))) order.Enqueue((name, type));
            entries[(name, type)] = (result, time.GetTimestamp());
            while (entries.Count > capacity && order.TryDequeue(out var oldest)) entries.Remove(oldest);
        }
    }
}
