using System.Net.Sockets;
using System.Text.Json;
using CbaMail.Cli;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Cli;

/// <summary>The verbs, run in this process against the real server.</summary>
public sealed class AdministrationTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    TestServer Server => fixture.Server;

    async Task<(int Code, string Out, string Error)> RunAsync(string input, params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync([.. words, "--data", Server.Data], CommandLine.Verbs((_, _) => Task.FromResult(0)), new StringReader(input), output, error);
        return (code, output.ToString(), error.ToString());
    }

    async Task<JsonElement> JsonAsync(params string[] words)
    {
        var (code, text, error) = await RunAsync("", [.. words, "--json"]);
        Assert.Equal((0, ""), (code, error));
        return JsonDocument.Parse(text).RootElement;
    }

    async Task RefusedAsync(string word, params string[] words)
    {
        var (code, text, error) = await RunAsync("", words);
        Assert.Equal((1, ""), (code, text));
        Assert.Contains(word, error);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain("   at ", error);
    }

    [Fact]
    public async Task Domains_come_and_go()
    {
        var added = await JsonAsync("domain", "add", "School.Example", "--quota", "500M");
        Assert.Equal(("school.example", 524288000L), (added.GetProperty("name").GetString(), added.GetProperty("quota").GetInt64()));
        await RefusedAsync("there already", "domain", "add", "school.example");
        Assert.Contains("school.example", (await RunAsync("", "domain", "list")).Out);
        Assert.Contains((await JsonAsync("domain", "dns", "school.example")).EnumerateArray(), record => record.GetProperty("type").GetString() == "MX");
        Assert.Equal(1 << 30, (await JsonAsync("domain", "set", "school.example", "--quota", "1G")).GetProperty("quota").GetInt64());
        Assert.Equal(0, (await RunAsync("", "account", "add", "x@school.example", "--generate")).Code);
        await RefusedAsync("still has accounts", "domain", "remove", "school.example");
        Assert.Equal(0, (await RunAsync("", "account", "remove", "x@school.example")).Code);
        Assert.Equal(0, (await RunAsync("", "domain", "remove", "school.example")).Code);
        await RefusedAsync("There is no domain", "domain", "show", "school.example");
    }

    [Fact]
    public async Task An_account_lives()
    {
        var (code, text, _) = await RunAsync("s3cret word\nsecond line\n", "account", "add", "Vera@Example.test", "--name", "Вера", "--password-stdin", "--role", "domain-admin", "--json");
        Assert.Equal(0, code);
        Assert.DoesNotContain("s3cret", text);
        var shown = await JsonAsync("account", "show", "vera@example.test");
        Assert.Equal(("vera@example.test", "Вера", "domain-admin", true), (shown.GetProperty("address").GetString(), shown.GetProperty("name").GetString(), shown.GetProperty("role").GetString(), shown.GetProperty("hasPassword").GetBoolean()));
        await RefusedAsync("taken", "account", "add", "vera@example.test", "--generate");
        await RefusedAsync("is no role", "account", "set", "vera@example.test", "--role", "king");
        await RefusedAsync("is not a size", "account", "set", "vera@example.test", "--quota", "much");
        Assert.False((await JsonAsync("account", "set", "vera@example.test", "--disable", "--quota", "1G")).GetProperty("enabled").GetBoolean());
        var generated = await RunAsync("", "account", "password", "vera@example.test", "--generate");
        Assert.Matches("^[a-z0-9]{4}(-[a-z0-9]{4}){3}\n$", generated.Out);
        Assert.Contains("vera@example.test", (await RunAsync("", "account", "export")).Out);
        Assert.Equal(0, (await RunAsync("", "account", "remove", "vera@example.test")).Code);
        await RefusedAsync("There is no account", "account", "show", "vera@example.test");
    }

    [Fact]
    public async Task Mailboxes_are_made_shared_and_removed()
    {
        Assert.Equal("example.test has a mailbox News/2026.\n", (await RunAsync("", "mailbox", "create", "example.test", "News/2026")).Out);
        Assert.Equal(["News", "News/2026"], (await JsonAsync("mailbox", "list", "example.test")).EnumerateArray().Select(mailbox => mailbox.GetProperty("name").GetString()));
        Assert.Empty((await JsonAsync("mailbox", "rights", "example.test", "News")).EnumerateArray());
        Assert.Equal("anyone  lrs\n", (await RunAsync("", "mailbox", "share", "example.test", "News", "Anyone", "lrs")).Out);
        var (_, rows, _) = await RunAsync("", "mailbox", "share", "example.test", "News", ServerFixture.Anna, "lri");
        Assert.Equal([$"{ServerFixture.Anna} lri", "anyone lrs"], rows.TrimEnd().Split('\n').Select(row => string.Join(' ', row.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        Assert.Equal("lr", (await JsonAsync("mailbox", "share", "example.test", "News", ServerFixture.Anna, "-i"))[0].GetProperty("rights").GetString());
        Assert.Single((await JsonAsync("mailbox", "share", "example.test", "News", ServerFixture.Anna, "none")).EnumerateArray());
        Assert.True((await JsonAsync("mailbox", "list", "example.test"))[0].GetProperty("shared").GetBoolean());
        Assert.Equal("lrswipkxtecda", (await JsonAsync("mailbox", "rights", ServerFixture.Anna, "inbox"))[0].GetProperty("rights").GetString());
        await RefusedAsync("\"y\" is not a right", "mailbox", "share", "example.test", "News", "anyone", "lry");
        await RefusedAsync("There is no account nobody@example.test", "mailbox", "share", "example.test", "News", "nobody@example.test", "lr");
        await RefusedAsync("has no mailbox Nothing", "mailbox", "rights", "example.test", "Nothing");
        await RefusedAsync("There is no account nobody@example.test", "mailbox", "list", "nobody@example.test");
        await RefusedAsync("There is no domain elsewhere.example", "mailbox", "create", "elsewhere.example", "News");
        await RefusedAsync("exists already", "mailbox", "create", "example.test", "News");
        await RefusedAsync("INBOX cannot be deleted", "mailbox", "remove", ServerFixture.Anna, "INBOX");
        Assert.Equal(0, (await RunAsync("", "mailbox", "remove", "example.test", "News/2026")).Code);
        Assert.Equal("The mailbox News of example.test is removed.\n", (await RunAsync("", "mailbox", "remove", "example.test", "News")).Out);
        Assert.Empty((await JsonAsync("mailbox", "list", "example.test")).EnumerateArray());
    }

    [Fact]
    public async Task Aliases_have_targets()
    {
        Assert.Equal(0, (await RunAsync("", "alias", "add", "team@example.test", ServerFixture.Anna, "far@elsewhere.example")).Code);
        Assert.Equal(2, (await JsonAsync("alias", "list")).EnumerateArray().Single(alias => alias.GetProperty("address").GetString() == "team@example.test").GetProperty("targets").GetArrayLength());
        Assert.Equal(0, (await RunAsync("", "alias", "remove", "team@example.test", "far@elsewhere.example")).Code);
        Assert.Equal(0, (await RunAsync("", "alias", "remove", "team@example.test")).Code);
        await RefusedAsync("There is no alias", "alias", "remove", "team@example.test");
        await RefusedAsync("is not a valid address", "alias", "add", "team@example.test", "nonsense");
    }

    [Fact]
    public async Task An_import_reports_and_goes_on()
    {
        var file = Path.Combine(Server.Folder, "people.csv");
        await File.WriteAllTextAsync(file, "\ufeffaddress;name\none@example.test;One\nbad;Bad\ntwo@example.test;Two\n");
        var (code, text, error) = await RunAsync("", "account", "import", file);
        Assert.Equal(0, code);
        Assert.Contains("2 added", text);
        Assert.Contains("line 3", error);
        var report = text.Split("Generated passwords: ")[1].Trim();
        Assert.Equal(3, (await File.ReadAllLinesAsync(report)).Length);
        var again = await RunAsync("", "account", "import", file, "--json");
        Assert.Equal(2, JsonDocument.Parse(again.Out).RootElement.GetProperty("unchanged").GetInt32());
        await RefusedAsync("cannot be read", "account", "import", "/nowhere.csv");
        await File.WriteAllTextAsync(file, "who\nx\n");
        await RefusedAsync("address", "account", "import", file);
    }

    [Fact]
    public async Task A_mailing_that_was_sent_is_refused_for_that_alone()
    {
        var (people, letter) = (Path.Combine(Server.Folder, "course.csv"), Path.Combine(Server.Folder, "letter.txt"));
        await File.WriteAllTextAsync(people, $"address,name,group\n{ServerFixture.Anna},Анна,A\n{ServerFixture.Boris},Борис,\n");
        await File.WriteAllTextAsync(letter, "{{name}}: {{group}}");
        var course = (await RunAsync("", "course", "add", "Once", "--domain", "example.test")).Out.Trim();
        Assert.Equal(0, (await RunAsync("", "course", "import", course, people)).Code);
        var mailing = (await RunAsync("", "mailing", "create", course, "--from", ServerFixture.Anna, "--subject", "Once", "--text", letter)).Out.Trim();
        var first = await RunAsync("", "mailing", "send", mailing);
        Assert.Equal(1, first.Code);
        Assert.Contains("row 3: " + ServerFixture.Boris, first.Error);
        Assert.Equal(0, (await RunAsync("", "mailing", "send", mailing, "--wait", "--skip-invalid")).Code);
        await RefusedAsync("has been sent already", "mailing", "send", mailing);
    }

    [Fact]
    public async Task Status_is_healthy()
    {
        var status = await JsonAsync("status");
        Assert.True(status.GetProperty("healthy").GetBoolean());
        Assert.Contains(status.GetProperty("parts").EnumerateArray(), part => part.GetProperty("name").GetString() == "storage");
        Assert.Contains("healthy", (await RunAsync("", "status")).Out);
    }

    [Fact]
    public async Task The_queue_is_shown_and_refuses_what_is_not_there()
    {
        Assert.Equal(JsonValueKind.Array, (await JsonAsync("queue", "list")).ValueKind);
        foreach (var verb in new[] { "show", "retry", "hold", "release", "drop" }) await RefusedAsync("There is no message", "queue", verb, "999999");
        await RefusedAsync("is no queue id", "queue", "show", "first");
    }

    [Fact]
    public async Task Messages_are_delivered_by_hand()
    {
        var ran = await Server.CliAsync("From: a@b.example\nSubject: by hand\n\nline\n", ["message", "deliver", ServerFixture.Boris]);
        Assert.Equal(0, ran.ExitCode);
        Assert.Equal(1, (await JsonAsync("account", "show", ServerFixture.Boris)).GetProperty("messages").GetInt32());
        Assert.Equal(1, (await Server.CliAsync("x\n", ["message", "deliver", "nobody@example.test"])).ExitCode);
    }

    [Theory]
    [InlineData("bogus")]
    [InlineData("account")]
    [InlineData("account", "bogus")]
    [InlineData("account", "show")]
    [InlineData("account", "show", "a", "b")]
    [InlineData("account", "show", "a", "--bogus")]
    [InlineData("account", "add", "a@example.test")]
    [InlineData("account", "add", "a@example.test", "--name")]
    [InlineData("account", "add", "a@example.test", "--generate=yes")]
    [InlineData("backup", "")]
    [InlineData("restore", "", "--list")]
    [InlineData("verify", "--data", "")]
    public async Task Wrong_usage_is_2(params string[] words)
    {
        var error = new StringWriter();
        Assert.Equal(2, await CommandLine.RunAsync(words, CommandLine.Verbs((_, _) => Task.FromResult(0)), TextReader.Null, TextWriter.Null, error));
        Assert.StartsWith("cbamail: ", error.ToString());
    }

    [Fact]
    public async Task Every_verb_has_help()
    {
        var verbs = CommandLine.Verbs((_, _) => Task.FromResult(0));
        foreach (var verb in verbs)
        {
            var output = new StringWriter();
            Assert.Equal(0, await CommandLine.RunAsync([.. verb.Name.Split(' '), "--help"], verbs, TextReader.Null, output, TextWriter.Null));
            Assert.StartsWith("cbamail " + verb.Name, output.ToString());
        }
        Assert.Equal(verbs.Count, verbs.Select(verb => verb.Name).Distinct().Count());
    }

    [Fact]
    public async Task Without_a_server_a_sentence_says_so()
    {
        var error = new StringWriter();
        Assert.Equal(1, await CommandLine.RunAsync(["status", "--data", "/nowhere/at/all"], CommandLine.Verbs((_, _) => Task.FromResult(0)), TextReader.Null, TextWriter.Null, error));
        Assert.Contains("No server is running on /nowhere/at/all", error.ToString());
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_with_a_sentence()
    {
        var ran = await new Tool { Folder = Server.Folder }.StartAsync(TestServer.Program, ["serve", "--evaluation", "--data", Server.Data, "--port-offset", "47"]);
        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("Another server uses the data directory", ran.Error);
        Assert.DoesNotContain("   at ", ran.Error);
        Assert.Equal(0, (await RunAsync("", "status")).Code);
    }

    [Fact]
    public async Task A_port_in_use_is_a_sentence()
    {
        var data = Path.Combine(Server.Folder, "other");
        var ran = await new Tool { Folder = Server.Folder }.StartAsync(TestServer.Program, ["serve", "--evaluation", "--data", data, "--port-offset", Server.Offset.ToString(null as IFormatProvider)]);
        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("in use by another program", ran.Error);
        Assert.DoesNotContain("   at ", ran.Error);
    }

    [Fact]
    public async Task Administration_is_on_the_socket_and_nowhere_else()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Server.Data, "control.sock")));
        foreach (var path in new[] { "/v1/status", "/v1/accounts", "//v1/accounts", "/V1/accounts" })
            Assert.StartsWith("HTTP/1.1 404", await GetAsync(path));
        Assert.StartsWith("HTTP/1.1 405", await GetAsync("/v1/accounts", "POST"));
    }

    [Fact]
    public async Task The_status_page_speaks_both_languages_and_loads_nothing()
    {
        var russian = await GetAsync("/", "GET", "Accept-Language: ru-RU,ru;q=0.9,en;q=0.8");
        foreach (var word in (string[])["Составные части", "Хранилище", "запись закрепляется", "доменов: "]) Assert.Contains(word, russian);
        Assert.DoesNotContain("commits in", russian);
        var english = await GetAsync("/", "GET", "Accept-Language: de, en;q=0.5, ru;q=0.1");
        Assert.Contains("<h2>Parts</h2>", english);
        Assert.DoesNotContain("src=", english);
        Assert.DoesNotContain("http://", english);
        Assert.EndsWith("ok\n", await GetAsync("/healthz"));
    }

    async Task<string> GetAsync(string path, string method = "GET", string header = "Accept: */*")
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Server.Http);
        await using var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
