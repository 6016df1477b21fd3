using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

public class AccountImportTests
{
    [Fact]
    [Trait("Category", "Slow")]
    public async Task Imports_2500_rows_stays_responsive_and_changes_nothing_the_second_time()
    {
        await using var server = await TestServer.StartAsync();
        (await server.CliAsync("domain", "add", "course.test")).Succeeded();
        var rows = new StringBuilder("address,name,password,quota,groups\n");
        for (var i = 1; i <= 2500; i++) rows.Append($"u{i:0000}@course.test,\"Участник, {i}\",{(i % 5 == 0 || i == 1234 ? $"secret-{i}" : "")},100M,весна\n");
        var file = Path.Combine(server.Folder, "people.csv");
        await File.WriteAllTextAsync(file, rows.ToString(), TestContext.Current.CancellationToken);
        var importing = server.CliAsync("", ["account", "import", file], seconds: 400);
        await Wait.UntilAsync(async () =>
        {
            // others are served while passwords are being hashed
            await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
            await client.SmtpAsync("NOOP", "250");
            return importing.IsCompleted;
        }, "the import is done", seconds: 400);
        (await importing).Succeeded();
        var list = JsonDocument.Parse((await server.CliAsync("account", "list", "--json")).Succeeded().Output);
        Assert.Equal(2500, list.RootElement.EnumerateArray().Count(a => a.GetProperty("address").GetString()!.EndsWith("@course.test", StringComparison.Ordinal)));
        await using (var client = await WireClient.ImapLoginAsync(server.Imap, "u1234@course.test", "secret-1234"))
            await client.ImapAsync("SELECT INBOX", "OK");
        var again = (await server.CliAsync("", ["account", "import", file, "--json"], seconds: 400)).Succeeded();
        Assert.Contains("2500", again.Output);
        await using (var client = await WireClient.ImapLoginAsync(server.Imap, "u2500@course.test", "secret-2500"))
            await client.ImapAsync("NOOP", "OK");
    }

    [Fact]
    public async Task Bad_rows_are_named_by_line_and_the_rest_is_imported()
    {
        await using var server = await TestServer.StartAsync();
        (await server.CliAsync("domain", "add", "course.test")).Succeeded();
        var file = Path.Combine(server.Folder, "people.csv");
        await File.WriteAllTextAsync(file, "address;name\ngood@course.test;Хороший\nnot an address;Плохой\n\"open@course.test;x\n", new UTF8Encoding(true), TestContext.Current.CancellationToken);
        var ran = await server.CliAsync("account", "import", file);
        Assert.Contains("3", ran.All);
        var list = (await server.CliAsync("account", "list", "--json")).Succeeded().Output;
        Assert.Contains("good@course.test", list);
        Assert.DoesNotContain("not an address", list);
    }

    [Theory]
    [InlineData("no-such-file.csv", null)]
    [InlineData("empty.csv", "")]
    [InlineData("headless.csv", "a@course.test,b\n")]
    public async Task A_file_that_cannot_be_read_is_refused_with_a_sentence(string name, string? text)
    {
        await using var server = await TestServer.StartAsync();
        var file = Path.Combine(server.Folder, name);
        if (text is not null) await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        var ran = await server.CliAsync("account", "import", file);
        Assert.Equal(1, ran.ExitCode);
        Assert.NotEmpty(ran.Error);
        Assert.DoesNotContain("   at ", ran.All);
    }

    [Fact]
    public async Task Verbs_answer_with_the_exit_codes_of_the_contract()
    {
        await using var server = await TestServer.StartAsync();
        (await server.CliAsync("status")).Succeeded();
        JsonDocument.Parse((await server.CliAsync("status", "--json")).Succeeded().Output).Dispose();
        (await server.CliAsync("domain", "add", "course.test")).Succeeded();
        (await server.CliAsync("domain", "add", "course.test")).Failed(1);
        (await server.CliAsync("account", "add", "a@nowhere.test", "--generate")).Failed(1);
        Assert.NotEmpty((await server.CliAsync("account", "add", "a@course.test", "--generate")).Succeeded().Output.Trim());
        (await server.CliAsync("account", "add", "a@course.test", "--generate")).Failed(1);
        (await server.CliAsync("account", "show", "b@course.test")).Failed(1);
        (await server.CliAsync("nonsense")).Failed(2);
        (await server.CliAsync("account", "add")).Failed(2);
        (await server.CliAsync("alias", "add", "teachers@course.test", "a@course.test")).Succeeded();
        await Letter.SendAsync(server.Smtp, "stranger@example.org", "teachers@course.test", Letter.Text("stranger@example.org", "teachers@course.test", "by alias"));
        (await server.CliAsync("new password\n", ["account", "password", "a@course.test", "--password-stdin"])).Succeeded();
        Assert.Single(await Letter.AllAsync(server.Imap, "a@course.test", password: "new password"));
        (await server.CliAsync(Letter.Text("x@example.org", "a@course.test", "by verb"), ["message", "deliver", "a@course.test"])).Succeeded();
        Assert.Equal(2, (await Letter.AllAsync(server.Imap, "a@course.test", password: "new password")).Count);
        (await server.CliAsync(Letter.Text("x@example.org", "b@course.test", "by verb"), ["message", "deliver", "b@course.test"])).Failed(1);
        await server.StopAsync();
        var stopped = await server.CliAsync("status");
        Assert.NotEqual(0, stopped.ExitCode);
        Assert.NotEmpty(stopped.Error);
    }
}
