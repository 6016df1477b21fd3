using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>Records of one name and type, or that there are none.</summary>
internal sealed record DnsResult(DnsStatus Status, IReadOnlyList<DnsRecord> Records, bool Authenticated, TimeSpan Age, string? Alias = null)
{
    public static readonly DnsResult Failed = new(DnsStatus.Failed, [], false, TimeSpan.Zero);
}

/// <summary>
/// Answers by name and type until their time is over; bounded in number and in memory, the oldest go first. A stranger can have us ask for
/// names of his, and answer each with 64 KB.
/// </summary>
internal sealed class DnsCache(int capacity, TimeProvider time, long mostBytes = DnsCache.MostBytes)
{
    const long MostBytes = 32 << 20;

    readonly Dictionary<(string Name, DnsType Type), (DnsResult Result, long Since)> entries = [];
    readonly Queue<(string Name, DnsType Type)> order = new();
    readonly Lock gate = new();
    long bytes;

    /// <summary>About what the answers take.</summary>
    public long Bytes { get { lock (gate) return bytes; } }

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
            else bytes -= Size(name, entries[(name, type)].Result);
            entries[(name, type)] = (result, time.GetTimestamp());
            bytes += Size(name, result);
            while ((entries.Count > capacity || bytes > mostBytes) && order.TryDequeue(out var oldest))
                if (entries.Remove(oldest, out var gone)) bytes -= Size(oldest.Name, gone.Result);
        }
    }

    // objects and strings on the heap, measured roughly
    static long Size(string name, DnsResult result)
    {
        var size = 300L + 2 * name.Length;
        foreach (var record in result.Records)
            size += 120 + 2 * record.Name.Length + record switch
            {
                TextRecord text => text.Strings.Sum(piece => 40L + piece.Length),
                NameRecord alias => 2 * alias.Target.Length,
                ExchangeRecord mx => 2 * mx.Exchange.Length,
                TlsaRecord => 200,
                _ => 100,
            };
        return size;
    }
}
