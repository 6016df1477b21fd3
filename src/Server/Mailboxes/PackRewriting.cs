using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>What one step of <see cref="PackRewriting"/> has done.</summary>
public enum RewriteDeed
{
    /// <summary>There is nothing to do.</summary>
    Nothing,
    /// <summary>The pack that was written to is mostly dead and was ended.</summary>
    Sealed,
    /// <summary>A part of a pack was looked through, and what lives there copied.</summary>
    Copied,
    /// <summary>A pack is gone.</summary>
    Removed,
    /// <summary>A pack holds something damaged and stays.</summary>
    Kept,
    /// <summary>A pack is empty, but somebody holds removals or reads an older snapshot; it goes another time.</summary>
    Held,
}

/// <param name="Bytes">Copied, or given back.</param>
public readonly record struct RewriteStep(RewriteDeed Deed, int Pack = 0, long Bytes = 0);

/// <summary>What a run has done; bytes.</summary>
/// <param name="Kept">Packs that hold something damaged.</param>
/// <param name="Held">Packs that are empty and wait until a backup, or who reads an old snapshot, has ended.</param>
/// <param name="Waits">Nothing was done, for this file lies in the data directory since a repair.</param>
public readonly record struct CollectReport(int Removed, long Freed, long Copied, int Kept, int Held, string? Waits = null);

/// <summary>
/// Gives back the space of removed mail: a sealed pack of which enough is dead is looked through record by record, what a row still names is
/// copied as it stands behind the newest pack, and the file is removed once no row names anything in it.
/// </summary>
/// <remarks>
/// Rules: a copy is flushed before the commit that names it, and the row is compared again within that commit; what is damaged is not touched,
/// and its pack stays; one pack at a time, so the disk grows by one pack at most (by eight while removals are held); nothing is remembered between
/// steps that a crash could take: a pack that was half copied has fewer living records when it is looked through again; a file is removed
/// only when no snapshot is open in which a row still names it, so that what a snapshot shows can be read as long as it is open.
/// Even a pack that is dead by its statistics is looked through before it goes: heads only, and no mail is removed by a wrong sum.
/// </remarks>
public sealed class PackRewriting(Store store, Settings settings, TimeProvider time, ILogger<PackRewriting> log)
{
    /// <summary>Records looked at in one step at most.</summary>
    const int RecordsPerStep = 4096;
    /// <summary>A pack that is written to is not ended for less than this.</summary>
    const long WorthSealing = 1 << 20;
    /// <summary>Packs that are empty and cannot go, after which no more are emptied: each has cost the disk what lived in it.</summary>
    const int MostEmpty = 8;

    readonly SemaphoreSlim running = new(1, 1);
    readonly HashSet<int> kept = [];
    readonly Dictionary<int, (long Since, Walk Walk)> empty = []; // nothing lives there any more, and the file is still to go
    Walk? walk;
    int hurry;

    sealed class Walk(PackScan scan, long bytes) : IDisposable
    {
        public PackScan Scan => scan;
        public long Bytes => bytes;
        public long Began { get; } = Stopwatch.GetTimestamp();
        public long Copied;
        public int Damaged;
        public PackedRecord? Next; // found living, and too large for the piece before

        public void Dispose() => scan.Dispose();
    }

    double DeadShare => Math.Clamp(settings.Storage.CollectDeadPercent, 1, 100) / 100.0;

    /// <summary>Does what there is to do, at the rate of the settings; one run at a time.</summary>
    /// <param name="hurried">As fast as it goes, also for a run that is under way already.</param>
    public async Task<CollectReport> CollectAsync(bool hurried, CancellationToken cancel)
    {
        if (store.KeptDamaged() is { } damaged) return new CollectReport { Waits = damaged };
        if (hurried) Interlocked.Increment(ref hurry);
        try
        {
            await running.WaitAsync(cancel);
            try
            {
                await AdoptAsync(cancel);
                var report = await RunAsync(cancel);
                return await AwaitReadersAsync(report, cancel);
            }
            finally
            {
                running.Release();
            }
        }
        finally
        {
            if (hurried) Interlocked.Decrement(ref hurry);
        }
    }

