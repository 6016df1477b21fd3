using System.Text;

namespace CbaMail.Bench;

/// <summary>A data directory with the domain bench.test and 2,500 accounts, made once a run: hashing their passwords takes a while.</summary>
internal static class Prepared
{
    public const int People = 2500;
    private static string? folder;

    public static async Task<BenchServer> StartAsync(string? settings = null, string? sql = null)
    {
        folder ??= await MakeAsync();
        return await BenchServer.StartAsync(folder, settings, sql);
    }

    private static async Task<string> MakeAsync()
    {
        var server = await BenchServer.StartAsync();
        await server.CliAsync("domain", "add", "bench.test");
        var rows = new StringBuilder("address,name,password\n");
        for (var i = 1; i <= People; i++) rows.Append($"u{i:0000}@bench.test,Student {i},benchpass\n");
        await server.CliAsync("account", "import", await server.WriteAsync("accounts.csv", rows.ToString()));
        await server.StopAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(server.Folder, recursive: true);
        return server.Data;
    }
}
