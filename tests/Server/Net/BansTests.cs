using System.Net;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>Bans grow, end, spare those they must spare, and are an administrator's too.</summary>
public class BansTests
{
    readonly ManualTime time = new();
    static readonly IPAddress Bad = IPAddress.Parse("192.0.2.66");

    (Bans Bans, AllowList Allowed) Of(InboundSettings? inbound = null)
    {
        var settings = new Settings { Inbound = inbound ?? new InboundSettings() };
        var allowed = new AllowList(settings, time);
        return (new Bans(settings, allowed, time, NullLogger<Bans>.Instance), allowed);
    }

    static void Misbehave(Bans bans, IPAddress address, int times = 10)
    {
        for (var i = 0; i < times; i++) bans.Offend(address, "a failed sign-in");
    }

    [Fact]
    public void Ten_bad_sessions_in_an_hour_are_a_ban_of_ten_minutes()
    {
        var (bans, _) = Of();
        Misbehave(bans, Bad, 9);
        Assert.False(bans.IsBanned(Bad, out _));
        bans.Offend(Bad, "a failed sign-in");
        Assert.True(bans.IsBanned(Bad, out var until));
        Assert.Equal(time.GetUtcNow().AddMinutes(10), until);
        Assert.False(bans.IsBanned(IPAddress.Parse("192.0.2.67"), out _));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(bans.IsBanned(Bad, out _));
    }

    [Fact]
    public void Bad_sessions_of_long_ago_do_not_count()
    {
        var (bans, _) = Of();
        for (var i = 0; i < 30; i++)
        {
            bans.Offend(Bad, "nonsense");
            time.Advance(TimeSpan.FromMinutes(8));
        }
        Assert.False(bans.IsBanned(Bad, out _));
    }

    [Fact]
    public void Each_further_ban_lasts_twice_as_long_up_to_a_week_and_good_conduct_is_forgotten_about()
    {
        var (bans, _) = Of();
        var lengths = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            Misbehave(bans, Bad);
            Assert.True(bans.IsBanned(Bad, out var until));
            lengths.Add((until!.Value - time.GetUtcNow()).TotalMinutes);
            time.Advance(until.Value - time.GetUtcNow());
        }
        Assert.Equal([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10080, 10080], lengths);
        time.Advance(TimeSpan.FromDays(8));
        Misbehave(bans, Bad);
        Assert.True(bans.IsBanned(Bad, out var again));
        Assert.Equal(time.GetUtcNow().AddMinutes(10), again);
    }

    [Fact]
    public void In_ipv6_the_64_is_one()
    {
        var (bans, _) = Of();
        for (var i = 0; i < 10; i++) bans.Offend(IPAddress.Parse($"2001:db8::{i}"), "nonsense");
        Assert.True(bans.IsBanned(IPAddress.Parse("2001:db8::ffff"), out _));
        Assert.False(bans.IsBanned(IPAddress.Parse("2001:db8:0:1::1"), out _));
        Assert.Equal("2001:db8::/64", Assert.Single(bans.List()).Address);
    }

    [Fact]
    public void Who_is_allowed_is_never_banned_not_even_when_he_was_before()
    {
        var (bans, allowed) = Of(new InboundSettings { Allow = ["192.0.2.0/25"] });
        Misbehave(bans, Bad, 100);
        Assert.False(bans.IsBanned(Bad, out _));
        var other = IPAddress.Parse("192.0.2.200");
        Misbehave(bans, other);
        Assert.True(bans.IsBanned(other, out _));
        allowed.Add("192.0.2.200", "our scanner");
        Assert.False(bans.IsBanned(other, out _));
    }

    [Fact]
    public void Where_somebody_has_signed_in_lately_a_wrong_password_is_a_mistake()
    {
        var (bans, _) = Of();
        Misbehave(bans, Bad, 9);
        bans.SignedIn(Bad);
        Misbehave(bans, Bad, 100);
        Assert.False(bans.IsBanned(Bad, out _));
        time.Advance(TimeSpan.FromDays(7));
        Misbehave(bans, Bad);
        Assert.True(bans.IsBanned(Bad, out _));
    }

    [Fact]
    public void Zero_bans_nobody_by_himself()
    {
        var (bans, _) = Of(new InboundSettings { Bans = new BanSettings { After = 0 } });
        Misbehave(bans, Bad, 1000);
        Assert.False(bans.IsBanned(Bad, out _));
    }

    [Fact]
    public void An_administrator_bans_addresses_and_networks_for_a_time_or_for_good()
    {
        var (bans, _) = Of();
        Networks.TryParse("192.0.2.0/24", out var network);
        Networks.TryParse("2001:db8::1", out var one);
        Assert.Null(bans.Add(network, null, "spam").Until);
        Assert.Equal(time.GetUtcNow().AddHours(2), bans.Add(one, TimeSpan.FromHours(2), "").Until);
        Assert.True(bans.IsBanned(Bad, out var until));
        Assert.Null(until);
        Assert.True(bans.IsBanned(IPAddress.Parse("2001:db8::2"), out _));
        Assert.Equal(2, bans.List().Count);
        time.Advance(TimeSpan.FromDays(3000));
        Assert.True(bans.IsBanned(Bad, out _));
        Assert.True(bans.Remove(network));
        Assert.False(bans.Remove(network));
        Assert.False(bans.IsBanned(Bad, out _));
        Assert.Empty(bans.List());
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.99/24", "192.0.2.0/24")]
    [InlineData("Mail.Example.ORG.", "mail.example.org")]
    [InlineData("*.example.org", "*.example.org")]
    public void Who_is_allowed_is_written_in_one_way(string text, string written)
    {
        Assert.True(AllowList.TryRead(text, out var read));
        Assert.Equal(written, read);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("*")]
    [InlineData("*.org*")]
    [InlineData("192.0.2")]
    [InlineData("192.0.2.1/33")]
    [InlineData("a..b")]
    [InlineData("")]
    public void What_is_neither_address_nor_name_is_refused(string text) => Assert.False(AllowList.TryRead(text, out _));

    [Fact]
    public void A_star_is_what_stands_below_a_domain_and_not_the_domain()
    {
        var (_, allowed) = Of(new InboundSettings { Allow = ["*.example.org", "one.example.net"] });
        Assert.True(allowed.Holds("mail.example.org"));
        Assert.True(allowed.Holds("ONE.example.net"));
        Assert.False(allowed.Holds("example.org"));
        Assert.False(allowed.Holds("badexample.org"));
        Assert.False(allowed.Holds("two.example.net"));
        Assert.False(allowed.Holds(IPAddress.Loopback)); // what the file says stands in the place of the default
    }
}
