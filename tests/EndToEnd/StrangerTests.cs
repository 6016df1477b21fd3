using System.Diagnostics;
using System.Net;
using CbaMail.Dns;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>
/// What strangers meet at the SMTP port, each piece switched on alone in the evaluation profile; they come through a port behind the PROXY
/// protocol, so that each has an address of his own.
/// </summary>
public class StrangerTests
{
    private const string Boris = ServerFixture.Boris;

    private static async Task<TestServer> StartAsync(string inbound, string more = "", bool accounts = true)
    {
        var server = await TestServer.StartAsync($"listeners: {{smtp: proxy, submission: proxy, imap: proxy}}\ninbound:\n{string.Join('\n', inbound.Split('\n').Select(line => "  " + line.TrimEnd()))}\n{more}");
        if (accounts) await server.AddAccountsAsync(Boris, "anna@example.test");
        return server;
    }

    private static async Task<WireClient> ComeAsync(int port, string from)
    {
        var client = await WireClient.ConnectAsync(port);
        await client.SendAsync(from.Contains(':') ? $"PROXY TCP6 {from} 2001:db8:25::25 4000 25\r\n" : $"PROXY TCP4 {from} 198.51.100.25 4000 25\r\n");
        return client;
    }

    /// <summary>A session counts when it has ended, which its client sees a little before.</summary>
    private static Task TurnedAwayAsync(int port, string from, string answer) => Wait.UntilAsync(async () =>
    {
        await using var client = await ComeAsync(port, from);
        return (await client.ReadLineAsync())?.StartsWith(answer, StringComparison.Ordinal) == true;
    }, $"{from} is answered {answer}");

    /// <summary>What is held back is never as quick; what is not held back needs to be so once, however busy the machine is.</summary>
    private static Task QuickerAsync(TimeSpan delay, Func<Task> deed) => Wait.UntilAsync(async () =>
    {
        var clock = Stopwatch.StartNew();
        await deed();
        return clock.Elapsed < delay;
    }, $"it takes less than {delay}");

    private static async Task<WireClient> GreetAsync(TestServer server, string from, string hello = "client.example.org")
    {
        var client = await ComeAsync(server.Smtp, from);
        Assert.StartsWith("220", await client.ReplyAsync());
        await client.SmtpAsync("EHLO " + hello, "250");
        return client;
    }

    private static async Task<string> OfferAsync(TestServer server, string from, string sender = "stranger@example.org", string recipient = Boris, string hello = "client.example.org")
    {
        await using var client = await GreetAsync(server, from, hello);
        if (await client.SmtpAsync($"MAIL FROM:<{sender}>") is var mail && !mail.StartsWith("250", StringComparison.Ordinal)) return mail;
        if (await client.SmtpAsync($"RCPT TO:<{recipient}>") is var rcpt && !rcpt.StartsWith("250", StringComparison.Ordinal)) return rcpt;
        if (await client.SmtpAsync("DATA") is var data && !data.StartsWith("354", StringComparison.Ordinal)) return data;
        return await client.SmtpAsync(Letter.Text(sender, recipient, "offer").TrimEnd() + "\r\n.");
    }

    // ---- the greeting

    [Fact] // RFC 5321 4.3.1
    public async Task Who_talks_before_the_greeting_is_refused_and_who_waits_is_not_tested_again()
    {
        await using var server = await StartAsync("greeting-delay: 700ms", accounts: false);
        await using (var hasty = await ComeAsync(server.Smtp, "192.0.2.1"))
        {
            await hasty.SendAsync("EHLO spam.example\r\n");
            Assert.StartsWith("554 5.5.1", await hasty.ReplyAsync());
            Assert.True(await hasty.IsClosedAsync());
        }
        await using (var hastyAtOnce = await WireClient.ConnectAsync(server.Smtp))
        {
            await hastyAtOnce.SendAsync("PROXY TCP4 192.0.2.1 198.51.100.25 4000 25\r\nEHLO spam.example\r\n");
            Assert.StartsWith("554 5.5.1", await hastyAtOnce.ReplyAsync());
        }
        var clock = Stopwatch.StartNew();
        await using (var patient = await ComeAsync(server.Smtp, "192.0.2.2")) Assert.StartsWith("220", await patient.ReplyAsync());
        Assert.True(clock.ElapsedMilliseconds >= 600);
        await using (var known = await WireClient.ConnectAsync(server.Smtp))
        {
            await known.SendAsync("PROXY TCP4 192.0.2.2 198.51.100.25 4000 25\r\nEHLO client.example.org\r\n");
            Assert.StartsWith("220", await known.ReplyAsync());
        }
        // people sign in on the other ports, and what they use may be as hasty as it likes
        await using var submission = await WireClient.ConnectAsync(server.Submission);
        await submission.SendAsync("PROXY TCP4 192.0.2.3 198.51.100.25 4000 587\r\nEHLO client.example.org\r\n");
        Assert.StartsWith("220", await submission.ReplyAsync());
    }

