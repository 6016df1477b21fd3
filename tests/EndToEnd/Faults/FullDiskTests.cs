using System.Collections.Concurrent;
using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>The data directory on a disk of 48 MiB, of which a tenth is kept free for reading and removing.</summary>
[Trait("Category", "Slow")]
public sealed class FullDiskTests : IAsyncLifetime
{
    const string Anna = "anna@example.test", Boris = "boris@example.test";
    SmallDisk disk = null!;
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        disk = await SmallDisk.MountAsync(48);
        server = await TestServer.StartAsync(launch: disk.Launch);
        await server.AddAccountsAsync(Anna, Boris);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        if (disk is not null) await disk.DisposeAsync();
    }

    static string Text(string name, int size = 400) => Letter.Text("sender@example.org", Anna, name, string.Concat(Enumerable.Repeat(Random.Shared.NextInt64().ToString("x16") + "\r\n", size / 18)) + name + "\r\n");

    async Task<string> OfferAsync(int port, string verb = "EHLO", bool signIn = false)
    {
        await using var client = await WireClient.SmtpHelloAsync(port, verb: verb);
        if (signIn) await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0{TestServer.Password}")), "235");
        return await client.SmtpAsync($"MAIL FROM:<{Anna}>");
    }

    Task IsRefusedAsync() => Wait.UntilAsync(async () => (await OfferAsync(server.Smtp)).StartsWith("452 4.3.1 ", StringComparison.Ordinal), "mail is refused");

    Task IsTakenAgainAsync() => Wait.UntilAsync(async () => (await OfferAsync(server.Smtp)).StartsWith("250", StringComparison.Ordinal), "mail is taken again");

    int TimesSaid(string what) => server.Log.Split(what).Length - 1;

    [Fact]
    public async Task Below_the_reserve_new_mail_is_refused_and_reading_flags_moving_and_removing_go_on_until_there_is_room_again()
    {
        for (var i = 0; i < 10; i++) await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text($"before {i}"));
        await using var imap = await WireClient.ImapLoginAsync(server.Imap, Anna);
        await imap.ImapAsync("SELECT INBOX", "OK");
        disk.FillUpTo(1 << 20);
        await IsRefusedAsync();

        for (var i = 0; i < 20; i++) Assert.StartsWith("452 4.3.1 No space", await OfferAsync(server.Smtp));
        Assert.StartsWith("452 4.3.1 No space", await OfferAsync(server.Lmtp, "LHLO"));
        Assert.StartsWith("452 4.3.1 No space", await OfferAsync(server.Submission, signIn: true));
        (await server.CliAsync(Text("by hand"), ["message", "deliver", Anna])).Failed(1);

        foreach (var refused in new[] { "APPEND INBOX {5}", "APPEND INBOX {5+}\r\nHello", "COPY 1 Archive", "CREATE More" })
            Assert.StartsWith("NO [UNAVAILABLE] No space is left", (await imap.ImapAsync(refused))[^1]);
        Assert.Contains("before 0", string.Concat(await imap.ImapAsync("FETCH 1 (FLAGS BODY[])", "OK")));
        await imap.ImapAsync("STORE 1:5 +FLAGS (\\Flagged keyword)", "OK");
        await imap.ImapAsync("MOVE 2 Archive", "OK");
        await imap.ImapAsync("STORE 1 +FLAGS (\\Deleted)", "OK");
        await imap.ImapAsync("EXPUNGE", "OK");
        Assert.Equal(8, await Letter.CountAsync(server.Imap, Anna));

        var status = (await server.CliAsync("status")).Failed(1);
        Assert.Contains("no new mail is taken", status.All);
        Assert.Equal(1, TimesSaid("No new mail is taken"));

        disk.MakeRoom();
        await IsTakenAgainAsync();
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text("after"));
        await imap.ImapAsync("CREATE More", "OK");
        Assert.Equal(9, await Letter.CountAsync(server.Imap, Anna));
        Assert.Equal(1, TimesSaid("New mail is taken again"));
        (await server.CliAsync("verify")).Succeeded();
    }

    [Fact]
    public async Task With_not_a_byte_left_it_lives_and_reads_and_loses_nothing_that_it_has_acknowledged()
    {
        var acknowledged = new ConcurrentBag<string>();
        using var stop = new CancellationTokenSource();
        var senders = Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var name = $"storm-{n}-{i}-end";
                try
                {
                    await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text(name, i % 10 == 0 ? 400_000 : 3_000));
                    acknowledged.Add(name);
                }
                catch (Xunit.Sdk.FailException refusal)
                {
                    Assert.Contains("got 452 4.3.1", refusal.Message);
                    await Wait.UntilAsync(async () => stop.IsCancellationRequested || (await OfferAsync(server.Smtp)).StartsWith("250", StringComparison.Ordinal), "a sender comes again", 120);
                }
            }
        })).ToArray();
        await Wait.UntilAsync(() => acknowledged.Count > 20, "mail flows");
        for (var round = 0; round < 3; round++)
        {
            disk.FillUpTo(0);
            await Wait.UntilAsync(() => TimesSaid("No new mail is taken") > round, "the log says so");
            await using (var imap = await WireClient.ImapLoginAsync(server.Imap, Anna))
            {
                await imap.ImapAsync("SELECT INBOX", "OK");
                await imap.ImapAsync("UID FETCH 1:20 (BODY.PEEK[])", "OK");
                await imap.ImapAsync("FETCH 1 (BODY[])", "OK");
                Assert.Matches("^(OK|NO)", (await imap.ImapAsync("STORE 1:10 +FLAGS (\\Flagged)"))[^1]);
            }
            Assert.True(server.IsRunning, server.Log);
            var added = await server.CliAsync(TestServer.Password + "\n", ["account", "add", $"new{round}@example.test", "--password-stdin"]);
            if (added.ExitCode != 0) Assert.Contains("again later", added.Failed(1).Error);
            var before = acknowledged.Count;
            disk.MakeRoom();
            await Wait.UntilAsync(() => acknowledged.Count > before + 5, "mail flows again");
        }
        await stop.CancelAsync();
        await Task.WhenAll(senders);
        var kept = string.Concat(await Letter.AllAsync(server.Imap, Anna));
        Assert.DoesNotContain(acknowledged, name => !kept.Contains(name, StringComparison.Ordinal));
        (await server.CliAsync("verify")).Succeeded();
        Assert.DoesNotContain("   at ", server.Log);
    }

    [Fact]
    public async Task A_mailing_waits_for_room_and_then_reaches_everybody_once()
    {
        const int people = 300;
        var course = await CourseSetup.MakeAsync(server, people);
        var mailing = await CourseSetup.MailingAsync(server, course);
        disk.FillUpTo(1 << 20);
        await IsRefusedAsync();
        (await server.CliAsync("mailing", "send", mailing)).Succeeded();
        for (var i = 0; i < 3; i++) Assert.Equal(0, (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32());
        disk.MakeRoom();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32() == people, "it goes on by itself", 60);
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(1, pair.Value));
    }

    [Fact]
    public async Task A_start_on_a_disk_that_is_read_only_says_so_and_ends_with_1()
    {
        Assert.Equal(0, await server.StopAsync());
        (await disk.RemountAsync("ro")).Succeeded();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(server.StartAgainAsync);
        Assert.Contains("ended with 1:", refused.Message);
        Assert.Contains("read-only", refused.Message);
        Assert.DoesNotContain("   at ", refused.Message);
        (await disk.RemountAsync("rw")).Succeeded();
        await server.StartAgainAsync();
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text("again"));
    }

    [Fact]
    public async Task A_start_on_a_full_disk_serves_for_reading()
    {
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Text("kept"));
        Assert.Equal(0, await server.StopAsync());
        disk.FillUpTo(1 << 20);
        await server.StartAgainAsync();
        await IsRefusedAsync();
        Assert.Equal(1, await Letter.CountAsync(server.Imap, Anna));
        disk.MakeRoom();
        await IsTakenAgainAsync();
    }
}
