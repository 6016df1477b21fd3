using System.Text;
using CbaMail.Config;
using CbaMail.Inbound;
using CbaMail.Inbound.Milters;
using CbaMail.Storage;
using CbaMail.Tests.Server.Smtp.Server;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Inbound;

/// <summary>A milter of the tests behind the server's session: each answer, each corner.</summary>
public sealed class MilterTests : IAsyncLifetime
{
    readonly PostOffice office = new();
    readonly MilterPeer peer = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await peer.DisposeAsync();
        await office.DisposeAsync();
    }

    const string Begin = """
        S: 220 *
        C: HELO client.test
        S: 250 *

        """;

    const string Envelope = """
        C: MAIL FROM:<a@elsewhere.test> SIZE=100 BODY=8BITMIME
        S: 250 *
        C: RCPT TO:<ivan@example.test> NOTIFY=NEVER
        S: 250 *

        """;

    const string Text = """
        C: DATA
        S: 354 *
        C: Subject: first
        C:  second
        C: X-A: 1
        C: X-A: 2
        C:
        C: body
        C: .
        S: *

        """;

    const string End = "C: QUIT\nS: 221 *\n";

    MilterSettings For(MilterPeer peer) => new() { Name = "peer", Address = peer.Address, CommandTimeout = Wait.Patience, MessageTimeout = Wait.Patience };

    Pipeline Pipeline(params MilterSettings[] milters)
    {
        Assert.All(milters, milter => Assert.Null(milter.Problem()));
        var settings = office.Settings with { Milters = milters };
        return new Pipeline(settings, office.Directory, office.Mail, filters: MiltersRoom.Checks(settings, new Spool(settings), office.Directory, TimeProvider.System, NullLogger.Instance));
    }

    async Task<List<Delivered>> PlayAsync(string script, MilterSettings? milter = null)
    {
        var orders = await office.PlayAsync(Protocol.Smtp, script, remote: "192.0.2.9", pipeline: Pipeline(milter ?? For(peer)));
        if (milter is not { CommandTimeout.TotalSeconds: < 1 }) await Wait.UntilAsync(() => peer.Open == 0, "the milter has heard all");
        return orders;
    }

    Task<List<Delivered>> MessageAsync(string reply = "250 *", MilterSettings? milter = null) =>
        PlayAsync(Begin + Envelope + Text.Replace("S: *", "S: " + reply, StringComparison.Ordinal) + End, milter);

    void Answers(char command, params string[] answers) => peer.Script = heard => heard[0] == command ? answers : null;

    static string Own(Delivered mail) => mail.Text[(mail.Text.IndexOf("+0000\r\n", StringComparison.Ordinal) + 7)..];

    [Fact]
    public async Task It_is_told_all_of_it_in_order()
    {
        await MessageAsync();
        var heard = peer.Heard.Where(h => h[0] != 'D').ToArray();
        Assert.Equal(
        [
            "C[192.0.2.9]|4\x0f\xa0" + "192.0.2.9|", "Hclient.test|", "M<a@elsewhere.test>|SIZE=100|BODY=8BITMIME|", "R<ivan@example.test>|NOTIFY=NEVER|", "T",
            "LSubject|first\n second|", "LX-A|1|", "LX-A|2|", "N", "Bbody\r\n", "E", "Q",
        ], heard);
        var macros = peer.Heard.Where(h => h[0] == 'D').ToArray();
        Assert.Contains(macros, m => m.StartsWith("DCj|mail.example.test|_|[192.0.2.9]|v|CBA Mail|{daemon_name}|smtp|", StringComparison.Ordinal) && m.Contains("{client_addr}|192.0.2.9|{client_port}|4000|{client_name}|unknown|", StringComparison.Ordinal));
        Assert.Contains(macros, m => m.StartsWith("DMi|", StringComparison.Ordinal) && m.Contains("{mail_addr}|a@elsewhere.test|", StringComparison.Ordinal) && !m.Contains("auth", StringComparison.Ordinal));
        Assert.Contains(macros, m => m.StartsWith("DRi|", StringComparison.Ordinal) && m.EndsWith("{rcpt_addr}|ivan@example.test|{rcpt_host}|example.test|{rcpt_mailer}|local|", StringComparison.Ordinal));
        Assert.Equal("DT DN DE", string.Join(' ', macros.Select(m => m[..2]).Where(m => m is "DT" or "DN" or "DE")));
    }

    [Fact]
    public async Task Steps_that_it_does_without_are_left_out_and_answers_that_it_does_not_give_are_not_waited_for()
    {
        peer.Steps = 0x1 | 0x2 | 0x40 | 0x80 | 0x4000 | 0x8000 | 0x10000 | 0x80000 | 0x100000; // no connect, hello, eoh; no answers but to the end; leading space
        await MessageAsync();
        Assert.Equal("M R T L L L B E Q", string.Join(' ', peer.Heard.Where(h => h[0] != 'D').Select(h => h[..1])));
        Assert.Contains("LSubject| first\n second|", peer.Heard);
    }

    [Fact]
    public async Task It_gets_the_macros_that_it_asks_for()
    {
        peer.Macros = Encoding.Latin1.GetBytes("\0\0\0\x02{auth_authen}, {mail_host} zzz\0\0\0\0\x05\0");
        await MessageAsync();
        Assert.Contains("DM{mail_host}|elsewhere.test|", peer.Heard);
        Assert.DoesNotContain(peer.Heard, h => h.StartsWith("DE", StringComparison.Ordinal)); // an empty list asks for none
    }

    [Theory]
    [InlineData("r", "550 5.7.1 Command rejected")]
    [InlineData("t", "451 4.7.1 Service unavailable - try again later")]
    [InlineData("y554 5.6.0 100%% wrong|", "554 5.6.0 100% wrong")]
    public async Task It_may_refuse_the_message(string answer, string reply)
    {
        foreach (var command in "LNBE")
        {
            Answers(command, answer);
            Assert.Empty(await MessageAsync(reply));
        }
        Answers('T', answer);
        Assert.Empty(await PlayAsync(Begin + Envelope + $"C: DATA\nS: {reply}\n" + End));
    }

    [Fact]
    public async Task A_refusal_may_have_several_lines()
    {
        Answers('E', "y550-5.7.1 one\r\n550 5.7.1 two|");
        await MessageAsync("550-5.7.1 one\nS: 550 5.7.1 two");
    }

    [Theory]
    [InlineData('M', "C: MAIL FROM:<a@b.test>\nS: 550 5.7.1 *\nC: MAIL FROM:<a@b.test>\nS: 550 5.7.1 *\n", "C H M A M A Q")]
    [InlineData('R', "C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 550 5.7.1 *\nC: RCPT TO:<anna@example.test>\nS: 550 5.7.1 *\n", "C H M R R A Q")]
    [InlineData('H', "C: MAIL FROM:<a@b.test>\nS: 550 5.7.1 *\nC: MAIL FROM:<c@d.test>\nS: 550 5.7.1 *\n", "C H Q")] // of the client: for good
    [InlineData('C', "C: MAIL FROM:<a@b.test>\nS: 550 5.7.1 *\nC: RSET\nS: 250 *\nC: MAIL FROM:<c@d.test>\nS: 550 5.7.1 *\n", "C Q")]
    public async Task It_may_refuse_the_client_a_sender_or_a_recipient(char command, string script, string told)
    {
        Answers(command, "r");
        await PlayAsync(Begin + script + End);
        Assert.Equal(told, string.Join(' ', peer.Heard.Where(h => h[0] != 'D').Select(h => h[..1])));
    }

    [Fact]
    public async Task Shutdown_closes_the_connection()
    {
        Answers('M', "4");
        await PlayAsync(Begin + "C: MAIL FROM:<a@b.test>\nS: 421 4.7.0 *\nS!\n");
    }

    [Theory]
    [InlineData('C', 1)]
    [InlineData('M', 3)]
    [InlineData('R', 4)]
    [InlineData('L', 6)]
    public async Task What_it_accepts_it_does_not_hear_more_of(char command, int steps)
    {
        Answers(command, "a");
        Assert.Single(await MessageAsync());
        Assert.Equal(steps, peer.Heard.Count(h => h[0] is not ('D' or 'Q' or 'A')));
    }

    [Fact]
    public async Task A_message_that_it_accepted_early_says_nothing_of_the_next()
    {
        Answers('M', "a");
        Assert.Equal(2, (await PlayAsync(Begin + Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal) + Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal) + End)).Count);
        Assert.Equal("C H M A M A Q", string.Join(' ', peer.Heard.Where(h => h[0] != 'D').Select(h => h[..1])));
        Assert.Equal(1, peer.Connections);
    }

    [Fact]
    public async Task Discarded_mail_is_answered_as_accepted()
    {
        foreach (var command in "MRTLNBE")
        {
            Answers(command, "d");
            Assert.Empty(await MessageAsync());
        }
    }

    [Fact]
    public async Task Skip_spares_the_rest_of_the_body()
    {
        Answers('B', "s");
        var body = string.Concat(Enumerable.Repeat("C: " + new string('x', 998) + "\n", 90));
        Assert.Single(await PlayAsync(Begin + Envelope + $"C: DATA\nS: 354 *\nC: A: b\nC:\n{body}C: .\nS: 250 *\n" + End));
        Assert.Equal(1, peer.Heard.Count(h => h[0] == 'B'));
        Assert.Equal(65536, peer.Heard.First(h => h[0] == 'B').Length);
        Assert.Contains("E", peer.Heard);
    }

    [Fact]
    public async Task Larger_pieces_are_sent_where_both_want_them()
    {
        peer.Steps = 0x10000000;
        var body = string.Concat(Enumerable.Repeat("C: " + new string('x', 998) + "\n", 90));
        await PlayAsync(Begin + Envelope + $"C: DATA\nS: 354 *\nC: A: b\nC:\n{body}C: .\nS: 250 *\n" + End, For(peer) with { PacketSize = 256 << 10 });
        Assert.Equal(90_001, peer.Heard.Single(h => h[0] == 'B').Length);
    }

    [Fact]
    public async Task Recipients_that_the_server_refuses_are_shown_to_those_who_ask()
    {
        peer.Steps = 0x800;
        const string script = Begin + "C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<nobody@example.test>\nS: 550 5.1.1 *\n" + End;
        await PlayAsync(script);
        Assert.Contains("R<nobody@example.test>|", peer.Heard);
        Assert.Contains(peer.Heard, h => h.EndsWith("{rcpt_host}|5.1.1|{rcpt_mailer}|error|", StringComparison.Ordinal));
        await using var other = new MilterPeer();
        await PlayAsync(script, For(other));
        Assert.DoesNotContain(other.Heard, h => h[0] == 'R');
    }

    [Fact]
    public async Task Fields_are_changed_where_Postfix_would_change_them()
    {
        Answers('E', "hX-End|e|", MilterPeer.Indexed('i', 0, "X-Top|t\nfolded|"), MilterPeer.Indexed('i', 1, "X-First|f|"), MilterPeer.Indexed('m', 1, "x-a|one|"), MilterPeer.Indexed('m', 2, "X-A||"), MilterPeer.Indexed('m', 1, "Received|forged|"), "p", "c");
        var mail = Assert.Single(await MessageAsync());
        Assert.StartsWith("Received: from client.test", mail.Text, StringComparison.Ordinal);
        Assert.Equal("X-First: f\r\nX-Top: t\r\n\tfolded\r\nSubject: first\r\n second\r\nx-a: one\r\nX-End: e\r\nReceived: forged\r\n\r\nbody\r\n", Own(mail));
    }

    [Fact]
    public async Task With_leading_spaces_agreed_on_values_are_taken_as_they_are()
    {
        peer.Steps = 0x100000;
        Answers('E', "hX-End|\te|", "hX-None|n|", "c");
        Assert.Contains("\r\nX-End:\te\r\nX-None:n\r\n", Assert.Single(await MessageAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_body_comes_in_pieces_and_8_bit_text_stays_as_it_is()
    {
        Answers('E', "bone\n", "bt\xd0\xbf\r\n", "hX-\x8f|", "c");
        Assert.Empty(await MessageAsync("451 4.7.1 *")); // a name of a field is ASCII
        Answers('E', "bone\n", "bt\xd0\xbf\r", "b\nend", "hX-P|\xd0\xbf|", "c");
        Assert.EndsWith("X-P: п\r\n\r\none\r\ntп\r\nend", Assert.Single(await MessageAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_envelope_is_changed()
    {
        Answers('E', "e<new@elsewhere.test>|RET=HDRS ENVID=QQ|", "+<anna@example.test>|", "2far@elsewhere.test|NOTIFY=NEVER ORCPT=rfc822;x@y|", "-<ivan@example.test>|", "+<nobody@example.test>|", "c");
        var order = Assert.Single(await MessageAsync()).Order;
        Assert.Equal(("new@elsewhere.test", "HDRS", "QQ"), (order.ReversePath!.ToString(), order.Return, order.EnvelopeId));
        Assert.Equal(["anna@example.test", "far@elsewhere.test"], order.Recipients.Select(r => r.Address.ToString()));
        Assert.NotNull(order.Recipients[0].Targets.Single().Account);
        Assert.Equal(("far@elsewhere.test", "NEVER", "rfc822;x@y"), (order.Recipients[1].Targets.Single().Remote!.ToString(), order.Recipients[1].Notify, order.Recipients[1].OriginalRecipient));
        Answers('E', "e<>|", "c");
        Assert.Null(Assert.Single(await MessageAsync()).Order.ReversePath);
        Answers('E', "-<ivan@example.test>|", "c");
        Assert.Empty(await MessageAsync()); // nobody is left
    }

    [Fact]
    public async Task Quarantine_and_marks_lead_into_the_junk_mailbox()
    {
        Answers('E', "qlooks odd|", "c");
        Assert.True(Assert.Single(await MessageAsync()).Order.Junk);
        Answers('E', "hX-Spam|Yes, score=9|", "c");
        Assert.True(Assert.Single(await MessageAsync()).Order.Junk);
        Assert.False(Assert.Single(await MessageAsync(milter: For(peer) with { JunkFields = [] })).Order.Junk);
        Answers('E', "hX-Spam|No|", "c");
        Assert.False(Assert.Single(await MessageAsync()).Order.Junk);
    }

    [Fact]
    public async Task What_it_asked_for_before_it_refuses_is_not_done()
    {
        Answers('E', "+<anna@example.test>|", "hX|y|", "r");
        Assert.Empty(await MessageAsync("550 5.7.1 *"));
    }

    [Fact]
    public async Task The_second_sees_what_the_first_has_left()
    {
        await using var second = new MilterPeer();
        Answers('E', "hX-New|n|", "bother", MilterPeer.Indexed('m', 1, "Subject||"), "c");
        var mail = Assert.Single(await office.PlayAsync(Protocol.Smtp, Begin + Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal) + End, pipeline: Pipeline(For(peer), For(second))));
        Assert.Equal(["LX-A|1|", "LX-A|2|", "LX-New|n|", "Bother"], second.Heard.Where(h => h[0] is 'L' or 'B'));
        Assert.EndsWith("X-New: n\r\n\r\nother", mail.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_mail_that_it_is_for_is_shown_to_it()
    {
        Assert.Single(await MessageAsync(milter: For(peer) with { For = [FilteredMail.Submission] }));
        Assert.Equal(0, peer.Connections);
    }

    [Theory]
    [InlineData("<drop>")]
    [InlineData("z")]        // no such answer
    [InlineData("cx")]       // a form it does not have
    [InlineData("f")]        // it cannot go on
    [InlineData("hX|y|")]    // too early
    [InlineData("y200 ok|")]
    [InlineData("<hang>")]
    public async Task Its_failures_are_met_as_the_settings_say(string answer)
    {
        var milter = For(peer) with { CommandTimeout = answer == MilterPeer.Hang ? TimeSpan.FromSeconds(0.3) : Wait.Patience };
        foreach (var command in answer == MilterPeer.Hang ? "CRNB" : "CHMRTLNB")
        {
            Answers(command, answer);
            var at = "CHM".Contains(command) ? 0 : command == 'R' ? 1 : 2;
            foreach (var (mode, reply) in new[] { (FilterFailure.Tempfail, "451 4.7.1 *"), (FilterFailure.Reject, "550 5.7.1 *") })
            {
                await PlayAsync(Begin + (at == 0 ? $"C: MAIL FROM:<a@b.test>\nS: {reply}\n" : at == 1 ? $"C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: {reply}\n"
                    : Envelope + (command == 'T' ? $"C: DATA\nS: {reply}\n" : Text.Replace("S: *", "S: " + reply, StringComparison.Ordinal))) + End, milter with { OnFailure = mode });
            }
            Assert.False(Assert.Single(await MessageAsync(milter: milter with { OnFailure = FilterFailure.Accept })).Order.Junk);
            Assert.True(Assert.Single(await MessageAsync(milter: milter with { OnFailure = FilterFailure.Quarantine })).Order.Junk);
        }
    }

    [Fact]
    public async Task A_dead_one_is_left_alone_after_a_few_failures()
    {
        peer.Greeting = [0, 0, 0, 1, (byte)'r'];
        var pipeline = Pipeline(For(peer) with { OnFailure = FilterFailure.Accept });
        for (var i = 0; i < 8; i++)
            Assert.Single(await office.PlayAsync(Protocol.Smtp, Begin + Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal) + End, pipeline: pipeline));
        Assert.Equal(3, peer.Connections);
    }

    [Fact]
    public async Task One_that_went_away_while_the_client_was_idle_is_opened_again()
    {
        var messages = 0;
        peer.Script = heard => heard[0] == 'E' ? messages++ == 0 ? ["c", MilterPeer.Drop] : ["c"] : null;
        var text = Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal);
        Assert.Equal(2, (await PlayAsync(Begin + text + "C: NOOP\nS: 250 *\n" + text + End)).Count);
        Assert.Equal(2, peer.Connections);
    }

    [Fact]
    public async Task One_that_goes_away_just_as_the_next_message_begins_is_opened_again_once()
    {
        var messages = 0;
        peer.Script = heard => heard[0] == 'M' && messages++ == 1 ? [MilterPeer.Drop] : null;
        var text = Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal);
        Assert.Equal(2, (await PlayAsync(Begin + text + text + End)).Count);
        Assert.Equal(2, peer.Connections);
        peer.Script = heard => heard[0] == 'M' && messages++ > 3 ? [MilterPeer.Drop] : null;
        await PlayAsync(Begin + text + "C: MAIL FROM:<a@elsewhere.test>\nS: 451 4.7.1 *\n" + End);
        Assert.Equal(4, peer.Connections);
    }

    [Fact]
    public async Task A_connection_is_kept_for_the_next_client_where_that_is_wanted()
    {
        var pipeline = Pipeline(For(peer) with { KeepConnections = true });
        for (var i = 0; i < 3; i++)
            await office.PlayAsync(Protocol.Smtp, Begin + Envelope + Text.Replace("S: *", "S: 250 *", StringComparison.Ordinal) + End, pipeline: pipeline);
        Assert.Equal(1, peer.Connections);
        await Wait.UntilAsync(() => peer.Heard.Count(h => h[0] == 'K') == 3, "the milter has heard of three ends");
        Assert.Equal(3, peer.Heard.Count(h => h[0] == 'C'));
    }

    [Fact]
    public async Task It_may_listen_at_a_unix_socket()
    {
        var path = Path.Combine(office.Settings.Data, "milter.sock");
        await using var local = new MilterPeer(path);
        Assert.Single(await MessageAsync(milter: For(local)));
        Assert.Equal(1, local.Connections);
    }

    [Fact]
    public async Task A_transaction_that_is_given_up_is_told_at_the_next_or_at_the_end()
    {
        await PlayAsync(Begin + "C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RSET\nS: 250 *\nC: MAIL FROM:<c@d.test>\nS: 250 *\n" + End);
        Assert.Equal("C H M A M A Q", string.Join(' ', peer.Heard.Where(h => h[0] != 'D').Select(h => h[..1])));
    }

    [Theory]
    [InlineData("127.0.0.1:11332", "127.0.0.1:11332")]
    [InlineData("inet:8891@localhost", "Unspecified/localhost:8891")]
    [InlineData("inet:filter.test:8891", "Unspecified/filter.test:8891")]
    [InlineData("inet6:8891@[::1]", "[::1]:8891")]
    [InlineData("[::1]:8891", "[::1]:8891")]
    [InlineData("unix:/run/x.sock", "/run/x.sock")]
    [InlineData("local:/run/x.sock", "/run/x.sock")]
    [InlineData("/run/x.sock", "/run/x.sock")]
    [InlineData("", null)]
    [InlineData("localhost", null)]
    [InlineData("localhost:0", null)]
    [InlineData("inet:99999@localhost", null)]
    [InlineData("unix:run/x.sock", null)]
    [InlineData("host name:25", null)]
    public void Addresses_are_written_as_Sendmail_and_Postfix_write_them(string address, string? expected)
    {
        var settings = new MilterSettings { Address = address };
        Assert.Equal(expected, settings.EndPoint()?.ToString());
        Assert.Equal(expected is null, settings.Problem() is not null);
    }

    [Fact]
    public void Wrong_settings_are_told_in_a_sentence()
    {
        var flags = new SettingsFlags();
        var loaded = SettingsFile.Parse("milters:\n  - address: 127.0.0.1:11332\n    for: smtp\n    on-failure: accept\n    message-timeout: 3m\n    packet-size: 1M\n", "c.yaml", flags).Settings!.Milters;
        Assert.Equal((FilterFailure.Accept, TimeSpan.FromMinutes(3), 1L << 20), (loaded[0].OnFailure, loaded[0].MessageTimeout, loaded[0].PacketSize));
        Assert.Contains("host:port", SettingsFile.Parse("milters:\n  - address: nowhere\n", "c.yaml", flags).Problem, StringComparison.Ordinal);
        Assert.Contains("2 to 6", SettingsFile.Parse("milters:\n  - address: a:1\n    protocol: 7\n", "c.yaml", flags).Problem, StringComparison.Ordinal);
        Assert.Contains("64K", SettingsFile.Parse("milters:\n  - address: a:1\n    packet-size: 65K\n", "c.yaml", flags).Problem, StringComparison.Ordinal);
        Assert.Contains("junk-fields", SettingsFile.Parse("milters:\n  - address: a:1\n    junk-fields: [yes]\n", "c.yaml", flags).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_may_hear_of_clients_from_the_first_moment()
    {
        Answers('C', "y554 5.7.1 not you|");
        await PlayAsync("S: 554 5.7.1 *\nS!\n", For(peer) with { FromConnect = true });
        Answers('H', "r");
        await PlayAsync("S: 220 *\nC: HELO client.test\nS: 550 5.7.1 *\n", For(peer) with { FromConnect = true });
    }
}
