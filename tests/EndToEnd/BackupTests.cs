using System.Text.Json.Nodes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Backup and restore of the real program, driven and read by Python's imaplib and smtplib (python/backup.py).</summary>
public sealed class BackupTests : IAsyncLifetime
{
    const string Anna = ServerFixture.Anna, Boris = ServerFixture.Boris;

    TestServer server = null!;

    string Repository => Path.Combine(server.Folder, "backup");

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna, Boris);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    async Task<string> PythonAsync(params string[] verb)
    {
        var tool = new Tool
        {
            Limit = TimeSpan.FromSeconds(120),
            Environment = { ["PASSWORD"] = TestServer.Password, ["SMTP"] = server.Smtp.ToString(null as IFormatProvider), ["IMAP"] = server.Imap.ToString(null as IFormatProvider) },
        };
        return (await tool.StartAsync("python3", [Path.Combine(House.Repository.Root, "tests/EndToEnd/python/backup.py"), .. verb])).Succeeded().Output.Trim();
    }

    async Task<JsonNode> JsonAsync(params string[] verb) => JsonNode.Parse((await server.CliAsync([.. verb, "--json"])).Succeeded().Output)!;

    // the restored data take the place of the old
    async Task RestoreInPlaceAsync(params string[] options)
    {
        if (server.IsRunning) await server.StopAsync();
        System.IO.Directory.Move(server.Data, server.Data + "-old-" + Guid.NewGuid().ToString("n"));
        (await server.CliAsync(["restore", Repository, .. options])).Succeeded();
        await server.StartAgainAsync();
    }

    [Fact]
    public async Task A_restored_server_shows_clients_what_the_lost_one_did_and_delivers_on()
    {
        await PythonAsync("fill", Anna, "1", "60");
        await PythonAsync("fill", Boris, "40", "30");
        await PythonAsync("change", Anna);
        var (anna, boris) = (await PythonAsync("census", Anna), await PythonAsync("census", Boris));
        var top = int.Parse(await PythonAsync("top", Anna), null);
        await JsonAsync("backup", Repository);
        await PythonAsync("destroy", Anna);
        await RestoreInPlaceAsync();
        Assert.Equal(anna, await PythonAsync("census", Anna));
        Assert.Equal(boris, await PythonAsync("census", Boris));
        (await server.CliAsync("verify")).Succeeded();
        await PythonAsync("fill", Anna, "500", "1");
        Assert.True(int.Parse(await PythonAsync("top", Anna), null) > top);
        // and it goes on with the same backup
        await JsonAsync("backup", Repository, "--keep", "1");
        var snapshots = (await JsonAsync("restore", Repository, "--list")).AsArray();
        Assert.Equal(97, Assert.Single(snapshots)!["messages"]!.GetValue<int>());
        (await server.CliAsync("status")).Succeeded();
    }

    [Fact]
    public async Task Under_load_and_through_a_kill_a_snapshot_holds_all_that_was_acknowledged_before()
    {
        var list = Path.Combine(server.Folder, "acknowledged");
        using var stop = new CancellationTokenSource();
        using var load = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Tool.Find("python3"), [Path.Combine(House.Repository.Root, "tests/EndToEnd/python/backup.py"), "load", Anna, list])
        {
            RedirectStandardInput = true,
            Environment = { ["PASSWORD"] = TestServer.Password, ["SMTP"] = server.Smtp.ToString(null as IFormatProvider), ["IMAP"] = server.Imap.ToString(null as IFormatProvider) },
        })!;
        await Wait.UntilAsync(() => File.Exists(list) && File.ReadLines(list).Count() > 300, "the load runs");
        await JsonAsync("backup", Repository);
        File.Copy(list, list + ".before");
        var second = await JsonAsync("backup", Repository);
        // SIGKILL in the middle of the third
        var third = server.CliAsync("backup", Repository);
        await Wait.UntilAsync(() => third.IsCompleted || System.IO.Directory.GetDirectories(Path.Combine(Repository, "snapshots")).Length == 3, "the third begins");
        await server.KillAsync();
        await third;
        load.StandardInput.Close();
        await load.WaitForExitAsync(TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        await PythonAsync("holds", Anna, list);
        await JsonAsync("backup", Repository);
        Assert.All(System.IO.Directory.GetDirectories(Path.Combine(Repository, "snapshots")), snapshot => Assert.True(File.Exists(Path.Combine(snapshot, "manifest.json")), snapshot));
        await RestoreInPlaceAsync("--at", second["snapshot"]!.GetValue<string>());
        await PythonAsync("holds", Anna, list + ".before");
        (await server.CliAsync("verify")).Succeeded();
        await RestoreInPlaceAsync();
        await PythonAsync("holds", Anna, list);
        (await server.CliAsync("verify")).Succeeded();
    }

    [Fact]
    public async Task One_account_is_put_back_into_the_running_server()
    {
        await PythonAsync("fill", Anna, "1", "40");
        await PythonAsync("change", Anna);
        var before = await PythonAsync("census", Anna, "no");
        await JsonAsync("backup", Repository);
        await PythonAsync("destroy", Anna);
        var would = await JsonAsync("restore", Repository, "--account", Anna, "--dry-run");
        var done = await JsonAsync("restore", Repository, "--account", Anna);
        Assert.Equal(would["restored"]!.GetValue<int>(), done["restored"]!.GetValue<int>());
        var (then, now) = (JsonNode.Parse(before)!, JsonNode.Parse(await PythonAsync("census", Anna, "no"))!);
        Assert.Equal(then["mailboxes"]!["Courses/Spring"]!.ToJsonString(), now["mailboxes"]!["Courses/Spring"]!.ToJsonString());
        Assert.Equal(then["subscribed"]!.ToJsonString(), now["subscribed"]!.ToJsonString());
        var inbox = now["mailboxes"]!["INBOX"]!["messages"]!.AsArray().Select(row => row!.ToJsonString()).ToHashSet();
        // the one that was moved to Archive stays there
        Assert.Single(then["mailboxes"]!["INBOX"]!["messages"]!.AsArray(), row => !inbox.Contains(row!.ToJsonString()));
        Assert.Equal(0, (await JsonAsync("restore", Repository, "--account", Anna))["restored"]!.GetValue<int>());
        // an account that was removed signs in with its old password
        (await server.CliAsync("account", "remove", Anna)).Succeeded();
        Assert.True((await JsonAsync("restore", Repository, "--account", Anna))["created"]!.GetValue<bool>());
        Assert.Equal(before, await PythonAsync("census", Anna, "no"));
        // and without a server
        (await server.CliAsync("account", "remove", Anna)).Succeeded();
        await server.StopAsync();
        await JsonAsync("restore", Repository, "--account", Anna);
        await JsonAsync("backup", Repository);
        await server.StartAgainAsync();
        Assert.Equal(before, await PythonAsync("census", Anna, "no"));
    }

    [Fact]
    public async Task Wrong_uses_are_refused_with_a_sentence()
    {
        Assert.Contains("inside the data directory", (await server.CliAsync("backup", Path.Combine(server.Data, "b"))).Failed(1).Error);
        Assert.Contains("is no backup", (await server.CliAsync("restore", server.Folder, "--list")).Failed(1).Error);
        Assert.Contains("--keep takes a number", (await server.CliAsync("backup", Repository, "--keep", "0")).Failed(2).Error);
        Assert.Contains("add --account", (await server.CliAsync("restore", Repository, "--into", "X")).Failed(2).Error);
        await JsonAsync("backup", Repository);
        Assert.Contains("A server runs on", (await server.CliAsync("restore", Repository)).Failed(1).Error);
        Assert.Contains("has no account", (await server.CliAsync("restore", Repository, "--account", "nobody@example.test")).Failed(1).Error);
    }
}
