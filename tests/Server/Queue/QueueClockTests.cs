using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Sasl;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

/// <summary>The clock is set by years: under the queue while it runs and between two runs, under sign-in limits and UIDVALIDITY.</summary>
public sealed class QueueClockTests : IAsyncDisposable
{
    static readonly TimeSpan Years = TimeSpan.FromDays(3650);
    static readonly QueueSettings Queue = new() { RetryJitter = 0 };
    readonly VaultFixture vault = new();
    readonly ManualTime time = new();

    public ValueTask DisposeAsync() => vault.DisposeAsync();

    MailQueue Open() => new(vault.Store, vault.Mail, time, new Settings { Queue = Queue });

    async Task<MailQueue> WithDeferredAsync(TimeSpan pause)
    {
        var queue = Open();
        await vault.Store.CommitAsync(transaction =>
        {
            using var staged = vault.Mail.Stage(VaultFixture.Message(1));
            return queue.Enqueue(transaction, new NewQueueEntry(new MailAddress("anna", "example.test"), vault.Mail.AddContent(transaction, staged), [new QueueRecipient(new MailAddress("a", "one.test"))]));
        });
        var claim = queue.Claim("one.test", fresh: false)!;
        RecipientOutcome[] later = [new(claim.Recipients[0], OutcomeState.Deferred, "451 later", "4.0.0", "mx", null, queue.Now, queue.Now + pause)];
        await vault.Store.CommitAsync(transaction => queue.Settle(transaction, claim, later));
        return queue;
    }

    static bool IsDue(MailQueue queue)
    {
        queue.Schedule.Promote(queue.SteadyNow);
        return queue.Claim("one.test", fresh: false) is not null;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Set_while_it_runs_pauses_and_ages_stay(int sign)
    {
        var queue = await WithDeferredAsync(TimeSpan.FromHours(1));
        time.Set(time.GetUtcNow() + sign * Years);
        await queue.FollowClockAsync();
        var entry = Assert.Single(queue.List());
        Assert.Equal((time.GetUtcNow(), time.GetUtcNow() + Queue.Expire), (entry.Created, entry.Expires));
        Assert.False(IsDue(queue));
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.False(IsDue(queue));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(IsDue(queue));
    }

    [Fact]
    public async Task Set_back_between_two_runs_nothing_waits_longer_than_the_longest_pause()
    {
        await WithDeferredAsync(TimeSpan.FromHours(1));
        time.Set(time.GetUtcNow() - Years);
        var queue = Open();
        Assert.False(IsDue(queue));
        time.Advance(TimeSpan.FromHours(4) + TimeSpan.FromMinutes(2));
        Assert.True(IsDue(queue));
    }

    [Fact]
    public void Set_forward_between_two_runs_what_looks_too_old_is_tried_some_times_before_it_is_returned()
    {
        var (created, now) = (time.GetUtcNow(), time.GetUtcNow() + Years);
        var expires = created + Queue.Expire;
        for (var attempts = 1; attempts < 5; attempts++) Assert.True(Retry.Deadline(created, expires, attempts, now, Queue) > now);
        Assert.Equal(expires, Retry.Deadline(created, expires, 5, now, Queue));
    }

    [Fact]
    public void What_seems_to_come_from_the_future_is_tried_as_often_as_its_schedule_has_attempts()
    {
        var (created, now) = (time.GetUtcNow(), time.GetUtcNow() - Years);
        Assert.True(Retry.Deadline(created, created + Queue.Expire, 30, now, Queue) > now);
        Assert.True(Retry.Deadline(created, created + Queue.Expire, 45, now, Queue) <= now);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void Nobody_is_barred_for_years(int sign)
    {
        var limits = new LoginLimits(new Settings { Limits = new LimitSettings { SignInFailures = 2 } }, time);
        var address = System.Net.IPAddress.Parse("192.0.2.7");
        limits.Failed(address);
        limits.Failed(address);
        time.Set(time.GetUtcNow() + sign * Years);
        Assert.True(limits.IsBarred(address));
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.False(limits.IsBarred(address));
    }

    [Fact]
    public async Task UIDVALIDITY_rises_whatever_the_clock_says()
    {
        uint last = 0;
        foreach (var year in new[] { 2026, 1990, 2060, 2026, 2200, 2026, 2300, 1971 })
        {
            var next = await vault.Store.CommitAsync(transaction => transaction.NextUidValidity(new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero)));
            Assert.True(next > last, $"{next} after {last} in {year}");
            last = next;
        }
    }
}
