using System.Net;
using CbaMail.Config;
using CbaMail.Inbound;
using CbaMail.Net;
using CbaMail.Storage;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Inbound;

/// <summary>Greylisting by the clock, and what a restart keeps.</summary>
public sealed class AcquaintancesTests : IDisposable
{
    readonly string data = System.IO.Directory.CreateTempSubdirectory("cbamail-edge-").FullName;
    readonly ManualTime time = new();
    readonly Settings settings;

    public AcquaintancesTests() => settings = new Settings { Data = data };

    public void Dispose() => System.IO.Directory.Delete(data, recursive: true);

    Acquaintances Met() => new(settings, time);

    [Fact]
    public void A_first_attempt_waits_a_minute_and_passes_then()
    {
        var met = Met();
        Assert.Equal(TimeSpan.FromMinutes(1), met.Try("192.0.2.0/24", "example.org", "anna@ours.test"));
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(TimeSpan.FromSeconds(40), met.Try("192.0.2.0/24", "example.org", "anna@ours.test")); // impatience does not begin anew
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(TimeSpan.Zero, met.Try("192.0.2.0/24", "example.org", "anna@ours.test"));
        Assert.Equal(TimeSpan.Zero, met.Try("192.0.2.0/24", "example.org", "anna@ours.test"));
    }

    [Fact]
    public void Client_sender_and_recipient_each_make_another_attempt()
    {
        var met = Met();
        met.Try("pool", "example.org", "anna@ours.test");
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotEqual(TimeSpan.Zero, met.Try("other", "example.org", "anna@ours.test"));
        Assert.NotEqual(TimeSpan.Zero, met.Try("pool", "example.net", "anna@ours.test"));
        Assert.NotEqual(TimeSpan.Zero, met.Try("pool", "example.org", "boris@ours.test"));
        Assert.Equal(TimeSpan.Zero, met.Try("pool", "example.org", "anna@ours.test"));
    }

    [Fact]
    public void Who_comes_again_too_late_begins_anew()
    {
        var met = Met();
        met.Try("pool", "example.org", "anna@ours.test");
        time.Advance(TimeSpan.FromDays(2.1));
        Assert.Equal(TimeSpan.FromMinutes(1), met.Try("pool", "example.org", "anna@ours.test"));
    }

    [Fact]
    public void Who_has_passed_is_known_for_36_days_from_his_last_message()
    {
        var met = Met();
        met.Try("pool", "example.org", "anna@ours.test");
        time.Advance(TimeSpan.FromMinutes(2));
        met.Try("pool", "example.org", "anna@ours.test");
        for (var month = 0; month < 4; month++)
        {
            time.Advance(TimeSpan.FromDays(35));
            Assert.Equal(TimeSpan.Zero, met.Try("pool", "example.org", "anna@ours.test"));
        }
        time.Advance(TimeSpan.FromDays(37));
        Assert.NotEqual(TimeSpan.Zero, met.Try("pool", "example.org", "anna@ours.test"));
    }

    [Fact]
    public void After_three_passes_the_client_is_trusted()
    {
        var met = Met();
        for (var i = 0; i < 3; i++)
        {
            Assert.False(met.IsTrusted("pool"));
            met.Try("pool", $"{i}.example", "anna@ours.test");
            time.Advance(TimeSpan.FromMinutes(2));
            met.Try("pool", $"{i}.example", "anna@ours.test");
            met.Try("pool", $"{i}.example", "anna@ours.test"); // the same again is not another pass
        }
        Assert.True(met.IsTrusted("pool"));
        Assert.False(met.IsTrusted("other"));
    }

