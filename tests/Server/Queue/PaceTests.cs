using CbaMail.Queue;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

public class PaceTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static Pace Make(int connections = 20, int perHour = 0) => new(new PaceLimits(connections, 500, perHour));

    static void Taken(Pace pace, int count, DateTimeOffset at)
    {
        for (var i = 0; i < count; i++)
        {
            pace.Take(at);
            pace.Observe(PaceSignal.Taken, "", 1, at);
        }
    }

    [Fact]
    public void It_begins_with_a_few_connections_and_adds_one_with_each_message()
    {
        var pace = Make();
        Assert.Equal(5, pace.Connections);
        Taken(pace, 3, Now);
        Assert.Equal(8, pace.Connections);
        Taken(pace, 100, Now);
        Assert.Equal(20, pace.Connections);
        Assert.Equal(3, Make(connections: 3).Connections);
        Assert.Null(pace.Wait(Now));
    }

    [Fact]
    public void A_refusal_halves_the_connections_and_they_come_back_slowly()
    {
        var pace = Make();
        Taken(pace, 100, Now);
        pace.Observe(PaceSignal.Connections, "421 too many", 0, Now);
        pace.Observe(PaceSignal.Connections, "421 too many", 0, Now.AddSeconds(1)); // of another connection, sent before
        Assert.Equal((10, "421 too many"), (pace.Connections, pace.Reason));
        Assert.Equal(Now.AddSeconds(30), pace.Wait(Now.AddSeconds(1)));
        Assert.Null(pace.Wait(Now.AddSeconds(30)));
        Taken(pace, 10, Now.AddMinutes(1));
        Assert.InRange(pace.Connections, 10, 11);
        Taken(pace, 300, Now.AddMinutes(2));
        Assert.Equal(20, pace.Connections);
    }

    [Fact]
    public void Rests_double_until_a_message_is_taken()
    {
        var pace = Make();
        var at = Now;
        List<double> rests = [];
        for (var i = 0; i < 8; i++)
        {
            pace.Observe(PaceSignal.Rate, "4.7.28", 0, at);
            rests.Add((pace.Wait(at)!.Value - at).TotalMinutes);
            at = pace.Wait(at)!.Value.AddSeconds(1);
        }
        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30], rests);
        Assert.Equal(1, pace.Connections);
        Taken(pace, 1, at);
        pace.Observe(PaceSignal.Rate, "4.7.28", 0, at.AddMinutes(1));
        Assert.Equal(at.AddMinutes(1.5), pace.RestsUntil(at.AddMinutes(1)));
    }

    [Fact]
    public void A_rate_is_half_of_what_went_and_grows()
    {
        var pace = Make();
        var at = Now;
        for (var i = 0; i < 600; i++) Taken(pace, 1, at = at.AddSeconds(3)); // 1200 an hour
        pace.Observe(PaceSignal.Rate, "rate limited", 0, at);
        Assert.InRange(pace.PerHour, 500, 700);
        at = at.AddMinutes(5);
        var (first, sent, end) = (pace.PerHour, 0, at.AddHours(1));
        for (; at < end; at = at.AddSeconds(1))
            if (pace.Wait(at) is null) { Taken(pace, 1, at); sent++; }
        Assert.InRange(sent, first * 0.95, first * 1.3);
        Assert.InRange(pace.PerHour, first + 60, first * 1.5);
    }

    [Fact]
    public void A_fixed_bound_is_kept_evenly()
    {
        var pace = Make(perHour: 100);
        var sent = 0;
        for (var at = Now; at < Now.AddHours(3); at = at.AddSeconds(1))
            if (pace.Wait(at) is null) { Taken(pace, 1, at); sent++; }
        Assert.InRange(sent, 298, 303);
        Assert.False(pace.HasLearnt);
    }

    [Fact]
    public void What_a_connection_may_carry_is_learnt_and_all_is_forgotten_after_a_day()
    {
        var pace = Make();
        pace.Observe(PaceSignal.Session, "too many messages this session", 30, Now);
        Assert.Equal((30, 5), (pace.PerConnection, pace.Connections));
        Assert.Null(pace.Wait(Now.AddHours(25)));
        Assert.Equal((500, false, true), (pace.PerConnection, pace.HasLearnt, pace.IsDirty));
    }

    [Fact]
    public void What_was_kept_goes_on()
    {
        var pace = Make();
        Taken(pace, 200, Now);
        pace.Observe(PaceSignal.Rate, "slow down", 0, Now);
        var again = Make();
        again.Restore(pace.Keep("a.test"));
        Assert.Equal((pace.Connections, pace.PerHour, pace.Reason, pace.Wait(Now)), (again.Connections, again.PerHour, again.Reason, again.Wait(Now)));
        Assert.False(pace.IsDirty);
    }
}
