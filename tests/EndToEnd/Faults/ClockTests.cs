using System.Globalization;
using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Queue;
using CbaMail.Tests.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>The whole server on a clock that is set by years, forward and back, while sessions are open and between two runs.</summary>
[Trait("Category", "Slow")]
public sealed partial class ClockTests : IAsyncDisposable
{
    const string Anna = "anna@example.test";

    /// <summary>The machine's clock, set by somebody. What has passed is not changed by that.</summary>
    sealed class SetClock : TimeProvider
    {
        private long ticks;
        public void Jump(double years) => Interlocked.Add(ref ticks, TimeSpan.FromDays(365 * years).Ticks);
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref ticks));
    }

    [GeneratedRegex(@"(?:UIDVALIDITY|HIGHESTMODSEQ) (\d+)")] private static partial Regex Number { get; }

    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-clock-").FullName;
    readonly SetClock clock = new();
    readonly ScriptedPeer peer = new() { Extensions = ["PIPELINING", "8BITMIME"] };
    Settings settings = new();
    WebApplication app = null!;

    string Data => Path.Combine(folder, "data");
    int Imap => settings.PortOffset + 143;
    int Smtp => settings.PortOffset + 25;

    async Task StartAsync()
    {
        var text = $$"""
            log: warning
            queue:
              retry-after: [1s, 1s]
              routes: [{domain: "*.sink.test", host: 127.0.0.1, port: {{peer.Port}}}]
            """;
        var offset = settings.PortOffset > 0 ? settings.PortOffset : FreePorts.Offset();
        var loaded = SettingsFile.Parse(text, "", new SettingsFlags(Data: Data, PortOffset: offset, Evaluation: true));
        settings = loaded.Settings ?? throw new InvalidOperationException(loaded.Problem);
        app = Composition.Build(settings, clock);
        await app.StartAsync();
    }

    async Task StopAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await peer.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    Task<Ran> CliAsync(string input, params string[] verb) => new Tool { Input = input }.StartAsync(TestServer.Program, [.. verb, "--data", Data]);

    static long Read(List<string> lines) => long.Parse(Number.Match(string.Join('\n', lines)).Groups[1].Value, CultureInfo.InvariantCulture);

    async Task<long> NewMailboxAsync(WireClient imap, string name)
    {
        await imap.ImapAsync($"CREATE {name}", "OK");
        return Read(await imap.ImapAsync($"STATUS {name} (UIDVALIDITY)", "OK"));
    }

    static async Task DeliverAsync(WireClient smtp, string to, string name)
    {
        await smtp.SmtpAsync($"MAIL FROM:<{Anna}>", "250");
        await smtp.SmtpAsync($"RCPT TO:<{to}>", "250");
        await smtp.SmtpAsync("DATA", "354");
        await smtp.SmtpAsync($"From: {Anna}\r\nSubject: {name}\r\n\r\n.", "250");
    }

    [Fact]
    public async Task Set_by_years_it_keeps_sessions_numbers_and_the_queue_as_they_should_be()
    {
        await StartAsync();
        (await CliAsync("", "domain", "add", "example.test")).Succeeded();
        (await CliAsync(TestServer.Password + "\n", "account", "add", Anna, "--password-stdin")).Succeeded();
        peer.Script = line => line.StartsWith("RCPT", StringComparison.Ordinal) ? "451 4.2.0 not today" : null;
        var queue = app.Services.GetRequiredService<MailQueue>();
        await using (var imap = await WireClient.ImapLoginAsync(Imap, Anna))
        await using (var idle = await WireClient.ImapLoginAsync(Imap, Anna))
        await using (var smtp = await WireClient.SmtpHelloAsync(settings.PortOffset + 587))
        {
            await smtp.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"\0{Anna}\0{TestServer.Password}")), "235");
            await idle.ImapAsync("SELECT INBOX", "OK");
            await idle.SendLineAsync("i IDLE");
            Assert.StartsWith("+", await idle.ReadLineAsync());
            var validity = await NewMailboxAsync(imap, "First");
            var modseq = Read(await imap.ImapAsync("STATUS INBOX (HIGHESTMODSEQ)", "OK"));
            await DeliverAsync(smtp, "x@one.sink.test", "waits");
            await Wait.UntilAsync(() => queue.List() is [{ Recipients: [{ Attempts: > 0 }] }], "it has been put off");
            var messages = 0;
            foreach (var years in new[] { 10.0, -25, 15 })
            {
                clock.Jump(years);
                await DeliverAsync(smtp, Anna, $"after {years}");
                Assert.Equal($"* {++messages} EXISTS", (await idle.ReadLineAsync())!);
                Assert.Matches(@"^\* \d+ RECENT", await idle.ReadLineAsync());
                var next = await NewMailboxAsync(imap, $"Box{messages}");
                Assert.True(next > validity, $"UIDVALIDITY {next} after {validity}");
                var now = Read(await imap.ImapAsync("STATUS INBOX (HIGHESTMODSEQ)", "OK"));
                Assert.True(now > modseq, $"HIGHESTMODSEQ {now} after {modseq}");
                (validity, modseq) = (next, now);
                var attempts = queue.List()[0].Recipients[0].Attempts;
                await Wait.UntilAsync(() => queue.List() is [{ Recipients: [var r] }] && r.Attempts > attempts + 1, "it is tried on, and neither returned nor forgotten");
            }
            await idle.SendLineAsync("DONE");
            Assert.StartsWith("OK", (await idle.ImapLinesAsync("i"))[^1]);
            await DeliverAsync(smtp, "y@one.sink.test", "waits too");
        }
        foreach (var years in new[] { 10.0, -20 })
        {
            await StopAsync();
            clock.Jump(years);
            await StartAsync();
            queue = app.Services.GetRequiredService<MailQueue>();
            var attempts = queue.List()[0].Recipients[0].Attempts;
            if (years < 0) await Wait.UntilAsync(() => queue.List()[0].Recipients[0].Attempts > attempts, "it is tried on after the restart");
            Assert.NotEmpty(queue.List());
        }
        peer.Script = _ => null;
        await Wait.UntilAsync(() => queue.List().Count == 0, "all has left");
        Assert.Contains(peer.Mails, mail => mail.Data.Contains("waits too", StringComparison.Ordinal));
    }
}
