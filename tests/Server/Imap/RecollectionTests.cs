using CbaMail.Imap;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>What is remembered of a mailbox is never answered for another state of it.</summary>
[Collection("imap")]
public sealed class RecollectionTests(ImapFixture imap)
{
    [Fact]
    public async Task Selecting_sorting_and_threading_again_see_what_has_changed()
    {
        var account = await imap.AccountAsync();
        await using var client = await imap.InboxAsync(Recollection.LeastMessages + 20, account);
        await using var other = await imap.SignInAsync(account);
        await other.OkAsync("SELECT INBOX");
        string[] commands = ["SORT (REVERSE SUBJECT) UTF-8 ALL", "UID SORT (SUBJECT) UTF-8 ALL", "SORT (SUBJECT) UTF-8 FLAGGED", "THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 ALL", "SORT (REVERSE DATE) UTF-8 ALL", "SORT (SIZE SUBJECT) UTF-8 ALL", "UID THREAD ORDEREDSUBJECT UTF-8 ALL", "FETCH 1:* (UID FLAGS)"];
        string[] changes =
        [
            "STORE 3,17 +FLAGS (\\Flagged $Work)", "STORE 5 +FLAGS (\\Deleted)", "EXPUNGE", $"APPEND INBOX {{{16}+}}\r\nSubject: a\r\n\r\nb\r", "STORE 3 -FLAGS (\\Flagged)", "NOOP",
        ];
        foreach (var change in changes)
        {
            await other.OkAsync(change);
            await client.OkAsync("SELECT INBOX");
            foreach (var command in commands)
            {
                var first = await AskAsync(client, command);
                Assert.Equal(first, await AskAsync(client, command));
                await using var fresh = await imap.SignInAsync(account); // remembers nothing
                await fresh.OkAsync("SELECT INBOX");
                Assert.Equal(await AskAsync(fresh, command), first);
            }
        }
    }

    [Fact]
    public async Task Threads_are_the_same_with_what_another_algorithm_has_read_and_without()
    {
        var account = await imap.AccountAsync();
        await using var client = await imap.InboxAsync(Recollection.LeastMessages, account);
        async Task ReplyAsync(int number, string references)
        {
            var text = $"Message-ID: <r{number}@example.test>\r\nReferences: {references}\r\nSubject: s{number % 3}\r\n\r\nb\r\n";
            await client.OkAsync($"APPEND INBOX {{{text.Length}+}}\r\n{text}");
        }
        await ReplyAsync(1, "<lost@example.test>");
        await ReplyAsync(2, "<lost@example.test> <r1@example.test>");
        await client.OkAsync("THREAD REFERENCES UTF-8 ALL");
        await ReplyAsync(3, "<r2@example.test>");
        await ReplyAsync(4, "<lost@example.test>");
        await client.OkAsync("NOOP");
        var extended = await AskAsync(client, "THREAD REFS UTF-8 ALL");
        await client.OkAsync("CREATE Copies");
        await client.OkAsync("COPY 1:* Copies");
        await client.OkAsync("SELECT Copies");
        Assert.Equal(extended, await AskAsync(client, "THREAD REFS UTF-8 ALL"));
        Assert.Contains("(501 502 503)", extended, StringComparison.Ordinal);
    }

    // \Recent is one session's alone
    static async Task<string> AskAsync(ImapClient client, string command) =>
        string.Join('\n', await client.OkAsync(command)).Replace(" \\Recent", "", StringComparison.Ordinal).Replace("\\Recent", "", StringComparison.Ordinal);

    [Fact]
    public void Holds_little_and_what_was_used_last()
    {
        var recollection = new Recollection(null);
        Recollection.Key Key(int i) => new(i, 0, "SORT");
        for (var i = 0; i < 100; i++)
        {
            recollection.Keep(Key(i), $"{i}", 1 << 20);
            Assert.NotNull(recollection.Find<string>(Key(0)));
        }
        Assert.Equal(8, Enumerable.Range(0, 100).Count(i => recollection.Find<string>(Key(i)) is not null));
        recollection.Keep(Key(0), "large", 1 << 28);
        Assert.Null(recollection.Find<string>(Key(0)));
    }
}
