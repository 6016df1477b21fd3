using CbaMail.Config;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>Random deliveries, copies, moves, expunges, steps of rewriting, stops and crashes: every body is compared with a model, again and again.</summary>
public sealed class PackRewritingModelTests : IAsyncDisposable
{
    sealed record Letter(uint Uid, byte[] Body);

    readonly VaultFixture vault = new(new StorageSettings
    {
        PackBytes = 200 << 10,
        PackAheadBytes = 32 << 10,
        CollectPieceBytes = 40 << 10,
        CollectBytesPerSecond = 0,
        OpenPacks = 3,
        SharedPartBytes = 8 << 10,
    });
    readonly List<(long Id, List<Letter> Letters)> boxes = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Every_body_stays_what_it_was(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 3; i++) boxes.Add(((await vault.AccountAsync()).Inbox, []));
        var removed = 0;
        for (var step = 0; step < 500; step++)
        {
            var (id, letters) = boxes[random.Next(boxes.Count)];
            var deed = random.Next(40);
            if (deed < 18) await DeliverAsync(random, id, letters);
            else if (deed < 22) await CopyAsync(random, id, letters);
            else if (deed < 27) await ExpungeAsync(random, id, letters);
            else if (deed < 38)
            {
                if ((await vault.Rewriting.StepAsync(default)).Deed == RewriteDeed.Removed) removed++;
            }
            else if (deed == 38 && random.Next(4) == 0) await vault.RestartAsync();
            else if (deed == 39 && random.Next(4) == 0) await vault.CrashAsync();
            if (step % 50 == 49) Compare($"seed {seed}, step {step}");
        }
        removed += (await vault.Rewriting.CollectAsync(hurried: true, default)).Removed;
        Compare($"seed {seed}, at the end");
        Assert.True(removed > 2, $"seed {seed}: only {removed} packs were removed");
        await vault.RestartAsync();
        Compare($"seed {seed}, after a restart");
        using var read = vault.Mail.Read();
        Assert.Equal(System.IO.Directory.GetFiles(vault.Packs).Length, Math.Max(1, read.Transaction.Prepare("SELECT count(*) FROM pack").Scalar() ?? 0));
    }

    async Task DeliverAsync(Random random, long id, List<Letter> letters)
    {
        var body = PackRewritingTests.Noise(random.Next(30), random.Next(3) == 0 ? 20_000 : 3000); // the same large part comes again and again
        long? like = null;
        if (letters.Count > 0 && random.Next(3) == 0)
        {
            using var read = vault.Mail.Read();
            like = read.Message(id, letters[random.Next(letters.Count)].Uid)!.Value.ContentId;
        }
        using var staged = vault.Mail.Stage(body, like);
        letters.Add(new Letter((await vault.Mail.AppendAsync(id, staged, default, [], null, 0, default)).Value.Uid, body));
    }

    async Task CopyAsync(Random random, long id, List<Letter> letters)
    {
        var (to, others) = boxes[random.Next(boxes.Count)];
        if (to == id) return;
        var some = letters.Where(_ => random.Next(4) == 0).ToList();
        var move = random.Next(2) == 0;
        uint[] uids = [.. some.Select(letter => letter.Uid)];
        var copied = (move ? await vault.Mail.MoveAsync(id, uids, to, default) : await vault.Mail.CopyAsync(id, uids, to, 0, default)).Value!;
        foreach (var (pair, letter) in copied.Pairs.Zip(some)) others.Add(letter with { Uid = pair.Destination });
        if (move) letters.RemoveAll(some.Contains);
    }

    async Task ExpungeAsync(Random random, long id, List<Letter> letters)
    {
        var keep = random.Next(2) == 0 ? 0 : 3;
        var some = letters.Where(_ => random.Next(4) >= keep).Select(letter => letter.Uid).ToList();
        await vault.Mail.StoreAsync(id, some, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await vault.Mail.ExpungeAsync(id, some, default);
        letters.RemoveAll(letter => some.Contains(letter.Uid));
    }

    void Compare(string where)
    {
        using var read = vault.Mail.Read();
        foreach (var (id, letters) in boxes)
        {
            Assert.Equal(letters.Select(letter => letter.Uid), read.Messages(id).Select(row => row.Uid));
            foreach (var (uid, body) in letters)
                Assert.True(body.AsSpan().SequenceEqual(vault.Body(id, uid)), $"{where}: message {uid} of mailbox {id}");
        }
        Assert.Equal(VaultFixture.LiveByRows(read), VaultFixture.LiveByStatistics(read));
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
