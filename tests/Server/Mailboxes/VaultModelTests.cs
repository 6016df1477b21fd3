using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>Random deeds on the vault and on a simple model in memory; both must tell the same, also after restarts.</summary>
public sealed class VaultModelTests : IAsyncDisposable
{
    sealed record Message(uint Uid, int Body, MessageFlags Flags, SortedSet<string> Keywords, long ModSeq)
    {
        public MessageFlags Flags { get; set; } = Flags;
        public long ModSeq { get; set; } = ModSeq;
    }

    sealed class Box(long id)
    {
        public long Id => id;
        public uint UidNext { get; set; } = 1;
        public List<Message> Messages { get; set; } = [];
    }

    readonly VaultFixture vault = new(new CbaMail.Config.StorageSettings { PackBytes = 4 << 20, PendingFlagsAtLeast = 1 });

    [Theory]
    [InlineData(1, 400)]
    [InlineData(2, 400)]
    [InlineData(3, 400)]
    public async Task Vault_and_model_agree(int seed, int steps)
    {
        var random = new Random(seed);
        var (account, inbox) = await vault.AccountAsync();
        var boxes = new List<Box> { new(inbox) };
        foreach (var name in new[] { "Archive", "Sent" })
            using (var read = vault.Mail.Read()) boxes.Add(new Box(read.Find(account, name)!.Id));
        for (var step = 0; step < steps; step++)
        {
            var box = boxes[random.Next(boxes.Count)];
            switch (random.Next(12))
            {
                case <= 4: await AppendAsync(random, box); break;
                case <= 7: await StoreAsync(random, box); break;
                case 8: await TransferAsync(random, box, boxes[random.Next(boxes.Count)], move: false); break;
                case 9: await TransferAsync(random, box, boxes[random.Next(boxes.Count)], move: true); break;
                case 10: await ExpungeAsync(random, box); break;
                default: if (random.Next(8) == 0) await vault.RestartAsync(); break;
            }
            foreach (var one in boxes) Compare(one, $"seed {seed} step {step}", deep: step % 50 == 49 || step == steps - 1);
        }
        using var final = vault.Mail.Read();
        Assert.Equal(boxes.Sum(b => (long)b.Messages.Count), final.Usage(account).Messages);
        Assert.Equal(boxes.Sum(b => b.Messages.Sum(m => (long)VaultFixture.Message(m.Body, m.Body).Length)), final.Usage(account).Bytes);
        Assert.Equal(0L, final.Transaction.Prepare("SELECT count(*) FROM content WHERE refs <= 0").Scalar());
        Assert.Equal(boxes.Sum(b => (long)b.Messages.Count), final.Transaction.Prepare("SELECT sum(refs) + (SELECT coalesce(sum(more), 0) FROM content_held) FROM content").Scalar() ?? 0);
        Assert.Equal(VaultFixture.LiveByRows(final), VaultFixture.LiveByStatistics(final));
    }

    async Task AppendAsync(Random random, Box box)
    {
        var body = random.Next(5000);
        var flags = (MessageFlags)random.Next(32);
        var keywords = new SortedSet<string>(Pick(random), StringComparer.OrdinalIgnoreCase);
        var uid = await vault.AppendAsync(box.Id, VaultFixture.Message(body, body), flags, [.. keywords]);
        Assert.Equal(box.UidNext, uid);
        box.UidNext++;
        box.Messages.Add(new Message(uid, body, flags, keywords, vault.Mailbox(box.Id).ModSeq));
    }

