using CbaMail.Storage.Search;
using CbaMail.Tests.Server.Storage.Cuts;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Search;

/// <summary>
/// The index of an account is never flushed. Wherever the power is cut, what is left is an older state of it, or is noticed as damage; it never
/// says something wrong, and it never claims a message that it does not know.
/// </summary>
public sealed class IndexCutTests(ITestOutputHelper output)
{
    const long Mailbox = 7;
    static readonly string[] Words = ["ДОГОВОР", "MEETING", "ПИСЬМО", "QUARTER", "COURSE", "ИГОЛКА"];

    // which words a content has
    static bool Has(long content, int word) => content * 2654435761 % 7 * (word + 3) % 5 == 0;

    static SegmentBuilder Letters(long first, int count)
    {
        var builder = new SegmentBuilder();
        for (var content = first; content < first + count; content++)
        {
            builder.Begin(new DocumentId(content, 0));
            for (var word = 0; word < Words.Length; word++)
                if (Has(content, word)) builder.Add(Section.Body, Words[word]);
            builder.Add(Section.Body, "N" + content);
        }
        return builder;
    }

    static async Task<SimulatedDisk> RecordAsync(int seed)
    {
        var (disk, random, next) = (new SimulatedDisk(seed), new Random(seed), 1L);
        disk.CreateDirectory(disk.Data);
        using var index = AccountIndex.Open(disk, disk.Data + "/1.index");
        for (var round = 0; round < 12; round++)
        {
            var count = random.Next(1, 60);
            index.Add(Letters(next, count), [new(Mailbox, (uint)(next + count))], []);
            next += count;
            var gone = random.Next(1, (int)next);
            if (random.Next(2) == 0) await index.TidyAsync(random.Next(4) == 0 ? content => content >= gone / 3 : null, _ => ValueTask.CompletedTask, default);
        }
        return disk;
    }

    // what it says of each message that it claims to know; null where it is damaged
    static int? Check(SimulatedDisk disk, string about)
    {
        disk.CreateDirectory(disk.Data);
        using var index = AccountIndex.Open(disk, disk.Data + "/1.index");
        try
        {
            var verdicts = index.Ask([.. Words.Select(word => new TextQuestion(TextPlace.Body, null, word))], default);
            for (var content = 1L; content < 1000; content++)
            {
                var place = verdicts.Place(content);
                for (var word = 0; word < Words.Length; word++)
                {
                    var verdict = verdicts.Of(word, place);
                    if (place < 0) Assert.Equal(Verdict.Unknown, verdict); // looked at
                    else Assert.True(verdict == (Has(content, word) ? Verdict.Yes : Verdict.No), $"{about}: {Words[word]} of {content} is {verdict}");
                }
            }
            return index.Size.Documents;
        }
        catch (IndexDamage)
        {
            return null;
        }
    }

    [Fact]
    public async Task Wherever_the_power_is_cut_an_index_says_nothing_wrong()
    {
        var (cuts, damaged, empty, known) = (0, 0, 0, 0);
        var chosen = Random.Shared.Next();
        output.WriteLine($"seed {chosen}");
        foreach (var seed in Enumerable.Range(1, 5).Append(chosen))
        {
            var disk = await RecordAsync(seed);
            var random = new Random(seed);
            var cut = new PowerCut(disk.Image, disk.Log);
            foreach (var at in Enumerable.Range(0, 60).Select(_ => random.Next(disk.Log.Count + 1)).Order())
            {
                cut.Advance(at);
                var survivors = (Survivors)random.Next(Enum.GetValues<Survivors>().Length);
                var found = Check(new SimulatedDisk(seed, cut.Cut(random, survivors)), $"seed {seed}, event {at}, {survivors}");
                cuts++;
                if (found is null) damaged++;
                else if (found == 0) empty++;
                else known++;
            }
        }
        output.WriteLine($"{cuts} cuts: {known} went on with what was there, {empty} began anew, {damaged} were noticed when they were asked");
        Assert.True(known > 30 && empty > 5 && damaged > 5, $"{known} {empty} {damaged}");
    }

    [Fact]
    public async Task After_a_cut_it_goes_on_and_is_whole()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var disk = await RecordAsync(seed);
            var random = new Random(seed);
            var cut = new PowerCut(disk.Image, disk.Log);
            cut.Advance(random.Next(disk.Log.Count / 2, disk.Log.Count + 1));
            var again = new SimulatedDisk(seed, cut.Cut(random, Survivors.Most));
            if (Check(again, $"seed {seed}") is null) continue; // made anew by whoever uses it
            using (var index = AccountIndex.Open(again, again.Data + "/1.index"))
            {
                var mark = index.Watermark(Mailbox);
                for (var round = 0; round < 3; round++, mark += 10) index.Add(Letters(mark, 10), [new(Mailbox, mark + 10)], []);
                await index.TidyAsync(null, _ => ValueTask.CompletedTask, default);
            }
            Assert.NotNull(Check(again, $"seed {seed}, gone on with"));
        }
    }
}
