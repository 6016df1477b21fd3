using System.Globalization;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>The limit of open files, met by strangers' connections and taken away from a running server.</summary>
[Trait("Category", "Slow")]
public sealed class DescriptorTests(ITestOutputHelper output) : IAsyncDisposable
{
    const string Anna = "anna@example.test";
    TestServer server = null!;

    public async ValueTask DisposeAsync()
    {
        if (server is null) return;
        output.WriteLine(server.Log[^Math.Min(server.Log.Length, 2000)..]);
        await server.DisposeAsync();
    }

    Task LimitAsync(int files) => Tool.RunAsync("prlimit", "--pid", server.ProcessId.ToString(CultureInfo.InvariantCulture), $"--nofile={files}:");

    int Files => System.IO.Directory.GetFiles($"/proc/{server.ProcessId}/fd").Length;

    /// <summary>Seconds of processor time so far.</summary>
    double Work()
    {
        var stat = File.ReadAllText($"/proc/{server.ProcessId}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    static string Text(string name) => Letter.Text("sender@example.org", Anna, name, string.Concat(Enumerable.Range(0, 300).Select(_ => name + Random.Shared.NextInt64() + "\r\n")));

    [Fact]
    public async Task The_last_descriptors_are_for_those_who_are_in_and_newcomers_are_told_421()
    {
        server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna);
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text("kept"));
        await using var inside = await WireClient.ImapLoginAsync(server.Imap, Anna);
        await inside.ImapAsync("SELECT INBOX", "OK");
        await LimitAsync(Files + 100);
        var crowd = new List<WireClient>();
        var (greeted, refused) = (0, 0);
        for (var i = 0; i < 200; i++)
        {
            var client = await WireClient.ConnectAsync(i % 2 == 0 ? server.Smtp : server.Imap);
            crowd.Add(client);
            var line = await client.ReadLineAsync() ?? "";
            if (line.StartsWith("220 ", StringComparison.Ordinal) || line.StartsWith("* OK", StringComparison.Ordinal)) greeted++;
            else if (line.StartsWith("421 4.3.2 ", StringComparison.Ordinal) || line.StartsWith("* BYE [UNAVAILABLE]", StringComparison.Ordinal)) refused++;
            else Assert.Fail($"connection {i} heard \"{line}\"");
        }
        Assert.InRange(greeted, 30, 110);
        Assert.Equal(200, greeted + refused);
        Assert.Contains("kept", string.Concat(await inside.ImapAsync("FETCH 1 (BODY[])", "OK")));
        await inside.ImapAsync("APPEND INBOX {5+}\r\nHello", "OK");
        Assert.Equal(2, server.Log.Split("Too many files and connections").Length);
        foreach (var client in crowd) await client.DisposeAsync();
        await Wait.UntilAsync(async () =>
        {
            await using var again = await WireClient.ConnectAsync(server.Smtp);
            return (await again.ReadLineAsync() ?? "").StartsWith("220", StringComparison.Ordinal);
        }, "newcomers are greeted again");
        (await server.CliAsync("verify")).Succeeded();
    }

    [Fact]
    public async Task What_needs_a_file_and_gets_none_is_refused_and_nothing_is_called_damaged()
    {
        server = await TestServer.StartAsync("storage: {pack-bytes: 8K, open-packs: 2}");
        await server.AddAccountsAsync(Anna);
        for (var i = 0; i < 12; i++) await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text($"message-{i}-"));
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "large", Large));
        await using var imap = await WireClient.ImapLoginAsync(server.Imap, Anna);
        await imap.ImapAsync("SELECT INBOX", "OK");
        await imap.ImapAsync("FETCH 1:* (BODY.PEEK[])", "OK");
        await using var smtp = await WireClient.SmtpHelloAsync(server.Smtp);
        var crowd = new List<WireClient>();
        // not by the limit itself: the runtime ends a process that has no descriptor for a thread, which is what the reserve is for
        await using (await Traced.AttachAsync(server, "-e", "trace=openat,accept4", "-e", "inject=openat,accept4:error=EMFILE"))
        {
            for (var i = 0; i < 20; i++) crowd.Add(await WireClient.ConnectAsync(i % 2 == 0 ? server.Smtp : server.Imap)); // the kernel takes them
            var no = 0;
            for (var i = 1; i <= 12; i++)
            {
                var answer = (await imap.ImapAsync($"FETCH {i} (BODY.PEEK[])"))[^1];
                if (answer.StartsWith("OK", StringComparison.Ordinal)) continue;
                Assert.StartsWith("NO [UNAVAILABLE] The server has too many files", answer);
                no++;
            }
            Assert.True(no > 0, "two packs are open, and twelve messages lie in more");
            await imap.ImapAsync("NOOP", "OK");
            await smtp.SmtpAsync("MAIL FROM:<a@example.org>", "250");
            await smtp.SmtpAsync($"RCPT TO:<{Anna}>", "250");
            await smtp.SmtpAsync("DATA", "354");
            await smtp.SendAsync(Large); // more than is kept in memory: it needs a file of the spool
            await smtp.SmtpAsync(".", "452 4.3.1 The server has too many files");
            // from here on nobody asks for anything: what it works, it works for those at the door
            var (work, clock) = (Work(), System.Diagnostics.Stopwatch.StartNew());
            await Wait.UntilAsync(() => clock.Elapsed.TotalSeconds > 3, "some time passes");
            var share = (Work() - work) / clock.Elapsed.TotalSeconds;
            output.WriteLine($"{no} refused; the server worked {share:0.00} of the time with 20 connections that it could not take");
            Assert.True(share < 0.6, $"the server worked {share:0.00} of the time for connections that it could not take");
        }
        foreach (var client in crowd)
        {
            Assert.Matches("^(220 |421 |\\* OK|\\* BYE)", await client.ReadLineAsync()); // let in, or told why not
            await client.DisposeAsync();
        }
        for (var i = 1; i <= 12; i++) Assert.Contains($"message-{i - 1}-", string.Concat(await imap.ImapAsync($"FETCH {i} (BODY.PEEK[])", "OK")));
        await Wait.UntilAsync(async () => (await smtp.SmtpAsync("MAIL FROM:<a@example.org>")).StartsWith("250", StringComparison.Ordinal), "mail is taken again");
        Assert.DoesNotContain("damaged", server.Log);
        Assert.DoesNotContain("   at ", server.Log);
        Assert.Contains("Too many files and connections", server.Log);
        (await server.CliAsync("verify")).Succeeded();
    }

    static readonly string Large = string.Concat(Enumerable.Repeat(new string('z', 78) + "\r\n", 8000));
}
