using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>A heap of 160 MB, and 1,000 connections that each send as much as they may without ending it.</summary>
[Trait("Category", "Slow")]
public sealed class MemoryTests(ITestOutputHelper output)
{
    const string Anna = "anna@example.test";

    [Fact]
    public async Task Short_of_memory_it_refuses_work_lives_and_takes_it_again()
    {
        await using var server = await TestServer.StartAsync(launch: new() { Environment = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x3000000" } });
        await server.AddAccountsAsync(Anna);
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "before"));
        await using var inside = await WireClient.ImapLoginAsync(server.Imap, Anna);
        await inside.ImapAsync("SELECT INBOX", "OK");
        var piece = string.Concat(Enumerable.Repeat(new string('y', 78) + "\r\n", 3000)); // 240 KB: just what is kept in memory
        var crowd = new List<WireClient>();
        var (sending, refused) = (0, 0);
        foreach (var chunk in Enumerable.Range(0, 1000).Chunk(25))
        {
            var begun = await Task.WhenAll(chunk.Select(async _ =>
            {
                var client = await WireClient.ConnectAsync(server.Smtp);
                lock (crowd) crowd.Add(client);
                if ((await client.ReplyAsync()).StartsWith("421 4.3.2 ", StringComparison.Ordinal)) return false;
                await client.SmtpAsync("EHLO client.example.org", "250");
                if ((await client.SmtpAsync("MAIL FROM:<a@example.org>")).StartsWith("452 4.3.1 ", StringComparison.Ordinal)) return false;
                await client.SmtpAsync($"RCPT TO:<{Anna}>", "250");
                await client.SmtpAsync("DATA", "354");
                await client.SendAsync(piece);
                return true;
            }));
            sending += begun.Count(b => b);
            refused += begun.Count(b => !b);
        }
        Assert.True(server.IsRunning, server.Log);
        output.WriteLine($"{sending} were let in, {refused} were told to come later; {server.ResidentMemory() >> 20} MB resident");
        // what lies in files needs no refusal: either some were refused, or all of it has kept within bounds
        Assert.True(refused > 0 || server.ResidentMemory() < 200 << 20, "nobody was refused, and it grew");
        if (refused > 0) Assert.Contains("Memory is short", server.Log);
        await inside.ImapAsync("NOOP", "OK");
        foreach (var client in crowd) await client.DisposeAsync();
        await Wait.UntilAsync(async () =>
        {
            await using var client = await WireClient.ConnectAsync(server.Smtp);
            return (await client.ReplyAsync()).StartsWith("220", StringComparison.Ordinal);
        }, "it takes connections again", 60);
        await Letter.SendAsync(server.Smtp, "sender@example.org", Anna, Letter.Text("sender@example.org", Anna, "after"));
        Assert.Contains("before", string.Concat(await inside.ImapAsync("FETCH 1 (BODY[])", "OK")));
        Assert.Equal(2, await Letter.CountAsync(server.Imap, Anna));
        Assert.DoesNotContain("OutOfMemoryException", server.Log);
    }
}
