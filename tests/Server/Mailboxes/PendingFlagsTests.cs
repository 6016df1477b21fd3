using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>Flags of many messages are durable before they stand in the messages' rows; nobody sees the difference.</summary>
public sealed class PendingFlagsTests : IAsyncDisposable
{
    // they wait until something else is written
    readonly VaultFixture vault = new(new StorageSettings { PendingFlagsAtLeast = 2, PendingFlagsMilliseconds = 0 });

    static readonly FlagChange Seen = new(FlagMode.Add, MessageFlags.Seen, []);
    static readonly FlagChange Flagged = new(FlagMode.Add, MessageFlags.Flagged, ["$Work"]);

    async Task<long> FilledAsync(int messages)
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < messages; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i, 100));
        return inbox;
    }

    internal static KnownRuns Known(MailReader read, long mailbox, Func<uint, bool> which)
    {
        var runs = new List<KnownRun>();
        var isNext = false;
        foreach (var row in read.Messages(mailbox))
        {
            if (!which(row.Uid)) isNext = false;
            else if (isNext && runs[^1] is var run && (run.Flags, run.Keywords) == (row.Flags, row.Keywords)) runs[^1] = run with { Last = row.Uid, Messages = run.Messages + 1 };
            else (isNext, runs) = (true, [.. runs, new(row.Uid, row.Uid, 1, row.Flags, row.Keywords)]);
        }
        return new(read.Mailbox(mailbox)!.ModSeq, runs);
    }

    KnownRuns Known(long mailbox, uint from = 1, uint to = uint.MaxValue)
    {
        using var read = vault.Mail.Read();
        return Known(read, mailbox, uid => uid >= from && uid <= to);
    }

    async Task<IReadOnlyList<KnownRun>> StoreAsync(long mailbox, FlagChange change, uint from = 1, uint to = uint.MaxValue) =>
        (await vault.Mail.StorePendingAsync(mailbox, Known(mailbox, from, to), change, default))!;

    long Waiting()
    {
        using var read = vault.Store.Read();
        return read.Prepare("SELECT count(*) FROM pending_flags").Scalar() ?? 0;
    }

    List<string> Flags(long mailbox)
    {
        using var read = vault.Mail.Read();
        return [.. read.Messages(mailbox).Select(row => $"{row.Uid} {row.Flags} {row.Keywords} {row.ModSeq}")];
    }

    [Fact]
    public async Task All_who_read_see_them_at_once()
    {
        var inbox = await FilledAsync(6);
        var before = vault.Mailbox(inbox).ModSeq;
        var stored = await StoreAsync(inbox, Flagged, 2, 5);
        Assert.Equal(1, Waiting());
        using var read = vault.Mail.Read();
        var now = read.Mailbox(inbox)!.ModSeq;
        Assert.Equal([new KnownRun(2, 5, 4, MessageFlags.Flagged, "$Work")], stored);
        uint[] flagged = [2, 3, 4, 5];
        Assert.Equal(flagged, read.Messages(inbox).Where(row => row.Flags == MessageFlags.Flagged && row.Keywords == "$Work").Select(row => row.Uid));
        Assert.Equal(flagged, read.ChangesSince(inbox, before)!.Changed.Select(row => row.Uid));
        Assert.Equal(MessageFlags.Flagged, read.Message(inbox, 3)!.Value.Flags);
        Assert.Equal(MessageFlags.None, read.Message(inbox, 6)!.Value.Flags);
        var viewed = new List<uint>();
        read.Views(inbox, 1, uint.MaxValue, (uid, flags, keywords, modseq) => { if ((flags, keywords, modseq) == (MessageFlags.Flagged, "$Work", now)) viewed.Add(uid); });
        Assert.Equal(flagged, viewed);
        var left = 1 << 20;
        Assert.Equal(flagged, read.Contents(inbox, 1, uint.MaxValue, ContentParts.None, ref left).Where(one => one.Row.Flags == MessageFlags.Flagged).Select(one => one.Row.Uid));
    }

    [Fact]
    public async Task Whoever_removes_what_is_deleted_finds_them()
    {
        var inbox = await FilledAsync(5);
        await StoreAsync(inbox, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), 2, 3);
        Assert.Equal([2u, 3u], (await vault.Mail.ExpungeAsync(inbox, null, default)).Value);
        Assert.Equal(0, vault.Mailbox(inbox).Deleted);
    }

    [Fact]
    public async Task The_next_work_finds_them_in_their_rows()
    {
        var inbox = await FilledAsync(4);
        await StoreAsync(inbox, Seen);
        await vault.AppendAsync(inbox, VaultFixture.Message(9, 100));
        Assert.Equal(0, Waiting());
        Assert.Equal(1, vault.Mailbox(inbox).Unseen);
    }

    [Fact]
    public async Task A_work_that_fails_leaves_them_waiting()
    {
        var inbox = await FilledAsync(4);
        await StoreAsync(inbox, Seen);
        var before = Flags(inbox);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await vault.Store.CommitAsync<int>(_ => throw new InvalidDataException()));
        Assert.Equal(1, Waiting());
        Assert.Equal(before, Flags(inbox));
        await vault.Store.CommitAsync(_ => 0);
        Assert.Equal(0, Waiting());
        Assert.Equal(before, Flags(inbox));
    }

    [Fact]
    public async Task Later_ones_lie_over_earlier_ones()
    {
        var inbox = await FilledAsync(9);
        await StoreAsync(inbox, Seen, 2, 8);
        await StoreAsync(inbox, Flagged, 4, 5);
        await StoreAsync(inbox, new FlagChange(FlagMode.Remove, MessageFlags.Seen, []), 7, 9);
        var before = Flags(inbox);
        Assert.Equal(4, Waiting()); // 2-3, 4-5, 6, 7-8: the last had nothing to lose
        await vault.Store.CommitAsync(_ => 0);
        Assert.Equal(before, Flags(inbox));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_start_finds_them(bool crash)
    {
        var inbox = await FilledAsync(5);
        await StoreAsync(inbox, Seen);
        var before = Flags(inbox);
        if (crash) await vault.CrashAsync();
        else await vault.RestartAsync();
        Assert.Equal(0, Waiting());
        Assert.Equal(before, Flags(inbox));
        Assert.Equal(0, vault.Mailbox(inbox).Unseen);
    }

    [Fact]
    public async Task Who_does_not_know_the_newest_state_does_nothing()
    {
        var inbox = await FilledAsync(4);
        var known = Known(inbox);
        await vault.AppendAsync(inbox, VaultFixture.Message(9, 100));
        Assert.Null(await vault.Mail.StorePendingAsync(inbox, known, Seen, default));
        Assert.Equal(5, vault.Mailbox(inbox).Unseen);
    }

    [Fact]
    public async Task They_get_into_their_rows_in_a_pause()
    {
        await using var prompt = new VaultFixture(new StorageSettings { PendingFlagsAtLeast = 2, PendingFlagsMilliseconds = 1 });
        var (_, inbox) = await prompt.AccountAsync();
        for (var i = 0; i < 3; i++) await prompt.AppendAsync(inbox, VaultFixture.Message(i, 100));
        KnownRuns known;
        using (var read = prompt.Mail.Read()) known = Known(read, inbox, _ => true);
        Assert.NotNull(await prompt.Mail.StorePendingAsync(inbox, known, Seen, default));
        await Wait.UntilAsync(() =>
        {
            using var read = prompt.Store.Read();
            return read.Prepare("SELECT count(*) FROM pending_flags").Scalar() == 0;
        }, "they are in their rows");
        using var then = prompt.Store.Read();
        Assert.Equal(3L, then.Prepare("SELECT count(*) FROM message WHERE flags = 1").Scalar());
    }

    [Fact]
    public async Task A_check_counts_them()
    {
        var inbox = await FilledAsync(5);
        await StoreAsync(inbox, new FlagChange(FlagMode.Add, MessageFlags.Seen | MessageFlags.Deleted, []), 2, 4);
        using var read = vault.Store.Read();
        var sums = VerifyTable.Sums(read, inbox);
        var mailbox = vault.Mailbox(inbox);
        Assert.Equal((5, 2, 3, mailbox.ModSeq), (sums.Messages, sums.Unseen, sums.Deleted, sums.LastModSeq));
        Assert.Equal((mailbox.Unseen, mailbox.Deleted), ((int)sums.Unseen, (int)sums.Deleted));
    }

    [Fact]
    public async Task An_account_that_is_restored_has_them()
    {
        var inbox = await FilledAsync(3);
        await StoreAsync(inbox, Flagged, 2, 3);
        using var read = vault.Store.Read();
        Assert.Equal([MessageFlags.None, MessageFlags.Flagged, MessageFlags.Flagged], RestoreTable.After(read, inbox, 0, 10).Select(one => one.Flags));
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
