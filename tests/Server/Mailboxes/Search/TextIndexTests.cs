using System.Text;
using CbaMail.Config;
using CbaMail.Imap.Commands;
using CbaMail.Mailboxes;
using CbaMail.Mailboxes.Search;
using CbaMail.Storage.Search;
using CbaMail.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes.Search;

public sealed class TextIndexTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();
    TextIndex index;

    public TextIndexTests() => index = Open();

    TextIndex Open() => new(vault.Mail, new Settings(), NullLogger<TextIndex>.Instance);

    public async ValueTask DisposeAsync()
    {
        index.Dispose();
        await vault.DisposeAsync();
    }

    string FileOf(long account) => Path.Combine(vault.Store.Path, TextIndex.Folder, TextIndex.FileName(account));

    static byte[] Plain(string subject, string body) => Encoding.UTF8.GetBytes(
        $"From: Анна <anna@example.test>\r\nTo: b@example.test\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n");

    /// <summary>What every message says without the index.</summary>
    Dictionary<uint, bool> Look(long mailbox, Func<SearchText, bool> holds)
    {
        using var read = vault.Mail.Read();
        return read.Messages(mailbox).ToDictionary(row => row.Uid, row => holds(new SearchText(read.Content(mailbox, row)!)));
    }

    /// <returns>How many the index left undecided.</returns>
    async Task<int> AgreesAsync(long mailbox, IReadOnlyList<TextQuestion> questions, string about)
    {
        var verdicts = await index.AskAsync(mailbox, questions, default);
        Assert.NotNull(verdicts);
        var unknown = 0;
        for (var i = 0; i < questions.Count; i++)
            foreach (var (uid, holds) in Look(mailbox, text => text.Contains(questions[i])))
            {
                var verdict = verdicts.Of(i, uid);
                if (verdict == Verdict.Unknown) unknown++;
                else Assert.True(verdict == Verdict.Yes == holds, $"{about}: {questions[i]} of message {uid}: the index says {verdict}");
            }
        return unknown;
    }

    /// <summary>What the index says of forms of words is so; of what it has none of, the question to the letter decides.</summary>
    async Task FitsAsync(long mailbox, TextQuestion question, string about)
    {
        var words = FuzzyWord.All(question.Needle);
        if (words.Count == 0) return;
        var scores = await index.ScoreAsync(mailbox, question.Place, question.Field, words, default);
        var verdicts = await index.AskAsync(mailbox, [question], default);
        Assert.NotNull(scores);
        Assert.NotNull(verdicts);
        foreach (var (uid, fits) in Look(mailbox, text => text.Fits(question.Place, question.Field, words)))
        {
            var score = scores.Of(uid);
            if (score > 0) Assert.True(fits, $"{about}: {question} of message {uid} has the score {score}");
            else if (score == 0 && fits) Assert.True(verdicts.Of(0, uid) == Verdict.Unknown, $"{about}: {question} of message {uid} has no score");
        }
    }

    static IReadOnlyList<string> BodiesOf(MessageText text)
    {
        var bodies = new GatheredTexts();
        text.GiveBodies(bodies);
        return bodies.All;
    }

    static TextQuestion Anywhere(string text) => new(TextPlace.Anywhere, null, Casemap.Key(text));
    static TextQuestion Body(string text) => new(TextPlace.Body, null, Casemap.Key(text));
    static TextQuestion Field(string name, string text) => new(TextPlace.Field, name, Casemap.Key(text));

    TextQuestion Question(Letters letters, Random random, IReadOnlyList<string> texts)
    {
        var needle = Casemap.Key(random.Next(40) == 0 ? "" : letters.Needle(texts));
        return random.Next(3) switch
        {
            0 => new(TextPlace.Body, null, needle),
            1 => new(TextPlace.Anywhere, null, needle),
            _ => new(TextPlace.Field, ((string[])["Subject", "FROM", "to", "Cc", "Bcc", "X-Course-Name", "Content-Type", "Message-ID", "Reply-To"])[random.Next(9)], needle),
        };
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_index_finds_what_reading_finds(int seed)
    {
        var (account, inbox) = await vault.AccountAsync();
        var (letters, random) = (new Letters(seed), new Random(seed));
        for (var round = 0; round < 6; round++)
        {
            for (var i = 0; i < 25; i++) await vault.AppendAsync(inbox, letters.Message());
            if (round % 2 == 0) await index.FillAsync(account, null, default);
            if (round == 3)
            {
                await vault.Mail.CopyAsync(inbox, [1, 2, 3], inbox, 0, default);
                await vault.Mail.StoreAsync(inbox, [4, 5], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
                await vault.Mail.ExpungeAsync(inbox, null, default);
            }
            List<string> texts;
            using (var read = vault.Mail.Read())
                texts = [.. read.Messages(inbox).Select(row => new MessageText(read.Content(inbox, row)!)).SelectMany(text => BodiesOf(text).Concat(text.PartFields).Concat(text.Header.Select(MessageText.Line)))];
            var questions = Enumerable.Range(0, 60).Select(_ => Question(letters, random, texts)).ToList();
            await AgreesAsync(inbox, questions, $"seed {seed}, round {round}");
            foreach (var question in questions.Take(15)) await FitsAsync(inbox, question, $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public async Task A_part_of_a_word_or_of_a_subject_needs_no_look_at_the_message()
    {
        var (_, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, Plain("Quarterly report, final", "Добрый день! Договора готовы."));
        await vault.AppendAsync(inbox, Plain("Other", "Nothing of that."));
        var unknown = await AgreesAsync(inbox, [Body("говор"), Anywhere("отов"), Field("Subject", "rly report, f"), Field("From", "анна <anna@ex")], "parts");
        Assert.Equal(0, unknown);
        Assert.Equal(1, await AgreesAsync(inbox, [Body("добрый день")], "phrase"));
    }

    [Fact]
    public async Task Words_longer_than_a_piece_are_found_over_its_end()
    {
        var (_, inbox) = await vault.AccountAsync();
        foreach (var piece in (string[])["abc", "\U0001f600", "é\U0001f600x", "мой\u0301"])
        {
            var word = string.Concat(Enumerable.Range(0, 50).Select(i => $"{i:d3}{piece}"));
            await vault.AppendAsync(inbox, Plain("Long", $"before {word} behind"));
            await vault.AppendAsync(inbox, Plain("Short", $"before 010{piece} behind"));
            for (var start = 0; start < word.Length - 40; start += 7)
                for (var length = 1; length <= 40; length += 3)
                    await AgreesAsync(inbox, [Body(Whole(word.Substring(start, length))), Body(Whole(word[^length..]) + " behind")], "long");
        }

        static string Whole(string text) => string.Concat(text.EnumerateRunes().Where(rune => rune != Rune.ReplacementChar));
    }

    [Fact]
    public async Task Letters_are_compared_as_unicode_casemap_has_it() // RFC 5255 4.2, RFC 5051
    {
        var (_, inbox) = await vault.AccountAsync();
        var letter = await vault.AppendAsync(inbox, Plain("Ёлка", "Ещё café, \U0001f600 и мой Straße ﬁn"));
        (TextQuestion Question, bool Holds)[] cases =
        [
            (Anywhere("ёЛКА"), true), (Anywhere("е\u0308лка"), true), (Body("CAFÉ"), true), (Body("cafe"), true), (Body("\U0001f600"), true), (Body("\U0001f601"), false),
            (Body("fin"), false), (Body("STRASSE"), false), (Body("МОЙ"), true), (Anywhere("елка"), false), (Body("еще"), true), (Body("еще café"), false),
        ];
        var verdicts = await index.AskAsync(inbox, [.. cases.Select(one => one.Question)], default);
        for (var i = 0; i < cases.Length; i++)
        {
            Assert.True(cases[i].Holds == (verdicts!.Of(i, letter) == Verdict.Yes), $"{cases[i]}");
            Assert.Equal(cases[i].Holds, Look(inbox, text => text.Contains(cases[i].Question))[letter]);
        }
        foreach (var question in (TextQuestion[])[Anywhere("елка"), Body("еще café"), Body("naive cafes"), Body("кафе")])
            await FitsAsync(inbox, question, "fuzzily");
        Assert.Equal(100, (await index.ScoreAsync(inbox, TextPlace.Anywhere, null, FuzzyWord.All(Casemap.Key("елками")), default))!.Of(letter));
    }

    [Fact]
    public async Task Whatever_a_crash_or_the_disk_does_to_the_file_the_answer_is_the_same()
    {
        const int seed = 11;
        var (account, inbox) = await vault.AccountAsync();
        var (letters, random) = (new Letters(seed), new Random(seed));
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 20; i++) await vault.AppendAsync(inbox, letters.Message());
            await index.FillAsync(account, null, default);
        }
        var whole = await File.ReadAllBytesAsync(FileOf(account));
        var questions = new[] { Anywhere("договор"), Body("добрый день"), Field("Subject", "a") };
        for (var i = 0; i < 60; i++)
        {
            index.Dispose();
            var bytes = whole.ToArray();
            if (i % 3 == 0) bytes = bytes[..random.Next(bytes.Length)]; // cut
            else if (i % 3 == 1) for (var n = 0; n < 5; n++) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            else bytes.AsSpan(random.Next(bytes.Length) & ~511).Clear(); // sectors that never arrived
            await File.WriteAllBytesAsync(FileOf(account), bytes);
            index = Open();
            var verdicts = await index.AskAsync(inbox, questions, default) ?? await index.AskAsync(inbox, questions, default);
            Assert.NotNull(verdicts);
            await AgreesAsync(inbox, questions, $"damage {i} of seed {seed}");
        }
    }

    [Fact]
    public async Task An_account_that_is_gone_takes_its_index_along()
    {
        var (account, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, Plain("a", "b"));
        await index.FillAsync(account, null, default);
        Assert.True(File.Exists(FileOf(account)));
        await vault.Store.CommitAsync(t => { vault.Mail.RemoveAccount(t, account); return 0; });
        await index.FillAsync(account, null, default);
        Assert.False(File.Exists(FileOf(account)));
    }

    [Fact]
    public async Task Forms_of_a_word_are_found_fuzzily_and_the_subject_counts_more() // RFC 6203 4
    {
        var (_, inbox) = await vault.AccountAsync();
        var body = await vault.AppendAsync(inbox, Plain("Письмо", "Мы подписали договоры вчера, ещё раз спасибо. Meetings were good."));
        var subject = await vault.AppendAsync(inbox, Plain("Договор", "Nothing."));
        var other = await vault.AppendAsync(inbox, Plain("Other", "Разговор ни о чём."));
        async Task<int> ScoreAsync(TextPlace place, string text, uint uid) => (await index.ScoreAsync(inbox, place, null, FuzzyWord.All(Casemap.Key(text)), default))!.Of(uid);
        Assert.Equal(100, await ScoreAsync(TextPlace.Anywhere, "договора", subject));
        Assert.InRange(await ScoreAsync(TextPlace.Anywhere, "договора", body), 1, 99);
        Assert.Equal(0, await ScoreAsync(TextPlace.Anywhere, "договора", other));
        Assert.Equal(100, await ScoreAsync(TextPlace.Body, "meeting еще", body));
        Assert.Equal(0, await ScoreAsync(TextPlace.Body, "meeting договор разное", body));
        Assert.Equal(100, await ScoreAsync(TextPlace.Body, "meet", body)); // by its beginning too
    }

    [Fact]
    public async Task A_search_does_not_wait_for_an_index_that_is_being_filled()
    {
        var (account, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 60; i++) await vault.AppendAsync(inbox, Plain($"number {i}", "the text about договор"));
        var (resting, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var filling = index.FillAsync(account, async (_, _) =>
        {
            resting.TrySetResult();
            await goOn.Task;
        }, default);
        await resting.Task;
        Assert.Equal(60, await AgreesAsync(inbox, [Body("договор")], "while it is filled")); // all are looked at
        goOn.SetResult();
        await filling;
        Assert.Equal(0, await AgreesAsync(inbox, [Body("договор")], "when it is full"));
    }

    [Fact]
    public async Task Mail_that_has_never_been_makes_an_index_begin_anew()
    {
        // a database of yesterday beside an index of today
        var (account, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, Plain("a", "yesterday"));
        await vault.Store.CommitAsync(t => t.Prepare("UPDATE mailbox SET uid_next = 900 WHERE id = ?").Bind(1, inbox).Run());
        await index.FillAsync(account, null, default);
        await vault.Store.CommitAsync(t => t.Prepare("UPDATE mailbox SET uid_next = 2 WHERE id = ?").Bind(1, inbox).Run());
        Assert.Null(await index.AskAsync(inbox, [Body("yesterday")], default));
        Assert.Equal(0, await AgreesAsync(inbox, [Body("yesterday"), Body("today")], "anew"));
    }

    [Fact]
    public async Task One_message_of_nothing_but_words_takes_no_more_memory_than_many()
    {
        var (account, inbox) = await vault.AccountAsync();
        var random = new Random(4);
        var body = new StringBuilder();
        for (var i = 0; i < 300_000; i++) body.Append(random.Next(1 << 30).ToString("x")).Append(i % 8 == 7 ? "\r\n" : " ");
        body.Append("иголка");
        var large = await vault.AppendAsync(inbox, Plain("large", body.ToString()));
        var small = await vault.AppendAsync(inbox, Plain("small", "nothing"));
        await index.FillAsync(account, null, default);
        var verdicts = await index.AskAsync(inbox, [Body("иголка")], default);
        Assert.Equal(Verdict.Unknown, verdicts!.Of(0, large)); // looked at
        Assert.Equal(Verdict.No, verdicts.Of(0, small));
        Assert.InRange(new FileInfo(FileOf(account)).Length, 1, 3 << 20);
    }

    [Fact]
    public async Task An_index_is_smaller_than_a_third_of_the_text()
    {
        var (account, inbox) = await vault.AccountAsync();
        var random = new Random(3);
        string[] syllables = ["ра", "ко", "не", "ст", "во", "ть", "ing", "re", "con", "ate", "по", "ли", "er", "ми"];
        var words = Enumerable.Range(0, 20_000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => syllables[random.Next(syllables.Length)]))).ToArray();
        var text = 0L;
        for (var i = 0; i < 400; i++)
        {
            var body = string.Join(' ', Enumerable.Range(0, 400).Select(_ => words[(int)(words.Length * Math.Pow(random.NextDouble(), 3))]));
            text += Encoding.UTF8.GetByteCount(body);
            await vault.AppendAsync(inbox, Plain($"number {i}", body));
        }
        await index.FillAsync(account, null, default);
        var share = (double)new FileInfo(FileOf(account)).Length / text;
        Assert.True(share < 0.35, $"{share:p1} of the text");
    }

    [Fact]
    public async Task Small_segments_are_merged_and_their_room_is_taken_back()
    {
        var (account, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 70; i++)
        {
            await vault.AppendAsync(inbox, Plain($"number {i}", $"the text of letter {i} about договор"));
            await index.FillAsync(account, null, default);
        }
        var status = await index.StatusAsync(account, default);
        Assert.Equal(0, status.Pending);
        Assert.Equal(70, status.Size.Documents);
        Assert.InRange(status.Size.Segments, 1, 7);
        Assert.True(status.Size.Bytes < status.Size.Live + status.Size.Live / 5 + (20 << 10), $"{status.Size}");
        await AgreesAsync(inbox, [Body("etter 4"), Body("договор")], "merged");
    }
}
