using CbaMail.Directory;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>\Seen of everybody who reads a mailbox (RFC 4314 2.1, s) with several connections: who hears of it, and what CONDSTORE says (RFC 7162).</summary>
[Collection("imap")]
public sealed class ReaderSeenTests(ImapFixture fixture)
{
    async Task<(ImapClient Anna, ImapClient Boris, Account Reader, string Box)> ShareAsync(string rights = "lrswite")
    {
        Account anna = await fixture.AccountAsync(), boris = await fixture.AccountAsync();
        var owner = await fixture.SignInAsync(anna);
        await owner.OkAsync("CREATE Box");
        for (var i = 1; i <= 3; i++) await owner.AppendAsync("Box", ImapClient.Message(i));
        await owner.OkAsync($"SETACL Box {boris.Address} {rights}");
        return (owner, await fixture.SignInAsync(boris), boris, $"\"Other Users/{anna.Address}/Box\"");
    }

    static async Task<long> HighestAsync(ImapClient client, string box) =>
        long.Parse((await client.OkAsync($"STATUS {box} (HIGHESTMODSEQ)"))[^1].Split(' ')[^1].TrimEnd(')'), null);

    [Fact]
    public async Task OnlyTheReadersOwnConnectionsHearOfIt()
    {
        var (anna, boris, reader, box) = await ShareAsync();
        await using var first = anna;
        await using var second = boris;
        await using var boris2 = await fixture.SignInAsync(reader);
        foreach (var (client, name) in ((ImapClient, string)[])[(anna, "Box"), (boris, box), (boris2, box)])
        {
            await client.OkAsync("ENABLE CONDSTORE");
            await client.OkAsync($"SELECT {name}");
        }
        await boris.OkAsync("STORE 2 +FLAGS.SILENT (\\Seen)");
        Assert.Matches(@"^\* 2 FETCH \(UID 2 FLAGS \(\\Seen( \\Recent)?\) MODSEQ \([0-9]+\)\)$", Assert.Single(await boris2.OkAsync("NOOP")));
        Assert.Empty(await anna.OkAsync("NOOP"));
        await anna.OkAsync("STORE 2 +FLAGS.SILENT (\\Flagged)");
        Assert.Contains("FLAGS (\\Flagged \\Seen", Assert.Single(await boris2.OkAsync("NOOP")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ModificationSequencesAreThoseOfTheReader()
    {
        var (anna, boris, reader, box) = await ShareAsync();
        await using var first = anna;
        await using var second = boris;
        var (hers, his) = (await HighestAsync(anna, "Box"), await HighestAsync(boris, box));
        Assert.Equal(hers, his);
        await boris.OkAsync($"SELECT {box} (CONDSTORE)");
        await boris.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)");
        await boris.OkAsync("UNSELECT");
        // RFC 7162 3.1: it rises for him, and for nobody else
        Assert.Equal(hers, await HighestAsync(anna, "Box"));
        var after = await HighestAsync(boris, box);
        Assert.True(after > his);
        // RFC 7162 3.1.4.1, 3.2.5
        await boris.OkAsync("ENABLE QRESYNC");
        var validity = (await boris.OkAsync($"STATUS {box} (UIDVALIDITY)"))[0].Split(' ')[^1].TrimEnd(')');
        var told = (await boris.OkAsync($"SELECT {box} (QRESYNC ({validity} {his}))")).Where(line => line.Contains(" FETCH ", StringComparison.Ordinal));
        Assert.Matches($@"^\* 1 FETCH \(UID 1 FLAGS \(\\Seen.*MODSEQ \({after}\)\)$", Assert.Single(told));
        Assert.Single(await boris.OkAsync($"FETCH 1:* (FLAGS) (CHANGEDSINCE {his})"));
        // 3.1.5
        Assert.EndsWith($"(MODSEQ {after})", (await boris.OkAsync($"SEARCH MODSEQ {after}"))[0], StringComparison.Ordinal);
        // 3.1.3: what another has read is no conflict
        await anna.OkAsync("SELECT Box (CONDSTORE)");
        Assert.StartsWith("OK STORE completed", await anna.TaggedAsync($"STORE 1 (UNCHANGEDSINCE {hers}) +FLAGS.SILENT (\\Seen)"), StringComparison.Ordinal);
        Assert.StartsWith("OK [MODIFIED 1]", await boris.TaggedAsync($"STORE 1 (UNCHANGEDSINCE {his}) -FLAGS.SILENT (\\Seen)"), StringComparison.Ordinal);
        // a flag that is shared is news for both
        await anna.OkAsync("STORE 3 +FLAGS.SILENT (\\Answered)");
        Assert.Contains(await boris.OkAsync("NOOP"), line => line.StartsWith("* 3 FETCH", StringComparison.Ordinal));
        Assert.Equal(await HighestAsync(anna, "Box"), await HighestAsync(boris, box));
    }

    [Fact]
    public async Task NotifyTellsEachHisOwnCount()
    {
        var (anna, boris, reader, box) = await ShareAsync("lrs");
        await using var first = anna;
        await using var second = boris;
        await using var watching = await fixture.SignInAsync(reader);
        await watching.OkAsync("NOTIFY SET (SUBTREE \"Other Users\" (MessageNew MessageExpunge FlagChange))");
        await boris.OkAsync($"SELECT {box}");
        await boris.OkAsync("STORE 1:2 +FLAGS.SILENT (\\Seen)");
        Assert.Matches(@"^\* STATUS ""Other Users/.*/Box"" \(UIDVALIDITY [0-9]+ UNSEEN 1\)$", await watching.LineAsync());
    }

    [Fact]
    public async Task AMoveBetweenTheOwnersMailboxesTakesEverybodysAlong()
    {
        var (anna, boris, reader, box) = await ShareAsync();
        await using var first = anna;
        await using var second = boris;
        await anna.OkAsync("CREATE Other");
        await anna.OkAsync($"SETACL Other {reader.Address} lrsi");
        var other = box.Replace("/Box", "/Other", StringComparison.Ordinal);
        await boris.OkAsync($"SELECT {box}");
        await boris.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)");
        await anna.OkAsync("SELECT Box");
        await anna.OkAsync("STORE 2 +FLAGS.SILENT (\\Seen)");
        await anna.OkAsync("MOVE 1 Other");
        await boris.OkAsync("NOOP");
        await boris.OkAsync($"MOVE 1 {other}"); // she has read it, he has not
        Assert.Equal("* STATUS Other (MESSAGES 2 UNSEEN 1)", (await anna.OkAsync("STATUS Other (MESSAGES UNSEEN)"))[0]);
        await boris.OkAsync($"EXAMINE {other}");
        Assert.Equal(["* SEARCH 1"], await boris.OkAsync("SEARCH SEEN"));
        await anna.OkAsync("EXAMINE Other");
        Assert.Equal(["* SEARCH 2"], await anna.OkAsync("SEARCH SEEN"));
        // out of them only the mover's goes along
        await boris.OkAsync("COPY 1:2 INBOX");
        await boris.OkAsync("EXAMINE INBOX");
        Assert.Equal(["* SEARCH 1"], await boris.OkAsync("SEARCH SEEN"));
        await boris.OkAsync($"COPY 1:2 {box}");
        Assert.Equal("* STATUS Box (MESSAGES 3 UNSEEN 3)", Assert.Single(await anna.OkAsync("STATUS Box (MESSAGES UNSEEN)")));
        Assert.Equal($"* STATUS {box} (MESSAGES 3 UNSEEN 2)", Assert.Single(await boris.OkAsync($"STATUS {box} (MESSAGES UNSEEN)")));
    }

    [Fact]
    public async Task OwnerAndReadersAreAsAModelSays()
    {
        var seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        var cancel = TestContext.Current.CancellationToken;
        Account[] people = [await fixture.AccountAsync(), await fixture.AccountAsync(), await fixture.AccountAsync()];
        var mail = fixture.Mail;
        long[] boxes = [(await mail.CreateAsync(people[0].Id, "One", null, cancel)).Value!.Id, (await mail.CreateAsync(people[0].Id, "Two", null, cancel)).Value!.Id, (await mail.CreateAsync(people[1].Id, "Three", null, cancel)).Value!.Id];
        long[] owners = [people[0].Id, people[0].Id, people[1].Id];
        // who has seen which message of which mailbox; whether it is flagged
        var model = boxes.Select(_ => new SortedDictionary<uint, (HashSet<int> Seen, bool Flagged)>()).ToArray();
        var known = new Dictionary<(int, int), long>();
        using var staged = mail.Stage(System.Text.Encoding.ASCII.GetBytes(ImapClient.Message(1)));
        for (var step = 0; step < 400; step++)
        {
            var (box, who) = (random.Next(3), random.Next(3));
            var reader = owners[box] == people[who].Id ? 0 : people[who].Id;
            var uids = model[box].Keys.Where(_ => random.Next(3) == 0).ToList();
            switch (random.Next(8))
            {
                case 0 or 1:
                    var seen = random.Next(2) == 0;
                    using (var one = mail.Stage(System.Text.Encoding.ASCII.GetBytes(ImapClient.Message(step))))
                        model[box][(await mail.AppendAsync(boxes[box], one, seen ? MessageFlags.Seen : 0, [], null, 0, cancel, reader)).Value.Uid] = (seen ? [who] : [], false);
                    break;
                case 2 or 3 or 4:
                    var (add, flagged) = (random.Next(2) == 0, random.Next(3) == 0);
                    await mail.StoreAsync(boxes[box], uids, new FlagChange(add ? FlagMode.Add : FlagMode.Remove, MessageFlags.Seen | (flagged ? MessageFlags.Flagged : 0), []), null, cancel, reader);
                    foreach (var uid in uids)
                    {
                        var (set, was) = model[box][uid];
                        if (add) set.Add(who); else set.Remove(who);
                        model[box][uid] = (set, flagged ? add : was);
                    }
                    break;
                case 5 or 6:
                    var (to, move) = (random.Next(3), random.Next(2) == 0);
                    if (to == box || uids.Count == 0) break;
                    var copied = move ? await mail.MoveAsync(boxes[box], uids, boxes[to], cancel, by: people[who].Id) : await mail.CopyAsync(boxes[box], uids, boxes[to], 0, cancel, by: people[who].Id);
                    foreach (var (source, destination) in copied.Value!.Pairs)
                    {
                        var (set, was) = model[box][source];
                        model[to][destination] = (owners[box] == owners[to] ? [.. set] : [.. set.Where(one => one == who)], was);
                        if (move) model[box].Remove(source);
                    }
                    break;
                default:
                    if (random.Next(3) > 0) break;
                    await mail.RemoveAsync(boxes[box], uids, cancel);
                    foreach (var uid in uids) model[box].Remove(uid);
                    break;
            }
            using var read = mail.Read();
            for (box = 0; box < 3; box++)
            {
                for (who = 0; who < 3; who++)
                {
                    reader = owners[box] == people[who].Id ? 0 : people[who].Id;
                    var mailbox = read.Mailbox(boxes[box], reader)!;
                    Assert.Equal(model[box].Values.Count(one => !one.Seen.Contains(who)), mailbox.Unseen);
                    var rows = read.Messages(boxes[box], reader: reader);
                    Assert.Equal(model[box].Select(one => (one.Key, one.Value.Seen.Contains(who), one.Value.Flagged)), rows.Select(row => (row.Uid, row.Flags.HasFlag(MessageFlags.Seen), row.Flags.HasFlag(MessageFlags.Flagged))));
                    Assert.All(rows, row => Assert.True(row.ModSeq <= mailbox.ModSeq));
                    // what has changed since the last look is what a client must be told
                    var since = known.GetValueOrDefault((box, who));
                    Assert.Equal(rows.Where(row => row.ModSeq > since), read.ChangesSince(boxes[box], since, reader)!.Changed);
                    known[(box, who)] = mailbox.ModSeq;
                }
            }
        }
    }
}
