using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Rooms that answer invitations: made by the command line, asked by SMTP, their answers read by IMAP.</summary>
public sealed partial class ResourceTests : IAsyncLifetime
{
    const string Anna = "anna@school.test", Boris = "boris@school.test", Hall = "hall@school.test";
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync("");
        await server.AddAccountsAsync(Anna, Boris);
        await CliAsync("resource", "add", Hall, "--name", "Great Hall");
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    async Task<string> CliAsync(params string[] verb) => (await server.CliAsync(verb)).Succeeded().Output;

    async Task<JsonElement> AskAsync(HttpMethod method, string path, object? body = null)
    {
        using var control = server.Control();
        return await ApiFixture.AskAsync(control, method, "/api/v1/" + path, body);
    }

    async Task<List<JsonElement>> BookingsAsync() => [.. (await AskAsync(HttpMethod.Get, $"resources/{Hall}/bookings")).GetProperty("items").EnumerateArray()];

    // days ahead, so that nothing lies in the past whenever the test runs
    static DateTime Day(int days) => DateTime.UtcNow.Date.AddDays(days);

    static string At(DateTime time) => time.ToString("yyyyMMdd'T'HHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    static string Event(string uid, string organizer, DateTime start, int sequence = 0, string more = "", string method = "REQUEST", int minutes = 60) => $"""
        BEGIN:VCALENDAR
        PRODID:-//Test//EN
        VERSION:2.0
        METHOD:{method}
        BEGIN:VEVENT
        UID:{uid}
        DTSTAMP:20260101T0000{sequence:00}Z
        SEQUENCE:{sequence}
        ORGANIZER;CN=Somebody:mailto:{organizer}
        ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{Hall}
        DTSTART:{At(start)}
        DTEND:{At(start.AddMinutes(minutes))}
        SUMMARY:Lesson {uid}
        {more}END:VEVENT
        END:VCALENDAR

        """.ReplaceLineEndings("\r\n");

    async Task<string> SendAsync(string account, string calendar, string method = "REQUEST")
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{TestServer.Password}")), "235");
        await client.SmtpAsync($"MAIL FROM:<{account}>", "250");
        await client.SmtpAsync($"RCPT TO:<{Hall}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync($"From: {account}\r\nTo: {Hall}\r\nSubject: a lesson\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nCome.\r\n"
            + $"--b\r\nContent-Type: text/calendar; charset=utf-8; method={method}\r\nContent-Transfer-Encoding: base64\r\n\r\n{Convert.ToBase64String(Encoding.UTF8.GetBytes(calendar), Base64FormattingOptions.InsertLineBreaks)}\r\n--b--\r\n");
        return await client.SmtpAsync(".");
    }

    [GeneratedRegex(@"method=REPLY[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n[^\r\n]+)*\r?\n\r?\n([A-Za-z0-9+/=\r\n]+)")]
    private static partial Regex Reply { get; }

    /// <summary>What the hall has answered to somebody, in order.</summary>
    async Task<List<string>> AnswersAsync(string user)
    {
        await using var imap = await WireClient.ConnectAsync(server.Imap);
        await imap.ImapLineAsync();
        await imap.ImapAsync($"LOGIN {user} \"{TestServer.Password}\"");
        await imap.ImapAsync("SELECT INBOX");
        var text = string.Join('\n', await imap.ImapAsync("FETCH 1:* BODY[]")).Replace("\r", "", StringComparison.Ordinal);
        return [.. Reply.Matches(text).Select(match => Encoding.UTF8.GetString(Convert.FromBase64String(match.Groups[1].Value.Replace("\n", "", StringComparison.Ordinal))).Replace("\r\n ", "", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task A_free_hall_accepts_and_a_taken_one_declines()
    {
        var start = Day(7).AddHours(9);
        Assert.StartsWith("250", await SendAsync(Anna, Event("one", Anna, start)));
        var answer = Assert.Single(await AnswersAsync(Anna));
        Assert.Contains("METHOD:REPLY", answer);
        Assert.Contains("UID:one", answer);
        Assert.Contains("PARTSTAT=ACCEPTED", answer);
        Assert.StartsWith("250", await SendAsync(Boris, Event("two", Boris, start.AddMinutes(30))));
        Assert.Contains("PARTSTAT=DECLINED", Assert.Single(await AnswersAsync(Boris)));
        Assert.StartsWith("250", await SendAsync(Boris, Event("three", Boris, start.AddMinutes(60)))); // one ends as the next begins
        Assert.Contains("PARTSTAT=ACCEPTED", (await AnswersAsync(Boris))[1]);
        Assert.Equal(["one", "three"], (await BookingsAsync()).Select(one => one.GetProperty("uid").GetString()));
        var busy = Assert.Single((await AskAsync(HttpMethod.Get, $"resources/{Hall}/free-busy")).GetProperty("items").EnumerateArray());
        Assert.Equal(start.AddHours(2), busy.GetProperty("end").GetDateTimeOffset().UtcDateTime);
        Assert.Contains("Lesson one", await CliAsync("resource", "bookings", Hall));
    }

    [Fact]
    public async Task Of_those_who_ask_at_once_one_gets_it()
    {
        var start = Day(8).AddHours(9);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => SendAsync(i % 2 == 0 ? Anna : Boris, Event("race" + i, i % 2 == 0 ? Anna : Boris, start))));
        Assert.All(answers, answer => Assert.StartsWith("250", answer));
        List<string> all = [.. await AnswersAsync(Anna), .. await AnswersAsync(Boris)];
        Assert.Equal(8, all.Count);
        Assert.Single(all, answer => answer.Contains("PARTSTAT=ACCEPTED", StringComparison.Ordinal));
        Assert.Single(await BookingsAsync());
    }

    [Fact]
    public async Task An_event_is_moved_sent_again_and_cancelled()
    {
        var start = Day(9).AddHours(9);
        await SendAsync(Anna, Event("moved", Anna, start));
        await SendAsync(Anna, Event("moved", Anna, start)); // the same again
        await SendAsync(Anna, Event("moved", Anna, start.AddMinutes(30), sequence: 1)); // into its own time
        await SendAsync(Anna, Event("moved", Anna, start)); // late: older than what is known
        Assert.Equal(start.AddMinutes(30), Assert.Single(await BookingsAsync()).GetProperty("start").GetDateTimeOffset().UtcDateTime);
        Assert.Equal(3, (await AnswersAsync(Anna)).Count(answer => answer.Contains("PARTSTAT=ACCEPTED", StringComparison.Ordinal)));
        await SendAsync(Boris, Event("moved", Boris, start, sequence: 9, method: "CANCEL"), "CANCEL"); // not his
        Assert.Single(await BookingsAsync());
        Assert.StartsWith("250", await SendAsync(Anna, Event("moved", Anna, start.AddMinutes(30), sequence: 2, method: "CANCEL"), "CANCEL"));
        Assert.Empty(await BookingsAsync());
    }

    [Fact]
    public async Task Of_a_series_single_instances_are_moved_and_cancelled()
    {
        var start = Day(10).AddHours(9);
        await SendAsync(Anna, Event("series", Anna, start, more: "RRULE:FREQ=DAILY;COUNT=3\r\n"));
        Assert.Equal(3, (await BookingsAsync()).Count);
        await SendAsync(Anna, Event("series", Anna, start.AddDays(1).AddMinutes(30), sequence: 1, more: $"RECURRENCE-ID:{At(start.AddDays(1))}\r\n"));
        Assert.Equal([start, start.AddDays(1).AddMinutes(30), start.AddDays(2)], (await BookingsAsync()).Select(one => one.GetProperty("start").GetDateTimeOffset().UtcDateTime));
        await SendAsync(Anna, Event("series", Anna, start.AddDays(2), sequence: 1, more: $"RECURRENCE-ID:{At(start.AddDays(2))}\r\n", method: "CANCEL"), "CANCEL");
        Assert.Equal(2, (await BookingsAsync()).Count);
        // another series meets one of them: declined as a whole, or taken in part
        await SendAsync(Boris, Event("other", Boris, start.AddDays(-1), more: "RRULE:FREQ=DAILY;COUNT=2\r\n"));
        Assert.Contains("PARTSTAT=DECLINED", Assert.Single(await AnswersAsync(Boris)));
        await CliAsync("resource", "set", Hall, "--accept-part", "yes");
        await SendAsync(Boris, Event("part", Boris, start.AddDays(-1), more: "RRULE:FREQ=DAILY;COUNT=2\r\n"));
        Assert.Contains("PARTSTAT=ACCEPTED", (await AnswersAsync(Boris))[1]);
        Assert.Equal(3, (await BookingsAsync()).Count);
    }

    [Fact]
    public async Task What_needs_approval_is_held_until_an_owner_decides()
    {
        await CliAsync("resource", "set", Hall, "--owners", Boris, "--approval", "yes");
        await SendAsync(Anna, Event("ask", Anna, Day(11).AddHours(9)));
        await SendAsync(Anna, Event("ask2", Anna, Day(12).AddHours(9)));
        var waiting = await BookingsAsync();
        await using var imap = await WireClient.ImapLoginAsync(server.Imap, Boris);
        Assert.Contains("* 2 EXISTS", await imap.ImapAsync("SELECT INBOX")); // the owner has been told of both
        Assert.All(waiting, one => Assert.Equal("tentative", one.GetProperty("state").GetString()));
        await CliAsync("resource", "approve", Hall, waiting[0].GetProperty("id").GetRawText());
        await CliAsync("resource", "refuse", Hall, waiting[1].GetProperty("id").GetRawText());
        Assert.Equal("accepted", Assert.Single(await BookingsAsync()).GetProperty("state").GetString());
        Assert.Equal(["TENTATIVE", "TENTATIVE", "ACCEPTED", "DECLINED"], (await AnswersAsync(Anna)).Select(answer => answer.Split("PARTSTAT=")[1].Split(';')[0]));
    }

    [Fact]
    public async Task Who_may_not_book_and_what_is_no_invitation_is_turned_away()
    {
        await CliAsync("resource", "set", Hall, "--bookers", Boris, "--hours", "08:00-18:00");
        await SendAsync(Anna, Event("no", Anna, Day(13).AddHours(9)));
        Assert.Contains("You may not book it", Assert.Single(await AnswersAsync(Anna)));
        await SendAsync(Boris, Event("late", Boris, Day(13).AddHours(19)));
        Assert.Contains("PARTSTAT=DECLINED", Assert.Single(await AnswersAsync(Boris)));
        Assert.StartsWith("550 5.7.1", await SendAsync(Boris, Event("forged", Anna, Day(13).AddHours(10)))); // in another's name
        Assert.StartsWith("550 5.7.1", await SendAsync(Boris, "nothing of a calendar"));
        Assert.Empty(await BookingsAsync());
    }
}
