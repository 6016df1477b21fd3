using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>A client that was away catches up (RFC 7162 3.2): against the truth of the mailbox, with the history of expunges and without.</summary>
[Collection("imap")]
public sealed class ResyncTests(ImapFixture fixture)
{
    static long Code(List<string> lines, string name) =>
        long.Parse(lines.First(l => l.Contains("[" + name + " ", StringComparison.Ordinal)).Split(name + " ")[1].Split(']')[0], System.Globalization.CultureInfo.InvariantCulture);

    static async Task<(long Validity, long ModSeq)> KnownAsync(ImapClient client)
    {
        var told = await client.OkAsync("SELECT INBOX");
        return (Code(told, "UIDVALIDITY"), Code(told, "HIGHESTMODSEQ"));
    }

    async Task<ImapClient> EnabledAsync(CbaMail.Directory.Account account)
    {
        var client = await fixture.SignInAsync(account);
        Assert.Equal(["* ENABLED QRESYNC"], await client.OkAsync("ENABLE QRESYNC"));
        return client;
    }

    static IEnumerable<string> News(IEnumerable<string> told) => told.Where(l => l.StartsWith("* VANISHED", StringComparison.Ordinal) || l.Contains(" FETCH ", StringComparison.Ordinal));

    static List<uint> Vanished(IEnumerable<string> told) =>
        [.. told.Where(l => l.StartsWith("* VANISHED (EARLIER) ", StringComparison.Ordinal)).SelectMany(l => l[21..].Split(',')).SelectMany(Range)];

    static IEnumerable<uint> Range(string text)
    {
        var ends = text.Split(':').Select(uint.Parse).ToArray();
        for (var i = ends[0]; i <= ends[^1]; i++) yield return i;
    }

