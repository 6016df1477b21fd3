using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

public sealed class SuppressionsTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();
    readonly ManualTime time = new();
    Suppressions list;

    public SuppressionsTests() => list = Open();

    Suppressions Open() => new(vault.Store, time, new BounceSettings());

    public ValueTask DisposeAsync() => vault.DisposeAsync();

    static readonly MailAddress Bob = new("Bob", "peer.test");

    async Task DeadAsync(string source, bool ofDomain = false) => await vault.Store.CommitAsync(transaction =>
    {
        list.RecordDead(transaction, Bob, source, ofDomain, "550 5.1.1 no such user");
        return true;
    });

    [Fact]
    public async Task TwoMessagesADayApartMakeAnAddressDeadForNinetyDays()
    {
        await DeadAsync("mailing 1");
        Assert.Null(list.Find(Bob));
        time.Advance(TimeSpan.FromDays(1));
        await DeadAsync("mailing 2");
        var found = list.Find(new MailAddress("bob", "PEER.test"))!;
        Assert.Equal(("dead", "550 5.1.1 no such user", "mailing 2"), (found.Reason, found.Detail, found.Source));
        Assert.Equal("suppressed (dead: 550 5.1.1 no such user)", found.Sentence);
        list = Open();
        Assert.NotNull(list.Find(Bob));
        time.Advance(TimeSpan.FromDays(90));
        Assert.Null(list.Find(Bob));
    }

    [Fact]
    public async Task AnOutageOfSomeHoursMakesNobodyDead()
    {
        for (var i = 0; i < 5; i++)
        {
            await DeadAsync($"mailing {i}");
            time.Advance(TimeSpan.FromHours(2));
        }
        Assert.Null(list.Find(Bob));
    }

    [Fact]
    public async Task OneMessageCountsOnceHoweverOftenItBounces()
    {
        await DeadAsync("mailing 1");
        time.Advance(TimeSpan.FromDays(3));
        await DeadAsync("mailing 1");
        Assert.Null(list.Find(Bob));
    }

    [Fact]
    public async Task ADomainMustBeGoneForDays()
    {
        await DeadAsync("mailing 1", ofDomain: true);
        time.Advance(TimeSpan.FromDays(2));
        await DeadAsync("mailing 2", ofDomain: true);
        Assert.Null(list.Find(Bob));
        time.Advance(TimeSpan.FromDays(1));
        await DeadAsync("mailing 3", ofDomain: true);
        Assert.NotNull(list.Find(Bob));
    }

    [Fact]
    public async Task OldBouncesAreForgotten()
    {
        await DeadAsync("mailing 1");
        time.Advance(TimeSpan.FromDays(31));
        await DeadAsync("mailing 2");
        Assert.Null(list.Find(Bob));
        await list.PruneAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromDays(1));
        await DeadAsync("mailing 3");
        Assert.NotNull(list.Find(Bob));
    }

    [Fact]
    public async Task WhatGetsThroughWipesItOut()
    {
        await DeadAsync("mailing 1");
        time.Advance(TimeSpan.FromDays(1));
        await DeadAsync("mailing 2");
        await vault.Store.CommitAsync(transaction =>
        {
            list.RecordAlive(transaction, Bob);
            return true;
        });
        Assert.Null(list.Find(Bob));
        await DeadAsync("mailing 3");
        Assert.Null(list.Find(Bob));
    }

    [Fact]
    public async Task AnAdministratorsEntryHasNoEndAndNothingTakesItOff()
    {
        Assert.True((await list.AddAsync(" bob@peer.test ", "manual", "asked us to", null)).Ok);
        await DeadAsync("mailing 1");
        time.Advance(TimeSpan.FromDays(1));
        await DeadAsync("mailing 2");
        await vault.Store.CommitAsync(transaction =>
        {
            list.RecordAlive(transaction, Bob);
            return true;
        });
        Assert.Equal(("manual", "asked us to"), (list.Find(Bob)!.Reason, list.Find(Bob)!.Detail));
        Assert.Equal("bob@peer.test", Assert.Single(list.List(null, 10)).Address);
        Assert.Empty(list.List(null, 10, "dead"));
        Assert.Null(await list.RemoveAsync("bob@peer.test"));
        Assert.Null(list.Find(Bob));
        Assert.NotNull(await list.RemoveAsync("bob@peer.test"));
        Assert.False((await list.AddAsync("no address", "manual", "", null)).Ok);
        Assert.False((await list.AddAsync("a@b.test", "whim", "", null)).Ok);
    }
}
