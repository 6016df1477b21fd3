using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

public sealed class BounceAddressesTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();
    readonly ManualTime time = new();

    BounceAddresses Open() => new(vault.Store, time, new BounceSettings());

    public ValueTask DisposeAsync() => vault.DisposeAsync();

    ValueTask<MailAddress> MakeAsync(BounceAddresses addresses, long id) => vault.Store.CommitAsync(transaction => addresses.Make(transaction, BounceKind.Ledger, id, "example.test"));

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(1_000_000)]
    [InlineData(long.MaxValue)]
    public async Task WhatIsMadeIsReadAlsoAfterARestartAndInCapitals(long id)
    {
        var address = await MakeAsync(Open(), id);
        Assert.True(address.LocalPart.Length <= 64, address.LocalPart);
        Assert.True(MailAddress.TryParse(address.ToString(), out _));
        var again = Open();
        Assert.Equal((BounceKind.Ledger, id), (again.Read(address)!.Kind, again.Read(address)!.Id));
        Assert.Equal(id, again.Read(new MailAddress(address.LocalPart.ToUpperInvariant(), "EXAMPLE.TEST"))!.Id);
    }

    Secrets Secrets() => new(vault.Store, time, NullLogger<Secrets>.Instance);

    byte[] Kept()
    {
        using var read = vault.Store.Read();
        return Assert.Single(BounceKeyTable.All(read)).Value;
    }

    [Fact]
    public async Task The_key_stands_encrypted_in_the_database_one_that_stood_there_in_clear_too()
    {
        var address = await MakeAsync(Open(), 7);
        var clear = Kept();
        Assert.Equal(32, clear.Length);
        var addresses = new BounceAddresses(vault.Store, time, new BounceSettings(), Secrets());
        Assert.Equal(7, addresses.Read(address)!.Id);
        await addresses.SealAsync(default);
        Assert.True(Kept().Length > 60);
        Assert.False(Kept().AsSpan().IndexOf(clear) >= 0);
        Assert.Equal(7, new BounceAddresses(vault.Store, time, new BounceSettings(), Secrets()).Read(address)!.Id);
        Assert.Null(Open().Read(address)); // nothing without the key file
    }

    [Fact]
    public async Task A_new_key_is_never_kept_in_clear_and_without_a_key_file_not_at_all()
    {
        var addresses = new BounceAddresses(vault.Store, time, new BounceSettings(), Secrets());
        var address = await MakeAsync(addresses, 8);
        Assert.True(Kept().Length > 60);
        File.Delete(Path.Combine(vault.Store.Path, CbaMail.Storage.Secrets.FileName));
        var locked = Secrets();
        Assert.NotNull(locked.Problem);
        var later = new BounceAddresses(vault.Store, time, new BounceSettings(), locked);
        Assert.Null(later.Read(address));
        Assert.Equal(9, later.Read(await MakeAsync(later, 9))!.Id);
        Kept(); // one still
    }

    [Fact]
    public async Task NobodyElsesIsRead()
    {
        var addresses = Open();
        var address = await MakeAsync(addresses, 12345);
        Assert.Null(addresses.Read(address with { Domain = "other.test" }));
        for (var i = BounceAddresses.Prefix.Length; i < address.LocalPart.Length; i++)
        {
            var changed = address.LocalPart[..i] + (address.LocalPart[i] == 'a' ? 'b' : 'a') + address.LocalPart[(i + 1)..];
            // the last digits of both parts have bits that are in no byte
            if (addresses.Read(address with { LocalPart = changed }) is { } read) Assert.Equal(12345, read.Id);
        }
        Assert.Null(addresses.Read(new MailAddress("bounce+.abcdefghijklmnop", "example.test")));
        Assert.Null(addresses.Read(new MailAddress("bounce+aaaaaaaa.aaaaaaaaaaaaaaaa", "example.test")));
        Assert.Null(addresses.Read(new MailAddress("bounce+list", "example.test")));
        Assert.False(BounceAddresses.LooksLikeOne(new MailAddress("bounce+list", "example.test")));
    }

    [Fact]
    public async Task ItsTimeEnds()
    {
        var addresses = Open();
        var address = await MakeAsync(addresses, 7);
        time.Advance(TimeSpan.FromDays(30));
        Assert.NotNull(addresses.Read(address));
        time.Advance(TimeSpan.FromDays(2));
        Assert.Null(addresses.Read(address));
    }

    [Fact]
    public void AnyTextIsReadWithoutASurprise()
    {
        var addresses = Open();
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
            Assert.Null(addresses.Read(new MailAddress("bounce+" + new string([.. Enumerable.Range(0, random.Next(30)).Select(_ => "abcz279.+0é"[random.Next(11)])]) + ".aaaaaaaaaaaaaaaa", "example.test"))); // seed 7
    }
}
