using System.Diagnostics;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Cuts;

public sealed class PowerCutTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_acknowledged_is_lost_wherever_the_power_is_cut()
    {
        var run = new CutRun();
        var watch = Stopwatch.StartNew();
        var count = int.Parse(Environment.GetEnvironmentVariable("CBAMAIL_CUTS") ?? "500");
        var first = int.Parse(Environment.GetEnvironmentVariable("CBAMAIL_CUT_SEED") ?? "1");
        var seeds = Enumerable.Range(first, (count + 24) / 25).ToList();
        if (Environment.GetEnvironmentVariable("CBAMAIL_CUT_SEED") is null) seeds[^1] = Random.Shared.Next(); // one that nobody has chosen
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) => await run.SeedAsync(seed, 25));
        output.WriteLine($"{run.Cuts} cuts, {run.Events} events, {watch.Elapsed.TotalSeconds:f1} s, {run.Failures.Count} failures, last seed {seeds[^1]}");
        Assert.True(run.Failures.Count == 0, $"{run.Cuts} cuts, {run.Events} events, {watch.Elapsed.TotalSeconds:f1} s, {run.Failures.Count} failures\n" + string.Join("\n", run.Failures.Take(10)));
    }

    [Fact]
    public async Task A_disk_that_fails_loses_nothing_acknowledged_and_mail_goes_on_when_it_has_recovered()
    {
        var run = new CutRun();
        var watch = Stopwatch.StartNew();
        var count = int.Parse(Environment.GetEnvironmentVariable("CBAMAIL_FAULT_CUTS") ?? "200");
        var first = int.Parse(Environment.GetEnvironmentVariable("CBAMAIL_CUT_SEED") ?? "1");
        await Parallel.ForEachAsync(Enumerable.Range(first, (count + 9) / 10), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) => await run.SeedAsync(seed, 10, faults: true));
        output.WriteLine($"{run.Cuts} cuts, {run.Events} events, {watch.Elapsed.TotalSeconds:f1} s, {run.Failures.Count} failures");
        Assert.True(run.Failures.Count == 0, string.Join("\n", run.Failures.Take(10)));
    }

    [Fact]
    public async Task The_runs_hold_everything_that_is_to_be_cut()
    {
        var (led, beside, backups, removed, restored, rewritten) = (0, 0, 0, 0, 0, 0);
        for (var seed = 1; seed <= 12; seed++)
        {
            var recording = await Workload.RecordAsync(seed);
            led += recording.Led;
            beside += recording.Disk.BesideOthers;
            backups += recording.Snapshots.Count;
            removed += recording.Snapshots.Count(snapshot => snapshot.RemovedBy is not null);
            rewritten += recording.Snapshots.Count(snapshot => recording.Steps.Exists(step => step.What == "rewrite" && step.Begun > snapshot.Begun && step.Told < snapshot.Told));
            restored += recording.Restore is null ? 0 : 1;
        }
        output.WriteLine($"{led} commits on their caller's thread, {beside} deeds beside others, {backups} backups, {rewritten} with rewriting meanwhile, {removed} removed, {restored} restored");
        Assert.True(led > 2 && beside > 50 && backups > 4 && removed > 0 && rewritten > 1 && restored > 1, $"{led} {beside} {backups} {rewritten} {removed} {restored}");
    }

    [Fact(Explicit = true)]
    public async Task Show_the_log_of_a_seed()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("CBAMAIL_CUT_SEED") ?? "1");
        var recording = await Workload.RecordAsync(seed, faults: Environment.GetEnvironmentVariable("CBAMAIL_CUT_FAULTS") == "1");
        for (var i = 0; i < recording.Log.Count; i++) output.WriteLine($"{i} {recording.Log[i].Shape}");
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(7, true)]
    [InlineData(17, true)]
    public async Task The_same_seed_gives_the_same_log(int seed, bool faults)
    {
        var one = await Workload.RecordAsync(seed, faults: faults);
        var two = await Workload.RecordAsync(seed, faults: faults);
        for (var i = 0; i < Math.Min(one.Log.Count, two.Log.Count); i++)
            Assert.True(one.Log[i].Shape == two.Log[i].Shape, $"event {i}: {one.Log[i].Shape} and {two.Log[i].Shape}");
        Assert.Equal(one.Log.Count, two.Log.Count);
    }
}
