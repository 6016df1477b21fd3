using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.Server.Imap.Searching;

/// <summary>Searches that are kept up to date while others change the mailbox (RFC 5267 4.3).</summary>
[Collection("imap")]
public sealed partial class ContextTests(ImapFixture fixture)
{
    [GeneratedRegex(@"(?<what>ADDTO|REMOVEFROM) \((?<at>\d+) (?<set>[\d,:]+)\)")]
    private static partial Regex Change { get; }

    [GeneratedRegex(@"\(TAG ""(?<tag>[^""]+)""\)(?: UID)?(?: ALL (?<set>[\d,:]+))?")]
    private static partial Regex Answer { get; }

    static List<uint> Set(string set) =>
        [.. set.Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(part =>
        {
            var ends = part.Split(':').Select(n => uint.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            return Enumerable.Range((int)ends[0], (int)(ends[^1] - ends[0]) + 1).Select(n => (uint)n);
        })];

    /// <summary>The results as a client has them that does what it is told.</summary>
    sealed class Results(string tag, List<uint> uids)
    {
        public List<uint> Uids => uids;

        public void Hear(IEnumerable<string> lines)
        {
            foreach (var line in lines.Where(l => l.StartsWith($"* ESEARCH (TAG \"{tag}\") UID ", StringComparison.Ordinal)))
                foreach (Match change in Change.Matches(line))
                {
                    var at = int.Parse(change.Groups["at"].Value, CultureInfo.InvariantCulture);
                    var set = Set(change.Groups["set"].Value);
                    if (change.Groups["what"].Value == "ADDTO")
                    {
                        Assert.DoesNotContain(set, uids.Contains);
                        if (at > 0) uids.InsertRange(at - 1, set);
                        else
                        {
                            uids.AddRange(set);
                            uids.Sort();
                        }
                    }
                    else if (at > 0)
                    {
                        Assert.Equal(set, uids.GetRange(at - 1, set.Count));
                        uids.RemoveRange(at - 1, set.Count);
                    }
                    else
                        foreach (var uid in set) Assert.True(uids.Remove(uid), $"{uid} was none of them");
                }
        }
    }

    static async Task<Results> WatchAsync(ImapClient client, string command)
    {
        var answer = Answer.Match((await client.OkAsync(command)).Single(l => l.StartsWith("* ESEARCH", StringComparison.Ordinal)));
        return new Results(answer.Groups["tag"].Value, Set(answer.Groups["set"].Value));
    }

    // RFC 5267 A.3: a number stays what it is until EXPUNGE may be told; that it is no result any more is told at once, and once
    [Fact]
    public async Task ResultsGoBeforeTheirNumbers()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(3, account);
        await using var two = await fixture.SignInAsync(account);
        var results = await WatchAsync(one, "UID SEARCH RETURN (UPDATE ALL) ALL");
        await two.OkAsync("SELECT INBOX");
        await two.OkAsync("STORE 2 +FLAGS.SILENT (\\Deleted)");
        await two.OkAsync("EXPUNGE");
        var told = await one.OkAsync("FETCH 3 (UID)");
        Assert.Contains(told, l => l.EndsWith("REMOVEFROM (0 2)", StringComparison.Ordinal));
        Assert.DoesNotContain(told, l => l.EndsWith("EXPUNGE", StringComparison.Ordinal));
        results.Hear(told);
        told = await one.OkAsync("NOOP");
        Assert.Equal(["* 2 EXPUNGE"], told.Where(l => l.Contains("EXPUNGE", StringComparison.Ordinal) || l.Contains("ESEARCH", StringComparison.Ordinal)));
        Assert.Equal([1u, 3u], results.Uids);
    }

