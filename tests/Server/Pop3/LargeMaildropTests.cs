using System.Text;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Pop3;

/// <summary>100,000 messages: listed without reading one, and under 1 MB of memory a session.</summary>
[Collection(AloneCollection.Name)]
public sealed class LargeMaildropTests(Pop3Fixture fixture)
{
    const int Count = 100_000;

    [Fact]
    public async Task Lists_stream_and_the_session_stays_small()
    {
        var account = await fixture.AccountAsync();
        var inbox = fixture.Inbox(account).Id;
        using var staged = fixture.Mail.Stage(Encoding.ASCII.GetBytes("Subject: one of many\r\n\r\ntext\r\n"));
        for (var part = 0; part < 10; part++)
            await fixture.Store.CommitAsync(t =>
            {
                var content = fixture.Mail.AddContent(t, staged);
                for (var i = 0; i < Count / 10; i++) fixture.Mail.AddMessage(t, inbox, new NewMessage(content, default, MessageFlags.None, [], DateTimeOffset.UnixEpoch), 0);
                return 0;
            }, default);
        await using var client = await fixture.SignInAsync(account);
        Assert.Equal($"{Count} {Count * 30L}", await client.OkAsync("STAT"));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await using var other = fixture.Connect();
        foreach (var command in new[] { "LIST", "UIDL" })
        {
            await client.OkAsync(command);
            for (var i = 1; i <= Count; i++) Assert.StartsWith($"{i} ", await client.LineAsync());
            Assert.Equal(".", await client.LineAsync());
        }
        await client.OkAsync("QUIT");
        await client.Running;
        Assert.InRange(before - GC.GetTotalMemory(forceFullCollection: true), -3_000_000, 1_000_000); // what the session gave back when it ended
    }
}
