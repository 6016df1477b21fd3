using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Tests.House;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>The commands of the guide to the API, run as they stand there by bash and curl; only the host's name leads to the test's server.</summary>
public sealed partial class ApiGuideTests
{
    [Theory]
    [InlineData("en")]
    [InlineData("ru")]
    public async Task Every_command_of_the_guide_works(string language)
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync("dean@example.org");
        var place = System.IO.Directory.CreateTempSubdirectory("cba-guide").FullName;
        await File.WriteAllTextAsync(Path.Combine(place, ".curlrc"), $"connect-to = \"mail.example.org:443:127.0.0.1:{server.Https}\"\ninsecure\n");
        var program = Path.Combine(place, "cbamail");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec '{TestServer.Program}' \"$@\" --data '{server.Data}'\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var guide = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", language, "api-examples.md"));
        var script = new StringBuilder("set -euo pipefail\n");
        foreach (Match block in Block().Matches(guide)) script.Append(block.Groups[1].Value);
        var ran = await new Tool { Folder = place, Environment = { ["CURL_HOME"] = place, ["PATH"] = place + ":" + Environment.GetEnvironmentVariable("PATH") } }.StartAsync("bash", "-xc", script.ToString());
        Assert.True(ran.ExitCode == 0, $"{ran.Output}\n{ran.Error}");
        Assert.Contains("\"keptDays\":", ran.Output); // the trial told what would be ...
        Assert.Contains("anna@school.example", (await server.CliAsync("account", "list")).Output); // ... and did nothing
        Assert.Contains("***", ran.Output); // the second answer under the idempotency key
        Assert.Contains("{\"status\":404", ran.Output); // one of the batch
        Assert.Matches("\"code\":\"[a-z-]+\",\"detail\":\"[^\"]*\\p{IsCyrillic}", ran.Output);
        Assert.Contains("\"state\":\"delivered\"", await LedgerAsync(server));
        System.IO.Directory.Delete(place, recursive: true);
    }

    [Fact]
    public void Both_languages_have_the_same_commands() => Assert.Equal(Shape("en"), Shape("ru"));

    /// <summary>The commands without the texts in them.</summary>
    static string Shape(string language) => string.Join('\n',
        Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", language, "api-examples.md"))).SelectMany(block => block.Groups[1].Value.Split('\n')).Select(line => Regex.Match(line, "^[^'{]*").Value.Split("key add")[0]));

    static async Task<string> LedgerAsync(TestServer server)
    {
        var ledger = "";
        await Wait.UntilAsync(async () => !(ledger = (await server.CliAsync("api", "GET", "mailings/1/ledger")).Output).Contains("\"state\":\"queued\"", StringComparison.Ordinal) && ledger.Length > 0, "every copy of the mailing is delivered");
        return ledger;
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)] private static partial Regex Block();
}
