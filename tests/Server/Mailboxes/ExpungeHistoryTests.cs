using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>What was expunged is remembered for a while, and whoever comes later is told all the same.</summary>
public sealed class ExpungeHistoryTests : IAsyncDisposable
{
    readonly ManualTime time = new();
    readonly VaultFixture vault;

    public ExpungeHistoryTests() => vault = new VaultFixture(new StorageSettings { KeepExpunged = TimeSpan.FromDays(90), KeepExpungedAtLeast = 10 }, time);

    async Task<long> ExpungeAsync(long inbox, params uint[] uids)
    {
        await vault.Mail.StoreAsync(inbox, uids, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await vault.Mail.ExpungeAsync(inbox, uids, default);
        return vault.Mailbox(inbox).ModSeq;
    }

    [Fact]
    public async Task Old_expunges_are_forgotten_and_an_older_client_is_told_of_every_uid_that_is_gone()
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 40; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i));
        var start = vault.Mailbox(inbox).ModSeq;
        for (uint uid = 1; uid <= 15; uid++) await ExpungeAsync(inbox, uid);
        var early = vault.Mailbox(inbox).ModSeq;
        time.Advance(TimeSpan.FromDays(80));
        var late = await ExpungeAsync(inbox, 20, 21, 22);
        Assert.Equal(0, await vault.History.PruneAsync(default)); // none is old
        time.Advance(TimeSpan.FromDays(20));
        Assert.Equal(8, await vault.History.PruneAsync(default)); // 18 in all, the last ten stay
        using var read = vault.Mail.Read();
        Assert.Equal([20u, 21u, 22u], read.ChangesSince(inbox, early)!.Vanished);
        Assert.Equal([.. Enumerable.Range(1, 15).Select(uid => (uint)uid), 20u, 21u, 22u], read.ChangesSince(inbox, start)!.Vanished);
        Assert.InRange(read.Forgotten(inbox), start + 1, early);
        Assert.Empty(read.ChangesSince(inbox, late)!.Vanished);
        Assert.Equal(0, await vault.History.PruneAsync(default));
    }

    [Fact]
    public async Task What_one_command_expunged_is_forgotten_together_or_not_at_all()
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 30; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i));
        await ExpungeAsync(inbox, [.. Enumerable.Range(1, 30).Select(uid => (uint)uid)]);
        time.Advance(TimeSpan.FromDays(1000));
        Assert.Equal(0, await vault.History.PruneAsync(default));
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
