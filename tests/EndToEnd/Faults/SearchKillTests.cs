using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>kill -9 while indexes are filled and merged: every search finds what the messages say, before the index has caught up and after.</summary>
[Trait("Category", "Slow")]
public sealed class SearchKillTests(ITestOutputHelper output)
{
    const string Anna = "anna@example.test";
    static readonly string[] Words = ["договор", "собрание", "course", "quarter", "ёлка", "письмо", "иголка"];

    [Fact]
    public async Task Killed_while_it_fills_an_index_it_finds_neither_less_nor_more()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var server = await TestServer.StartAsync("search: {after: 0s, catch-up: 5, busy-share: 100}");
        await server.AddAccountsAsync(Anna);
        var letters = new List<string>(); // what each UID says
        for (var round = 0; round < 6; round++)
        {
            await using (var client = await WireClient.ImapLoginAsync(server.Imap, Anna))
            {
                var more = random.Next(20, 120);
                for (var i = 0; i < more; i++)
                {
                    var body = string.Join(' ', Words.Where(_ => random.Next(3) == 0).Append($"number{letters.Count}."));
                    var text = $"Subject: letter {letters.Count}\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\n{body}\r\n";
                    await client.SendAsync($"a APPEND INBOX {{{System.Text.Encoding.UTF8.GetByteCount(text)}+}}\r\n{text}\r\n");
                    Assert.Contains("OK [APPENDUID", (await client.ImapLinesAsync("a"))[^1]);
                    letters.Add(body);
                }
                if (round % 2 == 1) Assert.NotEmpty(await FindAsync(client, Words[0])); // catches up, or looks
            }
            await Task.Delay(random.Next(0, 300)); // when the cut comes is the point of the test
            await server.KillAsync();
            await server.StartAgainAsync();
            await CompareAsync(server, letters, $"after kill {round + 1}");
        }
        await Wait.UntilAsync(async () => (await server.CliAsync("", ["search", "status", Anna, "--json"], 60)).All.Contains("\"pending\":0", StringComparison.Ordinal), "the index is full", 60);
        await CompareAsync(server, letters, "when it is full");
        Assert.True((await server.CliAsync("", ["verify"], 300)).ExitCode == 0);
    }

    private static async Task<HashSet<int>> FindAsync(WireClient client, string word)
    {
        await client.ImapAsync("SELECT INBOX", "OK");
        await client.SendAsync($"s UID SEARCH CHARSET UTF-8 BODY {{{System.Text.Encoding.UTF8.GetByteCount(word)}+}}\r\n{word}\r\n");
        return [.. (await client.ImapLinesAsync("s")).Single(line => line.StartsWith("* SEARCH", StringComparison.Ordinal)).Split(' ').Skip(2).Select(int.Parse)];
    }

    private static async Task CompareAsync(TestServer server, List<string> letters, string when)
    {
        await using var client = await WireClient.ImapLoginAsync(server.Imap, Anna);
        foreach (var word in (string[])[.. Words, "исьмо", "number1", $"number{letters.Count - 1}", "nowhere"])
        {
            var expected = Enumerable.Range(0, letters.Count).Where(i => letters[i].Contains(word, StringComparison.Ordinal)).Select(i => i + 1).ToHashSet();
            Assert.True(expected.SetEquals(await FindAsync(client, word)), $"{when}: {word} of {letters.Count}");
        }
    }
}
