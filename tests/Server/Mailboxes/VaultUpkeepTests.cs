using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>What the server does by itself from time to time.</summary>
public sealed class VaultUpkeepTests : IAsyncDisposable
{
    static readonly StorageSettings Storage = new() { PackBytes = 512 << 10, CollectBytesPerSecond = 0, CollectEvery = TimeSpan.FromMinutes(10), KeepExpungedAtLeast = 5 };
    readonly ManualTime time = new();
    readonly VaultFixture vault;

    public VaultUpkeepTests() => vault = new VaultFixture(Storage, time);

    [Fact]
    public async Task Space_comes_back_within_the_interval_and_old_expunges_are_forgotten()
    {
        var settings = new Settings { Data = Path.GetDirectoryName(vault.Packs)!, Storage = Storage };
        var spool = new Spool(settings);
        var leftover = Path.Combine(settings.Data, "spool", "left-by-a-killed-process");
        await File.WriteAllTextAsync(leftover, "half a message");
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 100; i++) await vault.AppendAsync(inbox, PackRewritingTests.Noise(i, 30_000), MessageFlags.Deleted);
        await vault.Mail.ExpungeAsync(inbox, [1, 2, 3], default);
        await vault.Mail.ExpungeAsync(inbox, null, default);
        var before = vault.PackBytes;
        time.Advance(Storage.KeepExpunged + TimeSpan.FromDays(1));
        using var upkeep = new VaultUpkeep(vault.Rewriting, vault.History, spool, settings, time, NullLogger<VaultUpkeep>.Instance);
        await upkeep.StartAsync(default);
        await Wait.UntilAsync(() => time.Waiting > 0, "it waits");
        Assert.False(File.Exists(leftover));
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(before, vault.PackBytes);
        time.Advance(TimeSpan.FromMinutes(1));
        await Wait.UntilAsync(() => vault.PackBytes < 1 << 20, "the space comes back");
        await Wait.UntilAsync(() =>
        {
            using var read = vault.Mail.Read();
            return read.Forgotten(inbox) > 0;
        }, "the first expunges are forgotten");
        await upkeep.StopAsync(default);
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
