using System.Threading.Channels;
using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Mailings.Tracking;

/// <summary>
/// Takes what is seen of copies, and writes it down in pieces: whoever asks for a picture has it before that, and no disk is flushed for him. A
/// crash loses what came in the last second. What comes faster than it can be written is dropped, and counted in the log.
/// </summary>
public sealed class Sightings(Store store, Settings settings, TimeProvider time, ILogger<Sightings> log) : BackgroundService
{
    /// <summary>How many wait at most, and how many are written in one commit.</summary>
    internal const int MostWaiting = 20_000, Piece = 200;

    static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(500);

    readonly Channel<Sighting> waiting = Channel.CreateBounded<Sighting>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    long dropped;

    /// <summary>Notes it for later; never waits.</summary>
    public void See(Sighting seen)
    {
        if (!waiting.Writer.TryWrite(seen)) Interlocked.Increment(ref dropped);
    }

    /// <summary>How many could not be taken.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long told = 0;
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                await Task.Delay(Gathering, time, stoppingToken); // others come meanwhile, for the same commit
                await WriteAsync();
                if (Dropped is var now && now > told)
                {
                    log.SightingsDropped(now - told);
                    told = now;
                }
            }
        }
        finally { await WriteAsync(); }
    }

    /// <summary>Writes down all that waits.</summary>
    internal async Task WriteAsync()
    {
        var piece = new List<(Sighting Seen, int Times)>(Piece);
        var same = new Dictionary<Sighting, int>(Piece); // one that is asked for a thousand times is one row all the same
        while (true)
        {
            piece.Clear();
            same.Clear();
            for (var taken = 0; taken < MostWaiting && piece.Count < Piece && waiting.Reader.TryRead(out var seen); taken++)
                if (same.TryGetValue(seen with { At = default }, out var at)) piece[at] = (piece[at].Seen, piece[at].Times + 1);
                else
                {
                    same[seen with { At = default }] = piece.Count;
                    piece.Add((seen, 1));
                }
            if (piece.Count == 0) return;
            try
            {
                await store.CommitAsync(write =>
                {
                    foreach (var (seen, times) in piece) Write(write, seen, times);
                    return true;
                }, CancellationToken.None);
            }
            catch (Exception e) when (StoreTrouble.Of(e) is not null || e is ObjectDisposedException) { Interlocked.Add(ref dropped, piece.Sum(one => one.Times)); } // a full disk takes no pictures
        }
    }

    void Write(WriteTransaction write, Sighting seen, int times)
    {
        if (LedgerEventTable.Copy(write, seen.LedgerId) is not { } copy) return;
        var (id, agent, recently) = (seen.LedgerId, seen.Agent, seen.At - ScannerSigns.SameProgram);
        var scanner = ScannerSigns.Of(seen) ?? ScannerSigns.Of(seen, copy, settings.Mailings.ScannerTime) ?? (LedgerEventTable.IsKnown(write, id, agent, recently) ? ScannerSigns.Same : null);
        LedgerEventTable.Add(write, id, seen.Kind switch { SightingKind.Opened => "opened", SightingKind.Clicked => "clicked", _ => "unseen" }, seen.Link, agent, scanner, seen.At, times: times);
        if (seen.Kind == SightingKind.Unseen) LedgerEventTable.Mark(write, id, agent, recently, ScannerSigns.Same);
        if (seen.Kind == SightingKind.Clicked && scanner is null && (LedgerEventTable.Links(write, id, agent, seen.At - ScannerSigns.TwoLinks) >= 2 || LedgerEventTable.Links(write, id, agent, seen.At - ScannerSigns.ThreeLinks) >= 3))
            LedgerEventTable.Mark(write, id, agent, recently, ScannerSigns.Together);
        LedgerEventTable.Settle(write, id);
    }
}
