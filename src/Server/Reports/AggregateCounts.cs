using CbaMail.Config;
using CbaMail.MailAuth;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>
/// Counts mail of domains that ask for reports (RFC 7489 7.2). A message costs a look into a dictionary and no commit: counts wait in
/// memory and are written once a minute, a piece of them a commit. A crash loses the last minute of them, which a report can bear.
/// Names in messages are chosen by strangers, so there is a bound to how many are kept, of one domain and of all.
/// </summary>
public sealed class AggregateCounts(Store store, TimeProvider time, Settings settings)
{
    const int MaxWaiting = 20_000;
    const int PieceRows = 500;

    readonly record struct Key(long Day, string Domain, string Record, string Traits);

    readonly Lock gate = new();
    readonly Dictionary<long, int> rowsOf = []; // by subject, as far as looked up
    Dictionary<Key, long> waiting = [];
    long total = -1;
    long lost;

    /// <summary>Whether anything is counted at all.</summary>
    public bool IsOn { get; } = settings.Reports.SendsDmarc(settings.Evaluation);

    /// <summary>Messages that were left out since the start, as there were too many different ones.</summary>
    public long Lost => Interlocked.Read(ref lost);

    internal static long Day(DateTimeOffset at) => at.ToUnixTimeSeconds() / 86400;

    /// <summary>A message was judged; whatever is not to be reported is passed over.</summary>
    public void Add(DmarcSighting sighting)
    {
        if (!IsOn || sighting.Dmarc.Discovery is not { Record: { } record } discovery) return;
        if (sighting.Dmarc.Result is not (AuthResult.Pass or AuthResult.Fail or AuthResult.TempError)) return;
        if (!record.AggregateUris.Any(uri => uri.Address is not null)) return;
        var key = new Key(Day(time.GetUtcNow()), discovery.RecordDomain, record.Text, Traits.Of(sighting));
        lock (gate)
        {
            ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(waiting, key);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref count)) count++;
            else if (waiting.Count < MaxWaiting) waiting.Add(key, 1);
            else lost++;
        }
    }

    /// <summary>Writes what waits.</summary>
    public async Task FlushAsync(CancellationToken cancel)
    {
        Dictionary<Key, long> taken;
        lock (gate)
        {
            if (waiting.Count == 0) return;
            (taken, waiting) = (waiting, []);
        }
        var pieces = taken.OrderBy(pair => pair.Key.Domain, StringComparer.Ordinal).Chunk(PieceRows).ToArray();
        for (var i = 0; i < pieces.Length; i++)
        {
            try
            {
                await store.CommitAsync(write =>
                {
                    foreach (var (key, count) in pieces[i]) Put(write, key, count);
                    return true;
                }, cancel);
            }
            catch
            {
                total = -1;
                rowsOf.Clear();
                Return(pieces.Skip(i).SelectMany(piece => piece));
                throw;
            }
        }
    }

    void Put(WriteTransaction write, Key key, long count)
    {
        var subject = AggregateTable.Subject(write, key.Day, key.Domain, key.Record);
        if (AggregateTable.Add(write, subject, key.Traits, count)) return;
        if (total < 0) total = AggregateTable.CountAll(write);
        if (!rowsOf.TryGetValue(subject, out var rows)) rows = AggregateTable.CountOf(write, subject);
        if (rows >= settings.Reports.RowsPerDomain || total >= settings.Reports.Rows)
        {
            Interlocked.Add(ref lost, count);
            return;
        }
        AggregateTable.Insert(write, subject, key.Traits, count);
        rowsOf[subject] = rows + 1;
        total++;
    }

    void Return(IEnumerable<KeyValuePair<Key, long>> pairs)
    {
        lock (gate)
            foreach (var (key, count) in pairs)
                if (waiting.Count < MaxWaiting || waiting.ContainsKey(key)) waiting[key] = waiting.GetValueOrDefault(key) + count;
                else lost += count;
    }

    /// <summary>Rows were removed: the bounds are counted anew.</summary>
    internal void Forget()
    {
        total = -1;
        rowsOf.Clear();
    }
}
