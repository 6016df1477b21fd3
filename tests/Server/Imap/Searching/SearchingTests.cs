using System.Diagnostics;
using System.Globalization;
using System.Text;
using CbaMail.Imap.Searching;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Server.Imap.Searching;

/// <summary>Base subjects, the collation, and SEARCH, SORT and THREAD against a plain model of the messages.</summary>
[Collection("imap")]
public sealed class SearchingTests(ImapFixture fixture)
{
    // RFC 5256 2.1
    [Theory]
    [InlineData("Re: Plan", "Plan", true)]
    [InlineData("re: RE:fwd : Fw: Plan", "Plan", true)]
    [InlineData("Re[2]: Plan", "Plan", true)]
    [InlineData("[list] Plan", "Plan", false)]
    [InlineData("[list] Re: [other] Plan (fwd) (FWD)", "Plan", true)]
    [InlineData("Plan  with \t spaces ", "Plan with spaces", false)]
    [InlineData("[fwd: Re: Plan]", "Plan", true)]
    [InlineData("[only]", "[only]", false)]
    [InlineData("[a] [b][last]", "[last]", false)]
    [InlineData("[a][b] rest [c]", "rest [c]", false)]
    [InlineData("Re: [only]", "[only]", true)]
    [InlineData("[a[b] Plan", "[a[b] Plan", false)]
    [InlineData("Reply", "Reply", false)]
    [InlineData("Re:", "", true)]
    [InlineData("", "", false)]
    [InlineData("=?utf-8?Q?Re:_=D0=9F=D0=BB=D0=B0=D0=BD?=", "План", true)]
    public void BaseSubjectIs(string subject, string text, bool reply) => Assert.Equal((text, reply), BaseSubject.Of(subject));

    // RFC 5051 2
    [Theory]
    [InlineData("Привет", "ПРИВЕТ")]
    [InlineData("\u01c6", "\u01c4")]
    [InlineData("é", "e\u0301")]
    [InlineData("\uff21", "a")]
    [InlineData("Ё", "е\u0308")]
    public void CollationTakesAsEqual(string one, string other) => Assert.Equal(Casemap.Key(one), Casemap.Key(other));

    [Fact]
    public void CollationComparesCodePoints()
    {
        Assert.True(Casemap.Compare(Casemap.Key("\U0001f600"), Casemap.Key("\uff5e")) > 0);
        Assert.True(Casemap.Compare(Casemap.Key("Анна"), Casemap.Key("борис")) < 0);
        Assert.Equal(0, Casemap.Compare(Casemap.Key("x"), Casemap.Key("X")));
        Assert.Contains(Casemap.Key("зелен"), Casemap.Key("ЗЕЛЕНЫЙ"), StringComparison.Ordinal);
        Assert.Contains(Casemap.Key("cafe"), Casemap.Key("Le Cafe\u0301"), StringComparison.Ordinal);
        Assert.DoesNotContain(Casemap.Key("кот"), Casemap.Key("КИТ"), StringComparison.Ordinal);
    }

    static readonly string[] Words = ["apple", "Banana", "cherry", "груша", "Слива"];

    sealed record Message(int Number, string Subject, string From, DateOnly Sent, string Body, bool Seen, bool Flagged, int Size);

    static string Text(Message m) =>
        $"From: {m.From}@example.test\r\nSubject: =?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(m.Subject))}?=\r\n"
        + $"Date: {m.Sent.ToString("d MMM yyyy", CultureInfo.InvariantCulture)} 12:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{m.Body}\r\n";

    static string Word(Random random) => Words[random.Next(Words.Length)];

    static Message Make(Random random, int number)
    {
        var body = string.Join(' ', Enumerable.Range(0, random.Next(1, 6)).Select(_ => Word(random)));
        var message = new Message(number, (random.Next(3) == 0 ? "Re: " : "") + Word(random), "user" + random.Next(4), new DateOnly(2020, 1, 1).AddDays(random.Next(20)), body, random.Next(2) == 0, random.Next(2) == 0, 0);
        return message with { Size = Encoding.UTF8.GetByteCount(Text(message)) };
    }

