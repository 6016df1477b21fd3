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
        var seeds = Enumerable.Range(first, (count + 24) / 25);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) => await run.SeedAsync(seed, 25));
        output.WriteLine($"{run.Cuts} cuts, {run.Events} events, {watch.Elapsed.TotalSeconds:f1} s, {run.Failures.Count} failures");
        Assert.True(run.Failures.Count == 0, $"{run.Cuts} cuts, {run.Events} events, {watch.Elapsed.TotalSeconds:f1} s, {run.Failures.Count} failures\n" + string.Join("\n", run.Failures.Take(10)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_same_seed_gives_the_same_log(int seed)
    {
        var one = await Workload.RecordAsync(seed);
        var two = await Workload.RecordAsync(seed);
        for (var i = 0; i < Math.Min(one.Log.Count, two.Log.Count); i++)
            Assert.True(one.Log[i].Shape == two.Log[i].Shape, $"event {i}: {one.Log[i].Shape} and {two.Log[i].Shape}");
        Assert.Equal(one.Log.Count, two.Log.Count);
    }
}