    // RFC 5267 4.3.2: also while the client is idle; a number comes after the EXISTS that makes it valid
    [Fact]
    public async Task AnIdleClientHearsOfThem()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(1, account);
        await using var two = await fixture.SignInAsync(account);
        await one.OkAsync("SEARCH RETURN (UPDATE) UNSEEN");
        await one.SendAsync("i IDLE\r\n");
        Assert.StartsWith("+ ", await one.LineAsync(), StringComparison.Ordinal);
        await two.AppendAsync("INBOX", ImapClient.Message(2));
        Assert.Equal("* 2 EXISTS", await one.LineAsync());
        Assert.Equal("* 2 RECENT", await one.LineAsync());
        Assert.EndsWith("ADDTO (0 2)", await one.LineAsync(), StringComparison.Ordinal);
        await one.SendAsync("DONE\r\n");
        Assert.StartsWith("i OK", await one.LineAsync(), StringComparison.Ordinal);
    }

    // whoever does what he is told has the results of a new search, in their order
    [Fact]
    public async Task TheResultsAreThoseOfANewSearch()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var account = await fixture.AccountAsync();
        await using var one = await fixture.InboxAsync(8, account);
        await using var two = await fixture.SignInAsync(account);
        await two.OkAsync("SELECT INBOX");
        string[] commands =
        [
            "UID SEARCH {0} UNSEEN", "UID SEARCH {0} NOT DELETED OR FLAGGED SUBJECT 3", "UID SORT {0} (REVERSE SUBJECT) UTF-8 UNFLAGGED",
            "UID SORT {0} (SIZE REVERSE ARRIVAL) UTF-8 NOT DELETED",
        ];
        var kept = new List<Results>();
        foreach (var command in commands) kept.Add(await WatchAsync(one, string.Format(CultureInfo.InvariantCulture, command, "RETURN (UPDATE ALL)")));
        var number = 100;
        for (var step = 0; step < 120; step++)
        {
            for (var i = random.Next(1, 4); i > 0; i--) await ChangeAsync(two, random, number++);
            var told = await one.OkAsync(random.Next(3) switch { 0 => "NOOP", 1 => "UID FETCH 1 (UID)", _ => "STORE 1:* +FLAGS.SILENT ($Own)" });
            for (var i = 0; i < commands.Length; i++)
            {
                kept[i].Hear(told);
                var lines = await one.OkAsync(string.Format(CultureInfo.InvariantCulture, commands[i], "RETURN (ALL)"));
                var now = Set(Answer.Match(lines.Single(l => l.Contains("UID", StringComparison.Ordinal) && l.StartsWith("* ESEARCH", StringComparison.Ordinal) && !Change.IsMatch(l))).Groups["set"].Value);
                foreach (var results in kept) results.Hear(lines);
                // what the others have just expunged is still searched, and no result of these any more
                var gone = now.Except(kept[i].Uids).ToList();
                if (gone.Count > 0)
                {
                    lines = await one.OkAsync("NOOP");
                    foreach (var results in kept) results.Hear(lines);
                    lines = await one.OkAsync(string.Format(CultureInfo.InvariantCulture, commands[i], "RETURN (ALL)"));
                    now = Set(Answer.Match(lines.Single(l => l.StartsWith("* ESEARCH", StringComparison.Ordinal))).Groups["set"].Value);
                }
                Assert.True(now.SequenceEqual(kept[i].Uids), $"seed {seed}, step {step}, {commands[i]}: {string.Join(',', kept[i].Uids)}, not {string.Join(',', now)}");
            }
        }
    }

    static async Task ChangeAsync(ImapClient client, Random random, int number)
    {
        var uid = random.Next(1, 14);
        switch (random.Next(6))
        {
            case 0: await client.AppendAsync("INBOX", ImapClient.Message(number, new string('x', random.Next(50)) + "\r\n")); break;
            case 1: await client.OkAsync($"UID STORE {uid}:* +FLAGS.SILENT (\\Seen)"); break;
            case 2: await client.OkAsync($"UID STORE 1:{uid} -FLAGS.SILENT (\\Seen)"); break;
            case 3: await client.OkAsync($"UID STORE {uid} {(random.Next(2) == 0 ? "+" : "-")}FLAGS.SILENT (\\Flagged)"); break;
            case 4: await client.OkAsync($"UID STORE {uid} +FLAGS.SILENT (\\Deleted)"); break;
            default: await client.OkAsync(random.Next(3) == 0 ? "EXPUNGE" : "NOOP"); break;
        }
    }
}
