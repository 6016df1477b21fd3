using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Mailings that go out by themselves, over moved sessions and kill -9, from the command line to the mailboxes.</summary>
public sealed class ScheduleTests
{
    static string Time(TimeSpan later) => (DateTimeOffset.UtcNow + later).ToString("yyyy-MM-ddTHH:mm:ssK").Replace("+00:00", "Z");

    static async Task<JsonElement> JsonAsync(TestServer server, params string[] verb) => JsonDocument.Parse((await server.CliAsync([.. verb, "--json"])).Succeeded().Output).RootElement;

    [Fact]
    public async Task It_goes_out_for_each_session_once_whatever_is_killed_and_moved()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 20);
        (await server.CliAsync("session", "add", course, "Лекция 1", "--starts", Time(TimeSpan.FromSeconds(64)))).Succeeded();
        var second = (await server.CliAsync("session", "add", course, "Лекция 2", "--starts", Time(TimeSpan.FromHours(30)))).Succeeded().Output.Trim();
        var mailing = await CourseSetup.MailingAsync(server, course);

        Assert.Contains("Not done", (await server.CliAsync("mailing", "schedule", mailing, "1min before each session", "--dry-run")).Succeeded().Output);
        Assert.Equal("draft", (await CourseSetup.StatusAsync(server, mailing))["state"].GetString());
        (await server.CliAsync("mailing", "schedule", mailing, "1min before each session")).Succeeded();
        (await server.CliAsync("mailing", "send", mailing)).Failed(1);
        Assert.Equal(2, (await JsonAsync(server, "mailing", "schedule", mailing)).GetProperty("occasions").GetArrayLength());
        Assert.Equal(mailing, Assert.Single((await JsonAsync(server, "mailing", "coming", course)).EnumerateArray().ToList()).GetProperty("mailing").ToString());
        await server.KillAsync();
        await server.StartAgainAsync();

        async Task<List<string>> ChildrenAsync() => [.. (await JsonAsync(server, "mailing", "schedule", mailing)).GetProperty("occasions").EnumerateArray().Where(one => one.GetProperty("state").GetString() != "coming").Select(one => one.GetProperty("mailing").ToString())];
        await Wait.UntilAsync(async () => (await ChildrenAsync()).Count == 1, "the first session's is there");
        await server.KillAsync();
        await server.StartAgainAsync();
        var first = Assert.Single(await ChildrenAsync());
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, first))["state"].GetString() == "sent", "it is sent");
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(1, pair.Value));

        (await server.CliAsync("session", "set", course, second, "--starts", Time(TimeSpan.FromSeconds(60)))).Succeeded();
        await Wait.UntilAsync(async () => (await ChildrenAsync()).Count == 2, "the second, which was moved, has come");
        var children = await ChildrenAsync();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, children[1]))["state"].GetString() == "sent", "it is sent too");
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(2, pair.Value));
        Assert.Equal(20, (await CourseSetup.LedgerAsync(server, children[1])).Count);
    }

    [Fact]
    public async Task A_sequence_takes_everybody_through_its_steps_once_over_kills()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 20);
        var (first, second) = (await CourseSetup.MailingAsync(server, course), await CourseSetup.MailingAsync(server, course));
        var id = (await server.CliAsync("sequence", "add", course, "Начало", "--step", "mailing " + first, "--step", $"mailing {second}, after 0min, if in group \"г-1\", else skip")).Succeeded().Output.Trim();
        await server.KillAsync();
        await server.StartAgainAsync();
        await Wait.UntilAsync(async () => (await JsonAsync(server, "sequence", "show", course, id)).GetProperty("done").GetInt32() == 20, "all are through");
        await server.KillAsync();
        await server.StartAgainAsync();
        await Wait.UntilAsync(async () => (await CourseSetup.CopiesAsync(server)).Values.Sum() == 22, "all have their copies");
        var copies = await CourseSetup.CopiesAsync(server);
        Assert.All(copies, pair => Assert.Equal(pair.Key is "u0001@course.test" or "u0011@course.test" ? 2 : 1, pair.Value));
        Assert.Equal((20, 18), ((await CourseSetup.LedgerAsync(server, second)).Count, (await CourseSetup.StatusAsync(server, second))["skipped"].GetInt32()));
        Assert.Contains("20 done", (await server.CliAsync("sequence", "show", course, id)).Succeeded().Output);
        Assert.Contains("u0007@course.test", (await server.CliAsync("sequence", "people", course, id)).Succeeded().Output);
        (await server.CliAsync("sequence", "skip", course, id)).Failed(1);
        (await server.CliAsync("sequence", "end", course, id)).Succeeded();
        Assert.Equal("sent", (await CourseSetup.StatusAsync(server, first))["state"].GetString());
    }

    [Fact]
    public async Task At_a_time_and_not_before()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 3);
        var later = await CourseSetup.MailingAsync(server, course);
        (await server.CliAsync("mailing", "send", later, "--at", Time(TimeSpan.FromHours(3)), "--wait")).Failed(2);
        Assert.Contains("3 participants", (await server.CliAsync("mailing", "send", later, "--at", Time(TimeSpan.FromHours(3)))).Succeeded().Output);
        Assert.Equal("scheduled", (await CourseSetup.StatusAsync(server, later))["state"].GetString());
        Assert.Contains("--at", (await server.CliAsync("mailing", "send", "--help")).Succeeded().Output);
        (await server.CliAsync("mailing", "schedule", later, "at 2020-01-01 08:00")).Failed(1);
        (await server.CliAsync("mailing", "schedule", later, "none")).Succeeded();
        Assert.Equal("draft", (await CourseSetup.StatusAsync(server, later))["state"].GetString());
        (await server.CliAsync("mailing", "schedule", later, "now")).Succeeded();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, later))["state"].GetString() == "sent", "it is sent");
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(1, pair.Value));
    }
}
