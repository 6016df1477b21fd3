using CbaMail.Queue;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

public class ScheduleTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static void Add(Schedule schedule, long message, string destination, bool bulk = false, double minutes = 0, int sequence = 0) =>
        schedule.Add(new QueueItem(message, sequence), destination, bulk ? MailClass.Bulk : MailClass.Interactive, Now.AddMinutes(minutes), Now);

    static List<QueueItem> Claim(Schedule schedule, string lane, int limit, bool fresh) => schedule.Claim(lane, limit, fresh, Now, out _);

    static List<string> Started(Schedule schedule)
    {
        var list = new List<string>();
        while (schedule.Start(out _) is { } destination) list.Add(destination);
        return list;
    }

    [Fact]
    public void A_destination_gets_workers_up_to_its_bound_and_others_theirs()
    {
        var schedule = new Schedule(perLane: 2, total: 10, bulkTotal: 10);
        for (var i = 0; i < 5; i++) Add(schedule, i, "slow.test");
        Add(schedule, 9, "other.test");
        Assert.Equal(["other.test", "slow.test", "slow.test"], Started(schedule).Order());
        schedule.End("slow.test", bulk: false);
        Assert.Equal(["slow.test"], Started(schedule));
    }

    [Fact]
    public void The_total_is_bounded_and_mailings_leave_room_for_personal_mail()
    {
        var schedule = new Schedule(perLane: 20, total: 4, bulkTotal: 3);
        for (var i = 0; i < 10; i++) Add(schedule, i, "bulk.test", bulk: true);
        Assert.Equal(3, Started(schedule).Count);
        for (var i = 10; i < 20; i++) Add(schedule, i, "person.test");
        Assert.Equal(["person.test"], Started(schedule));
    }

    [Fact]
    public void Personal_mail_goes_before_a_mailing_to_the_same_place()
    {
        var schedule = new Schedule(1, 10, 10);
        Add(schedule, 1, "a.test", bulk: true);
        Add(schedule, 2, "a.test", bulk: true);
        Add(schedule, 3, "a.test");
        Assert.Equal(["a.test"], Started(schedule));
        Assert.Equal([3L, 1, 2], Enumerable.Range(0, 3).Select(i => Claim(schedule, "a.test", 100, i == 0)[0].MessageId));
    }

    [Fact]
    public void A_claim_is_one_message_with_its_recipients()
    {
        var schedule = new Schedule(1, 10, 10);
        for (var i = 0; i < 5; i++) Add(schedule, 1, "a.test", sequence: i);
        Add(schedule, 2, "a.test");
        Started(schedule);
        Assert.Equal([0, 1, 2], Claim(schedule, "a.test", 3, true).Select(item => item.Sequence));
        Assert.Equal([3, 4], Claim(schedule, "a.test", 3, false).Select(item => item.Sequence));
        Assert.Equal(2, Assert.Single(Claim(schedule, "a.test", 3, false)).MessageId);
        Assert.Empty(Claim(schedule, "a.test", 3, false));
    }

    [Fact]
    public void What_is_leased_is_not_given_twice()
    {
        var schedule = new Schedule(2, 10, 10);
        Add(schedule, 1, "a.test");
        Add(schedule, 1, "a.test");
        Started(schedule);
        var first = Assert.Single(Claim(schedule, "a.test", 1, true));
        Assert.Empty(Claim(schedule, "a.test", 1, true));
        schedule.Release([first]);
        Add(schedule, 1, "a.test");
        Assert.Single(Claim(schedule, "a.test", 1, false));
    }

    [Fact]
    public void What_is_due_later_waits_and_says_when()
    {
        var schedule = new Schedule(2, 10, 10);
        Add(schedule, 1, "a.test", minutes: 10);
        Add(schedule, 2, "a.test", minutes: 5);
        Assert.Empty(Started(schedule));
        Assert.Equal(Now.AddMinutes(5), schedule.Promote(Now));
        Assert.Equal(Now.AddMinutes(10), schedule.Promote(Now.AddMinutes(5)));
        Assert.Equal(["a.test"], Started(schedule));
        Assert.Null(schedule.Promote(Now.AddMinutes(10)));
    }

    [Fact]
    public async Task An_idle_worker_is_woken_instead_of_a_new_one_started()
    {
        var time = new ManualTime(Now);
        var schedule = new Schedule(20, 100, 100);
        Add(schedule, 1, "a.test");
        Started(schedule);
        Claim(schedule, "a.test", 1, true);
        var idle = schedule.IdleAsync("a.test", TimeSpan.FromSeconds(5), time, default);
        Assert.False(idle.IsCompleted);
        Add(schedule, 2, "a.test");
        Assert.True(await idle);
        Assert.Empty(Started(schedule));
        Assert.Single(Claim(schedule, "a.test", 1, true));

        idle = schedule.IdleAsync("a.test", TimeSpan.FromSeconds(5), time, default);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(await idle);
        schedule.End("a.test", bulk: false);
        Add(schedule, 3, "a.test");
        Assert.Equal(["a.test"], Started(schedule));
    }

    [Fact]
    public async Task Whatever_happens_everything_is_claimed_in_the_end()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var schedule = new Schedule(3, 7, 5);
            var claimed = new System.Collections.Concurrent.ConcurrentDictionary<long, int>();
            using var stop = new CancellationTokenSource();
            async Task WorkAsync(string destination, bool bulk)
            {
                await Task.Yield();
                var fresh = true;
                do
                {
                    while (Claim(schedule, destination, 100, fresh) is { Count: > 0 } items)
                    {
                        fresh = false;
                        foreach (var item in items) claimed.AddOrUpdate(item.MessageId, 1, (_, n) => n + 1);
                        schedule.Release(items);
                        await Task.Yield();
                    }
                    fresh = true;
                }
                while (await schedule.IdleAsync(destination, TimeSpan.FromMilliseconds(random.Next(3)), TimeProvider.System, stop.Token));
                schedule.End(destination, bulk);
            }
            var dispatcher = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var changed = schedule.Changed;
                    while (schedule.Start(out var bulk) is { } destination) _ = WorkAsync(destination, bulk);
                    await Task.WhenAny(changed, Task.Delay(Timeout.Infinite, stop.Token));
                }
            });
            for (var i = 0; i < 300; i++)
            {
                Add(schedule, i, $"{i % 11}.test", bulk: i % 3 == 0);
                if (i % 10 == 0) await Task.Yield();
            }
            await Wait.UntilAsync(() => claimed.Count == 300, $"all are claimed (seed {seed})");
            Assert.All(claimed.Values, times => Assert.Equal(1, times));
            await stop.CancelAsync();
            await dispatcher;
        }
    }

    [Fact]
    public async Task While_all_is_held_nothing_starts_and_workers_go_home()
    {
        var schedule = new Schedule(perLane: 2, total: 10, bulkTotal: 10);
        Add(schedule, 1, "a.test");
        Assert.Equal(["a.test"], Started(schedule));
        schedule.Held = true;
        Assert.Empty(Claim(schedule, "a.test", 100, fresh: true));
        Assert.False(await schedule.IdleAsync("a.test", TimeSpan.FromMinutes(5), TimeProvider.System, default));
        schedule.End("a.test", bulk: false);
        Add(schedule, 2, "a.test");
        Add(schedule, 3, "b.test", bulk: true);
        Assert.Empty(Started(schedule));
        var changed = schedule.Changed;
        schedule.Held = false;
        await changed.WaitAsync(Wait.Patience);
        Assert.Equal(["a.test", "a.test", "b.test"], Started(schedule).Order());
        Assert.Equal([1L, 2], Enumerable.Range(0, 2).Select(_ => Claim(schedule, "a.test", 100, fresh: true)[0].MessageId));
    }

    [Fact]
    public void The_class_goes_first_in_a_lane_and_among_lanes()
    {
        var schedule = new Schedule(1, 10, 10);
        foreach (var (message, standing) in ((long, MailClass)[])[(1, MailClass.Bulk), (2, MailClass.Transactional), (3, MailClass.Interactive), (4, MailClass.Transactional)])
            schedule.Add(new QueueItem(message, 0), "a.test", standing, Now, Now);
        schedule.Add(new QueueItem(5, 0), "b.test", MailClass.Transactional, Now, Now);
        schedule.Add(new QueueItem(6, 0), "c.test", MailClass.Bulk, Now, Now);
        Assert.Equal(["a.test", "b.test", "c.test"], Started(schedule));
        Assert.Equal([3L, 2, 4, 1], Enumerable.Range(0, 4).Select(i => Claim(schedule, "a.test", 100, i == 0)[0].MessageId));
    }

    static List<long> Order(Schedule schedule, string lane, int count, DateTimeOffset now, string? stay = null) =>
        [.. Enumerable.Range(0, count).Select(_ => Assert.Single(schedule.Claim(lane, 100, false, now, out stay!, stay)).MessageId)];

    [Fact]
    public void Within_a_class_the_higher_priority_goes_first_and_equal_ones_in_their_order()
    {
        var schedule = new Schedule(1, 10, 10);
        foreach (var (message, priority) in ((long, int)[])[(1, 0), (2, -4), (3, 4), (4, 0), (5, 9), (6, 4), (7, -9)])
            schedule.Add(new QueueItem(message, 0), "a.test", new Standing(MailClass.Interactive, priority), Now, Now);
        schedule.Add(new QueueItem(8, 0), "a.test", new Standing(MailClass.Bulk, 9), Now, Now);
        Assert.Equal([5L, 3, 6, 1, 4, 2, 7, 8], Order(schedule, "a.test", 8, Now));
    }

    [Fact]
    public void Nothing_of_low_priority_waits_for_ever()
    {
        var schedule = new Schedule(1, 10, 10);
        schedule.Add(new QueueItem(1, 0), "a.test", new Standing(MailClass.Interactive, -9), Now, Now);
        var passed = 0;
        for (var minute = 0; ; minute++)
        {
            schedule.Add(new QueueItem(minute + 2, 0), "a.test", new Standing(MailClass.Interactive, 9), Now.AddMinutes(minute), Now.AddMinutes(minute));
            if (Order(schedule, "a.test", 1, Now.AddMinutes(minute))[0] == 1) break;
            passed++;
            Assert.True(passed < 1000);
        }
        Assert.Equal(91, passed); // five minutes for each of the 18 levels between, and where both rank the same the higher goes first
    }

    [Fact]
    public void Among_the_domains_of_an_operator_too_and_turns_go_on_behind()
    {
        var schedule = new Schedule(1, 10, 10);
        foreach (var domain in (string[])["a.test", "b.test", "c.test"]) schedule.Learn(domain, "operator.test", "operator.test");
        for (var i = 0; i < 6; i++) Add(schedule, i, i % 2 == 0 ? "a.test" : "b.test");
        schedule.Add(new QueueItem(7, 0), "c.test", new Standing(MailClass.Interactive, 3), Now, Now);
        schedule.Add(new QueueItem(8, 0), "b.test", new Standing(MailClass.Interactive, 5), Now, Now);
        schedule.Add(new QueueItem(9, 0), "a.test", new Standing(MailClass.Interactive, -1), Now, Now);
        Assert.Equal([8L, 7], Order(schedule, "operator.test", 2, Now));
        Assert.Equal([0L, 1, 2, 3, 4, 5, 9], Order(schedule, "operator.test", 7, Now).Order());
        Assert.Empty(schedule.Claim("operator.test", 100, false, Now, out _));
    }

    [Fact]
    public void Domains_of_one_operator_share_his_lane_once_that_is_known()
    {
        var schedule = new Schedule(2, 10, 10);
        for (var i = 0; i < 4; i++) Add(schedule, i, i % 2 == 0 ? "a.test" : "b.test");
        Assert.Equal(["a.test", "a.test", "b.test", "b.test"], Started(schedule).Order());
        Assert.True(schedule.Learn("a.test", "operator.test", "a.test"));
        Assert.True(schedule.Learn("b.test", "operator.test", "b.test"));
        Assert.False(schedule.Learn("b.test", "operator.test", "operator.test"));
        foreach (var old in (string[])["a.test", "a.test", "b.test", "b.test"])
        {
            Assert.Empty(Claim(schedule, old, 100, true));
            schedule.End(old, bulk: false);
        }
        Assert.Equal(["operator.test", "operator.test"], Started(schedule));
        List<string> turns = [];
        for (var i = 0; i < 4; i++)
        {
            Assert.Single(schedule.Claim("operator.test", 100, false, Now, out var destination));
            turns.Add(destination);
        }
        Assert.Equal(["a.test", "b.test", "a.test", "b.test"], turns);
        Add(schedule, 9, "a.test");
        Assert.Equal(9, Claim(schedule, "operator.test", 100, false)[0].MessageId);
    }

    [Fact]
    public void A_claim_never_mixes_domains_and_stays_with_the_one_that_the_worker_is_connected_to()
    {
        var schedule = new Schedule(2, 10, 10);
        schedule.Learn("a.test", "operator.test", "operator.test");
        schedule.Learn("b.test", "operator.test", "operator.test");
        for (var i = 0; i < 3; i++)
        {
            Add(schedule, i, "a.test", sequence: 0);
            Add(schedule, i, "b.test", sequence: 1);
        }
        Started(schedule);
        string? stay = null;
        List<string> order = [];
        for (var i = 0; i < 6; i++)
        {
            Assert.Single(schedule.Claim("operator.test", 100, false, Now, out var destination, stay));
            order.Add(stay = destination);
        }
        Assert.Equal(["a.test", "a.test", "a.test", "b.test", "b.test", "b.test"], order);
    }

    [Fact]
    public void What_belongs_to_one_destination_can_be_taken_alone()
    {
        var schedule = new Schedule(2, 10, 10);
        schedule.Learn("a.test", "operator.test", "operator.test");
        schedule.Learn("b.test", "operator.test", "operator.test");
        Add(schedule, 1, "a.test");
        Add(schedule, 2, "b.test", bulk: true);
        Add(schedule, 3, "b.test", bulk: true);
        Started(schedule);
        Assert.Equal(2, schedule.Claim("operator.test", 100, true, Now, out _, "b.test", only: true)[0].MessageId);
        Assert.Equal(3, schedule.Claim("operator.test", 100, true, Now, out _, "b.test", only: true)[0].MessageId);
        Assert.Empty(schedule.Claim("operator.test", 100, true, Now, out _, "b.test", only: true));
        Assert.Equal(1, Claim(schedule, "operator.test", 100, true)[0].MessageId);
    }

    [Fact]
    public void A_lane_that_was_refused_rests_and_others_go_on()
    {
        var schedule = new Schedule(_ => new Pace(new PaceLimits(20)), 100, 100);
        for (var i = 0; i < 10; i++) Add(schedule, i, "a.test");
        Assert.Equal(5, Started(schedule).Count);
        schedule.Observe("a.test", PaceSignal.Connections, "421 too many connections", 0, Now);
        Assert.Empty(Claim(schedule, "a.test", 100, true));
        for (var i = 0; i < 5; i++) schedule.End("a.test", bulk: false);
        Add(schedule, 20, "b.test");
        Assert.Equal(["b.test"], Started(schedule));
        Assert.Equal(Now.AddSeconds(30), schedule.Promote(Now.AddSeconds(29)));
        Assert.Empty(Started(schedule));
        Assert.Null(schedule.Promote(Now.AddSeconds(30)));
        Assert.Equal(["a.test", "a.test"], Started(schedule)); // 5 halved
        Assert.Single(schedule.Claim("a.test", 100, true, Now.AddSeconds(30), out _));
    }
}