    async Task<CollectReport> RunAsync(CancellationToken cancel)
    {
        var report = new CollectReport();
        while (true)
        {
            var (began, before) = (time.GetTimestamp(), store.Commits);
            var step = await StepAsync(cancel);
            report = step.Deed switch
            {
                RewriteDeed.Copied => report with { Copied = report.Copied + step.Bytes },
                RewriteDeed.Removed => report with { Removed = report.Removed + 1, Freed = report.Freed + step.Bytes },
                RewriteDeed.Kept => report with { Kept = report.Kept + 1 },
                _ => report,
            };
            if (step.Deed == RewriteDeed.Nothing) return report;
            if (step.Deed == RewriteDeed.Copied && step.Bytes > 0) await RestAsync(step.Bytes, began, before, cancel);
        }
    }

    // whoever reads a snapshot ends soon, and a backup does not
    async Task<CollectReport> AwaitReadersAsync(CollectReport report, CancellationToken cancel)
    {
        for (var round = 0; round < 20 && empty.Count > 0 && !store.Packs.Files.IsHeld; round++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancel);
            while (await RemoveAsync(cancel) is { } step) report = report with { Removed = report.Removed + 1, Freed = report.Freed + step.Bytes };
        }
        return report with { Held = empty.Count };
    }

    // as long as the rate asks for; four times as long when others commit meanwhile
    async Task RestAsync(long bytes, long began, long before, CancellationToken cancel)
    {
        if (settings.Storage.CollectBytesPerSecond <= 0) return;
        var due = TimeSpan.FromSeconds(bytes / (double)settings.Storage.CollectBytesPerSecond);
        for (var round = 0; round < 4 && Volatile.Read(ref hurry) == 0; round++)
        {
            var left = due * (round + 1) - time.GetElapsedTime(began);
            if (left > TimeSpan.Zero) await Task.Delay(left, time, cancel);
            if (store.Commits - before <= 2 * (round + 1)) return; // one of them is ours
        }
    }

    /// <summary>The next step: a pack chosen and a piece of it copied, or a pack removed. One caller at a time; <see cref="CollectAsync"/> is for everybody.</summary>
    public async ValueTask<RewriteStep> StepAsync(CancellationToken cancel)
    {
        if (walk is null)
        {
            if (await RemoveAsync(cancel) is { } removed) return removed;
            if (empty.Count >= MostEmpty) return default;
            if (Choose() is not { } chosen)
                return await store.CommitAsync(t => t.SealIfDead(DeadShare, WorthSealing), cancel) ? new RewriteStep(RewriteDeed.Sealed) : default;
            if (PackScan.Open(store.Packs, chosen.Pack) is not { } scan) return await WithoutFileAsync(chosen, cancel);
            walk = new Walk(scan, chosen.Bytes);
        }
        var buffer = Buffers.Rent(settings.Storage.CollectPieceBytes);
        try
        {
            var records = new List<(PackedRecord Record, int At)>();
            var ended = Gather(walk, records, ref buffer);
            var copied = records.Count == 0 ? 0 : await CopyAsync(records, buffer, cancel);
            walk.Copied += copied;
            return ended && copied == 0 ? await FinishAsync(walk, cancel) : new RewriteStep(RewriteDeed.Copied, walk.Scan.Pack, copied);
        }
        catch
        {
            Leave(); // looked through from its beginning another time
            throw;
        }
        finally
        {
            Buffers.Return(buffer);
        }
    }

    PackState? Choose()
    {
        using var read = store.Read();
        foreach (var pack in VaultTable.Sparse(read, 1 - DeadShare))
            if (!kept.Contains(pack.Pack) && !empty.ContainsKey(pack.Pack)) return pack;
        return null;
    }

    // Collects living records up to a piece's bytes, checked by their sums; true at the end of the pack.
    bool Gather(Walk walk, List<(PackedRecord Record, int At)> records, ref byte[] buffer)
    {
        var length = 0;
        using var read = store.Read();
        for (var seen = 0; seen < RecordsPerStep && length < settings.Storage.CollectPieceBytes; seen++)
        {
            if ((walk.Next ?? walk.Scan.Next()) is not { } record) return true;
            walk.Next = null;
            if (record.Kind is not (RecordKind.Content or RecordKind.Object) || ContentTable.Place(read, record.Kind, record.Id) != record.Location) continue;
            walk.Scan.Trust(record);
            var stored = record.Location.Stored;
            if (length > 0 && length + stored > settings.Storage.CollectPieceBytes)
            {
                walk.Next = record;
                return false;
            }
            if (stored > buffer.Length)
            {
                Buffers.Return(buffer); // empty still: a piece begins with the large one
                buffer = Buffers.Rent(stored);
            }
            if (!walk.Scan.TryCopy(record, buffer.AsSpan(length, stored)))
            {
                walk.Damaged++;
                MailboxesTelemetry.DamagedInPack(log, record.Kind, record.Id, record.Location.Pack, record.Location.Position);
                continue;
            }
            records.Add((record, length));
            length += stored;
        }
        return false;
    }

    async ValueTask<long> CopyAsync(List<(PackedRecord Record, int At)> records, byte[] buffer, CancellationToken cancel) =>
        await store.CommitAsync(t =>
        {
            t.BodiesFirst();
            var copied = 0L;
            foreach (var (record, at) in records)
                if (ContentTable.Move(t, record.Kind, record.Id, record.Location, buffer.AsSpan(at, record.Location.Stored))) copied += record.Location.Stored;
            return copied;
        }, cancel);

    async ValueTask<RewriteStep> FinishAsync(Walk walk, CancellationToken cancel)
    {
        var pack = walk.Scan.Pack;
        Leave();
        if (!await store.CommitAsync(t => t.MayRemove(pack), cancel) && (walk.Damaged > 0 || !await MendAsync(pack, cancel)))
        {
            kept.Add(pack);
            MailboxesTelemetry.PackKept(log, pack);
            return new RewriteStep(RewriteDeed.Kept, pack);
        }
        empty[pack] = (store.Ticket, walk); // after that commit: a snapshot from now on shows nothing there
        return await RemoveAsync(cancel) ?? new RewriteStep(RewriteDeed.Held, pack);
    }

    // one file of those that nobody can need any more
    async ValueTask<RewriteStep?> RemoveAsync(CancellationToken cancel)
    {
        foreach (var (pack, (since, done)) in empty)
        {
            if (!store.NobodyReadsSince(since) || !store.Packs.Files.TryRemove(pack)) continue;
            empty.Remove(pack);
            await store.CommitAsync(t => { t.Removed(pack); return 0; }, cancel);
            MailboxesTelemetry.PackCollected(log, pack, done.Bytes, done.Copied, (long)Stopwatch.GetElapsedTime(done.Began).TotalMilliseconds);
            return new RewriteStep(RewriteDeed.Removed, pack, done.Bytes);
        }
        return null;
    }

    // No living record was found, and yet the statistics know of some: the rows themselves decide. A walk over all of them, outside of the
    // committer: of a sealed pack they only become fewer.
    async ValueTask<bool> MendAsync(int pack, CancellationToken cancel)
    {
        using (var read = store.Read())
            if (ContentTable.Live(read.Prepare, pack) != 0) return false;
        MailboxesTelemetry.StatisticsMended(log, pack);
        return await store.CommitAsync(t =>
        {
            t.SetLive(pack, 0);
            return t.MayRemove(pack);
        }, cancel);
    }

    // a crash came between the removal of the file and that of its row; or somebody else has removed it
    async ValueTask<RewriteStep> WithoutFileAsync(PackState pack, CancellationToken cancel)
    {
        if (pack.Live == 0)
        {
            await store.CommitAsync(t => { t.Removed(pack.Pack); return 0; }, cancel);
            return new RewriteStep(RewriteDeed.Removed, pack.Pack);
        }
        kept.Add(pack.Pack);
        MailboxesTelemetry.PackMissing(log, pack.Pack);
        return new RewriteStep(RewriteDeed.Kept, pack.Pack);
    }

    // files that no statistics tell of: what lives there is counted once
    async ValueTask AdoptAsync(CancellationToken cancel)
    {
        HashSet<int> known;
        using (var read = store.Read()) known = [.. VaultTable.All(read).Select(pack => pack.Pack)];
        foreach (var pack in store.Packs.Files.Numbers())
            if (!known.Contains(pack) && store.Packs.Files.Length(pack) is { } bytes)
                await store.CommitAsync(t => { t.Adopt(pack, bytes, () => ContentTable.Live(t.Prepare, pack)); return 0; }, cancel);
    }

    void Leave()
    {
        walk?.Dispose();
        walk = null;
    }
}