    async Task StoreAsync(Random random, Box box)
    {
        var uids = Uids(random, box);
        var change = new FlagChange((FlagMode)random.Next(3), (MessageFlags)random.Next(32), Pick(random));
        long? unchanged = random.Next(3) == 0 && box.Messages.Count > 0 ? box.Messages[random.Next(box.Messages.Count)].ModSeq : null;
        KnownRuns known;
        using (var read = vault.Mail.Read()) known = PendingFlagsTests.Known(read, box.Id, uids.Contains);
        var isPending = unchanged is null && random.Next(2) == 0 && await vault.Mail.StorePendingAsync(box.Id, known, change, default) is not null;
        var result = isPending ? null : (await vault.Mail.StoreAsync(box.Id, uids, change, unchanged, default)).Value!;
        var modseq = vault.Mailbox(box.Id).ModSeq;
        foreach (var message in box.Messages.Where(m => uids.Contains(m.Uid)))
        {
            if (message.ModSeq > unchanged) { Assert.Contains(message.Uid, result!.Failed); continue; }
            var (flags, keywords) = (message.Flags, string.Join(' ', message.Keywords));
            if (change.Mode == FlagMode.Set) { message.Flags = change.Flags; message.Keywords.Clear(); message.Keywords.UnionWith(change.Keywords); }
            else if (change.Mode == FlagMode.Add) { message.Flags |= change.Flags; message.Keywords.UnionWith(change.Keywords); }
            else { message.Flags &= ~change.Flags; message.Keywords.ExceptWith(change.Keywords); }
            if ((flags, keywords) != (message.Flags, string.Join(' ', message.Keywords))) message.ModSeq = modseq;
            if (result is not null) Assert.Contains(result.Changed, row => row.Uid == message.Uid && row.Flags == message.Flags && row.ModSeq == message.ModSeq);
        }
    }

    async Task TransferAsync(Random random, Box from, Box to, bool move)
    {
        if (from == to && move) return;
        var uids = Uids(random, from);
        var copied = (move ? await vault.Mail.MoveAsync(from.Id, uids, to.Id, default) : await vault.Mail.CopyAsync(from.Id, uids, to.Id, 0, default)).Value!;
        var moved = from.Messages.Where(m => uids.Contains(m.Uid)).ToList();
        Assert.Equal(moved.Select(m => m.Uid), copied.Pairs.Select(p => p.Source));
        var modseq = vault.Mailbox(to.Id).ModSeq;
        foreach (var message in moved)
            to.Messages.Add(new Message(to.UidNext++, message.Body, message.Flags, new SortedSet<string>(message.Keywords, StringComparer.OrdinalIgnoreCase), modseq));
        if (move) from.Messages.RemoveAll(m => uids.Contains(m.Uid));
    }

    async Task ExpungeAsync(Random random, Box box)
    {
        var uids = random.Next(2) == 0 ? null : Uids(random, box);
        var gone = (await vault.Mail.ExpungeAsync(box.Id, uids, default)).Value!;
        var expected = box.Messages.Where(m => m.Flags.HasFlag(MessageFlags.Deleted) && uids?.Contains(m.Uid) != false).Select(m => m.Uid).ToList();
        Assert.Equal(expected, gone);
        box.Messages.RemoveAll(m => expected.Contains(m.Uid));
    }

    static List<uint> Uids(Random random, Box box) =>
        [.. Enumerable.Range(1, (int)box.UidNext).Where(_ => random.Next(3) == 0).Select(uid => (uint)uid)];

    static List<string> Pick(Random random) => [.. new[] { "a", "B", "$Junk", "работа" }.Where(_ => random.Next(4) == 0)];

    void Compare(Box box, string where, bool deep)
    {
        using var read = vault.Mail.Read();
        var mailbox = read.Mailbox(box.Id)!;
        Assert.True(
            (box.Messages.Count, box.UidNext, box.Messages.Count(m => !m.Flags.HasFlag(MessageFlags.Seen)), box.Messages.Count(m => m.Flags.HasFlag(MessageFlags.Deleted)))
            == (mailbox.Messages, mailbox.UidNext, mailbox.Unseen, mailbox.Deleted), where);
        if (!deep) return;
        var rows = read.Messages(box.Id);
        Assert.Equal(box.Messages.Select(m => (m.Uid, m.Flags, Keywords(m), m.ModSeq)), rows.Select(r => (r.Uid, r.Flags, r.Keywords, r.ModSeq)));
        foreach (var message in box.Messages) Assert.True(VaultFixture.Message(message.Body, message.Body).AsSpan().SequenceEqual(vault.Body(box.Id, message.Uid)), where);
    }

    static string? Keywords(Message message) => message.Keywords.Count == 0 ? null : string.Join(' ', message.Keywords);

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
