using System.Globalization;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Copies that come at night wait, but for mandatory ones.</summary>
public sealed class QuietHoursTests
{
    [Fact]
    public async Task A_mailing_waits_for_the_end_of_quiet_hours_and_a_mandatory_one_does_not()
    {
        var now = TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.Local);
        var hours = string.Create(CultureInfo.InvariantCulture, $"{now.AddHours(-3):HH:mm}-{now.AddHours(3):HH:mm}");
        await using var server = await TestServer.StartAsync($"mailings: {{quiet-course: \"{hours}\"}}");
        var course = await CourseSetup.MakeAsync(server, 2);
        var sleeping = await CourseSetup.MailingAsync(server, course);
        (await server.CliAsync("mailing", "send", sleeping)).Succeeded();
        var urgent = await CourseSetup.MailingAsync(server, course, more: ["--class", "mandatory"]);
        (await server.CliAsync("mailing", "send", urgent, "--wait")).Succeeded();
        Assert.Equal(2, (await CourseSetup.StatusAsync(server, urgent))["delivered"].GetInt32());
        await Wait.UntilAsync(async () => (await CourseSetup.LedgerAsync(server, sleeping)).TrueForAll(row => row.GetProperty("reply").GetString()!.Contains("quiet hours", StringComparison.Ordinal)), "all wait");
        Assert.Equal("sending", (await CourseSetup.StatusAsync(server, sleeping))["state"].GetString());
        Assert.Equal(2, (await CourseSetup.StatusAsync(server, sleeping))["rendered"].GetInt32());
        (await server.CliAsync("mailing", "cancel", sleeping)).Succeeded();
        Assert.Equal(2, (await CourseSetup.StatusAsync(server, sleeping))["skipped"].GetInt32());
    }
}
