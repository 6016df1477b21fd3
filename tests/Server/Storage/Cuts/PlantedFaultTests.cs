using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>The cuts can fail: each fault that is planted is found by them. And the settings that durability rests on are looked at before mail is taken.</summary>
public sealed class PlantedFaultTests
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
        ["bodies come after rows that asked for them first"] = disk => disk.BodiesLast = true,
    };

    public static TheoryData<string> Plants => [.. plants.Keys];

    [Theory]
    [MemberData(nameof(Plants))]
    public async Task A_planted_fault_is_found(string plant)
    {
        var run = new CutRun();
        for (var seed = 1; run.Failures.Count == 0 && seed <= 40; seed++) await run.SeedAsync(seed, 25, plants[plant], mostFailures: 1);
        Assert.True(run.Failures.Count > 0, $"{run.Cuts} cuts found nothing although {plant}");
    }

    [Theory]
    [InlineData("OFF", "synchronous 0")]
    [InlineData("1", "synchronous 1")]
    public void A_database_that_does_not_flush_is_refused_with_a_sentence(string synchronous, string told)
    {
        var disk = new SimulatedDisk(1) { Synchronous = synchronous };
        var error = Assert.Throws<InvalidOperationException>(() => new Store(new Settings { Data = disk.Data }, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged, disk));
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Contains("put it on a local disk", error.Message, StringComparison.Ordinal);
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