    static (string Key, Func<Message, bool> Test) Tree(Random random, int depth, int count)
    {
        if (depth > 0)
        {
            var (one, is1) = Tree(random, depth - 1, count);
            var (two, is2) = Tree(random, depth - 1, count);
            switch (random.Next(4))
            {
                case 0: return ($"NOT {one}", m => !is1(m));
                case 1: return ($"OR {one} {two}", m => is1(m) || is2(m));
                case 2: return ($"({one} {two})", m => is1(m) && is2(m));
            }
        }
        var word = Word(random);
        var asked = random.Next(2) == 0 ? word.ToUpperInvariant() : word.ToLowerInvariant();
        var day = new DateOnly(2020, 1, 1).AddDays(random.Next(20));
        var date = day.ToString("d-MMM-yyyy", CultureInfo.InvariantCulture);
        var size = random.Next(150, 260);
        var (from, to) = (random.Next(1, count + 1), random.Next(1, count + 1));
        return random.Next(10) switch
        {
            0 => ("SEEN", m => m.Seen),
            1 => ("UNFLAGGED", m => !m.Flagged),
            2 => ($"SUBJECT \"{asked}\"", m => m.Subject.Contains(word, StringComparison.OrdinalIgnoreCase)),
            3 => ($"BODY \"{asked}\"", m => m.Body.Contains(word, StringComparison.OrdinalIgnoreCase)),
            4 => ($"TEXT \"{asked}\"", m => m.Body.Contains(word, StringComparison.OrdinalIgnoreCase) || m.Subject.Contains(word, StringComparison.OrdinalIgnoreCase)),
            5 => ($"SENTBEFORE {date}", m => m.Sent < day),
            6 => ($"SENTON {date}", m => m.Sent == day),
            7 => ($"LARGER {size}", m => m.Size > size),
            8 => ($"{from}:{to}", m => m.Number >= Math.Min(from, to) && m.Number <= Math.Max(from, to)),
            _ => ($"FROM user1", m => m.From == "user1"),
        };
    }

