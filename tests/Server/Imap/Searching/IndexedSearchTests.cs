using System.Text;
using CbaMail.Directory;
using CbaMail.Mailboxes.Search;
using CbaMail.Tests.Server.Mailboxes.Search;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Imap.Searching;

/// <summary>SEARCH beside the index and without it: what is found is the same (RFC 9051 6.4.4).</summary>
[Collection("imap")]
public sealed class IndexedSearchTests(ImapFixture fixture)
{
    const int Messages = 120;

    TextIndex Open() => new(fixture.Mail, fixture.Settings, NullLogger<TextIndex>.Instance);

    async Task<(Account Account, ImapClient Plain, ImapClient Indexed)> ClientsAsync(TextIndex index, Letters letters)
    {
        var account = await fixture.AccountAsync();
        var plain = await fixture.SignInAsync(account);
        for (var i = 0; i < Messages; i++) await plain.AppendAsync("INBOX", Encoding.UTF8.GetString(letters.Message()), i % 3 == 0 ? "(\\Seen) " : "");
        await plain.OkAsync("SELECT INBOX");
        var indexed = await fixture.SignInAsync(account, index);
        await indexed.OkAsync("SELECT INBOX");
        return (account, plain, indexed);
    }

    static async Task<string> SearchAsync(ImapClient client, string command)
    {
        // texts as literals: anything may be in them
        foreach (var piece in command.Split('\u0001'))
            if (piece.StartsWith('{'))
            {
                var text = piece[1..];
                await client.SendAsync($"{{{Encoding.UTF8.GetByteCount(text)}+}}\r\n{text}");
            }
            else await client.SendAsync(piece);
        await client.SendAsync("\r\n");
        return string.Join('\n', await client.UntilAsync("x"));
    }

    static string Key(Letters letters, Random random, IReadOnlyList<string> texts, int depth)
    {
        string Text() => "\u0001{" + letters.Needle(texts).Replace("\0", "") + "\u0001";
        return random.Next(depth > 2 ? 8 : 12) switch
        {
            0 => "SEEN",
            1 => $"{random.Next(1, Messages)}:{random.Next(1, Messages)}",
            2 => "SUBJECT " + Text(),
            3 => "HEADER X-Course-Name " + Text(),
            4 or 5 => "BODY " + Text(),
            6 or 7 => "TEXT " + Text(),
            8 => "NOT " + Key(letters, random, texts, depth + 1),
            9 => $"OR {Key(letters, random, texts, depth + 1)} {Key(letters, random, texts, depth + 1)}",
            _ => $"({Key(letters, random, texts, depth + 1)} {Key(letters, random, texts, depth + 1)})",
        };
    }

    /// <summary>What is found does not hang on how much of the mailbox is in the index: nothing, some, or all.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whatever_is_asked_both_find_the_same(int seed)
    {
        var (letters, random) = (new Letters(seed), new Random(seed));
        using var index = Open();
        var (account, plain, indexed) = await ClientsAsync(index, letters);
        var texts = Enumerable.Range(0, 40).Select(_ => letters.Text(12)).ToList();
        for (var stage = 0; stage < 3; stage++)
        {
            for (var i = 0; i < 50; i++)
            {
                var fuzzy = stage == 2 && random.Next(3) == 0 ? "FUZZY " : ""; // it takes in what it can
                var command = $"x SEARCH CHARSET UTF-8 {fuzzy}{Key(letters, random, texts, 0)}";
                Assert.True(await SearchAsync(plain, command) == await SearchAsync(indexed, command), $"seed {seed}, stage {stage}: {command}");
            }
            Assert.Equal(stage switch { 0 => Messages, 1 => Messages / 2, _ => 0 }, (await index.StatusAsync(account.Id, default)).Pending);
            if (stage == 2) break;
            await index.FillAsync(account.Id, null, default);
            if (stage == 1) continue;
            for (var i = 0; i < Messages / 2; i++) await plain.AppendAsync("INBOX", Encoding.UTF8.GetString(letters.Message()));
            await indexed.OkAsync("NOOP");
        }
        await plain.DisposeAsync();
        await indexed.DisposeAsync();
    }

    [Fact]
    public async Task Scores_are_of_the_index_however_much_it_has_to_take_in_first() // RFC 6203 4
    {
        var letters = new Letters(3);
        using var index = Open();
        var (account, plain, indexed) = await ClientsAsync(index, letters);
        const string command = "x SEARCH RETURN (RELEVANCY ALL) CHARSET UTF-8 FUZZY TEXT course";
        var first = await SearchAsync(indexed, command);
        Assert.Equal(0, (await index.StatusAsync(account.Id, default)).Pending);
        Assert.Equal(first, await SearchAsync(indexed, command));
        await plain.DisposeAsync();
        await indexed.DisposeAsync();
    }

    [Fact]
    public async Task Forms_of_a_word_are_found_when_the_client_asks_for_them_alone() // RFC 6203 3
    {
        using var index = Open();
        var account = await fixture.AccountAsync();
        foreach (var with in (TextIndex?[])[index, null])
        {
            await using var client = await fixture.SignInAsync(account, with);
            if (with is not null)
            {
                await client.AppendAsync("INBOX", "Subject: =?utf-8?Q?=D0=94=D0=BE=D0=B3=D0=BE=D0=B2=D0=BE=D1=80?=\r\n\r\nagreed\r\n");
                await client.AppendAsync("INBOX", "Subject: Letter\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nПодпишем договоры, ещё раз спасибо. The meetings went well.\r\n");
                await client.AppendAsync("INBOX", "Subject: Other\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nРазговор\r\n");
            }
            await client.OkAsync("SELECT INBOX");
            Assert.Equal("* SEARCH", (await client.OkAsync("SEARCH CHARSET UTF-8 TEXT \"договорами\""))[0]);
            Assert.Equal("* SEARCH 1 2", (await client.OkAsync("SEARCH CHARSET UTF-8 FUZZY TEXT \"договорами\""))[0]);
            Assert.Equal("* SEARCH 2", (await client.OkAsync("SEARCH CHARSET UTF-8 FUZZY (BODY \"еще договор\" BODY meeting)"))[0]);
            Assert.Equal("* SEARCH 3", (await client.OkAsync("SEARCH CHARSET UTF-8 NOT FUZZY TEXT \"договора\""))[0]);
            Assert.Equal("* SEARCH 2 3", (await client.OkAsync("SEARCH CHARSET UTF-8 FUZZY BODY \"говор\""))[0]); // and what holds it as it stands
            Assert.Equal("* SEARCH 1 2 3", (await client.OkAsync("SEARCH FUZZY ALL"))[0]); // RFC 6203 5
            Assert.StartsWith("BAD", await client.TaggedAsync("SEARCH FUZZY"));
        }
    }
}
