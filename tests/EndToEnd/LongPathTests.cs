using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Directories whose path is longer than SQLite can take are refused in a sentence; long ones below that serve.</summary>
public sealed class LongPathTests : IDisposable
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-long-").FullName;

    public void Dispose() => System.IO.Directory.Delete(folder, recursive: true);

    string Path(int length)
    {
        var path = folder;
        while (path.Length + 101 < length) path += "/" + new string('d', 100);
        return path + "/" + new string('e', length - path.Length - 1);
    }

    Task<Ran> RunAsync(params string[] arguments) => new Tool { Folder = folder, Limit = TimeSpan.FromSeconds(60) }.StartAsync(TestServer.Program, arguments);

    [Fact]
    public async Task A_data_directory_with_a_path_too_long_is_refused_in_a_sentence()
    {
        var data = Path(700);
        foreach (var ran in (Ran[])[
            await RunAsync("serve", "--evaluation", "--data", data, "--port-offset", FreePorts.Offset().ToString(null as IFormatProvider)),
            await RunAsync("backup", System.IO.Path.Combine(folder, "backup"), "--data", data)])
        {
            Assert.Equal(1, ran.ExitCode);
            Assert.Contains("name a directory with a shorter path", ran.Error);
            Assert.DoesNotContain("   at ", ran.All);
        }
    }

    [Fact]
    public async Task A_long_path_serves_is_backed_up_and_restored_and_a_longer_one_is_refused()
    {
        var home = Path(420);
        System.IO.Directory.CreateDirectory(home);
        await using var server = await TestServer.StartAsync(launch: new() { Folder = home });
        await server.AddAccountsAsync("anna@example.test");
        await Letter.SendAsync(server.Smtp, "sender@example.org", "anna@example.test", Letter.Text("sender@example.org", "anna@example.test", "long"));
        var repository = System.IO.Path.Combine(folder, "backup");
        (await server.CliAsync("backup", repository)).Succeeded();
        (await server.CliAsync("verify")).Succeeded();
        foreach (var refused in (Ran[])[
            (await server.CliAsync("backup", Path(600))).Failed(1),
            (await RunAsync("restore", repository, "--data", Path(600))).Failed(1)])
        {
            Assert.Contains("name a directory with a shorter path", refused.Error);
            Assert.DoesNotContain("   at ", refused.All);
        }
        (await RunAsync("restore", repository, "--data", Path(430))).Succeeded();
        Assert.True(server.IsRunning, server.Log);
    }

    [Fact]
    public async Task Who_only_asks_makes_no_directory()
    {
        var missing = System.IO.Path.Combine(System.IO.Directory.CreateTempSubdirectory("cbamail-ask-").FullName, new string('n', 120));
        var refused = await Assert.ThrowsAsync<CbaMail.Cli.Refused>(() => new CbaMail.Cli.ControlClient(missing).GetAsync("status"));
        Assert.StartsWith("No server is running on ", refused.Message, StringComparison.Ordinal);
        Assert.False(System.IO.Directory.Exists(missing));
        System.IO.Directory.Delete(System.IO.Path.GetDirectoryName(missing)!);
    }
}
