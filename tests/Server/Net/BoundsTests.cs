using System.Net;
using CbaMail.Config;
using CbaMail.Delivery.Remote;
using CbaMail.Inbound;
using CbaMail.Net;
using CbaMail.Reports;
using CbaMail.Sasl;
using CbaMail.Smtp.Client;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>Every table that strangers fill has an end, in number and in size, and nobody is pushed out of it by those who matter less.</summary>
public class BoundsTests
{
    readonly ManualTime time = new();

    // as many as anybody can have in IPv6
    static IPAddress Stranger(int i) => IPAddress.Parse($"2001:db8:{i >> 16:x}:{i & 0xffff:x}::1");

    Bans Bans(out AllowList allowed, params string[] allow)
    {
        var settings = new Settings { Inbound = new InboundSettings { Allow = allow } };
        allowed = new AllowList(settings, time);
        return new Bans(settings, allowed, time, NullLogger<Bans>.Instance);
    }

    [Fact]
    public void Bad_sessions_are_counted_for_a_bounded_number_and_who_goes_on_is_not_forgotten()
    {
        var bans = Bans(out _);
        var persistent = IPAddress.Parse("192.0.2.66");
        for (var i = 0; i < 5; i++) bans.Offend(persistent, "nonsense");
        for (var i = 0; i < 30_000; i++) bans.Offend(Stranger(i), "nonsense");
        Assert.InRange(bans.Counted, 1, 20_000);
        for (var i = 0; i < 5; i++) bans.Offend(persistent, "nonsense");
        Assert.True(bans.IsBanned(persistent, out _));
    }

    [Fact]
    public void What_an_administrator_has_banned_is_not_pushed_out_by_bans_that_make_themselves()
    {
        var memory = new Remembered("ban", 64, TimeSpan.FromDays(10), time, memo => memo.Count == 0 ? int.MaxValue : memo.Count);
        var now = time.GetUtcNow();
        memory.Set("by hand", new Memo(now, now.AddDays(1), now.AddDays(1)));
        for (var i = 0; i < 1000; i++) memory.Set($"{i}", new Memo(now, now.AddDays(1), now.AddDays(1), 1));
        Assert.InRange(memory.Count, 1, 64);
        Assert.True(memory.TryFind("by hand", out _));
        Assert.InRange(memory.Waiting, 1, 128);
    }

    [Fact]
    public void Rates_are_kept_for_a_bounded_number_of_names_of_bounded_length()
    {
        var buckets = new TokenBuckets(new Rate(1, TimeSpan.FromHours(1)), time, most: 64);
        for (var i = 0; i < 5000; i++) buckets.Take($"{i}{new string('x', 300)}");
        Assert.InRange(buckets.Count, 1, 64);
        Assert.All(Enumerable.Range(0, 100), i => Assert.InRange(TokenBuckets.Short(new string('x', i * 7)).Length, 0, 64));
        Assert.NotEqual(TokenBuckets.Short(new string('x', 300) + "1"), TokenBuckets.Short(new string('x', 300) + "2"));
        Assert.Equal("192.0.2.1", TokenBuckets.Short("192.0.2.1"));
    }

    [Fact]
    public void Acquaintances_are_of_bounded_number_and_size()
    {
        var met = new Acquaintances(new Settings { Inbound = new InboundSettings { Greylist = new GreylistSettings { Entries = 500 } } }, time);
        for (var i = 0; i < 3000; i++)
        {
            var domain = $"{i}.{new string('d', 60)}.{new string('e', 60)}.{new string('f', 60)}.test";
            Assert.True(met.Try("192.0.2.0/24", domain, "anna@example.test") > TimeSpan.Zero);
            met.Took("192.0.2.0/24", domain);
        }
        Assert.InRange(met.Attempts.Count, 1, 500);
        Assert.All(met.Attempts.All(), entry => Assert.InRange(entry.Key.Length, 1, 200));
        Assert.All(met.Attempts.All(), entry => Assert.Equal(3, entry.Key.Split(' ').Length));
        Assert.InRange(met.Senders.Count, 1, 50_000);
        Assert.True(met.IsKnown("192.0.2.0/24", $"2999.{new string('d', 60)}.{new string('e', 60)}.{new string('f', 60)}.test"));
        Assert.False(met.IsKnown("192.0.2.0/24", $"3000.{new string('d', 60)}.{new string('e', 60)}.{new string('f', 60)}.test"));
    }

    [Fact]
    public void Wrong_passwords_are_counted_by_household_for_a_bounded_number_and_never_bar_the_allowed()
    {
        Bans(out var allowed, "198.51.100.7");
        var limits = new LoginLimits(new Settings { Limits = new LimitSettings { SignInFailures = 3 } }, time, allowed);
        for (var i = 0; i < 3; i++) limits.Failed(IPAddress.Parse($"2001:db8:1:1::{i:x}"));
        Assert.True(limits.IsBarred(IPAddress.Parse("2001:db8:1:1:ffff::9")));
        Assert.False(limits.IsBarred(IPAddress.Parse("2001:db8:1:2::9")));
        for (var i = 0; i < 12_000; i++) limits.Failed(Stranger(i + 0x20000));
        Assert.InRange(limits.Count, 1, LoginLimits.MostAddresses);
        Assert.True(limits.IsBarred(IPAddress.Parse("2001:db8:1:1::1")));
        for (var i = 0; i < 9; i++) limits.Failed(IPAddress.Parse("198.51.100.7"));
        Assert.False(limits.IsBarred(IPAddress.Parse("198.51.100.7")));
    }

    [Fact]
    public void Connections_that_have_ended_leave_nothing_behind()
    {
        var limits = new ConnectionLimits(new Settings { Limits = new LimitSettings { Connections = 100 } });
        for (var i = 0; i < 1000; i++) limits.Enter(Stranger(i))!.Dispose();
        Assert.Equal(0, limits.Open);
        Assert.Equal(100, Enumerable.Range(0, 200).Count(i => limits.Enter(Stranger(i), allowed: true) is not null));
    }

    [Fact]
    public void Sessions_of_TLS_that_wait_to_be_written_are_bounded()
    {
        var reports = new TlsReports(time);
        for (var i = 0; i < TlsReports.MaxPending + 500; i++) reports.Succeeded(new TlsReportKey($"{i}.test", TlsPolicyKind.NoPolicyFound, $"{i}.test", "", ""));
        Assert.Equal(TlsReports.MaxPending, reports.Pending);
        var known = new TlsReportKey("1.test", TlsPolicyKind.NoPolicyFound, "1.test", "", "");
        for (var i = 0; i < 1000; i++) reports.Failed(known, TlsFailure.CertificateExpired, "192.0.2.1", new ClientTarget($"mx{i}.test", IPAddress.Loopback, 25), "x");
        Assert.Equal(TlsReports.MaxPending, reports.Pending);
    }
}
