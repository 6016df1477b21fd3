using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Storage;

/// <summary>What the machine's troubles do to the store, and how they are told.</summary>
public sealed class StoreConditionTests
{
    [Theory]
    [InlineData(28, "No space is left")]
    [InlineData(122, "No space is left")]
    [InlineData(30, "cannot be written to")]
    [InlineData(24, "too many files")]
    [InlineData(12, "short of memory")]
    public void Each_trouble_has_its_sentence_and_none_is_for_good(int errno, string sentence)
    {
        var refusal = StoreTrouble.Of(new InvalidOperationException("around", new IOException("x", errno)))!;
        Assert.Equal((452, "4.3.1", "UNAVAILABLE"), (refusal.SmtpCode, refusal.Status, refusal.ImapCode));
        Assert.Contains(sentence, refusal.Sentence);
    }

    [Fact]
    public void A_peer_that_goes_away_and_a_damaged_record_are_no_troubles_of_the_machine()
    {
        Assert.Null(StoreTrouble.Of(new IOException("reset")));
        Assert.Null(StoreTrouble.Of(new CbaMail.Storage.Blobs.DamageError("wrong checksum")));
        Assert.Null(StoreTrouble.Of(new SqliteError(19, "constraint")));
        Assert.Equal(StoreTrouble.Full, StoreTrouble.Of(new SqliteError(10 | (19 << 8), "the log's index cannot grow")));
    }

    [Fact]
    public async Task Out_of_memory_in_the_middle_of_a_commit_undoes_it_and_the_next_one_goes_on()
    {
        await using var vault = new VaultFixture();
        long lost = 0;
        for (var round = 0; round < 3; round++)
        {
            await Assert.ThrowsAsync<OutOfMemoryException>(async () => await vault.Store.CommitAsync<bool>(transaction =>
            {
                using var staged = vault.Mail.Stage(VaultFixture.Message(round));
                lost = vault.Mail.AddContent(transaction, staged).Id;
                throw new OutOfMemoryException();
            }));
            Assert.Equal(StoreTrouble.Memory, vault.Store.Condition.Refusal);
            // a small commit is tried each second, and ends the trouble
            await Wait.UntilAsync(() => vault.Store.Condition.Refusal is null, "it is over by itself");
            using var reader = vault.Mail.Read();
            Assert.Null(reader.Content(lost));
        }
        await vault.Store.CommitAsync(transaction =>
        {
            using var staged = vault.Mail.Stage(VaultFixture.Message(9));
            var content = vault.Mail.AddContent(transaction, staged);
            vault.Mail.AddReference(transaction, content.Id);
            lost = content.Id;
            return true;
        });
        await vault.RestartAsync();
        using (var reader = vault.Mail.Read()) Assert.NotNull(reader.Content(lost));
    }

    [Fact]
    public async Task The_memory_gate_closes_above_its_share_and_opens_a_little_below()
    {
        var used = 10L;
        var gate = new MemoryGate(new Settings { Limits = new LimitSettings { Memory = 1000, MemoryShare = 0.8 } }, NullLogger<MemoryGate>.Instance) { Look = () => (used, used, 0) };
        Assert.False(gate.IsShort);
        used = 801;
        await Wait.UntilAsync(() => gate.IsShort, "it closes");
        used = 770;
        Assert.True(gate.IsShort);
        Assert.False(await gate.WaitAsync(TimeSpan.FromMilliseconds(150), TimeProvider.System, default));
        used = 700;
        Assert.True(await gate.WaitAsync(Wait.Patience, TimeProvider.System, default));
        Assert.False(gate.IsShort);
    }

    [Fact]
    public void What_the_memory_gate_has_promised_counts_before_it_is_seen()
    {
        var gate = new MemoryGate(new Settings { Limits = new LimitSettings { Memory = 1000, MemoryShare = 0.8 } }, NullLogger<MemoryGate>.Instance) { Look = () => (100, 100, 0) };
        Assert.False(gate.IsTight);
        var first = gate.Ask(500);
        Assert.NotNull(first);
        Assert.True(gate.IsTight);
        Assert.Null(gate.Ask(300));
        Assert.False(gate.IsShort);
        first.Value.Dispose();
        Assert.NotNull(gate.Ask(300));
    }

    [Fact]
    public async Task Large_messages_take_turns_and_small_ones_pass_by()
    {
        var room = new CbaMail.Mailboxes.StagingRoom(1 << 20);
        using var first = await room.EnterAsync(900_000);
        var second = room.EnterAsync(5_000_000).AsTask(); // more than there is: it goes alone
        var third = room.EnterAsync(300_000).AsTask();
        Assert.Null(await room.EnterAsync(100_000));
        Assert.False(second.IsCompleted || third.IsCompleted);
        first!.Dispose();
        using (await second) Assert.False(third.IsCompleted);
        (await third)!.Dispose();
    }
}
