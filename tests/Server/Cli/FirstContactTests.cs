using System.Text.Json;
using CbaMail.Cli;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Cli;

/// <summary>What an administrator meets who comes from another mail server: words of elsewhere, typing errors, overviews, settings that are wrong.</summary>
public sealed class FirstContactTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    static readonly IReadOnlyList<Verb> Verbs = CommandLine.Verbs((_, _) => Task.FromResult(0), CbaMail.Composition.LookAsync);

    TestServer Server => fixture.Server;

    static async Task<(int Code, string Out, string Error)> RunAsync(params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(words, Verbs, TextReader.Null, output, error);
        return (code, output.ToString(), error.ToString());
    }

    Task<(int Code, string Out, string Error)> HereAsync(params string[] words) => RunAsync([.. words, "--data", Server.Data]);

    async Task<JsonElement> JsonAsync(params string[] words)
    {
        var (code, text, error) = await HereAsync([.. words, "--json"]);
        Assert.Equal((0, ""), (code, error));
        return JsonDocument.Parse(text).RootElement;
    }

    [Theory]
    [InlineData("mailq", "queue list")]
    [InlineData("flush", "queue retry")]
    [InlineData("postsuper", "queue drop")]
    [InlineData("pflogsumm", "message summary")]
    [InlineData("quickstart", "setup")]
    [InlineData("stauts", "status")]
    [InlineData("queue lst", "queue list")]
    [InlineData("queue delete", "queue drop")]
    [InlineData("acount list", "account list")]
    public async Task A_word_from_elsewhere_and_a_typing_error_name_the_verb(string typed, string meant)
    {
        var (code, _, error) = await RunAsync(typed.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains($"did you mean \"{meant}\"?", error.Split('\n')[0]);
        Assert.True(error.Split('\n').Length < 15, "the answer scrolls away: " + error);
    }

    [Fact]
    public async Task Options_come_after_the_verb()
    {
        var (code, _, error) = await RunAsync("--data", "elsewhere", "account", "list");
        Assert.Equal((2, "cbamail: the verb comes first and its options after it; \"cbamail help\" lists the verbs\n"), (code, error));
    }

    [Fact]
    public async Task A_word_of_nowhere_is_one_line()
    {
        var (code, _, error) = await RunAsync("frobnicate");
        Assert.Equal((2, "cbamail: there is no verb \"frobnicate\"; \"cbamail help\" lists them\n"), (code, error));
    }

    [Fact]
    public void Without_an_option_the_directory_is_that_of_the_place_or_of_the_installation()
    {
        var here = System.IO.Directory.CreateTempSubdirectory("cba-place").FullName;
        try
        {
            var (file, installed) = (Path.Combine(here, "cbamail.yaml"), Path.Combine(here, "var"));
            Assert.Equal("data", DataPlace.Standard(null, here, file, installed));
            System.IO.Directory.CreateDirectory(installed);
            Assert.Equal(installed, DataPlace.Standard(null, here, file, installed));
            File.WriteAllText(file, "data: /srv/mail\n");
            Assert.Equal("/srv/mail", DataPlace.Standard(null, here, file, installed));
            System.IO.Directory.CreateDirectory(Path.Combine(here, "data"));
            Assert.Equal("data", DataPlace.Standard("", here, file, installed));
            Assert.Equal("/else", DataPlace.Standard("/else", here, file, installed));
        }
        finally
        {
            System.IO.Directory.Delete(here, recursive: true);
        }
    }

    [Fact]
    public async Task The_Tab_key_completes_verbs_and_options()
    {
        var file = Path.Combine(Server.Folder, "completion");
        await File.WriteAllTextAsync(file, (await RunAsync("completion", "bash")).Out);
        async Task<string[]> CompleteAsync(params string[] words)
        {
            var line = string.Join(' ', words.Select(word => $"'{word}'"));
            var ran = await Tool.RunAsync("bash", "-c", $"source {file}; COMP_WORDS=(cbamail {line}); COMP_CWORD={words.Length}; _cbamail; echo \"${{COMPREPLY[@]}}\"");
            return ran.Succeeded().Output.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
        Assert.Equal(["queue"], await CompleteAsync("qu"));
        Assert.Equal(["release", "retry", "rule"], (await CompleteAsync("queue", "r")).Order());
        Assert.Equal(["--state", "--subject"], (await CompleteAsync("queue", "list", "--s")).Where(word => word != "--size").Order());
        Assert.Contains("--certificates", await CompleteAsync("setup", "--"));
        Assert.Equal(2, (await RunAsync("completion", "fish")).Code);
    }

    [Theory]
    [InlineData("hostname: mail.school.example\n", null)]
    [InlineData("dns:\n  servers: [127.0.0.1, resolver.example]\n", "line 2: dns.servers: \"resolver.example\" is no address")]
    [InlineData("hostname: a.example\nmilters:\n  - name: x\n    address: localhost\n", "line 4: \"localhost\" is no address of a milter")]
    [InlineData("hooks:\n  - url: http://filter.example.org/\n", "line 2: the hook http://filter.example.org/ would be asked in clear text")]
    [InlineData("tls:\n  certificate: /nowhere.pem\n", "tls: /nowhere.pem does not exist")]
    [InlineData("sending:\n  sources:\n    - address: 192.0.2.300\n", "\"192.0.2.300\" is no IP address")]
    [InlineData("inbound:\n  allow: [not/a/client]\n", "inbound.allow")]
    [InlineData("directory:\n  ldap:\n    - {name: school, servers: [ldaps://ldap.school.example], base: 'dc=school', ca-file: /nowhere/ca.pem}\n", "directory.ldap (school): /nowhere/ca.pem cannot be read")]
    [InlineData("directory:\n  ldap:\n    - {name: school, servers: [ldaps://ldap.school.example], base: 'dc=school', bind-dn: 'cn=reader', bind-password-file: /nowhere/password}\n", "directory.ldap (school): /nowhere/password cannot be read")]
    [InlineData("smtp:\n  recipients: many\n", "line 2: \"many\" is not right for \"smtp.recipients\": expected a number\n")]
    public async Task Settings_are_looked_at_without_a_start(string text, string? sentence)
    {
        var file = Path.Combine(Server.Folder, Guid.NewGuid() + ".yaml");
        await File.WriteAllTextAsync(file, text);
        var (code, output, error) = await RunAsync("check", "config", file);
        if (sentence is null) Assert.Equal((0, $"{file} is right: the server starts with it.\n", ""), (code, output, error));
        else
        {
            Assert.Equal((1, ""), (code, output));
            Assert.Contains(sentence, error);
            Assert.Single(error.TrimEnd('\n').Split('\n'));
            Assert.DoesNotContain("   at ", error);
        }
    }

    [Fact]
    public async Task A_policy_says_what_it_takes()
    {
        var (code, _, error) = await HereAsync("policy", "set", "example.test", "dmarc", "maybe");
        Assert.Equal((2, "cbamail: dmarc is follow, junk or ignore, not \"maybe\"\n"), (code, error));
    }

    [Fact]
    public async Task The_day_and_the_queue_are_summed_up()
    {
        var swaks = new[] { "--server", $"127.0.0.1:{Server.Smtp}", "--from", "clerk@bank.example" };
        Assert.Equal(0, (await Tool.RunAsync("swaks", [.. swaks, "--to", ServerFixture.Anna])).ExitCode);
        for (var i = 0; i < 2; i++) Assert.NotEqual(0, (await Tool.RunAsync("swaks", [.. swaks, "--to", $"nobody{i}@example.test"])).ExitCode);
        var summary = await JsonAsync("message", "summary", "--since", "1h");
        Assert.Equal(2, summary.GetProperty("refused").GetInt32());
        var refusal = Assert.Single(summary.GetProperty("refusals").EnumerateArray());
        Assert.Equal(2, refusal.GetProperty("count").GetInt32());
        Assert.StartsWith("550 5.1.1", refusal.GetProperty("what").GetString());
        Assert.Contains(summary.GetProperty("arrived").EnumerateArray(), tally => tally.GetProperty("what").GetString() == "servers" && tally.GetProperty("count").GetInt32() == 1);
        var text = (await HereAsync("message", "summary")).Out;
        foreach (var part in new[] { "from other servers", "into a mailbox here", "Why mail was refused", "clerk@bank.example" }) Assert.Contains(part, text);
        Assert.Equal(1, (await HereAsync("message", "summary", "--since", "yesterday")).Code);
        Assert.Contains("clerk@bank.example", (await HereAsync("message", "trace", "--from", "clerk@")).Out);

        Assert.Equal(0, (await HereAsync("queue", "hold")).Code);
        try
        {
            Assert.Contains("nothing leaves", (await HereAsync("status")).Out);
            Assert.Equal(0, (await HereAsync("alias", "add", "away@example.test", "a@far.example", "b@far.example", "c@near.example")).Code);
            Assert.Equal(0, (await Tool.RunAsync("swaks", [.. swaks, "--to", "away@example.test"])).ExitCode);
            var queue = await JsonAsync("queue", "summary");
            Assert.True(queue.GetProperty("held").GetBoolean());
            Assert.Equal(["far.example 2", "near.example 1"], queue.GetProperty("domains").EnumerateArray().Select(row => $"{row.GetProperty("domain").GetString()} {row.GetProperty("recipients").GetInt32()}"));
            var shown = (await HereAsync("queue", "summary")).Out;
            Assert.Contains("1 message for 3 recipients", shown);
            Assert.Contains("Nothing leaves", shown);
        }
        finally
        {
            await HereAsync("queue", "drop", "--from", "*", "--all-matching");
            await HereAsync("queue", "release");
        }
    }

    [Fact]
    public async Task Status_says_that_a_filter_is_dead()
    {
        await using var server = await TestServer.StartAsync($"milters:\n  - name: rspamd\n    address: 127.0.0.1:{FreePorts.One()}\n    on-failure: accept\n");
        await server.AddAccountsAsync(ServerFixture.Anna);
        Assert.Equal(0, (await RunAsync("status", "--data", server.Data)).Code);
        for (var i = 0; i < 3; i++) Assert.Equal(0, (await Tool.RunAsync("swaks", "--server", $"127.0.0.1:{server.Smtp}", "--from", "clerk@bank.example", "--to", ServerFixture.Anna)).ExitCode);
        var (code, output, _) = await RunAsync("status", "--data", server.Data);
        Assert.Equal(1, code);
        Assert.Contains("FAILS filters       rspamd does not answer", output);
    }

    [Fact]
    public async Task An_exported_suppression_list_is_imported_as_it_was()
    {
        Assert.Equal(0, (await HereAsync("suppression", "add", "ivan@example.org", "--for", "90d", "--detail", "asked, twice")).Code);
        Assert.Equal(0, (await HereAsync("suppression", "add", "maria@example.org", "--reason", "complaint")).Code);
        var list = (await HereAsync("suppression", "export")).Out;
        var file = Path.Combine(Server.Folder, "suppressions.csv");
        await File.WriteAllTextAsync(file, list + "x@example.org,nonsense,\ny@example.org,dead,,2020-01-01T00:00Z\n");
        foreach (var address in new[] { "ivan", "maria" }) Assert.Equal(0, (await HereAsync("suppression", "remove", address + "@example.org")).Code);
        var (code, output, error) = await HereAsync("suppression", "import", file);
        Assert.Equal((0, "2 addresses added.\n"), (code, output));
        Assert.Contains("line 4: \"nonsense\" is no reason", error);
        Assert.Contains("line 5: it has ended already", error);
        Assert.Equal(list, (await HereAsync("suppression", "export")).Out);
    }

    [Fact]
    public async Task Names_are_shown_as_people_write_them()
    {
        Assert.Equal(0, (await HereAsync("domain", "add", "школа.test")).Code);
        Assert.Equal(0, (await HereAsync("account", "add", "анна@школа.test", "--generate")).Code);
        Assert.Contains("школа.test", (await HereAsync("domain", "list")).Out);
        Assert.Contains("анна@школа.test", (await HereAsync("account", "list")).Out);
        Assert.Contains("школа.test (xn--80atdl2c.test in DNS)", (await HereAsync("domain", "show", "школа.test")).Out);
    }

    [Fact]
    public void A_unit_for_systemd_is_printed_and_is_one()
    {
        var text = SystemdUnit.Text("/etc/cbamail/cbamail.yaml", "/var/lib/cbamail");
        Assert.All(text.Split('\n').Where(line => line.Length > 0 && line[0] is not ('#' or '[')), line => Assert.Contains('=', line));
        foreach (var part in new[] { "[Unit]", "[Service]", "[Install]", "serve --config /etc/cbamail/cbamail.yaml", "CAP_NET_BIND_SERVICE", "ReadWritePaths=/var/lib/cbamail" }) Assert.Contains(part, text);
    }
}
