namespace CbaMail.Bench.Benchmarks;

internal static class Idle
{
    public static async Task RunAsync(Report report)
    {
        await using var server = await BenchServer.StartAsync();
        await Task.Delay(TimeSpan.FromSeconds(5));
        report.Row("resident after 5 s", server.Resident(), "MB", "< 130 MB", "62 MB (12 PSS; with Rspamd + Redis 256)");
    }
}
