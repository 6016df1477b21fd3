using System.Buffers;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>What large answers and many connections take of the memory.</summary>
[Collection(AloneCollection.Name)]
public sealed class MemoryTests(ImapFixture fixture)
{
    [Fact]
    public async Task A_large_part_is_decoded_without_being_held() // RFC 3516 4.2
    {
        var settings = fixture.Settings with { Imap = fixture.Settings.Imap with { MaxMessage = 100 << 20 } };
        await using var client = fixture.Connect(settings);
        await client.LineAsync();
        await client.OkAsync($"LOGIN {(await fixture.AccountAsync()).Address} \"{ImapFixture.Password}\"");
        var content = new byte[20 << 20];
        new Random(7).NextBytes(content);
        var encoded = new ArrayBufferWriter<byte>();
        encoded.Write("Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"u8);
        TransferEncoding.WriteBase64(encoded, content);
        await client.SendAsync($"x APPEND INBOX {{{encoded.WrittenCount}+}}\r\n");
        await client.SendAsync(encoded.WrittenSpan.ToArray());
        await client.SendAsync("\r\n");
        Assert.StartsWith("OK", (await client.UntilAsync("x"))[^1], StringComparison.Ordinal);
        await client.OkAsync("SELECT INBOX");
        Assert.Equal([$"* 1 FETCH (BINARY.SIZE[1] {content.Length})"], await client.OkAsync("FETCH 1 BINARY.SIZE[1]"));
        GC.Collect();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await client.OkAsync("FETCH 1 BINARY.SIZE[1]");
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.True(allocated < 4 << 20, $"{allocated} bytes were allocated to count {content.Length}");
        // a range in its middle is what it is
        var lines = await client.OkAsync($"FETCH 1 (BINARY.PEEK[1]<{content.Length - 5}.100> BINARY.PEEK[1]<{content.Length}.1>)");
        Assert.StartsWith($"* 1 FETCH (BINARY[1]<{content.Length - 5}> ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith($" BINARY[1]<{content.Length}> {{0}}", lines[^2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Five_hundred_connections_hear_of_a_message_and_hold_little_for_it()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(50, account);
        var clients = new List<ImapClient>();
        for (var i = 0; i < 500; i++)
        {
            var client = await fixture.SignInAsync(account);
            await client.OkAsync("EXAMINE INBOX");
            clients.Add(client);
        }
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var client in clients) await client.OkAsync("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge MailboxName))");
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / 500;
        Assert.True(each < 20_000, $"{each} bytes a connection");
        await other.AppendAsync("INBOX", ImapClient.Message(51));
        foreach (var client in clients) Assert.Equal("* 51 EXISTS", await client.LineAsync());
        foreach (var client in clients) await client.DisposeAsync();
    }
}
