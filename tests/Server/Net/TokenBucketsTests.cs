using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net;

public class TokenBucketsTests
{
    readonly ManualTime time = new();

    [Fact]
    public void All_may_come_at_once_and_then_as_they_are_given_back()
    {
        var buckets = new TokenBuckets(new Rate(60, TimeSpan.FromMinutes(1)), time);
        for (var i = 0; i < 60; i++) Assert.Equal(TimeSpan.Zero, buckets.Take("a"));
        Assert.InRange(buckets.Take("a").TotalSeconds, 0.9, 1.1);
        Assert.Equal(TimeSpan.Zero, buckets.Take("b"));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.Zero, buckets.Take("a"));
        Assert.Equal(TimeSpan.Zero, buckets.Take("a"));
        Assert.NotEqual(TimeSpan.Zero, buckets.Take("a"));
    }

    [Fact]
    public void Who_is_refused_does_not_lose_what_is_given_back()
    {
        var buckets = new TokenBuckets(new Rate(1, TimeSpan.FromSeconds(10)), time);
        Assert.Equal(TimeSpan.Zero, buckets.Take("a"));
        for (var i = 0; i < 99; i++)
        {
            time.Advance(TimeSpan.FromSeconds(0.1));
            Assert.NotEqual(TimeSpan.Zero, buckets.Take("a"));
        }
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(TimeSpan.Zero, buckets.Take("a"));
    }

    [Fact]
    public void A_crowd_does_not_take_the_memory_and_the_busiest_are_not_forgotten()
    {
        var buckets = new TokenBuckets(new Rate(2, TimeSpan.FromHours(1)), time, most: 64);
        for (var i = 0; i < 10_000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            buckets.Take($"{i}");
            if (i < 2) buckets.Take("busy");
            else Assert.NotEqual(TimeSpan.Zero, buckets.Take("busy"));
        }
    }

    [Theory]
    [InlineData("100/1h", 100, 3600)]
    [InlineData("20/m", 20, 60)]
    [InlineData(" 5 / 10m ", 5, 600)]
    [InlineData("off", 0, 0)]
    [InlineData("0", 0, 0)]
    public void A_rate_is_a_number_in_a_time(string text, int count, int seconds)
    {
        Assert.True(Rate.TryParse(text, out var rate));
        Assert.Equal((count, seconds), (rate.Count, (int)rate.Per.TotalSeconds));
    }

    [Theory]
    [InlineData("100")]
    [InlineData("-1/h")]
    [InlineData("1/")]
    [InlineData("1/0s")]
    [InlineData("a/h")]
    public void Anything_else_is_none(string text) => Assert.False(Rate.TryParse(text, out _));

    [Fact]
    public void What_costs_much_counts_as_many()
    {
        var buckets = new TokenBuckets(new Rate(60, TimeSpan.FromMinutes(1)), time);
        Assert.Equal(TimeSpan.Zero, buckets.Take("a"));
        buckets.Spend("a", 69);
        Assert.InRange(buckets.Take("a").TotalSeconds, 10.5, 11.5);
        buckets.Spend("a", 1e9); // no more than all is owed
        Assert.InRange(buckets.Take("a").TotalSeconds, 60.5, 61.5);
        Assert.Equal(TimeSpan.Zero, buckets.Take("b"));
        buckets.Spend("nobody", 5);
        Assert.Equal(2, buckets.Count);
    }
}
