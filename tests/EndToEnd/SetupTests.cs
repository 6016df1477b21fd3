using System.Globalization;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>The guided first start, with nobody there and with a person at a terminal.</summary>
public sealed class SetupTests : IDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-setup").FullName;

    string At(string name) => Path.Combine(directory, name);

    Task<Ran> SetupAsync(params string[] arguments) => new Tool { Folder = directory, Environment = { ["LANG"] = "C.UTF-8" } }.StartAsync(TestServer.Program, ["setup", .. arguments]);

    int Offset { get; } = FreePorts.Offset();
    string[] Places => ["--data", At("data"), "--config", At("cbamail.yaml"), "--port-offset", Offset.ToString(CultureInfo.InvariantCulture), "--dns-server", "127.0.0.1:1", "--probe", "127.0.0.1:1"];

    [Fact]
    public async Task Without_a_terminal_the_domain_is_enough()
    {
        var ran = (await SetupAsync(["--domain", "School.test", .. Places])).Succeeded();
        foreach (var part in new[] { "mail.school.test", "admin@school.test", "_domainkey", "v=spf1", "LOOK  outward", "The next three things", "check dns school.test" })
            Assert.Contains(part, ran.Output, StringComparison.Ordinal);
        Assert.Contains("hostname: mail.school.test\ndata: ", await File.ReadAllTextAsync(At("cbamail.yaml"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("cbamail.yaml")));
        Assert.Contains("overwrites nothing", (await SetupAsync(["--domain", "school.test", .. Places])).Failed(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_made_is_served_and_the_password_signs_in()
    {
        using var made = JsonDocument.Parse((await SetupAsync(["--domain", "example.test", "--json", "--no-checks", .. Places])).Succeeded().Output);
        var password = made.RootElement.GetProperty("password").GetString()!;
        Assert.Equal(2, made.RootElement.GetProperty("records").EnumerateArray().Count(record => record.GetProperty("name").GetString()!.Contains("_domainkey", StringComparison.Ordinal)));
        var folder = System.IO.Directory.CreateDirectory(At("served")).FullName;
        System.IO.Directory.Move(At("data"), Path.Combine(folder, "data"));
        await using var server = await TestServer.StartAsync(launch: new TestServer.Launch { Folder = folder });
        var ran = await Tool.RunAsync("curl", "-s", "imap://127.0.0.1:" + server.Imap.ToString(CultureInfo.InvariantCulture) + "/INBOX", "--user", "admin@example.test:" + password, "-X", "STATUS INBOX (MESSAGES)");
        Assert.Contains("MESSAGES 0", ran.Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(2, (await server.CliAsync("dkim", "list", "example.test")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task In_Russian_too_and_with_certificates_of_an_authority()
    {
        var ran = (await SetupAsync(["--domain", "школа.test", "--language", "ru", "--certificates", "acme", "--yes", "--no-checks", .. Places])).Succeeded();
        Assert.Contains("Что дальше", ran.Output, StringComparison.Ordinal);
        Assert.Contains("mail.xn--80a1agc6b.test".Split('.')[0], ran.Output, StringComparison.Ordinal);
        Assert.Contains("agree-terms: yes", await File.ReadAllTextAsync(At("cbamail.yaml"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--domain", "", "needs")]
    [InlineData("--yes", null, "give --domain")]
    [InlineData("--domain", "no domain", "is not a domain name")]
    [InlineData("--admin", "x@elsewhere.test", "is not an address in school.test")]
    [InlineData("--certificates", "magic", "\"acme\" or \"self\"")]
    [InlineData("--language", "de", "takes \"ru\" or \"en\"")]
    public async Task Wrong_answers_are_refused_and_nothing_is_made(string option, string? value, string sentence)
    {
        string[] domain = option is "--domain" or "--yes" ? [] : ["--domain", "school.test"];
        string[] given = value is null ? [option] : value.Length == 0 ? [option] : [option, value];
        var ran = await SetupAsync([.. domain, "--no-checks", "--data", At("data"), "--config", At("c.yaml"), .. given]);
        ran.Failed(2);
        Assert.Contains(sentence, ran.Error, StringComparison.Ordinal);
        Assert.False(System.IO.Directory.Exists(At("data")));
    }

    [Fact]
    public async Task Ports_of_others_are_named_by_their_program()
    {
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Any, Offset + 25);
        other.Start();
        using var made = JsonDocument.Parse((await SetupAsync(["--domain", "school.test", "--json", .. Places])).Succeeded().Output);
        var ports = made.RootElement.GetProperty("checks").EnumerateArray().First(check => check.GetProperty("name").GetString() == "ports");
        Assert.Contains($"port {Offset + 25} is taken by", ports.GetProperty("sentence").GetString(), StringComparison.Ordinal);
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), ports.GetProperty("sentence").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_terminal_it_asks_and_asks_again_after_a_wrong_answer()
    {
        // script(1) is a terminal: what is typed comes from its standard input
        var script = $"{TestServer.Program} setup --no-checks --data {At("data")} --config {At("c.yaml")} --language en";
        var ran = await new Tool { Folder = directory, Input = "nonsense\nschool.test\n\nboss\nself\n" }.StartAsync("script", "-qec", script, "/dev/null");
        ran.Succeeded();
        Assert.Contains("\"nonsense\" is not a domain name", ran.Output, StringComparison.Ordinal);
        Assert.Contains("Full name of this server [mail.school.test]", ran.Output, StringComparison.Ordinal);
        Assert.Contains("Administrator  boss@school.test", ran.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(At("c.yaml")));
    }

    public void Dispose() => System.IO.Directory.Delete(directory, recursive: true);
}