    [Fact] // RFC 2920 3.1
    public async Task Nothing_may_be_sent_behind_ehlo_and_data_before_they_are_answered()
    {
        await using var server = await StartAsync("strict-pipelining: yes");
        await using (var hasty = await ComeAsync(server.Smtp, "192.0.2.1"))
        {
            Assert.StartsWith("220", await hasty.ReplyAsync());
            await hasty.SendAsync("EHLO spam.example\r\nMAIL FROM:<a@spam.example>\r\n");
            Assert.StartsWith("554 5.5.0", await hasty.ReplyAsync());
            Assert.True(await hasty.IsClosedAsync());
        }
        await using (var hasty = await GreetAsync(server, "192.0.2.1"))
        {
            await hasty.SendAsync($"MAIL FROM:<a@spam.example>\r\nRCPT TO:<{Boris}>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n");
            Assert.StartsWith("250", await hasty.ReplyAsync());
            Assert.StartsWith("250", await hasty.ReplyAsync());
            Assert.StartsWith("554 5.5.0", await hasty.ReplyAsync());
        }
        await using var proper = await GreetAsync(server, "192.0.2.1");
        await proper.SendAsync($"MAIL FROM:<a@example.org>\r\nRCPT TO:<{Boris}>\r\nDATA\r\n"); // RFC 2920 3.1: as a group, DATA last
        Assert.StartsWith("250", await proper.ReplyAsync());
        Assert.StartsWith("250", await proper.ReplyAsync());
        Assert.StartsWith("354", await proper.ReplyAsync());
        await proper.SendAsync("Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n");
        Assert.StartsWith("250", await proper.ReplyAsync());
        Assert.StartsWith("221", await proper.ReplyAsync());
    }

    // ---- bans

    [Fact]
    public async Task Bad_sessions_lead_to_a_ban_on_every_port_that_a_restart_keeps_and_an_administrator_lifts()
    {
        await using var server = await StartAsync("bans: {after: 3}");
        for (var i = 0; i < 3; i++)
        {
            await using var bad = await ComeAsync(server.Smtp, "192.0.2.66");
            Assert.StartsWith("220", await bad.ReplyAsync());
            await bad.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.StartsWith("421", await bad.ReplyAsync());
            Assert.True(await bad.IsClosedAsync());
        }
        await TurnedAwayAsync(server.Smtp, "192.0.2.66", "421");
        await using (var banned = await ComeAsync(server.Smtp, "192.0.2.66"))
        {
            Assert.Matches("^421 4\\.7\\.0 192\\.0\\.2\\.66 is not let in until .* UTC", await banned.ReplyAsync());
            Assert.True(await banned.IsClosedAsync());
        }
        await using (var banned = await ComeAsync(server.Imap, "192.0.2.66")) Assert.StartsWith("* BYE [UNAVAILABLE] 192.0.2.66 is not let in", await banned.ReadLineAsync());
        await using (var other = await ComeAsync(server.Smtp, "192.0.2.67")) Assert.StartsWith("220", await other.ReplyAsync());

        await server.StopAsync();
        await server.StartAgainAsync();
        await using (var banned = await ComeAsync(server.Smtp, "192.0.2.66")) Assert.StartsWith("421 4.7.0", await banned.ReplyAsync());
        Assert.Contains("192.0.2.66", (await server.CliAsync("ban", "list")).Succeeded().Output);
        (await server.CliAsync("ban", "remove", "192.0.2.66")).Succeeded();
        await using (var again = await ComeAsync(server.Smtp, "192.0.2.66")) Assert.StartsWith("220", await again.ReplyAsync());
    }

