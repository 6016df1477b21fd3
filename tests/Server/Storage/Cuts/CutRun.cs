namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Many cuts of many recorded runs.</summary>
sealed class CutRun
{
    public int Cuts;
    public long Events;
    public readonly List<string> Failures = [];

    /// <summary>Records one run and cuts it at <paramref name="count"/> places, each with another choice of what survives.</summary>
    public async Task SeedAsync(int seed, int count, Action<SimulatedDisk>? prepare = null, bool faults = false, int mostFailures = 5)
    {
        Recording recording;
        try
        {
            recording = await Workload.RecordAsync(seed, prepare: prepare, faults: faults);
        }
        catch (BackupFailedException error)
        {
            lock (Failures) Failures.Add($"seed {seed}, without any cut: {error.Message}");
            return;
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"seed {seed}: {error.Message}", error);
        }
        var random = new Random(seed);
        var cut = new PowerCut(recording.Disk.Image, recording.Log);
        Interlocked.Add(ref Events, recording.Log.Count);
        var places = Places(recording.Log, count, random);
        var tried = 0;
        foreach (var place in places)
        {
            cut.Advance(place);
            var survivors = (Survivors)(tried++ % 7);
            var image = cut.Cut(random, survivors);
            var found = await CheckAsync(recording, place, image, random.Next(), tried % 3 == 0);
            Interlocked.Increment(ref Cuts);
            if (found.Count == 0) continue;
            lock (Failures)
                Failures.Add($"seed {seed}, cut after event {place} of {recording.Log.Count} ({recording.Log[Math.Max(0, place - 1)].Deed} {recording.Log[Math.Max(0, place - 1)].Path}), surviving {survivors}; {Around(recording, place)}:\n  {string.Join("\n  ", found.Take(8))}");
            if (--mostFailures == 0) return;
        }
    }

    static string Around(Recording recording, int place) =>
        string.Join(" ", recording.Steps.Where(step => step.Begun <= place).TakeLast(4).Select(step => $"[{step.What} {step.Begun}-{(step.Told == int.MaxValue ? "" : step.Told)}{(step.Failed ? " failed" : "")}]"));

    static async Task<List<string>> CheckAsync(Recording recording, int place, DiskImage image, int seed, bool goOn)
    {
        var disk = new SimulatedDisk(seed, image);
        try
        {
            var faults = await new CutCheck(recording, place).RunAsync(disk, goOn);
            if (faults.Count > 0 || goOn) return faults;
            // a second cut while the first one is being mended
            var again = new PowerCut(image, disk.Log);
            var random = new Random(seed);
            again.Advance(random.Next(disk.Log.Count + 1));
            var second = new SimulatedDisk(seed, again.Cut(random, (Survivors)random.Next(7)));
            faults = await new CutCheck(recording, place).RunAsync(second, goOn: false);
            second.Detach();
            return [.. faults.Select(fault => "cut again while recovering: " + fault)];
        }
        finally
        {
            disk.Detach();
        }
    }

    // half anywhere, half right before and after flushes and acknowledgements
    static List<int> Places(IReadOnlyList<DiskEvent> log, int count, Random random)
    {
        var edges = Enumerable.Range(0, log.Count).Where(i => log[i].Deed is not (Deed.Write or Deed.MakeDirectory)).ToList();
        return [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? random.Next(log.Count + 1) : edges[random.Next(edges.Count)] + random.Next(2)).Order()];
    }
}