    [Fact]
    public async Task Only_what_has_happened_since_is_told()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(6, account);
        await using var one = await EnabledAsync(account);
        var (validity, modseq) = await KnownAsync(one);
        await one.OkAsync("UNSELECT");
        Assert.Empty(News(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq}))")));
        await one.OkAsync("UNSELECT");

        await other.OkAsync("STORE 2,5 +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        await other.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)");
        await other.AppendAsync("INBOX", ImapClient.Message(7));
        var told = News(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq}))")).ToList();
        Assert.Equal("* VANISHED (EARLIER) 2,5", told[0]);
        Assert.StartsWith("* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (", told[1], StringComparison.Ordinal);
        Assert.StartsWith("* 5 FETCH (UID 7 FLAGS (", told[2], StringComparison.Ordinal);
        Assert.Equal(3, told.Count);
        // RFC 7162 3.2.5.1: of the UIDs that the client says it knows, no others
        told = [.. News(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq} 3:5))"))];
        Assert.Equal(["* VANISHED (EARLIER) 5"], told);
        // RFC 7162 3.2.5.2: the first message is where it was, so nothing below it is told; with the second it is not so
        told = [.. News(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq} 1:6 (1,3 1,3)))"))];
        Assert.Equal("* VANISHED (EARLIER) 2,5", told[0]);
        told = [.. News(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq} 1:6 (1:3 1,3:4)))"))];
        Assert.Equal("* VANISHED (EARLIER) 5", told[0]);
    }

    [Fact]
    public async Task Others_are_told_of_expunges_by_UID_at_the_time_that_EXPUNGE_would_be()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(4, account);
        await using var one = await EnabledAsync(account);
        await one.OkAsync("SELECT INBOX");
        await other.OkAsync("STORE 1:2,4 +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        Assert.DoesNotContain(await one.OkAsync("FETCH 3 (UID)"), l => l.StartsWith("* VANISHED", StringComparison.Ordinal));
        Assert.Equal("* VANISHED 1:2,4", (await one.OkAsync("NOOP"))[0]);
        Assert.Equal(["* 1 FETCH (UID 3)"], await one.OkAsync("FETCH 1:* (UID)"));
    }

    [Fact]
    public async Task What_is_only_now_told_as_vanished_is_not_told_as_earlier()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(4, account);
        await using var one = await EnabledAsync(account);
        var (_, modseq) = await KnownAsync(one);
        await other.OkAsync("STORE 2 +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        var told = await one.OkAsync($"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)");
        Assert.Equal("* VANISHED 2", told[0]);
    }

    [Fact]
    public async Task Where_the_history_is_forgotten_every_UID_without_a_message_has_vanished()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(8, account);
        await using var one = await EnabledAsync(account);
        var (validity, modseq) = await KnownAsync(one);
        await one.OkAsync("UNSELECT");
        await other.OkAsync("STORE 3:4,7 +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        await fixture.ForgetExpungedAsync();
        Assert.Equal([3, 4, 7], Vanished(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq}))")));
        // RFC 7162 3.2.5.2: with what the client remembers of numbers the answer is smaller
        Assert.Equal([7], Vanished(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq} 1:8 (1:4 1:2,5:6)))")));
        Assert.Equal([4], Vanished(await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq} 4:6))")));
        Assert.Equal([3, 4, 7], Vanished(await one.OkAsync("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)")));
        // a set that goes far beyond UIDNEXT costs nothing and names nothing that never was
        Assert.Equal([7], Vanished(await one.OkAsync("UID FETCH 5:4294967295 (FLAGS) (CHANGEDSINCE 1 VANISHED)")));
        // a sequence that has never been: before a restore; all that is there is told
        var told = await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq + 1_000_000}))");
        Assert.Equal([3, 4, 7], Vanished(told));
        Assert.Equal(5, told.Count(l => l.Contains(" FETCH ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_cache_that_follows_what_is_told_is_always_the_mailbox()
    {
        var random = new Random(7162);
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(30, account);
        await using var one = await EnabledAsync(account);
        var (validity, modseq) = await KnownAsync(one);
        var cache = (await one.OkAsync("UID FETCH 1:* (FLAGS)")).Select(l => (Uid: Uid(l), Seen: l.Contains("\\Seen", StringComparison.Ordinal))).ToDictionary(m => m.Uid, m => m.Seen);
        for (var round = 0; round < 25; round++)
        {
            await one.OkAsync("UNSELECT");
            for (var deed = 0; deed < 4; deed++)
            {
                var n = random.Next(1, 12);
                switch (random.Next(4))
                {
                    case 0: await other.AppendAsync("INBOX", ImapClient.Message(n)); break;
                    case 1: await other.CommandAsync($"STORE {n} +FLAGS.SILENT (\\Deleted)"); await other.OkAsync("EXPUNGE"); break;
                    case 2: await other.CommandAsync($"STORE {n}:{n + 2} {(random.Next(2) == 0 ? '+' : '-')}FLAGS.SILENT (\\Seen)"); break;
                    default: if (random.Next(3) == 0) await fixture.ForgetExpungedAsync(); break;
                }
            }
            var told = await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq}))");
            foreach (var uid in Vanished(told)) cache.Remove(uid);
            foreach (var line in told.Where(l => l.Contains(" FETCH ", StringComparison.Ordinal))) cache[Uid(line)] = line.Contains("\\Seen", StringComparison.Ordinal);
            modseq = Code(told, "HIGHESTMODSEQ");
            var truth = (await one.OkAsync("UID FETCH 1:* (FLAGS)")).Where(l => l.Contains(" FETCH ", StringComparison.Ordinal))
                .ToDictionary(Uid, l => l.Contains("\\Seen", StringComparison.Ordinal));
            Assert.Equal(truth.OrderBy(m => m.Key), cache.OrderBy(m => m.Key));
        }
    }

    static uint Uid(string line) => uint.Parse(line.Split("UID ")[1].Split(' ', ')')[0], System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task Thousands_that_are_gone_come_in_lines_of_a_bearable_length()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(1, account);
        for (var i = 0; i < 11; i++) await other.OkAsync("COPY 1:* INBOX");
        await using var one = await EnabledAsync(account);
        var (validity, modseq) = await KnownAsync(one);
        var odd = string.Join(',', Enumerable.Range(0, 1024).Select(i => 2 * i + 1));
        await other.OkAsync($"UID STORE {odd} +FLAGS.SILENT (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        var told = await one.OkAsync("NOOP");
        var lines = told.Where(l => l.StartsWith("* VANISHED ", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, lines.Count);
        Assert.All(lines, l => Assert.True(l.Length < 8000));
        Assert.Equal(1024, lines.SelectMany(l => l[11..].Split(',')).Distinct().Count());
        Assert.Equal("* 1024 FETCH (UID 2048)", (await one.OkAsync("FETCH * (UID)"))[0]);
        await one.OkAsync("UNSELECT");
        told = await one.OkAsync($"SELECT INBOX (QRESYNC ({validity} {modseq}))");
        Assert.Equal(1024, Vanished(told).Distinct().Count());
        Assert.Equal(3, told.Count(l => l.StartsWith("* VANISHED (EARLIER)", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_UIDONLY_nobody_hears_a_sequence_number()
    {
        var account = await fixture.AccountAsync();
        await using var other = await fixture.InboxAsync(4, account);
        await using var one = await fixture.SignInAsync(account);
        await one.OkAsync("ENABLE UIDONLY");
        await one.OkAsync("SELECT INBOX");
        await other.OkAsync("STORE 1,3 +FLAGS (\\Deleted)");
        await other.OkAsync("EXPUNGE");
        await other.OkAsync("STORE 2 +FLAGS (\\Flagged)");
        var told = await one.OkAsync("NOOP");
        Assert.Contains("* VANISHED 1,3", told);
        Assert.Contains(told, l => l.StartsWith("* 4 UIDFETCH (FLAGS (\\Flagged", StringComparison.Ordinal));
        Assert.DoesNotContain(told, l => l.Contains("EXPUNGE", StringComparison.Ordinal) || l.Contains(" FETCH ", StringComparison.Ordinal));
    }
}
