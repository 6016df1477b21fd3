using System.Text;
using CbaMail.Tests.Wire;
using Xunit;
using Xunit.Sdk;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>
/// The server in a control group of 112 MB without swap, and people who want more than that. It says no in a sentence, is not killed, and works again
/// when they have gone.
/// </summary>
[Trait("Category", "Slow")]
public sealed class MemoryGroupTests(ITestOutputHelper output) : IAsyncLifetime
{
    const string Anna = "anna@example.test";
    const int Mebibytes = 112;

    MemoryGroup group = null!;
    TestServer server = null!;
    long most;

    public async ValueTask InitializeAsync()
    {
        group = MemoryGroup.Make(Mebibytes);
        // the index is filled while the crowd is there
        server = await TestServer.StartAsync("search: {after: 1s}\n", launch: group.Launch);
        await server.AddAccountsAsync(Anna);
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "before"));
        Note("idle");
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            output.WriteLine(string.Join('\n', server.Log.Split('\n').Where(line => line.Contains("Memory", StringComparison.Ordinal) || line.Contains("rror", StringComparison.Ordinal)).Take(30)));
            await server.DisposeAsync();
        }
        if (group is not null) await group.DisposeAsync();
    }

    void Note(string when)
    {
        if (!server.IsRunning) return;
        var resident = server.ResidentMemory();
        most = Math.Max(most, resident);
        output.WriteLine($"{when}: {resident >> 20} MB resident; group: {group.Account}");
    }

    /// <summary>It lives, nothing was killed, it takes mail and gives it out again, and nothing is damaged.</summary>
    async Task IsWellAsync()
    {
        Assert.True(server.IsRunning, server.Log);
        await Wait.UntilAsync(async () =>
        {
            Assert.True(server.IsRunning, server.Log);
            await using var client = await WireClient.ConnectAsync(server.Smtp);
            if (!(await client.ReadLineAsync() ?? "").StartsWith("220", StringComparison.Ordinal)) return false;
            await client.SmtpAsync("EHLO client.example.org", "250");
            return (await client.SmtpAsync("MAIL FROM:<a@example.org>")).StartsWith("250", StringComparison.Ordinal);
        }, "it takes mail again", 15);
        Note("after");
        await LaterAsync(async () => await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "after")));
        await using (var imap = await InAsync())
        {
            await imap.ImapAsync("SELECT INBOX", "OK");
            foreach (var subject in new[] { "before", "after" }) // all of it would be hundreds of megabytes
            {
                var found = (await imap.ImapAsync($"SEARCH SUBJECT {subject}", "OK")).Single(line => line.StartsWith("* SEARCH ", StringComparison.Ordinal));
                var message = string.Concat(await imap.ImapAsync($"FETCH {found.Split(' ')[2]} BODY.PEEK[]", "OK"));
                Assert.Contains($"Subject: {subject}\r\n", message, StringComparison.Ordinal);
                Assert.Contains("Hello.\r\n", message, StringComparison.Ordinal);
            }
        }
        Assert.Equal(0, group.Killed);
        Assert.DoesNotContain("OutOfMemoryException", server.Log);
        Assert.DoesNotContain("   at ", server.Log);
        (await server.CliAsync("verify")).Succeeded();
        output.WriteLine($"{most >> 20} of {Mebibytes} MB resident at the most");
    }

    /// <summary>Does it again while it is refused for want of memory: the index is being filled behind all this.</summary>
    static Task LaterAsync(Func<Task> deed) => Wait.UntilAsync(async () =>
    {
        try
        {
            await deed();
            return true;
        }
        catch (XunitException refused) when (refused.Message.Contains("short of memory", StringComparison.Ordinal))
        {
            return false;
        }
    }, "there is memory again", 15);

    async Task<WireClient> InAsync()
    {
        WireClient client = null!;
        await LaterAsync(async () => client = await WireClient.ImapLoginAsync(server.Imap, Anna));
        return client;
    }

    static async Task GoAsync(IEnumerable<WireClient> crowd)
    {
        foreach (var client in crowd) await client.DisposeAsync();
    }

    [Fact]
    public async Task A_crowd_that_sends_without_an_end_is_told_to_come_later()
    {
        var piece = string.Concat(Enumerable.Repeat(new string('y', 78) + "\r\n", 3000)); // 240 KB: just what is kept in memory
        var crowd = new List<WireClient>();
        var refused = 0;
        foreach (var chunk in Enumerable.Range(0, 1500).Chunk(50))
        {
            await Task.WhenAll(chunk.Select(async i =>
            {
                var client = await WireClient.ConnectAsync(server.Smtp);
                lock (crowd) crowd.Add(client);
                var greeting = await client.ReplyAsync();
                if (!greeting.StartsWith("220", StringComparison.Ordinal))
                {
                    IsNo(greeting);
                    return;
                }
                await client.SmtpAsync("EHLO client.example.org", "250");
                var from = await client.SmtpAsync("MAIL FROM:<a@example.org>");
                if (!from.StartsWith("250", StringComparison.Ordinal))
                {
                    IsNo(from);
                    return;
                }
                await client.SmtpAsync($"RCPT TO:<{Anna}>", "250");
                await client.SmtpAsync("DATA", "354");
                await client.SendAsync(piece);
            }));
            if (chunk[0] % 500 == 0) Note($"{chunk[0]} connections");
        }
        Note("all are there");
        Assert.True(refused > 0, "nobody was refused");
        Assert.Equal(0, group.Killed);
        await GoAsync(crowd);
        await IsWellAsync();
        output.WriteLine($"{crowd.Count - refused} were let in, {refused} told to come later");

        void IsNo(string reply)
        {
            Assert.Matches("^(421 4.3.2|452 4.3.1) The server is short of memory", reply);
            Interlocked.Increment(ref refused);
        }
    }

    [Fact]
    public async Task Large_messages_of_many_at_once_are_taken_or_refused_for_now()
    {
        var line = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('z', 78) + "\r\n", 12_500))); // 1 MB
        var (taken, refused) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            await using var client = await WireClient.ConnectAsync(server.Smtp);
            foreach (var command in new[] { "", "EHLO client.example.org", "MAIL FROM:<a@example.org>", $"RCPT TO:<{Anna}>", "DATA" })
            {
                var reply = command.Length == 0 ? await client.ReplyAsync() : await client.SmtpAsync(command);
                if (reply[0] is '2' or '3') continue;
                Assert.Matches("^4[25][12] 4.3.[12] The server is short of memory", reply);
                Interlocked.Increment(ref refused);
                return;
            }
            await client.SendAsync($"Subject: large {i}\r\n\r\n");
            for (var n = 0; n < 24; n++) await client.SendAsync(line);
            var end = await client.SmtpAsync(".");
            if (end.StartsWith("250", StringComparison.Ordinal)) Interlocked.Increment(ref taken);
            else
            {
                Assert.Matches("^452 4.3.1 ", end);
                Interlocked.Increment(ref refused);
            }
        }));
        Note($"{taken} messages of 24 MB were taken, {refused} refused");
        Assert.Equal(0, group.Killed);
        await IsWellAsync();
        await LaterAsync(async () => Assert.Equal(taken + 2, await Letter.CountAsync(server.Imap, Anna)));
    }

    [Fact]
    public async Task Large_literals_and_fetches_of_many_at_once_are_answered_or_refused_for_now()
    {
        var text = Encoding.ASCII.GetBytes(Letter.Text("sender@example.org", Anna, "literal", string.Concat(Enumerable.Repeat(new string('l', 78) + "\r\n", 250_000)))); // 20 MB
        var (done, no, bye) = (0, 0, 0);
        var crowd = new List<WireClient>();
        async Task<WireClient?> EnterAsync()
        {
            var client = await WireClient.ConnectAsync(server.Imap);
            lock (crowd) crowd.Add(client);
            var greeting = await client.ReadLineAsync() ?? "";
            if (greeting.StartsWith("* BYE [UNAVAILABLE] The server is short of memory", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref bye);
                return null;
            }
            Assert.StartsWith("* OK", greeting);
            await client.ImapAsync($"LOGIN {Anna} \"{TestServer.Password}\"", "OK");
            await client.ImapAsync("SELECT INBOX", "OK");
            return client;
        }
        void Count(string answer)
        {
            if (answer.StartsWith("OK", StringComparison.Ordinal)) Interlocked.Increment(ref done);
            else
            {
                Assert.Matches("^NO .*memory", answer);
                Interlocked.Increment(ref no);
            }
        }
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async _ =>
        {
            if (await EnterAsync() is not { } client) return;
            await client.SendAsync($"x APPEND INBOX {{{text.Length}}}\r\n");
            var go = "* ";
            while (go.StartsWith("* ", StringComparison.Ordinal)) go = await client.ReadLineAsync() ?? ""; // the others' messages are told
            if (go.StartsWith("x ", StringComparison.Ordinal))
            {
                Count(go[2..]);
                return;
            }
            Assert.StartsWith("+", go);
            await client.SendAsync(text);
            await client.SendAsync("\r\n"u8.ToArray());
            Count((await client.ImapLinesAsync("x"))[^1]);
        }));
        Note($"APPEND of 20 MB: {done} done, {no} NO, {bye} BYE");
        Assert.Equal(0, group.Killed);
        await GoAsync(crowd);
        await IsWellAsync();
        (done, no, bye) = (0, 0, 0);
        crowd.Clear();

        await using var inside = await InAsync();
        // everybody asks for everything and reads nothing of it; others send literals that no command takes
        await Task.WhenAll(Enumerable.Range(0, 120).Select(async i =>
        {
            if (await EnterAsync() is not { } client) return;
            if (i % 3 == 0) await client.SendAsync("x FETCH 1:* (BODY.PEEK[])\r\n");
            else if (i % 3 == 1) await client.SendAsync("x FETCH 1:* (BODY.PEEK[TEXT] BODY.PEEK[HEADER] BODYSTRUCTURE ENVELOPE)\r\n");
            else await client.SendAsync($"x SEARCH TEXT {{60000+}}\r\n{new string('q', 60_000)}");
        }));
        Note("all have asked");
        await inside.ImapAsync("NOOP", "OK");
        Assert.Equal(0, group.Killed);
        await GoAsync(crowd);
        await IsWellAsync();
    }
}
