using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>
/// kill -9 under SMTP, IMAP, a mailing and the outbound queue together. After each restart all that was acknowledged is compared by
/// content. CBAMAIL_KILL_ROUNDS=30 makes it longer, CBAMAIL_SEED repeats one.
/// </summary>
[Trait("Category", "Slow")]
public sealed class KillTests(ITestOutputHelper output) : IAsyncDisposable
{
    const string Anna = "anna@example.test";
    const int Connections = 3, People = 200;
    readonly ScriptedPeer peer = new() { Extensions = ["PIPELINING", "8BITMIME"] };
    readonly ConcurrentDictionary<string, string> acknowledged = new();  // token -> text, by SMTP
    readonly ConcurrentDictionary<string, byte> queued = new();          // tokens, by submission to another domain
    TestServer server = null!;
    int tokens;

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await peer.DisposeAsync();
    }

    static int From(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    [Fact]
    public async Task Killed_again_and_again_it_keeps_all_that_it_acknowledged_and_nothing_comes_twice()
    {
        var rounds = From("CBAMAIL_KILL_ROUNDS", 3);
        var seed = From("CBAMAIL_SEED", Random.Shared.Next());
        output.WriteLine($"seed {seed} (CBAMAIL_SEED={seed}), {rounds} rounds");
        var random = new Random(seed);
        server = await TestServer.StartAsync($$"""
            queue:
              connections-per-destination: {{Connections}}
              retry-after: [1s, 1s]
              routes: [{domain: "*.sink.test", host: 127.0.0.1, port: {{peer.Port}}}]
            """);
        string[] people = ["w0@example.test", "w1@example.test", "w2@example.test"];
        await server.AddAccountsAsync([Anna, .. people]);
        var course = await CourseSetup.MakeAsync(server, People);
        foreach (var who in people) await ImapWorker.PrepareAsync(server.Imap, who);
        var workers = people.Select(who => new ImapWorker(who, new Random(random.Next()))).ToList();
        var (seen, mailings, halfDone, restart) = (1L, new List<string>(), 0, TimeSpan.Zero);
        for (var round = 1; round <= rounds; round++)
        {
            var mailing = await CourseSetup.MailingAsync(server, course, subject: "Round " + round + " for {{name}}");
            mailings.Add(mailing);
            (await server.CliAsync("mailing", "send", mailing)).Succeeded();
            var running = workers.Select(worker => Task.Run(() => worker.RunAsync(server.Imap)))
                .Concat(Enumerable.Range(0, 4).Select(n => { var mine = new Random(random.Next()); return Task.Run(() => SendAsync(mine, queue: n == 3)); })).ToArray();
            var (smtp, imap, left) = (acknowledged.Count, workers.Sum(w => w.Acknowledged), peer.Mails.Count);
            await Wait.UntilAsync(() => acknowledged.Count > smtp && workers.Sum(w => w.Acknowledged) > imap + 2 && peer.Mails.Count > left, "everything is under way", 60);
            await Task.Delay(random.Next(50, 2000)); // when the cut comes is the point of the test
            await server.KillAsync();
            await Task.WhenAll(running);

            var clock = Stopwatch.StartNew();
            await server.StartAgainAsync();
            restart = clock.Elapsed > restart ? clock.Elapsed : restart;
            foreach (var worker in workers)
                if (await worker.CheckAsync(server.Imap)) halfDone++;
            seen = await CompareInboxAsync(seen);
            var verified = await server.CliAsync("", ["verify"], 300);
            Assert.True(verified.ExitCode == 0, $"round {round}: {verified.All}");
            output.WriteLine($"round {round}: {acknowledged.Count} by SMTP, {workers.Sum(w => w.Acknowledged)} by IMAP, {queued.Count} queued, {peer.Mails.Count} left");
        }
        await CompareInboxAsync(1);
        await CompareMailingsAsync(mailings);
        var twice = await CompareQueueAsync();
        output.WriteLine($"{rounds} kills: {acknowledged.Count} messages by SMTP, {workers.Sum(w => w.Acknowledged)} commands by IMAP ({halfDone} open ones were done and not told), " +
            $"{queued.Count} queued ({twice} left twice), {mailings.Count} mailings to {People}; longest restart {restart.TotalMilliseconds:0} ms; seed {seed}");
        Assert.True(twice <= rounds * Connections, $"{twice} messages left twice, with {Connections} connections at {rounds} kills");
    }

    /// <summary>Sends until the connection breaks; what was answered 250 is noted.</summary>
    async Task SendAsync(Random random, bool queue)
    {
        try
        {
            await using var client = await WireClient.SmtpHelloAsync(queue ? server.Submission : server.Smtp);
            if (queue) await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0{TestServer.Password}")), "235");
            while (true)
            {
                var token = $"token{Interlocked.Increment(ref tokens)}";
                var text = $"From: {Anna}\r\nTo: {Anna}\r\nSubject: {token}\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{token}@kill.test>\r\n\r\n"
                    + string.Concat(Enumerable.Repeat($"{token} {random.NextInt64():x}\r\n", random.Next(1, random.Next(12) == 0 ? 20_000 : 200)));
                await client.SmtpAsync($"MAIL FROM:<{Anna}>", "250");
                await client.SmtpAsync($"RCPT TO:<{(queue ? token + "@one.sink.test" : Anna)}>", "250");
                await client.SmtpAsync("DATA", "354");
                await client.SendAsync(text);
                await client.SmtpAsync(".", "250");
                if (queue) queued[token] = 0; else acknowledged[token] = text;
            }
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            return; // the server was killed
        }
    }

    /// <summary>Anna's INBOX from a UID on: every text is whole, none stands twice; from 1 on all that was acknowledged is there.</summary>
    async Task<long> CompareInboxAsync(long from)
    {
        await using var client = await WireClient.ImapLoginAsync(server.Imap, Anna);
        var inbox = await KeptMailbox.ReadAsync(client, "INBOX", from);
        var there = new HashSet<string>();
        foreach (var (uid, message) in inbox.Messages)
        {
            var subject = message.Text.IndexOf("\r\nSubject: token", StringComparison.Ordinal) + 11;
            var token = message.Text[subject..message.Text.IndexOf('\r', subject)];
            Assert.True(there.Add(token), $"{token} stands twice (UID {uid})");
            if (acknowledged.TryGetValue(token, out var text)) Assert.EndsWith(text, message.Text);
        }
        if (from == 1) Assert.Empty(acknowledged.Keys.Except(there));
        return inbox.UidNext;
    }

    async Task CompareMailingsAsync(List<string> mailings)
    {
        foreach (var mailing in mailings)
        {
            await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32() == People, $"mailing {mailing} is done", 120);
            Assert.Equal(People, (await CourseSetup.LedgerAsync(server, mailing)).Select(row => row.GetProperty("messageId").GetString()).Distinct().Count());
        }
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(mailings.Count, pair.Value));
    }

    /// <returns>How many left more than once.</returns>
    async Task<int> CompareQueueAsync()
    {
        await Wait.UntilAsync(async () => JsonDocument.Parse((await server.CliAsync("queue", "list", "--json")).Succeeded().Output).RootElement.GetArrayLength() == 0, "the queue is empty", 120);
        var left = peer.Mails.GroupBy(mail => mail.To[0]).ToDictionary(group => group.Key.Trim('<', '>').Split('@')[0], group => group.Count());
        Assert.Empty(queued.Keys.Except(left.Keys));
        return left.Values.Sum(count => count - 1);
    }
}