    [Fact]
    public async Task SearchAndSortAreWhatAPlainModelSays()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await using var client = await fixture.SignInAsync(await fixture.AccountAsync());
        var messages = new List<Message>();
        for (var i = 1; i <= 40; i++)
        {
            messages.Add(Make(random, i));
            await client.AppendAsync("INBOX", Text(messages[^1]), $"({(messages[^1].Seen ? "\\Seen" : "")}{(messages[^1].Flagged ? " \\Flagged" : "")}) ".Replace("( ", "(", StringComparison.Ordinal));
        }
        await client.OkAsync("SELECT INBOX");
        for (var step = 0; step < 300; step++)
        {
            var (key, test) = Tree(random, random.Next(4), messages.Count);
            var expected = string.Concat(messages.Where(test).Select(m => $" {m.Number}"));
            var lines = await client.OkAsync($"SEARCH CHARSET UTF-8 {key}");
            Assert.True("* SEARCH" + expected == lines[0], $"seed {seed}: {key}: {lines[0]}, not{expected}");

            var (criteria, sorted) = Sorted(random, messages.Where(test));
            lines = await client.OkAsync($"SORT ({criteria}) UTF-8 {key}");
            expected = string.Concat(sorted.Select(m => $" {m.Number}"));
            Assert.True("* SORT" + expected == lines[0], $"seed {seed}: {criteria}: {key}: {lines[0]}, not{expected}");
        }
    }

    static (string Criteria, IEnumerable<Message> Messages) Sorted(Random random, IEnumerable<Message> messages)
    {
        var names = new List<string>();
        var order = messages.OrderBy(_ => 0);
        foreach (var name in new[] { "SUBJECT", "DATE", "FROM", "SIZE" }.OrderBy(_ => random.Next()).Take(random.Next(1, 4)))
        {
            var reverse = random.Next(2) == 0;
            names.Add(reverse ? "REVERSE " + name : name);
            Func<Message, IComparable> value = name switch
            {
                "SUBJECT" => m => string.Concat(m.Subject.Replace("Re: ", "", StringComparison.Ordinal).ToUpperInvariant().Select(c => ((int)c).ToString("x4", CultureInfo.InvariantCulture))),
                "DATE" => m => m.Sent,
                "FROM" => m => m.From,
                _ => m => m.Size,
            };
            order = reverse ? order.ThenByDescending(value) : order.ThenBy(value);
        }
        return (string.Join(' ', names), order.ThenBy(m => m.Number));
    }

    // RFC 9051 6.4.4: many keys are answered, deep ones are refused, and neither ends the session
    [Fact]
    public async Task DeepKeysAreRefused()
    {
        await using var client = await fixture.InboxAsync(1);
        Assert.StartsWith("BAD", await client.TaggedAsync("SEARCH " + string.Concat(Enumerable.Repeat("NOT ", 5000)) + "ALL"), StringComparison.Ordinal);
        Assert.StartsWith("BAD", await client.TaggedAsync("SEARCH " + new string('(', 5000) + "ALL" + new string(')', 5000)), StringComparison.Ordinal);
        Assert.Equal("* SEARCH 1", (await client.OkAsync("SEARCH " + string.Join(' ', Enumerable.Repeat("ALL", 900))))[0]);
    }

    // a chain as long as the mailbox: no recursion, no square of its length
    [Fact]
    public void AThreadMayBeAsDeepAsTheMailbox()
    {
        const int Count = 100_000;
        var messages = Enumerable.Range(0, Count).Select(i => new ThreadMessage(i, i + 1, i == 0 ? Array.Empty<long>() : new long[] { i }, "s", true, i, i)).ToList();
        foreach (var roots in new[] { Threads.References(messages), Threads.Refs(messages) })
        {
            var node = Assert.Single(roots);
            for (var i = 0; i < Count; i++)
            {
                Assert.Equal(i, node.Message!.Index);
                if (i + 1 < Count) node = Assert.Single(node.Children);
            }
        }
        messages.Reverse();
        Assert.Equal(Count, Size(Threads.References(messages)));
    }

    /// <summary>
    /// Anybody can write fields that name thousands of messages which are not there, each the parent of the next, with as many below the last: their
    /// places are not copied from one to the next, and there is no end of room for them.
    /// </summary>
    [Fact]
    public void PlacesForMessagesThatAreNotThereCostLittle()
    {
        const int Named = 500, Each = 190, Below = 20_000;
        var messages = Enumerable.Range(0, Named).Select(i => new ThreadMessage(i, 0, Enumerable.Range(0, Each + 1).Select(k => 1L + (i + 1) * Each - k).ToArray(), "", false, i, i))
            .Concat(Enumerable.Range(Named, Below).Select(i => new ThreadMessage(i, 0, new[] { 1L }, "", false, i, i))).ToList();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        Assert.Equal(Named + Below, Size(Threads.References(messages)));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
        messages = [.. Enumerable.Range(0, 20_000).Select(i => new ThreadMessage(i, 0, Enumerable.Range(0, 200).Select(k => 1L + 200 * i + k).ToArray(), "", false, i, i))];
        before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(messages.Count, Size(Threads.Refs(messages)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
    }

    [Theory, InlineData("[a]", "x"), InlineData("[a] ", ""), InlineData("re[", ""), InlineData("[fwd:", "]"), InlineData("re:[b]", "c"), InlineData("(fwd) ", "(fwd)")]
    public void ASubjectOfThousandsOfPiecesIsReadOnce(string piece, string end)
    {
        var subject = string.Concat(Enumerable.Repeat(piece, 100_000)) + end;
        var clock = Stopwatch.StartNew();
        BaseSubject.Of(subject);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    static int Size(List<ThreadNode> nodes)
    {
        var (count, waiting) = (0, new Stack<ThreadNode>(nodes));
        while (waiting.TryPop(out var node))
        {
            if (!node.IsDummy) count++;
            foreach (var child in node.Children) waiting.Push(child);
        }
        return count;
    }

    // whatever fields say of each other, every message is in the answer once
    [Fact]
    public void NoMessageIsLostAndNoneIsTwice()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var step = 0; step < 500; step++)
        {
            var count = random.Next(1, 30);
            var messages = Enumerable.Range(0, count).Select(i => new ThreadMessage(
                i, random.Next(5) == 0 ? 0 : random.Next(1, count + 1), Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(1, count + 6)).Distinct().ToArray(),
                random.Next(3) == 0 ? "" : $"s{random.Next(5)}", random.Next(2) == 0, random.Next(10), random.Next(10))).ToList();
            foreach (var roots in new[] { Threads.References(messages), Threads.Refs(messages), Threads.OrderedSubject(messages) })
                Assert.True(Size(roots) == count, $"seed {seed}, step {step}: {Size(roots)} of {count}");
        }
    }
}
