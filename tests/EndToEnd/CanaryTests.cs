using System.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A few copies go first, and say whether the rest goes.</summary>
public sealed class CanaryTests
{
    [Fact]
    public async Task The_rest_goes_only_where_the_first_arrive_or_somebody_says_so()
    {
        await using var peer = new ScriptedPeer(IPAddress.Parse("127.0.0.2")) { Script = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.7.1 we do not want it" : null };
        await using var server = await TestServer.StartAsync($"queue: {{routes: [{{host: 127.0.0.2, port: {peer.Port}}}]}}");
        var course = await CourseSetup.MakeAsync(server, 20);
        var good = await CourseSetup.MailingAsync(server, course);
        (await server.CliAsync("mailing", "send", good, "--canary", "5", "--canary-wait", "0", "--wait")).Succeeded();
        Assert.Equal(20, (await CourseSetup.StatusAsync(server, good))["delivered"].GetInt32());
        Assert.StartsWith("passed", (await server.CliAsync("mailing", "canary", good)).Succeeded().Output);

        (await server.CliAsync("course", "enrol", course, "seed@elsewhere.test")).Succeeded();
        var bad = await CourseSetup.MailingAsync(server, course, html: "<p>Здравствуйте!</p>", subject: "Ещё раз");
        (await server.CliAsync("mailing", "send", bad, "--canary", "101000")).Failed(1);
        (await server.CliAsync("mailing", "send", bad, "--canary", "4", "--seed", "seed@elsewhere.test", "--canary-wait", "60")).Succeeded();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, bad))["state"].GetString() == "paused", "it stops by itself");
        await server.KillAsync();
        await server.StartAgainAsync();
        var status = await CourseSetup.StatusAsync(server, bad);
        Assert.Equal((4, 1, 16), (status["delivered"].GetInt32(), status["bounced"].GetInt32(), status["rendered"].GetInt32()));
        Assert.Contains("1 of the first 5", (await server.CliAsync("mailing", "canary", bad)).Succeeded().Output);
        (await server.CliAsync("mailing", "resume", bad)).Succeeded();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, bad))["state"].GetString() == "sent", "the rest goes");
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(2, pair.Value));
    }
}
