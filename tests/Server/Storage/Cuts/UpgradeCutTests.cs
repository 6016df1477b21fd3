using CbaMail.Storage.Sqlite;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Data of released versions are taken over wherever the power is cut and whatever the disk refuses meanwhile.</summary>
public sealed class UpgradeCutTests(ITestOutputHelper output)
{
    /// <summary>A release whose fixture is kept, and a schema that its data have, or had had before.</summary>
    public static TheoryData<string, int> Old => new() { { "0.1.0", 4 }, { "0.1.0", 3 } };

    [Theory]
    [MemberData(nameof(Old))]
    public async Task An_upgrade_is_finished_by_the_next_start_wherever_the_power_is_cut(string release, int schema)
    {
        var old = OldVault.Of(release, schema);
        // in a long run every choice at every place
        var (cuts, faults) = await CutAsync(old, _ => { }, Environment.GetEnvironmentVariable("CBAMAIL_CUTS") is null ? 120 : int.MaxValue);
        output.WriteLine($"{cuts} cuts");
        Assert.True(cuts > 80 && faults.Count == 0, $"{cuts} cuts\n" + string.Join('\n', faults.Take(10)));
    }

    [Theory]
    [InlineData("SQLite flushes nothing")]
    [InlineData("the database is not flushed")]
    public async Task An_upgrade_that_is_not_flushed_is_found(string plant)
    {
        Action<SimulatedDisk> prepare = plant == "SQLite flushes nothing"
            ? disk => (disk.Synchronous, disk.HideSynchronous) = ("OFF", true)
            : disk => disk.Forget = path => path.EndsWith(".db", StringComparison.Ordinal);
        var (cuts, faults) = await CutAsync(OldVault.Of("0.1.0", 4), prepare, int.MaxValue, last: 8); // what is lost is lost at the end, when the log begins again
        output.WriteLine($"{cuts} cuts: {faults.FirstOrDefault()}");
        Assert.True(faults.Count > 0, $"{cuts} cuts found nothing although {plant}");
    }

    // about so many cuts, spread over all events or the last of them, each with a choice of what survives; every other is cut again while it is being mended
    static async Task<(int Cuts, List<string> Faults)> CutAsync(OldVault old, Action<SimulatedDisk> prepare, int most, int last = int.MaxValue)
    {
        var disk = new SimulatedDisk(1, old.Image);
        prepare(disk);
        await old.Open(disk).DisposeAsync();
        disk.Detach();
        var (cut, random, faults) = (new PowerCut(old.Image, disk.Log), new Random(1), new List<string>());
        var (from, to) = (7 * Math.Max(0, disk.Log.Count - last), 7 * (disk.Log.Count + 1));
        var step = Math.Max(1, (to - from) / most);
        if (step % 7 == 0) step++; // each of the seven choices comes
        var cuts = 0;
        for (var count = from; count < to && faults.Count == 0; count += step, cuts++)
        {
            var (place, survivors) = (count / 7, (Survivors)(count % 7));
            cut.Advance(place);
            var image = cut.Cut(random, survivors);
            var first = new SimulatedDisk(count, image);
            var found = await old.FaultsAsync(first, verify: cuts % 14 == 0);
            first.Detach();
            if (found.Count == 0 && cuts % 2 == 0)
            {
                var again = new PowerCut(image, first.Log);
                again.Advance(random.Next(first.Log.Count + 1));
                var second = new SimulatedDisk(count, again.Cut(random, (Survivors)random.Next(7)));
                found = await old.FaultsAsync(second, verify: false);
                second.Detach();
            }
            faults.AddRange(found.Select(fault => $"cut after event {place} ({(place == 0 ? "" : disk.Log[place - 1].Shape)}), surviving {survivors}: {fault}"));
        }
        return (cuts, faults);
    }

    [Theory]
    [MemberData(nameof(Old))]
    public async Task An_upgrade_that_the_disk_refuses_is_made_when_it_takes_it(string release, int schema)
    {
        var old = OldVault.Of(release, schema);
        var (refusals, faults) = (0, new List<string>());
        for (var at = 0; ; at++)
        {
            var (full, reached) = (at % 2 == 0, false);
            var disk = new SimulatedDisk(at, old.Image);
            disk.Fault = (what, number) =>
            {
                if (number < at || (full && what.Deed is not (Deed.Write or Deed.Create)) || (!full && reached)) return null;
                reached = true; // an error passes, a full disk stays full
                return new IOException(full ? "No space left on device" : "Input/output error", full ? 28 : 5);
            };
            try
            {
                await old.Open(disk).DisposeAsync();
            }
            catch (Exception error) when (error is IOException or SqliteError)
            {
                refusals++;
            }
            if (!reached && !full) break; // there was nothing left to refuse
            disk.Fault = null;
            disk.Revive();
            faults.AddRange((await old.FaultsAsync(disk, verify: at % 10 == 0)).Select(fault => $"refused from event {at} on ({(full ? "full" : "error")}): {fault}"));
            // and the power is cut as well
            var cut = new PowerCut(old.Image, disk.Log);
            var random = new Random(at);
            cut.Advance(random.Next(disk.Log.Count + 1));
            disk.Detach();
            var after = new SimulatedDisk(at, cut.Cut(random, (Survivors)random.Next(7)));
            faults.AddRange((await old.FaultsAsync(after, verify: false)).Select(fault => $"refused from event {at} on ({(full ? "full" : "error")}) and cut: {fault}"));
            after.Detach();
        }
        output.WriteLine($"{refusals} starts were refused");
        Assert.True(refusals > 15 && faults.Count == 0, $"{refusals} refusals\n" + string.Join('\n', faults.Take(10)));
    }
}