    [Fact]
    public async Task Failed_sign_ins_and_guessed_recipients_count_but_not_where_people_sign_in()
    {
        await using var server = await StartAsync("bans: {after: 3}", "limits: {sign-in-delay: 0s}");
        async Task SignInAsync(string from, string password, string expected)
        {
            await using var client = await ComeAsync(server.Submission, from);
            await client.ReplyAsync();
            await client.SmtpAsync("EHLO client.example.org", "250");
            await client.SmtpAsync("STARTTLS", "220");
            await client.StartTlsAsync();
            await client.SmtpAsync("EHLO client.example.org", "250");
            await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"\0{Boris}\0{password}")), expected);
        }
        for (var i = 0; i < 3; i++) await SignInAsync("192.0.2.5", "wrong", "535");
        await TurnedAwayAsync(server.Imap, "192.0.2.5", "* BYE");

        await SignInAsync("192.0.2.6", TestServer.Password, "235");
        for (var i = 0; i < 5; i++) await SignInAsync("192.0.2.6", "wrong", "535");
        await using (var office = await ComeAsync(server.Imap, "192.0.2.6")) Assert.StartsWith("* OK", await office.ReadLineAsync());

        for (var i = 0; i < 3; i++)
        {
            await using var guessing = await GreetAsync(server, "2001:db8::7");
            await guessing.SmtpAsync("MAIL FROM:<a@spam.example>", "250");
            for (var name = 0; name < 5; name++) await guessing.SmtpAsync($"RCPT TO:<guess{name}@example.test>", "550 5.1.1");
            await guessing.SmtpAsync("QUIT", "221");
        }
        await TurnedAwayAsync(server.Smtp, "2001:db8::ffff", "421 4.7.0");
    }

    [Fact]
    public async Task Administrators_ban_allow_and_look()
    {
        await using var server = await StartAsync("bans: {after: 1}", accounts: false);
        (await server.CliAsync("ban", "add", "198.51.100.0/24", "--for", "2h", "--reason", "spam wave")).Succeeded();
        await using (var banned = await ComeAsync(server.Smtp, "198.51.100.9")) Assert.StartsWith("421 4.7.0", await banned.ReplyAsync());
        var list = (await server.CliAsync("ban", "list", "--json")).Succeeded().Output;
        Assert.Contains("\"address\":\"198.51.100.0/24\"", list);
        Assert.Contains("spam wave", list);
        (await server.CliAsync("allow", "add", "198.51.100.9", "--note", "scanner")).Succeeded();
        await using (var allowed = await ComeAsync(server.Smtp, "198.51.100.9")) Assert.StartsWith("220", await allowed.ReplyAsync());
        Assert.Contains("198.51.100.9", (await server.CliAsync("allow", "list")).Succeeded().Output);
        await server.StopAsync();
        await server.StartAgainAsync();
        await using (var allowed = await ComeAsync(server.Smtp, "198.51.100.9")) Assert.StartsWith("220", await allowed.ReplyAsync());
        (await server.CliAsync("allow", "remove", "198.51.100.9")).Succeeded();
        await using (var banned = await ComeAsync(server.Smtp, "198.51.100.9")) Assert.StartsWith("421 4.7.0", await banned.ReplyAsync());

        foreach (var wrong in new[] { new[] { "ban", "add", "nobody" }, ["ban", "add", "0.0.0.0/0"], ["ban", "remove", "192.0.2.1"], ["allow", "add", "x y"], ["allow", "remove", "a.example"] })
        {
            var ran = await server.CliAsync(wrong);
            Assert.Equal(1, ran.ExitCode);
            Assert.StartsWith("cbamail: ", ran.Error);
        }
    }

    // ---- greylisting

    [Fact]
    public async Task A_first_message_is_told_when_to_come_again_and_passes_then_also_after_a_restart()
    {
        await using var server = await StartAsync("greylist: {enabled: yes, delay: 1h}");
        var told = await OfferAsync(server, "192.0.2.10");
        Assert.Matches("^451 4\\.7\\.1 .* in 3[56][0-9]{2} seconds", told);
        Assert.StartsWith("451 4.7.1", await OfferAsync(server, "192.0.2.11")); // the same /24: impatient
        await server.StopAsync();
        var file = Path.Combine(server.Folder, "cbamail.yaml");
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("1h", "2s", StringComparison.Ordinal));
        await server.StartAgainAsync();
        await Wait.UntilAsync(async () => (await OfferAsync(server, "192.0.2.12")).StartsWith("250", StringComparison.Ordinal), "the 2 seconds are over, and it passes");
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.12"));
        Assert.StartsWith("451", await OfferAsync(server, "192.0.2.12", recipient: "anna@example.test"));
        var list = (await server.CliAsync("greylist", "list")).Succeeded().Output;
        Assert.Contains("192.0.2.0/24  example.org  boris@example.test", list);
    }

    [Fact]
    public async Task The_null_sender_is_answered_at_data_so_that_address_verifiers_are_not_held_up()
    {
        await using var server = await StartAsync("greylist: {enabled: yes, delay: 1h}");
        await using var client = await GreetAsync(server, "192.0.2.10");
        await client.SmtpAsync("MAIL FROM:<>", "250");
        await client.SmtpAsync($"RCPT TO:<{Boris}>", "250");
        await client.SmtpAsync("DATA", "451 4.7.1");
        await client.SmtpAsync("MAIL FROM:<>", "250"); // that transaction is over
        await client.SmtpAsync($"RCPT TO:<{Boris}>", "250");
        await client.SmtpAsync("BDAT 6 LAST\r\nab\r\n", "451 4.7.1");
        await client.SmtpAsync("NOOP", "250");
    }

    [Fact]
    public async Task Unknown_recipients_and_people_who_sign_in_are_not_greylisted()
    {
        await using var server = await StartAsync("greylist: {enabled: yes, delay: 1h}");
        Assert.StartsWith("550 5.1.1", await OfferAsync(server, "192.0.2.10", recipient: "nobody@example.test"));
        (await server.CliAsync("allow", "add", "192.0.2.99")).Succeeded();
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.99"));
    }

    [Fact]
    public async Task Whom_somebody_here_has_written_to_is_answered_at_once()
    {
        await using var server = await StartAsync("greylist: {enabled: yes, delay: 1h}");
        await using (var boris = await ComeAsync(server.Submission, "192.0.2.50"))
        {
            await boris.ReplyAsync();
            await boris.SmtpAsync("EHLO client.example.org", "250");
            await boris.SmtpAsync("STARTTLS", "220");
            await boris.StartTlsAsync();
            await boris.SmtpAsync("EHLO client.example.org", "250");
            await boris.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"\0{Boris}\0{TestServer.Password}")), "235");
            await boris.SmtpAsync($"MAIL FROM:<{Boris}>", "250");
            await boris.SmtpAsync("RCPT TO:<friend@elsewhere.test>", "250");
            await boris.SmtpAsync("DATA", "354");
            await boris.SmtpAsync(Letter.Text(Boris, "friend@elsewhere.test", "hello").TrimEnd() + "\r\n.", "250");
        }
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.10", sender: "Friend@Elsewhere.test"));
        Assert.StartsWith("451", await OfferAsync(server, "192.0.2.10", sender: "foe@elsewhere.test"));
        Assert.StartsWith("451", await OfferAsync(server, "192.0.2.10", sender: "friend@elsewhere.test", recipient: "anna@example.test"));
    }

    // ---- in production, without a word in the file

    [Fact]
    public async Task By_default_a_stranger_waits_is_told_to_come_again_and_may_not_call_himself_by_our_name()
    {
        await using var server = await TestServer.StartAsync(
            "hostname: mail.ours.example\nlisteners: {smtp: proxy, submission: off, submissions: off, imap: off, imaps: off, http: off, https: off}\ndns: {servers: [\"127.0.0.1:9\"], timeout: 200ms, rounds: 1}\n", evaluation: false);
        await server.AddAccountsAsync("anna@ours.example");
        var clock = Stopwatch.StartNew();
        await using (var client = await ComeAsync(server.Smtp, "192.0.2.1"))
        {
            Assert.StartsWith("220", await client.ReplyAsync());
            Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(4.9));
            await client.SmtpAsync("EHLO mail.ours.example", "550 5.7.1");
            await client.SmtpAsync("MAIL FROM:<a@example.org>", "503");
            await client.SmtpAsync("EHLO client.example.org", "250");
            await client.SmtpAsync("MAIL FROM:<a@example.org>", "250");
            await client.SmtpAsync("RCPT TO:<anna@ours.example>", "451 4.7.1");
            await client.SmtpAsync("QUIT", "221");
        }
        await QuickerAsync(TimeSpan.FromSeconds(4.9), async () =>
        {
            await using var local = await WireClient.ConnectAsync(server.Smtp); // this machine is allowed
            await local.SendAsync("PROXY UNKNOWN\r\n");
            Assert.StartsWith("220", await local.ReplyAsync());
            await local.SmtpAsync("EHLO mail.ours.example", "250");
            await local.SmtpAsync("MAIL FROM:<a@example.org>", "250");
            await local.SmtpAsync("RCPT TO:<anna@ours.example>", "250");
        });
    }

    // ---- lists in DNS and names

    private static DnsPeer Names(Dictionary<string, object> names) => new((question, _) =>
    {
        var asked = question.Questions[0];
        var name = asked.Name.TrimEnd('.').ToLowerInvariant();
        DnsRecord? record = (asked.Type, names.GetValueOrDefault(name)) switch
        {
            (DnsType.A, IPAddress address) => new AddressRecord(asked.Name, 60, address),
            (DnsType.A, (IPAddress address, string _)) => new AddressRecord(asked.Name, 60, address),
            (DnsType.Txt, (IPAddress _, string text)) => new TextRecord(asked.Name, 60, [System.Text.Encoding.ASCII.GetBytes(text)]),
            (DnsType.Ptr, string target) => new NameRecord(asked.Name, DnsType.Ptr, 60, target),
            _ => null,
        };
        return record is null ? DnsPeer.Reply(question) with { Code = names.ContainsKey(name) ? DnsCode.NoError : DnsCode.NoSuchName } : DnsPeer.Reply(question, record);
    });

    [Fact]
    public async Task Who_is_listed_is_refused_with_the_lists_reason_but_for_the_postmaster()
    {
        using var dns = Names(new()
        {
            ["66.2.0.192.bl.test"] = (IPAddress.Parse("127.0.0.2"), "https://bl.test/?ip=192.0.2.66"),
            ["spam.example.dbl.test"] = IPAddress.Parse("127.0.1.2"),
            ["67.2.0.192.bl.test"] = IPAddress.Parse("127.255.255.254"),
            ["68.2.0.192.bl.test"] = IPAddress.Parse("127.0.0.2"),
            ["68.2.0.192.wl.test"] = IPAddress.Parse("127.0.0.1"),
        });
        await using var server = await StartAsync("dns-lists:\n  - zone: bl.test\n  - zone: dbl.test\n    of: sender\n    answers: [127.0.1.2-99]\n  - zone: wl.test\n    weight: -5", $"dns: {{servers: [\"{dns.Address}\"]}}");
        Assert.Matches("^550 5\\.7\\.1 .*192\\.0\\.2\\.66 is listed by bl\\.test .*https://bl\\.test/\\?ip=192\\.0\\.2\\.66", await OfferAsync(server, "192.0.2.66"));
        (await server.CliAsync("alias", "add", "postmaster@example.test", Boris)).Succeeded();
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.66", recipient: "postmaster@example.test"));
        Assert.StartsWith("550 5.7.1", await OfferAsync(server, "192.0.2.66", recipient: "nobody@example.test"));
        Assert.Matches("^550 5\\.7\\.1 .*spam\\.example is listed by dbl\\.test", await OfferAsync(server, "192.0.2.1", sender: "a@spam.example"));
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.1"));
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.67"));
        await Wait.UntilAsync(() => server.Log.Contains("127.255.255.254", StringComparison.Ordinal), "the log says that the list does not answer us");
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.68"));
    }

    [Fact]
    public async Task Received_has_the_name_that_dns_agrees_upon_and_a_name_may_be_allowed()
    {
        using var dns = Names(new()
        {
            ["7.2.0.192.in-addr.arpa"] = "mx.friend.example",
            ["mx.friend.example"] = IPAddress.Parse("192.0.2.7"),
            ["8.2.0.192.in-addr.arpa"] = "mx.friend.example",
        });
        await using var server = await StartAsync("reverse-lookup: yes\nallow: [\"*.friend.example\"]\ngreylist: {enabled: yes, delay: 1h}", $"dns: {{servers: [\"{dns.Address}\"]}}");
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.7"));
        Assert.StartsWith("451", await OfferAsync(server, "192.0.2.8")); // says that it is the friend, and is not
        await using var mail = await WireClient.ConnectAsync(server.Imap);
        await mail.SendAsync("PROXY UNKNOWN\r\n");
        await mail.ReadLineAsync();
        await mail.ImapAsync($"LOGIN {Boris} \"{TestServer.Password}\"", "OK");
        await mail.ImapAsync("SELECT INBOX", "OK");
        Assert.Contains("(mx.friend.example [192.0.2.7])", string.Join('\n', await mail.ImapAsync("FETCH 1 BODY.PEEK[HEADER]", "OK")));
    }

    // ---- rates

    [Fact]
    public async Task Rates_by_address_network_sender_and_recipient_are_answered_try_again()
    {
        await using var server = await StartAsync("rates: {messages: 2/1h, network-messages: 5/1h, sender-messages: 4/1h, recipient-messages: 9/1h, recipients: 100/1h, connections: 20/1h}");
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.1"));
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.1"));
        Assert.Matches("^450 4\\.7\\.1 Too many messages from 192\\.0\\.2\\.1 .* try again in \\d+ seconds", await OfferAsync(server, "192.0.2.1"));
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.2", sender: "b@example.org"));
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.3", sender: "c@example.org"));
        Assert.StartsWith("250", await OfferAsync(server, "192.0.2.4", sender: "d@example.org"));
        Assert.Contains("192.0.2.0/24", await OfferAsync(server, "192.0.2.5", sender: "e@example.org"));
        Assert.StartsWith("250", await OfferAsync(server, "203.0.113.1"));
        Assert.StartsWith("250", await OfferAsync(server, "203.0.113.1"));
        Assert.Matches("^450 4\\.7\\.1 Too many messages of stranger@example\\.org", await OfferAsync(server, "198.51.100.1"));
        Assert.StartsWith("250", await OfferAsync(server, "198.51.100.2", sender: "f@example.org"));
        Assert.StartsWith("250", await OfferAsync(server, "198.51.100.3", sender: "g@example.org"));
        Assert.Matches("^450 4\\.7\\.1 Too many messages for boris@example\\.test", await OfferAsync(server, "203.0.114.1", sender: "h@example.org"));

        for (var i = 0; i < 20; i++)
            await using (var client = await ComeAsync(server.Smtp, "203.0.115.1")) Assert.StartsWith("220", await client.ReplyAsync());
        await using (var client = await ComeAsync(server.Smtp, "203.0.115.1")) Assert.StartsWith("421 4.7.0", await client.ReplyAsync());
        await using (var client = await ComeAsync(server.Imap, "203.0.115.1")) Assert.StartsWith("* BYE", await client.ReadLineAsync());
    }

    // ---- delays

    [Fact]
    public async Task A_strangers_first_message_is_held_back_a_bounded_number_of_them_and_the_second_is_not()
    {
        await using var server = await StartAsync("first-sender-delay: 1500ms\nfirst-sender-waiting: 1");
        var clock = Stopwatch.StartNew();
        var first = OfferAsync(server, "192.0.2.1");
        await Wait.UntilAsync(() => server.Log.Length > 0, "it runs");
        Assert.StartsWith("250", await first);
        Assert.True(clock.ElapsedMilliseconds >= 1400);
        // the sender is known by now
        await QuickerAsync(TimeSpan.FromSeconds(1.4), async () => Assert.StartsWith("250", await OfferAsync(server, "192.0.2.1")));
    }

    [Fact]
    public async Task Guessing_recipients_becomes_slow_for_known_and_unknown_ones_alike()
    {
        await using var server = await StartAsync("hide-unknown: yes\nunknown-before-slow: 2");
        await using var client = await GreetAsync(server, "192.0.2.1");
        await client.SmtpAsync("MAIL FROM:<a@example.org>", "250");
        await client.SmtpAsync("RCPT TO:<x1@example.test>", "550 5.1.1");
        await client.SmtpAsync("RCPT TO:<x2@example.test>", "550 5.1.1");
        var clock = Stopwatch.StartNew();
        await client.SmtpAsync($"RCPT TO:<{Boris}>", "250");
        Assert.True(clock.ElapsedMilliseconds >= 900);
        await client.SmtpAsync("VRFY boris@example.test", "252");
        await client.SmtpAsync("EXPN boris@example.test", "502");
    }
}
