using System.Diagnostics;
using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>
/// IMAP clients that want to hurt: each gets a clear BAD, NO or BYE, takes less than a megabyte of the server's memory, and nobody else waits for it.
/// </summary>
public sealed class HostileImapTests(HostileImapTests.Collected fixture, ITestOutputHelper output) : IClassFixture<HostileImapTests.Collected>
{
    /// <summary>
    /// Its memory is measured from outside, and garbage counts there until it is collected. How much of that there may be goes by the processor's cache, tens of megabytes
    /// with a large one; here four, in hexadecimal.
    /// </summary>
    public sealed class Collected : ServerFixture
    {
        private protected override TestServer.Launch Launch => new() { Environment = new Dictionary<string, string> { ["DOTNET_GCgen0MaxBudget"] = "400000" } };
    }

    const int First = 10, Many = 40;
    static readonly TimeSpan Promptly = TimeSpan.FromSeconds(5);

    readonly TestServer server = fixture.Server;

    Task<WireClient> SignInAsync(string address = ServerFixture.Anna) => WireClient.ImapLoginAsync(server.Imap, address);

    /// <summary>What an honest client notices of it: nothing.</summary>
    static async Task ServesAsync(WireClient honest)
    {
        var clock = Stopwatch.StartNew();
        await honest.ImapAsync("STATUS INBOX (MESSAGES)", "OK");
        await honest.ImapAsync("FETCH 1 (FLAGS ENVELOPE)", "OK");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Promptly);
    }

    /// <summary>What nobody is there to read is not made any more.</summary>
    async Task IdlesAsync()
    {
        using var process = Process.GetProcessById(server.ProcessId);
        var (before, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        await Wait.UntilAsync(() =>
        {
            if (clock.ElapsedMilliseconds < 300) return false;
            process.Refresh();
            var share = (process.TotalProcessorTime - before) / clock.Elapsed;
            (before, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
            return share < 0.2;
        }, "the server has nothing to do");
    }

    async Task<WireClient> HonestAsync()
    {
        var honest = await SignInAsync(ServerFixture.Boris);
        var letter = Letter.Text("sender@example.org", ServerFixture.Boris, "honest");
        await honest.ImapAsync($"APPEND INBOX {{{Encoding.UTF8.GetByteCount(letter)}+}}\r\n{letter}", "OK");
        await honest.ImapAsync("SELECT INBOX", "OK");
        return honest;
    }

    // RFC 9051 4.3, RFC 7888 4: refused before it is sent, or the connection ends
    [Theory]
    [InlineData("SELECT {4294967296}", "t2 BAD [TOOBIG]"), InlineData("SELECT {4294967296+}", "* BYE [TOOBIG]")]
    [InlineData("SELECT {18446744073709551616}", "t2 BAD"), InlineData("SEARCH SUBJECT {4294967295+}", "* BYE [TOOBIG]")]
    [InlineData("APPEND INBOX {4294967296}", "t2 NO [TOOBIG]"), InlineData("APPEND INBOX {4294967296+}", "* BYE [TOOBIG]")]
    [InlineData("APPEND INBOX (\\Seen) {99999999999999999999999999+}", "* BYE [TOOBIG]")]
    public async Task Four_gigabytes_are_announced(string command, string expected)
    {
        await using var client = await SignInAsync();
        await client.SendLineAsync("t2 " + command);
        Assert.StartsWith(expected, await client.ReadLineAsync(), StringComparison.Ordinal);
        if (expected[0] == '*') Assert.True(await client.IsClosedAsync());
        else await client.ImapAsync("NOOP", "OK");
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_line_of_a_megabyte_is_refused_or_ends_it(bool signedIn)
    {
        await using var client = signedIn ? await SignInAsync() : await WireClient.ConnectAsync(server.Imap);
        if (!signedIn) await client.ReadLineAsync();
        try
        {
            await client.SendAsync("t9 LIST \"\" " + new string('x', 900_000) + "\r\n");
            Assert.StartsWith("t9 BAD", await client.ReadLineAsync(), StringComparison.Ordinal);
            for (var i = 0; i < 64; i++) await client.SendAsync(new string('y', 65536));
            Assert.True(await client.IsClosedAsync());
        }
        catch (IOException)
        {
            // hung up in the middle: as good
        }
    }

    [Theory]
    [InlineData("SEARCH "), InlineData("FETCH 1 "), InlineData("STORE 1 FLAGS "), InlineData("LIST "), InlineData("ID "), InlineData("SELECT INBOX "), InlineData("STATUS INBOX ")]
    [InlineData("APPEND INBOX "), InlineData("CREATE x "), InlineData("SORT "), InlineData("NOTIFY SET "), InlineData("GETMETADATA "), InlineData("SETQUOTA x "), InlineData("FETCH 1 BODY[HEADER.FIELDS ")]
    public async Task Ten_thousand_parentheses_are_not_opened(string command)
    {
        await using var client = await SignInAsync();
        await client.ImapAsync("SELECT INBOX", "OK");
        var answer = (await client.ImapAsync(command + new string('(', 10_000)))[^1];
        Assert.StartsWith("BAD", answer, StringComparison.Ordinal);
        await client.ImapAsync("NOOP", "OK");
    }

    [Theory]
    [InlineData("SEARCH ", "ALL ", "ALL"), InlineData("SEARCH ", "NOT ", "ALL"), InlineData("SEARCH ", "OR ALL ", "ALL"), InlineData("SEARCH ", "UID 1:* ", "ALL")]
    [InlineData("SEARCH ", "OR NOT ", "ALL"), InlineData("SEARCH ", "TEXT a ", "ALL"), InlineData("SEARCH RETURN (", "ALL ", "ALL) ALL")]
    public async Task Ten_thousand_keys_are_too_many(string command, string piece, string end)
    {
        await using var honest = await HonestAsync();
        await using var client = await SignInAsync();
        await client.ImapAsync("SELECT INBOX", "OK");
        var clock = Stopwatch.StartNew();
        // all that a line can hold of them
        var many = string.Concat(Enumerable.Repeat(piece, Math.Min(10_000, 65_000 / piece.Length)));
        var answer = (await client.ImapAsync(command + many + end))[^1];
        if (!command.Contains("RETURN", StringComparison.Ordinal)) Assert.StartsWith("BAD", answer, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Promptly);
        await client.ImapAsync("NOOP", "OK");
        await ServesAsync(honest);
    }

    [Fact]
    public async Task A_set_of_ten_thousand_ranges_is_read_as_what_it_is()
    {
        await using var client = await HonestAsync();
        var clock = Stopwatch.StartNew();
        var set = string.Join(',', Enumerable.Range(1, 7_000).Select(i => $"{8_000 - i}:*"));
        await client.ImapAsync($"UID FETCH {set} (FLAGS)", "OK");
        await client.ImapAsync($"UID SEARCH UID {set}", "OK");
        await client.ImapAsync($"UID STORE {set} +FLAGS.SILENT (\\Seen)", "OK");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Promptly);
    }

    /// <summary>Commands without end, whose answers nobody reads: the server stops reading too, and goes on where the client does.</summary>
    [Fact]
    public async Task Thousands_of_pipelined_commands_wait_for_their_reader()
    {
        const int Commands = 4_000;
        await using var honest = await HonestAsync();
        await using var client = await SignInAsync();
        for (var i = 0; i < 20; i++)
        {
            var letter = Letter.Text("sender@example.org", ServerFixture.Anna, $"number {i}");
            await client.ImapAsync($"APPEND INBOX {{{Encoding.UTF8.GetByteCount(letter)}+}}\r\n{letter}", "OK");
        }
        await client.ImapAsync("SELECT INBOX", "OK");
        var before = server.ResidentMemory();
        var sending = client.SendAsync(string.Concat(Enumerable.Range(1, Commands).Select(i => $"p{i} FETCH 1:20 (FLAGS UID ENVELOPE)\r\n")));
        for (var i = 0; i < 10; i++) await ServesAsync(honest);
        Assert.InRange(server.ResidentMemory() - before, long.MinValue, 32 << 20);
        var tagged = 0;
        while (tagged < Commands)
        {
            var line = await client.ReadLineAsync();
            if (line![0] == 'p') Assert.Equal($"p{++tagged} OK FETCH completed", line);
        }
        await sending;
        await client.ImapAsync("NOOP", "OK");
    }

    /// <summary>Some kilobytes of deflate that are millions of commands (RFC 4978), of whose answers, compressed as well, none is read.</summary>
    [Fact]
    public async Task Millions_of_commands_in_some_kilobytes_wait_for_their_reader()
    {
        const int Clients = 8;
        await using var honest = await HonestAsync();
        using var flood = new MemoryStream();
        using (var deflate = new System.IO.Compression.DeflateStream(flood, System.IO.Compression.CompressionLevel.Optimal, leaveOpen: true))
        {
            var commands = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a NOOP\r\n", 10_000)));
            for (var i = 0; i < 200; i++) deflate.Write(commands);
        }
        var clients = new List<WireClient>();
        for (var i = 0; i < Clients; i++)
        {
            clients.Add(await SignInAsync());
            await clients[^1].ImapAsync("COMPRESS DEFLATE", "OK");
        }
        var before = server.ResidentMemory();
        foreach (var client in clients) _ = client.SendAsync(flood.ToArray()).ContinueWith(static t => t.Exception, TaskScheduler.Default);
        for (var i = 0; i < 200; i++)
        {
            await ServesAsync(honest);
            // what a server takes that has just begun to work; their answers would be ten times that
            Assert.InRange(server.ResidentMemory() - before, long.MinValue, 128 << 20);
        }
        foreach (var client in clients) client.Reset();
    }

    /// <summary>Searches that take long: they take turns, and nobody else waits for them.</summary>
    [Theory, InlineData("UNKEYWORD never{0}"), InlineData("NOT BODY never{0}")]
    public async Task Searches_without_end_take_turns(string key)
    {
        const string Seeker = "seeker@example.test";
        await using var own = await TestServer.StartAsync();
        await own.AddAccountsAsync(Seeker, ServerFixture.Boris);
        await using var honest = await WireClient.ImapLoginAsync(own.Imap, ServerFixture.Boris);
        await using (var filling = await WireClient.ImapLoginAsync(own.Imap, Seeker))
        {
            var letter = Letter.Text("sender@example.org", Seeker, "large", string.Concat(Enumerable.Repeat("A line of a message that is searched for long.\r\n", 500)));
            await filling.ImapAsync($"APPEND INBOX ($one $two $three) {{{Encoding.UTF8.GetByteCount(letter)}+}}\r\n{letter}", "OK");
            await filling.ImapAsync("SELECT INBOX", "OK");
            for (var messages = 1; messages < 20_000; messages *= 2) await filling.ImapAsync($"COPY 1:{Math.Min(messages, 20_000 - messages)} INBOX", "OK");
        }
        var clients = new List<WireClient>();
        for (var i = 0; i < 20; i++)
        {
            clients.Add(await WireClient.ImapLoginAsync(own.Imap, Seeker));
            await clients[^1].ImapAsync("EXAMINE INBOX", "OK");
            await clients[^1].SendLineAsync("s SEARCH RETURN (COUNT) " + string.Join(' ', Enumerable.Range(0, 900).Select(n => string.Format(System.Globalization.CultureInfo.InvariantCulture, key, n))));
        }
        for (var i = 0; i < 20; i++)
        {
            var clock = Stopwatch.StartNew();
            await honest.ImapAsync("NOOP", "OK");
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, Promptly);
        }
        foreach (var client in clients) client.Reset();
    }

    /// <summary>All bodies of 100,000 messages, and somebody who takes a byte now and then.</summary>
    [Fact]
    public async Task All_bodies_of_a_hundred_thousand_messages_go_to_readers_that_hardly_read()
    {
        const string Greedy = "greedy@example.test";
        await server.AddAccountsAsync(Greedy);
        await using (var filling = await SignInAsync(Greedy))
        {
            var letter = Letter.Text("sender@example.org", Greedy, "large", string.Concat(Enumerable.Repeat("A line of a message that is large enough to fill every buffer.\r\n", 1500)));
            await filling.ImapAsync($"APPEND INBOX {{{Encoding.UTF8.GetByteCount(letter)}+}}\r\n{letter}", "OK");
            await filling.ImapAsync("SELECT INBOX", "OK");
            for (var messages = 1; messages < 100_000; messages *= 2) await filling.ImapAsync($"COPY 1:{Math.Min(messages, 100_000 - messages)} INBOX", "OK");
        }
        await using var honest = await HonestAsync();
        var clients = new List<WireClient>();
        async Task<WireClient> ConnectAsync(bool tls)
        {
            var client = await WireClient.ConnectAsync(tls ? server.Imaps : server.Imap, tls);
            await client.ReadLineAsync();
            await client.ImapAsync($"LOGIN {Greedy} \"{ServerFixture.Password}\"", "OK");
            await client.ImapAsync("EXAMINE INBOX", "OK");
            return client;
        }
        long before = 0;
        for (var i = 0; i < Many; i++)
        {
            // what the server takes for the first ones is what it takes to be at work at all
            if (i == First) before = server.ResidentMemory();
            clients.Add(await ConnectAsync(tls: i % 2 == 1));
            await clients[^1].SendLineAsync("f FETCH 1:* (FLAGS BODY.PEEK[])");
            Assert.NotEmpty(await clients[^1].ReadBytesAsync(1));
        }
        for (var i = 0; i < 5; i++)
        {
            foreach (var client in clients) await client.ReadBytesAsync(1);
            await ServesAsync(honest);
        }
        var each = (server.ResidentMemory() - before) / (Many - First);
        output.WriteLine($"{each >> 10} KB a reader");
        Assert.InRange(each, long.MinValue, 1 << 20);
        foreach (var client in clients) client.Reset();
        await IdlesAsync();
    }

    [Fact]
    public async Task A_flood_of_wrong_passwords_keeps_nobody_else_waiting()
    {
        await using var own = await TestServer.StartAsync();
        await own.AddAccountsAsync(ServerFixture.Anna);
        await using var honest = await WireClient.ImapLoginAsync(own.Imap, ServerFixture.Anna);
        await honest.ImapAsync("SELECT INBOX", "OK");
        var before = own.ResidentMemory();
        var flood = Enumerable.Range(0, 100).Select(async i =>
        {
            await using var client = await WireClient.ConnectAsync(own.Imap);
            await client.ReadLineAsync();
            for (var n = 0; n < 15; n++)
            {
                await client.SendLineAsync($"x{n} LOGIN nobody{i}@example.test wrong{n}");
                if (await client.ReadLineAsync() is not { } line || line.StartsWith("* BYE", StringComparison.Ordinal)) return;
                Assert.Matches("^x[0-9]+ NO \\[", line);
            }
        }).ToList();
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 50; i++)
        {
            var clock = Stopwatch.StartNew();
            await honest.ImapAsync("NOOP", "OK");
            await honest.ImapAsync("STATUS INBOX (MESSAGES)", "OK");
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
        }
        Assert.InRange(slowest, TimeSpan.Zero, Promptly);
        Assert.InRange(own.ResidentMemory() - before, long.MinValue, 100 << 20);
        _ = Task.WhenAll(flood).ContinueWith(static t => t.Exception, TaskScheduler.Default);
        Assert.DoesNotContain("   at CbaMail.", own.Log, StringComparison.Ordinal);
    }
}
