using System.Buffers;
using System.Text;
using CbaMail.Config;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>What transcripts cannot say of APPEND, REPLACE, BINARY and OBJECTID: quotas, sizes, memory, two mailboxes and two sessions.</summary>
[Collection("imap")]
public sealed class UploadTests(ImapFixture fixture)
{
    async Task<ImapClient> SignedInAsync(string address, Settings? settings = null)
    {
        var client = fixture.Connect(settings);
        await client.LineAsync();
        await client.OkAsync($"LOGIN {address} \"{ImapFixture.Password}\"");
        return client;
    }

    async Task<ImapClient> NewAsync(long quota = 0, Settings? settings = null) => await SignedInAsync((await fixture.AccountAsync(quota)).Address.ToString(), settings);

    static string Literal(string text) => $"{{{Encoding.UTF8.GetByteCount(text)}+}}\r\n{text}";

    static async Task<string> StatusAsync(ImapClient client, string mailbox) => (await client.OkAsync($"STATUS {mailbox} (MESSAGES UIDNEXT SIZE)"))[0];

    [Fact]
    public async Task A_quota_that_not_all_fit_in_takes_none() // RFC 3502 6.3.11
    {
        await using var client = await NewAsync(quota: 1000);
        var message = ImapClient.Message(1, new string('x', 300) + "\r\n");
        Assert.StartsWith("NO [OVERQUOTA]", await client.TaggedAsync($"APPEND INBOX {Literal(message)} {Literal(message)} {Literal(message)}"), StringComparison.Ordinal);
        Assert.Equal("* STATUS INBOX (MESSAGES 0 UIDNEXT 1 SIZE 0)", await StatusAsync(client, "INBOX"));
        Assert.StartsWith("OK [APPENDUID ", await client.TaggedAsync($"APPEND INBOX {Literal(message)} {Literal(message)}"), StringComparison.Ordinal);
        Assert.StartsWith("* STATUS INBOX (MESSAGES 2 UIDNEXT 3 ", await StatusAsync(client, "INBOX"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replacing_counts_only_what_is_more() // RFC 8508 3.4
    {
        await using var client = await NewAsync(quota: 1000);
        string Of(int size) => ImapClient.Message(1, "")[..^2].PadRight(10) + "X: y\r\n\r\n" + new string('x', size - ImapClient.Message(1, "").Length - 6);
        await client.AppendAsync("INBOX", Of(800));
        await client.OkAsync("SELECT INBOX");
        Assert.StartsWith("NO [OVERQUOTA]", await client.TaggedAsync($"REPLACE 1 INBOX {Literal(Of(1001))}"), StringComparison.Ordinal);
        Assert.Equal("* STATUS INBOX (MESSAGES 1 UIDNEXT 2 SIZE 800)", await StatusAsync(client, "INBOX"));
        Assert.Equal(["* OK [APPENDUID *", "* 2 EXISTS", "* 2 RECENT", "* 1 EXPUNGE"], (await client.OkAsync($"REPLACE 1 INBOX {Literal(Of(1000))}")).Select(line => line.Contains("APPENDUID") ? "* OK [APPENDUID *" : line));
        Assert.StartsWith("OK", (await client.CommandAsync($"REPLACE 1 Sent {Literal(Of(700))}"))[^1], StringComparison.Ordinal);
        Assert.Equal("* STATUS Sent (MESSAGES 1 UIDNEXT 2 SIZE 700)", await StatusAsync(client, "Sent"));
    }

    [Fact]
    public async Task Who_else_looks_sees_the_new_one_and_the_old_one_go() // RFC 8508 3.4, 4.5
    {
        var account = await fixture.AccountAsync();
        await using var one = await SignedInAsync(account.Address.ToString());
        await using var two = await SignedInAsync(account.Address.ToString());
        await one.AppendAsync("Drafts", ImapClient.Message(1));
        await one.OkAsync("SELECT Drafts");
        await two.OkAsync("ENABLE QRESYNC");
        await two.OkAsync("SELECT Drafts");
        await one.OkAsync($"UID REPLACE 1 Drafts {Literal(ImapClient.Message(2))}");
        var told = await two.OkAsync("NOOP");
        Assert.Contains("* VANISHED 1", told);
        Assert.Contains("* 1 EXISTS", told);
        // it has gone: there is nothing to replace, and nothing is appended
        await two.OkAsync("STORE 1 +FLAGS (\\Deleted)");
        await two.OkAsync("EXPUNGE");
        Assert.StartsWith("NO [EXPUNGEISSUED]", await one.TaggedAsync($"REPLACE 1 Drafts {Literal(ImapClient.Message(3))}"), StringComparison.Ordinal);
        Assert.StartsWith("* STATUS Drafts (MESSAGES 0 UIDNEXT 3 ", await StatusAsync(two, "Drafts"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_bound_a_command_of_many()
    {
        var settings = fixture.Settings with { Imap = fixture.Settings.Imap with { MaxAppended = 3, MaxAppendedBytes = 5 << 20 } };
        await using var client = await NewAsync(settings: settings);
        var small = Literal(ImapClient.Message(1));
        Assert.StartsWith("NO [LIMIT]", await client.TaggedAsync($"APPEND INBOX {small} {small} {small} {small}"), StringComparison.Ordinal);
        var large = Literal(ImapClient.Message(1, new string('x', 3 << 20)));
        Assert.StartsWith("NO [LIMIT]", await client.TaggedAsync($"APPEND INBOX {large} {large}"), StringComparison.Ordinal);
        Assert.StartsWith("OK", await client.TaggedAsync($"APPEND INBOX {small} {large} {small}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thousand_at_once_are_all_there()
    {
        await using var client = await NewAsync();
        var text = new StringBuilder("APPEND INBOX");
        for (var i = 1; i <= 1000; i++) text.Append(' ').Append(Literal(ImapClient.Message(i)));
        Assert.Matches(@"^OK \[APPENDUID \d+ 1:1000\]", await client.TaggedAsync(text.ToString()));
        await client.OkAsync("SELECT INBOX");
        Assert.Equal(["* SEARCH 777"], await client.OkAsync("SEARCH SUBJECT \"Number 777\""));
    }

    [Fact]
    public async Task Ranges_of_a_large_part_put_together_are_the_part() // RFC 3516 4.2
    {
        await using var client = await NewAsync();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var text = string.Concat(Enumerable.Range(0, 30_000).Select(i => $"line {i} = {random.Next()}   \r\n"));
        var content = Encoding.ASCII.GetBytes(text);
        var quoted = new ArrayBufferWriter<byte>();
        TransferEncoding.WriteQuoted(quoted, content);
        var base64 = new ArrayBufferWriter<byte>();
        TransferEncoding.WriteBase64(base64, content);
        foreach (var (encoding, body) in new[] { ("quoted-printable", quoted.WrittenSpan.ToArray()), ("base64", base64.WrittenSpan.ToArray()), ("7bit", content) })
            await client.AppendAsync("INBOX", $"Content-Transfer-Encoding: {encoding}\r\n\r\n{Encoding.ASCII.GetString(body)}");
        await client.OkAsync("SELECT INBOX");
        for (var message = 1; message <= 3; message++)
        {
            Assert.Equal([$"* {message} FETCH (BINARY.SIZE[1] {content.Length})"], await client.OkAsync($"FETCH {message} BINARY.SIZE[1]"));
            var got = new StringBuilder();
            while (got.Length < text.Length)
            {
                // mostly one behind the other, sometimes back
                var from = random.Next(5) == 0 ? random.Next(got.Length + 1) : got.Length;
                var count = 1 + random.Next(100_000);
                var lines = await client.OkAsync($"FETCH {message} BINARY.PEEK[1]<{from}.{count}>");
                var size = Math.Min(count, text.Length - from);
                Assert.Equal($"* {message} FETCH (BINARY[1]<{from}> {{{size}}}", lines[0]);
                var piece = string.Join("\r\n", lines.Skip(1))[..^1]; // CR and LF may have been parted
                Assert.True(piece.Replace("\r", "") == text.Substring(from, size).Replace("\r", ""), $"seed {seed}, message {message}, {from}.{count}");
                if (from == got.Length) got.Append(text, from, size);
            }
        }
    }

    [Fact]
    public async Task A_refused_command_takes_its_contents_along() // RFC 7888 3
    {
        await using var client = await NewAsync();
        await client.OkAsync("ENABLE UTF8=ACCEPT");
        await client.AppendAsync("INBOX", ImapClient.Message(1));
        await client.OkAsync("SELECT INBOX");
        const string Content = "x LOGOUT\r\n";
        foreach (var command in new[] { "REPLACE 1:2 INBOX ", "REPLACE 1,1 INBOX ", "UID REPLACE 7 INBOX ", "APPEND Nowhere ", "APPEND INBOX CATENATE (URL /INBOX/;UID=9 TEXT " })
            Assert.Matches("^(BAD|NO) ", await client.TaggedAsync($"{command}{{{Content.Length}+}}\r\n{Content}"));
        await client.SendAsync("y APPEND \""u8.ToArray());
        await client.SendAsync([0xFF, (byte)'"']);
        await client.SendAsync($" {{{Content.Length}+}}\r\n{Content}\r\n");
        Assert.StartsWith("BAD ", (await client.UntilAsync("y"))[^1], StringComparison.Ordinal);
        await client.SendAsync($"z APPEND INBOX {{{Content.Length}+}}\r\n{Content} CATENATE (URL \"");
        await client.SendAsync([0xFF, (byte)'"']);
        await client.SendAsync($" TEXT {{{Content.Length}+}}\r\n{Content})\r\n");
        Assert.StartsWith("BAD ", (await client.UntilAsync("z"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("* STATUS INBOX (MESSAGES 1 ", await StatusAsync(client, "INBOX"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_literals_have_to_wait_only_short_ones_come_unasked() // RFC 7888 5
    {
        await using var client = await NewAsync(settings: fixture.Settings with { Imap = fixture.Settings.Imap with { LiteralMinus = true } });
        Assert.Contains(" LITERAL- ", (await client.OkAsync("CAPABILITY"))[0], StringComparison.Ordinal);
        Assert.DoesNotContain("LITERAL+", (await client.OkAsync("CAPABILITY"))[0], StringComparison.Ordinal);
        string Of(int size) => ImapClient.Message(1, new string('x', size - ImapClient.Message(1, "").Length));
        Assert.StartsWith("OK ", await client.TaggedAsync($"APPEND INBOX {Literal(Of(4096))}"), StringComparison.Ordinal);
        Assert.StartsWith("BAD [TOOBIG] ", await client.TaggedAsync($"APPEND INBOX {Literal(Of(4097))}"), StringComparison.Ordinal);
        Assert.StartsWith("BAD [TOOBIG] ", await client.TaggedAsync($"CREATE {Literal(new string('x', 4097))}"), StringComparison.Ordinal);
        Assert.StartsWith("BAD [TOOBIG] ", await client.TaggedAsync($"APPEND INBOX {Literal(Of(300))} {Literal(Of(5000))}"), StringComparison.Ordinal);
        Assert.StartsWith("* STATUS INBOX (MESSAGES 1 ", await StatusAsync(client, "INBOX"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nul_that_has_come_by_other_doors_is_in_no_literal() // RFC 9051 4.3.1
    {
        var account = await fixture.AccountAsync();
        await using var client = await SignedInAsync(account.Address.ToString());
        foreach (var body in new[] { "a\0b", new string('\0', 100_000) })
        {
            using var staged = fixture.Mail.Stage(Encoding.ASCII.GetBytes($"Subject: x\0y\r\n\r\n{body}"));
            using var read = fixture.Mail.Read();
            var inbox = read.Find(account.Id, "INBOX")!.Id;
            Assert.True((await fixture.Mail.AppendAsync(inbox, staged, default, [], null, 0, default)).Ok);
        }
        await client.OkAsync("SELECT INBOX");
        foreach (var item in new[] { "BODY.PEEK[]", "BODY.PEEK[TEXT]", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "BODY.PEEK[1]<0.2>" })
            Assert.DoesNotContain(await client.OkAsync($"FETCH 1:2 {item}"), line => line.Contains('\0', StringComparison.Ordinal));
        Assert.Equal(["* 1 FETCH (BINARY[1] ~{3}", "a\0b)"], await client.OkAsync("FETCH 1 BINARY.PEEK[1]"));
        Assert.Equal(["* 2 FETCH (BINARY[1]<99990> ~{10}", new string('\0', 10) + ")"], await client.OkAsync("FETCH 2 BINARY.PEEK[1]<99990.20>"));
    }

    [Fact]
    public async Task Conversations_of_bodies_from_before_they_were_noted_are_the_same()
    {
        await using var client = await NewAsync();
        await client.OkAsync($"APPEND INBOX {Literal(ImapClient.Message(71))} {Literal("References: <71@example.test>\r\n" + ImapClient.Message(72))} {Literal("Subject: x\r\n\r\nx")}");
        await client.OkAsync("SELECT INBOX");
        var noted = await client.OkAsync("FETCH 1:* THREADID");
        await fixture.Store.CommitAsync(t => t.Prepare("UPDATE content SET conversation = NULL").Run(), default);
        Assert.Equal(noted, await client.OkAsync("FETCH 1:* THREADID"));
        Assert.Equal(["* SEARCH 1 2"], await client.OkAsync($"SEARCH THREADID {Id(noted[0], "THREADID")}"));
    }

    [Fact]
    public async Task In_the_mailbox_of_another_it_is_as_with_one_message() // RFC 4314 4
    {
        var (anna, boris) = (await fixture.AccountAsync(), await fixture.AccountAsync());
        await using var owner = await SignedInAsync(anna.Address.ToString());
        await using var guest = await SignedInAsync(boris.Address.ToString());
        await owner.OkAsync("CREATE Box");
        await owner.OkAsync($"SETACL Box {boris.Address} lrsi");
        var box = $"\"Other Users/{anna.Address}/Box\"";
        await guest.OkAsync($"APPEND {box} (\\Seen \\Flagged) {Literal(ImapClient.Message(1))} (\\Seen) {Literal(ImapClient.Message(2))}");
        await guest.OkAsync($"SELECT {box}");
        Assert.All(await guest.OkAsync("FETCH 1:2 FLAGS"), line => Assert.Matches(@"\(\\Seen( \\Recent)?\)\)", line));
        await owner.OkAsync("SELECT Box");
        Assert.All(await owner.OkAsync("FETCH 1:2 FLAGS"), line => Assert.DoesNotContain("Seen", line, StringComparison.Ordinal)); // everybody has his own
        Assert.StartsWith("NO [NOPERM]", await guest.TaggedAsync($"REPLACE 1 {box} {Literal(ImapClient.Message(3))}"), StringComparison.Ordinal);
        await owner.OkAsync($"SETACL Box {boris.Address} +te");
        Assert.Contains("* 1 EXPUNGE", await guest.OkAsync($"REPLACE 1 {box} (\\Seen) {Literal(ImapClient.Message(3))}"));
        // what cannot be read cannot be catenated
        await guest.OkAsync("UNSELECT");
        await owner.OkAsync($"SETACL Box {boris.Address} li");
        Assert.StartsWith("NO [BADURL ", await guest.TaggedAsync($"APPEND INBOX CATENATE (URL \"/Other%20Users/{anna.Address.ToString().Replace("@", "%40")}/Box/;UID=2\")"), StringComparison.Ordinal);
    }

    static string Id(string line, string item) => System.Text.RegularExpressions.Regex.Match(line, item + @" \(([A-Za-z0-9_-]+)\)").Groups[1].Value;

    [Fact]
    public async Task Identifiers_go_along_and_are_found_by_search() // RFC 8474 4, 5.1, 5.2, 6
    {
        await using var client = await NewAsync();
        var created = Id((await client.CommandAsync("CREATE One"))[^1], "MAILBOXID");
        await client.OkAsync("CREATE Two");
        await client.OkAsync($"APPEND One {Literal(ImapClient.Message(1))} {Literal("In-Reply-To: <1@example.test>\r\n" + ImapClient.Message(2))} {Literal(ImapClient.Message(3))} {Literal(ImapClient.Message(1))}");
        await client.OkAsync("SELECT One");
        var lines = await client.OkAsync("FETCH 1:4 (EMAILID THREADID)");
        var emails = lines.Select(line => Id(line, "EMAILID")).ToList();
        var threads = lines.Select(line => Id(line, "THREADID")).ToList();
        Assert.Equal(4, emails.Distinct().Count());
        Assert.Equal(threads[0], threads[1]);
        Assert.Equal(threads[0], threads[3]);
        Assert.NotEqual(threads[0], threads[2]);
        Assert.Empty(emails.Intersect(threads));
        Assert.Equal(["* SEARCH 2"], await client.OkAsync($"SEARCH EMAILID {emails[1]}"));
        Assert.Equal(["* SEARCH 1 2 4"], await client.OkAsync($"SEARCH THREADID {threads[0]}"));
        Assert.Equal(["* SEARCH"], await client.OkAsync($"SEARCH EMAILID {emails[1].ToLowerInvariant()}"));
        await client.OkAsync("COPY 2 Two");
        await client.OkAsync("MOVE 3 Two");
        await client.OkAsync("SELECT Two");
        Assert.Equal([emails[1], emails[2]], (await client.OkAsync("FETCH 1:2 EMAILID")).Select(line => Id(line, "EMAILID")));
        Assert.Equal([threads[1], threads[2]], (await client.OkAsync("UID FETCH 1:2 (THREADID)")).Select(line => Id(line, "THREADID")));
        await client.OkAsync("RENAME One Three");
        Assert.Equal(created, Id((await client.OkAsync("STATUS Three (MAILBOXID)"))[0], "MAILBOXID"));
        Assert.NotEqual(created, Id((await client.CommandAsync("CREATE One"))[^1], "MAILBOXID"));
    }

    [Fact]
    public async Task Noise_between_messages_never_leaves_some_of_them()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await using var client = await NewAsync(settings: fixture.Settings with { Imap = fixture.Settings.Imap with { MaxBadCommands = 1_000_000 } });
        string[] pieces = [" ", "(", ")", "(\\Seen)", " {3+}\r\nabc", " ~{3+}\r\na\0c", " {0+}\r\n", "CATENATE ", "TEXT", "URL /INBOX/;UID=1", "UTF8 (", "\"1-Jan-2020 00:00:00 +0000\"", "INBOX", " {5+}\r\nINBOX"];
        var kept = 0;
        for (var round = 0; round < 1500; round++)
        {
            var text = "APPEND" + string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (text.Contains("INBOX", StringComparison.Ordinal) && random.Next(2) == 0) text = "APPEND INBOX" + text[6..];
            var answer = await client.TaggedAsync(text);
            if (answer.StartsWith("OK [APPENDUID ", StringComparison.Ordinal))
            {
                var set = answer.Split(' ', ']')[3].Split(':');
                kept += set.Length == 1 ? 1 : int.Parse(set[1], null) - int.Parse(set[0], null) + 1;
            }
            else Assert.True(answer.StartsWith("BAD", StringComparison.Ordinal) || answer.StartsWith("NO", StringComparison.Ordinal), $"seed {seed}: {text}: {answer}");
        }
        Assert.True((await StatusAsync(client, "INBOX")).StartsWith($"* STATUS INBOX (MESSAGES {kept} ", StringComparison.Ordinal), $"seed {seed}");
    }
}
