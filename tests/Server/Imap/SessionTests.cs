using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>Times, limits, clear text, and the volume that the room is built for.</summary>
[Collection("imap")]
public sealed class SessionTests(ImapFixture fixture)
{
    [Fact]
    public async Task Outside_the_evaluation_profile_no_password_is_taken_in_clear_text()
    {
        await using var client = fixture.Connect(fixture.Settings with { Evaluation = false });
        var greeting = await client.LineAsync();
        Assert.Contains(" LOGINDISABLED", greeting, StringComparison.Ordinal);
        Assert.Contains(" STARTTLS", greeting, StringComparison.Ordinal);
        Assert.DoesNotContain("AUTH=", greeting, StringComparison.Ordinal);
        Assert.StartsWith("NO [PRIVACYREQUIRED]", await client.TaggedAsync("LOGIN anna@example.test x"), StringComparison.Ordinal);
        Assert.StartsWith("NO [PRIVACYREQUIRED]", await client.TaggedAsync("AUTHENTICATE PLAIN"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_does_not_sign_in_is_sent_away()
    {
        var time = new ManualTime();
        await using var client = fixture.Connect(time: time);
        await client.LineAsync();
        await Wait.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(61)); // again and again: the session may set its timer late
            return client.Running.IsCompleted;
        }, "the session ends");
        Assert.StartsWith("* BYE", await client.LineAsync(), StringComparison.Ordinal);
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task A_stopping_server_says_so()
    {
        using var stopping = new CancellationTokenSource();
        await using var client = fixture.Connect(stopping: stopping.Token);
        await client.LineAsync();
        await client.OkAsync("NOOP");
        await stopping.CancelAsync();
        Assert.StartsWith("* BYE [UNAVAILABLE]", await client.LineAsync(), StringComparison.Ordinal);
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task A_stopping_server_ends_IDLE()
    {
        using var stopping = new CancellationTokenSource();
        var account = await fixture.AccountAsync();
        await using var client = fixture.Connect(stopping: stopping.Token);
        await client.LineAsync();
        await client.OkAsync($"LOGIN {account.Address} \"{ImapFixture.Password}\"");
        await client.SendAsync("i IDLE\r\n");
        await client.LineAsync();
        await stopping.CancelAsync();
        Assert.StartsWith("* BYE", await client.LineAsync(), StringComparison.Ordinal);
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task Nonsense_is_borne_for_a_while()
    {
        await using var client = fixture.Connect(fixture.Settings with { Imap = new ImapSettings { MaxBadCommands = 3 } });
        await client.LineAsync();
        for (var i = 0; i < 3; i++) Assert.StartsWith("BAD", await client.TaggedAsync("NONSENSE"), StringComparison.Ordinal);
        Assert.StartsWith("* BYE", await client.LineAsync(), StringComparison.Ordinal);
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task Guessing_is_borne_for_a_while()
    {
        await using var client = fixture.Connect(fixture.Settings with { Imap = new ImapSettings { MaxFailedSignIns = 2 } });
        await client.LineAsync();
        Assert.StartsWith("NO", await client.TaggedAsync("LOGIN a b"), StringComparison.Ordinal);
        Assert.StartsWith("* BYE", (await client.CommandAsync("LOGIN a b"))[0], StringComparison.Ordinal);
        Assert.Null(await client.TryLineAsync());
    }

    [Fact]
    public async Task A_large_body_comes_back_whole()
    {
        await using var client = await fixture.SignInAsync(await fixture.AccountAsync());
        var line = new string('x', 70) + "\r\n";
        var message = ImapClient.Message(1, string.Concat(Enumerable.Repeat(line, 40_000)));
        await client.AppendAsync("INBOX", message);
        await client.OkAsync("SELECT INBOX");
        var lines = await client.OkAsync("FETCH 1 (BODY.PEEK[])");
        Assert.Equal($"* 1 FETCH (BODY[] {{{message.Length}}}", lines[0]);
        Assert.Equal(message, string.Join("\r\n", lines[1..^1]) + "\r\n");
        Assert.Equal(")", lines[^1]);
        var part = await client.OkAsync("FETCH 1 (BODY.PEEK[TEXT]<1000000.100000>)");
        Assert.Equal("* 1 FETCH (BODY[TEXT]<1000000> {100000}", part[0]);
    }

    [Fact]
    public async Task Flags_of_many_messages_come_quickly()
    {
        const int Many = 20_000;
        var account = await fixture.AccountAsync();
        long inbox;
        using (var reader = fixture.Mail.Read()) inbox = reader.Find(account.Id, "INBOX")!.Id;
        using var staged = fixture.Mail.Stage(System.Text.Encoding.ASCII.GetBytes(ImapClient.Message(1)));
        await fixture.Store.CommitAsync(t =>
        {
            var content = fixture.Mail.AddContent(t, staged);
            for (var i = 0; i < Many; i++)
                Assert.True(fixture.Mail.AddMessage(t, inbox, new CbaMail.Mailboxes.NewMessage(content, default, default, [], DateTimeOffset.UnixEpoch), 0).Ok);
            return 0;
        });
        await using var client = await fixture.SignInAsync(account);
        await client.OkAsync("SELECT INBOX");
        var since = Stopwatch.GetTimestamp();
        Assert.Equal(Many, (await client.OkAsync("FETCH 1:* (UID FLAGS)")).Count);
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(20));
        Assert.Equal(Many, (await client.OkAsync("FETCH 1:* (UID RFC822.SIZE INTERNALDATE)")).Count);
        Assert.Equal(["* ESEARCH (TAG \"t5\") COUNT 20000"], await client.OkAsync("SEARCH RETURN (COUNT) UNSEEN SMALLER 1000"));
        Assert.Equal(Many, (await client.OkAsync("STORE 1:* +FLAGS (\\Deleted)")).Count);
        Assert.Equal(Many, (await client.OkAsync("EXPUNGE")).Count);
        Assert.Empty(await client.OkAsync("FETCH 1:* UID"));
    }
}
