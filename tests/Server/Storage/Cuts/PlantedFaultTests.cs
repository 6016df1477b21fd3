using System.Runtime.CompilerServices;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>The cuts can fail: each fault that is planted is found by them. And the settings that durability rests on are looked at before mail is taken.</summary>
public sealed class PlantedFaultTests(ITestOutputHelper output)
{
    static readonly Dictionary<string, Action<SimulatedDisk>> plants = new()
    {
        ["SQLite flushes nothing"] = disk => (disk.Synchronous, disk.HideSynchronous) = ("OFF", true),
        ["SQLite flushes at checkpoints alone"] = disk => (disk.Synchronous, disk.HideSynchronous) = ("1", true),
        ["the log is not flushed"] = disk => disk.Forget = path => path.EndsWith("-wal", StringComparison.Ordinal),
        ["the database is not flushed"] = disk => disk.Forget = path => path.EndsWith(".db", StringComparison.Ordinal),
        ["packs are not flushed"] = disk => disk.Forget = path => path.EndsWith(".pack", StringComparison.Ordinal),
        ["names of packs are not flushed"] = disk => disk.Forget = path => path.EndsWith("/packs", StringComparison.Ordinal),
        ["no names are flushed"] = disk => disk.Forget = path => !path.Contains('.', StringComparison.Ordinal),
        ["who commits on his own thread does not flush packs"] = disk => disk.Forget = path => path.StartsWith("/simulated/data/packs/", StringComparison.Ordinal) && Thread.CurrentThread.Name != "committer",
        ["packs are not handed over before the log is flushed"] = disk => disk.HandsNothingOver = true,
        ["nobody waits for the zeros ahead of the writer"] = disk => disk.AwaitsNothingBeside = true,
        ["copies of packs are not flushed"] = disk => disk.Forget = path => path.StartsWith("/simulated/backup/packs/", StringComparison.Ordinal),
        ["names of copied packs are not flushed"] = disk => disk.Forget = path => path == "/simulated/backup/packs",
        ["the copy of the database is not flushed"] = disk => disk.Forget = path => path.StartsWith("/simulated/backup/snapshots/", StringComparison.Ordinal) && path.EndsWith(".db", StringComparison.Ordinal),
        ["a snapshot's names are not flushed"] = disk => disk.Forget = path => Path.GetDirectoryName(path) == "/simulated/backup/snapshots",
        ["packs are removed while they are copied"] = disk => disk.DuringBackup = store => Holds(store.Packs.Files) = 0,
        ["restored packs are not flushed"] = disk => disk.Forget = path => path.StartsWith("/simulated/restored/restoring/packs/", StringComparison.Ordinal),
        ["other restored files are not flushed"] = disk => disk.Forget = path => path.StartsWith("/simulated/restored/restoring/files/", StringComparison.Ordinal),
        ["names of a restore are not flushed"] = disk => disk.Forget = path => path == "/simulated/restored",
        ["bodies come after rows that asked for them first"] = disk => disk.BodiesLast = true,
    };

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "holds")]
    static extern ref int Holds(PackFiles files);

    public static TheoryData<string> Plants => [.. plants.Keys];

    [Theory]
    [MemberData(nameof(Plants))]
    public async Task A_planted_fault_is_found(string plant)
    {
        var run = new CutRun();
        foreach (var seed in Enumerable.Range(1, 100).Where(seed => !plant.Contains("cop", StringComparison.Ordinal) && !plant.Contains("restore", StringComparison.Ordinal) || Workload.HasBackups(seed)).Take(40))
        {
            if (run.Failures.Count > 0) break;
            await run.SeedAsync(seed, 25, plants[plant], mostFailures: 1);
        }
        output.WriteLine($"{run.Cuts} cuts: {string.Join('\n', run.Failures)}");
        Assert.True(run.Failures.Count > 0, $"{run.Cuts} cuts found nothing although {plant}");
    }

    [Theory]
    [InlineData("OFF", "synchronous 0")]
    [InlineData("1", "synchronous 1")]
    [InlineData(null, "journal_mode is delete")]
    public void A_database_that_does_not_flush_is_refused_with_a_sentence(string? synchronous, string told)
    {
        var disk = new SimulatedDisk(1) { Synchronous = synchronous, KeepsNoLog = synchronous is null };
        var error = Assert.Throws<InvalidOperationException>(() => new Store(new Settings { Data = disk.Data }, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged, disk));
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Contains("put it on a local disk", error.Message, StringComparison.Ordinal);
        disk.Detach();
    }

    [Fact]
    public async Task A_running_server_has_the_settings_in_force_and_the_disk_sees_each_commit_flushed()
    {
        var disk = new SimulatedDisk(1) { IsBesideAtOnce = true };
        var (store, _) = Workload.Open(Workload.Shape(1, disk) with { Data = disk.Data }, disk, TimeProvider.System);
        Assert.Equal(("wal", 2), await store.CommitAsync(IntegrityTable.Durability));
        for (var i = 0; i < 3; i++)
        {
            var before = disk.Log.Count;
            await store.CommitAsync(write => { VaultTable.Touch(write); return 0; });
            var deeds = disk.Log.Skip(before).Where(what => what.Path.EndsWith("-wal", StringComparison.Ordinal)).Select(what => what.Deed).ToList();
            Assert.True(deeds.Contains(Deed.Write) && deeds[^1] == Deed.Flush, string.Join(' ', deeds)); // NORMAL would flush at checkpoints alone
        }
        await store.DisposeAsync();
        disk.Detach();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Nobody_is_told_before_log_and_pack_are_flushed(int seed)
    {
        var recording = await Workload.RecordAsync(seed);
        var cut = new PowerCut(recording.Disk.Image, recording.Log);
        foreach (var step in recording.Steps.Where(step => step.What is "batch" or "accounts"))
        {
            cut.Advance(step.Told);
            Assert.DoesNotContain(cut.Unflushed, what => what.Path.EndsWith("-wal", StringComparison.Ordinal) || what.Path.EndsWith(".pack", StringComparison.Ordinal));
        }
    }
}
