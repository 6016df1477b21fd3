using System.Collections.Concurrent;
using System.Net;
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
        await Wait.UntilAsync(async () => (await imap.ImapAsync("STATUS INBOX (MESSAGES)")).Contains("* STATUS INBOX (MESSAGES 2)"), "the owner has been told of both");
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

    [Fact]
    public async Task An_owner_decides_by_himself_and_nobody_else_does()
    {
        await CliAsync("resource", "set", Hall, "--owners", Boris, "--approval", "yes");
        await SendAsync(Anna, Event("mine", Anna, Day(14).AddHours(9)));
        await SendAsync(Anna, Event("mine2", Anna, Day(15).AddHours(9)));
        using var anna = await SignInAsync(Anna);
        using var boris = await SignInAsync(Boris);
        Assert.Empty((await ApiFixture.AskAsync(anna, HttpMethod.Get, "/api/v1/me/resources")).GetProperty("items").EnumerateArray());
        Assert.Equal(Hall, Assert.Single((await ApiFixture.AskAsync(boris, HttpMethod.Get, "/api/v1/me/resources")).GetProperty("items").EnumerateArray()).GetProperty("address").GetString());
        var path = $"/api/v1/me/resources/{Hall}/bookings";
        using (var refused = await anna.GetAsync(path)) Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        var waiting = (await ApiFixture.AskAsync(boris, HttpMethod.Get, path)).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("id").GetInt64()).ToList();
        using (var refused = await anna.PostAsync($"{path}/{waiting[0]}/approve", null)) Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        await ApiFixture.AskAsync(boris, HttpMethod.Post, $"{path}/{waiting[0]}/approve");
        await ApiFixture.AskAsync(boris, HttpMethod.Post, $"{path}/{waiting[1]}/refuse");
        Assert.Equal("accepted", Assert.Single(await BookingsAsync()).GetProperty("state").GetString());
        Assert.Equal(["TENTATIVE", "TENTATIVE", "ACCEPTED", "DECLINED"], (await AnswersAsync(Anna)).Select(answer => answer.Split("PARTSTAT=")[1].Split(';')[0]));
        await SendAsync(Anna, Event("mine2", Anna, Day(15).AddHours(9))); // the same again, after the decision
        Assert.Contains("It was not approved", (await AnswersAsync(Anna))[^1]);
        await ApiFixture.AskAsync(boris, HttpMethod.Delete, $"{path}/{waiting[0]}");
        Assert.Empty(await BookingsAsync());
    }

    async Task<HttpClient> SignInAsync(string user)
    {
        using var control = server.Control();
        var made = await ApiFixture.AskAsync(control, HttpMethod.Post, "/api/v1/api-keys", new { name = user, account = user, permissions = new[] { "self.mail" } });
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
        client.DefaultRequestHeaders.Authorization = new("Bearer", made.GetProperty("key").GetString());
        return client;
    }

    [Fact]
    public async Task What_is_answered_again_is_answered_in_the_same_words()
    {
        await CliAsync("resource", "set", Hall, "--accept-part", "yes");
        var start = Day(16).AddHours(9);
        await SendAsync(Boris, Event("there", Boris, start.AddDays(1)));
        var series = Event("words", Anna, start, more: "RRULE:FREQ=DAILY;COUNT=3\r\n");
        // one date is named by itself, and moved to where the hall is taken
        series = series.Replace("END:VCALENDAR", Event("words", Anna, start.AddDays(1).AddMinutes(30), more: $"RECURRENCE-ID:{At(start.AddDays(1))}\r\n").Split("METHOD:REQUEST\r\n")[1].Split("END:VCALENDAR")[0] + "END:VCALENDAR", StringComparison.Ordinal);
        await SendAsync(Anna, series);
        await SendAsync(Anna, series);
        static string[] Said(string answer) => [.. answer.Split("\r\n").Where(line => line.StartsWith("COMMENT", StringComparison.Ordinal) || line.Contains("PARTSTAT", StringComparison.Ordinal))];
        var answers = await AnswersAsync(Anna);
        Assert.Contains("PARTSTAT=DECLINED", Said(answers[0])[2]);
        Assert.StartsWith("COMMENT:It is taken: ", Said(answers[0])[1]);
        Assert.Equal(Said(answers[0]), Said(answers[1]));
    }

    [Fact]
    public async Task Another_time_that_is_proposed_is_refused_and_what_was_agreed_stands()
    {
        var start = Day(17).AddHours(9);
        await SendAsync(Anna, Event("stands", Anna, start));
        Assert.Contains("its organizer sends a new invitation", await SendAsync(Anna, Event("stands", Anna, start.AddHours(1), 1, method: "COUNTER"), "COUNTER"));
        Assert.StartsWith("250", await SendAsync(Anna, Event("stands", Anna, start, 1, method: "DECLINECOUNTER"), "DECLINECOUNTER"));
        Assert.Equal(start, Assert.Single(await BookingsAsync()).GetProperty("start").GetDateTimeOffset().UtcDateTime);
        Assert.Single(await AnswersAsync(Anna));
        Assert.Contains("read by the server", await CliAsync("message", "trace", "--to", Hall)); // a line for mail that a resource alone has got
    }

    [Fact]
    public async Task Killed_while_it_answers_it_keeps_what_it_acknowledged_and_gives_no_time_twice()
    {
        for (var round = 0; round < 2; round++)
        {
            var (acknowledged, next) = (new ConcurrentDictionary<int, string>(), round * 1000);
            // many ask for few times: each time is somebody's at the end
            string Asked(int n, string who) => Event("kill" + n, who, Day(20 + round).AddHours(n % 7), more: "");
            async Task AskAsync(string who)
            {
                try
                {
                    while (true)
                    {
                        var n = Interlocked.Increment(ref next);
                        if ((await SendAsync(who, Asked(n, who))).StartsWith("250", StringComparison.Ordinal)) acknowledged[n] = who;
                    }
                }
                catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException) { } // it was killed
            }
            var running = new[] { Anna, Boris, Anna, Boris }.Select(who => Task.Run(() => AskAsync(who))).ToArray();
            await Wait.UntilAsync(() => acknowledged.Count > 20, "bookings are under way");
            await server.KillAsync();
            await Task.WhenAll(running);
            await server.StartAgainAsync();
            List<string> all = [.. await AnswersAsync(Anna), .. await AnswersAsync(Boris)];
            var accepted = all.Where(answer => answer.Contains("PARTSTAT=ACCEPTED", StringComparison.Ordinal)).Select(answer => answer.Split("UID:")[1].Split('\r')[0]).ToHashSet();
            foreach (var n in acknowledged.Keys) Assert.Contains(all, answer => answer.Contains($"UID:kill{n}\r", StringComparison.Ordinal));
            var bookings = await BookingsAsync();
            Assert.Equal(bookings.Count, bookings.Select(one => one.GetProperty("start").GetDateTimeOffset()).Distinct().Count());
            // who was told that he has it has it, and nobody has what he was not told
            Assert.Equal(accepted.Order(), bookings.Select(one => one.GetProperty("uid").GetString()!).Order());
        }
    }
}
