using CbaMail.Config;
using CbaMail.Queue;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

public class RetryTests
{
    static readonly QueueSettings Settings = new() { RetryJitter = 0 };
    static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Pauses_grow_and_the_last_one_repeats() => Assert.Equal([1, 5, 15, 30, 60, 120, 240, 240, 240],
        Enumerable.Range(1, 9).Select(attempt => Retry.After(attempt, Settings, 0.5).TotalMinutes));

    [Fact]
    public void Jitter_spreads_them()
    {
        var settings = new QueueSettings();
        Assert.Equal(54, Retry.After(1, settings, 0).TotalSeconds, 3);
        Assert.Equal(60, Retry.After(1, settings, 0.5).TotalSeconds, 3);
        Assert.Equal(66, Retry.After(1, settings, 1).TotalSeconds, 3);
    }

    [Fact]
    public void Five_days_are_tried_to_the_end_and_no_further()
    {
        var (now, expires, attempts) = (Start, Start + Settings.Expire, 0);
        while (Retry.Next(++attempts, now, expires, Settings, 0.5) is { } next)
        {
            Assert.True(next > now && next <= expires);
            now = next;
        }
        Assert.Equal(expires, now);
        Assert.InRange(attempts, 30, 45);
    }

    [Fact]
    public void A_delay_is_told_after_four_hours_unless_switched_off()
    {
        Assert.False(Retry.DelayDue(Start, Start.AddHours(3.9), Settings));
        Assert.True(Retry.DelayDue(Start, Start.AddHours(4), Settings));
        Assert.False(Retry.DelayDue(Start, Start.AddHours(9), Settings with { DelayNotice = TimeSpan.Zero }));
    }

    [Theory]
    [InlineData("example.org", "exact.test:25/")]
    [InlineData("a.sink.test", "sink.test:10026/")]
    [InlineData("b.a.sink.test", "deep.test:25/")]
    [InlineData("sink.test", "smart.test:587/me")]
    [InlineData("other.test", "smart.test:587/me")]
    [InlineData("direct.test", "direct.test")]
    public void The_most_specific_route_is_taken(string domain, string key)
    {
        RouteSettings[] routes =
        [
            new() { Host = "smart.test", Port = 587, User = "me" },
            new() { Domain = "*.sink.test", Host = "sink.test", Port = 10026 },
            new() { Domain = "*.A.sink.test", Host = "deep.test" },
            new() { Domain = "example.org", Host = "exact.test" },
            new() { Domain = "direct.test" }, // excepted from the smarthost
        ];
        Assert.Equal(key, Destination.Of(domain, routes).Key);
    }
}