    [Fact]
    public void A_flood_of_first_attempts_takes_bounded_memory_and_no_place_of_those_who_passed()
    {
        var met = new Acquaintances(settings with { Inbound = new InboundSettings { Greylist = new GreylistSettings { Entries = 64 } } }, time);
        met.Try("pool", "example.org", "anna@ours.test");
        time.Advance(TimeSpan.FromMinutes(2));
        met.Try("pool", "example.org", "anna@ours.test");
        for (var i = 0; i < 10_000; i++) met.Try("pool", $"{i}.example", "anna@ours.test");
        Assert.InRange(met.Attempts.Count, 1, 64);
        Assert.Equal(TimeSpan.Zero, met.Try("pool", "example.org", "anna@ours.test"));
    }

    sealed class Office(Settings settings, TimeProvider time) : IAsyncDisposable
    {
        public Store Store { get; } = new(settings, NullLogger<Store>.Instance);
        public AllowList Allowed { get; } = new(settings, time);
        public Bans Bans { get; private set; } = null!;
        public Acquaintances Met { get; } = new(settings, time);
        public EdgeKeeper Keeper { get; private set; } = null!;

        public Office Open()
        {
            Bans = new Bans(settings, Allowed, time, NullLogger<Bans>.Instance);
            Keeper = new EdgeKeeper(Store, Allowed, Bans, Met, settings, time, NullLogger<EdgeKeeper>.Instance);
            Keeper.Load();
            return this;
        }

        public async ValueTask DisposeAsync() => await Store.DisposeAsync();
    }

    [Fact]
    public async Task A_restart_keeps_bans_who_is_allowed_and_whom_we_have_met()
    {
        var bad = IPAddress.Parse("192.0.2.66");
        await using (var office = new Office(settings, time).Open())
        {
            for (var i = 0; i < 10; i++) office.Bans.Offend(bad, "nonsense");
            Networks.TryParse("198.51.100.0/24", out var network);
            office.Bans.Add(network, null, "spam");
            office.Bans.SignedIn(IPAddress.Parse("192.0.2.1"));
            office.Allowed.Add("203.0.113.5", "scanner");
            office.Met.Try("pool", "example.org", "anna@ours.test");
            await office.Keeper.WriteAsync();
            time.Advance(TimeSpan.FromMinutes(2));
        }
        await using (var office = new Office(settings, time).Open())
        {
            Assert.True(office.Bans.IsBanned(bad, out _));
            Assert.True(office.Bans.IsBanned(IPAddress.Parse("198.51.100.9"), out _));
            Assert.True(office.Bans.Spares(IPAddress.Parse("192.0.2.1")));
            Assert.True(office.Allowed.Holds(IPAddress.Parse("203.0.113.5")));
            Assert.Equal(TimeSpan.Zero, office.Met.Try("pool", "example.org", "anna@ours.test"));
            Networks.TryParse("198.51.100.0/24", out var network);
            office.Bans.Remove(network);
            await office.Keeper.WriteAsync();
            time.Advance(TimeSpan.FromMinutes(10));
        }
        await using (var office = new Office(settings, time).Open())
        {
            Assert.False(office.Bans.IsBanned(bad, out _));
            Assert.False(office.Bans.IsBanned(IPAddress.Parse("198.51.100.9"), out _));
            for (var i = 0; i < 10; i++) office.Bans.Offend(bad, "nonsense");
            Assert.True(office.Bans.IsBanned(bad, out var until));
            Assert.Equal(time.GetUtcNow().AddMinutes(20), until); // that it is the second one is known too
        }
    }

    [Fact]
    public async Task However_many_knock_it_is_one_commit_of_bounded_size()
    {
        await using var office = new Office(settings, time).Open();
        for (var i = 0; i < 40_000; i++) office.Met.Try($"{i}", "example.org", "anna@ours.test");
        var before = office.Store.Commits;
        await office.Keeper.WriteAsync();
        Assert.Equal(before + 1, office.Store.Commits);
        using var read = office.Store.Read();
        using var row = read.Prepare("SELECT count(*) FROM stranger");
        Assert.InRange(row.Scalar()!.Value, 1, 2000);
    }
}
