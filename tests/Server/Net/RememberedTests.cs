using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>What is remembered of strangers: bounded, with an end, collected for the disk.</summary>
public class RememberedTests
{
    readonly ManualTime time = new();

    Remembered Of(int most = 100) => new("kind", most, TimeSpan.FromDays(10), time);

    Memo For(double minutes, int count = 0) => new(time.GetUtcNow(), time.GetUtcNow(), time.GetUtcNow().AddMinutes(minutes), count);

    [Fact]
    public void An_entry_ends_at_its_time()
    {
        var memory = Of();
        memory.Set("a", For(10));
        Assert.True(memory.TryFind("a", out _));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(memory.TryFind("a", out _));
        Assert.Empty(memory.All());
    }

    [Fact]
    public void A_clock_that_was_set_back_by_years_leaves_nobody_shut_out_for_years()
    {
        var memory = Of();
        memory.Set("a", For(10));
        time.Set(time.GetUtcNow().AddYears(-5));
        Assert.False(memory.TryFind("a", out _));
    }

    [Fact]
    public void When_full_what_counts_least_and_is_oldest_gives_way()
    {
        var memory = Of(most: 16);
        memory.Set("kept", For(10, count: 5));
        for (var i = 0; i < 1000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            memory.Set($"flood {i}", For(10));
            Assert.InRange(memory.Count, 1, 16);
        }
        Assert.True(memory.TryFind("kept", out _));
        Assert.True(memory.TryFind("flood 999", out _));
    }

    [Fact]
    public void Changes_are_taken_once_and_in_pieces_and_may_be_put_back()
    {
        var memory = Of();
        for (var i = 0; i < 5; i++) memory.Set($"{i}", For(10));
        memory.Remove("0");
        var first = memory.TakeChanges(3);
        Assert.Equal(3, first.Count);
        memory.PutBack(first);
        var all = memory.TakeChanges(100);
        Assert.Equal(5, all.Count);
        Assert.Null(all.Single(change => change.Key == "0").Memo);
        Assert.Empty(memory.TakeChanges(100));
    }

    [Fact]
    public void A_change_that_changes_nothing_is_none()
    {
        var memory = Of();
        memory.Set("a", For(10));
        memory.TakeChanges(10);
        memory.Change("a", (before, _) => before);
        Assert.Empty(memory.TakeChanges(10));
    }

    [Fact]
    public void A_flood_does_not_make_the_disk_its_own()
    {
        var memory = Of(most: 100_000);
        for (var i = 0; i < 50_000; i++) memory.Set($"{i}", For(10));
        var written = 0;
        while (memory.TakeChanges(100) is { Count: > 0 } taken) written += taken.Count;
        Assert.InRange(written, 100, 1000);
    }
}
