using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>When looking out for bytes is allowed, and when it stops because it does not pay.</summary>
public sealed class LookoutTests
{
    const int Peer = 7;
    readonly ManualTime time = new();
    long taken;

    Lookout New(double processors = 2) => new(time, processors, () => taken);

    /// <returns>Whether there was a look at all.</returns>
    bool Look(Lookout lookout, bool found, ulong peer = Peer)
    {
        if (!lookout.Begins(peer, alone: true)) return false;
        if (!found) time.Advance(TimeSpan.FromMicroseconds(100));
        lookout.Ends(found);
        return true;
    }

    int Looks(Lookout lookout, bool found, int answers, TimeSpan apart)
    {
        var looks = 0;
        for (var i = 0; i < answers; i++, time.Advance(apart)) looks += Look(lookout, found) ? 1 : 0;
        return looks;
    }

    [Fact]
    public void A_look_that_brings_bytes_is_followed_by_the_next_and_ends_after_a_moment()
    {
        var lookout = New();
        Assert.Equal(1000, Looks(lookout, found: true, 1000, TimeSpan.FromMicroseconds(50)));
        Assert.True(lookout.Begins(Peer, alone: true));
        Assert.True(lookout.GoesOn(alone: true));
        Assert.False(lookout.GoesOn(alone: false)); // somebody else is to be served
        time.Advance(TimeSpan.FromMicroseconds(100));
        Assert.False(lookout.GoesOn(alone: true));
    }

    [Theory, InlineData(1, false), InlineData(1.5, false), InlineData(2, true), InlineData(64, true)]
    public void With_less_than_two_processors_nobody_looks(double processors, bool may) => Assert.Equal(may, New(processors).Begins(Peer, alone: true));

    [Fact]
    public void While_others_are_served_nobody_looks()
    {
        var lookout = New();
        Assert.False(lookout.Begins(Peer, alone: false));
        Assert.True(lookout.Begins(Peer, alone: true));
    }

    [Fact]
    public void Only_one_who_speaks_alone_is_looked_out_for()
    {
        var lookout = New();
        Assert.True(Look(lookout, found: true, peer: 1));
        Assert.False(Look(lookout, found: true, peer: 2)); // 1 spoke just now
        time.Advance(TimeSpan.FromMilliseconds(4));
        Assert.False(Look(lookout, found: true, peer: 2));
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(Look(lookout, found: true, peer: 2)); // 1 has been silent for a while
        Assert.False(Look(lookout, found: true, peer: 3));
        lookout.Forget(2);
        Assert.True(Look(lookout, found: true, peer: 3)); // and 2 is gone
        lookout.Forget(3);
        Assert.True(Look(lookout, found: true, peer: 4)); // as with a connection a message
    }

    [Fact]
    public void A_peer_who_never_answers_in_time_is_looked_out_for_forty_times_a_second_at_last()
    {
        var lookout = New();
        Looks(lookout, found: false, 3000, TimeSpan.FromMilliseconds(1));
        Assert.InRange(Looks(lookout, found: false, 60_000, TimeSpan.FromMilliseconds(1)), 2000, 2400);
    }

    [Fact]
    public void Looks_that_bring_nothing_now_and_then_are_borne_and_many_are_not()
    {
        var lookout = New();
        var looks = 0;
        for (var i = 0; i < 1000; i++) looks += Look(lookout, found: i % 8 != 7) ? 1 : 0;
        Assert.Equal(1000, looks);
        looks = 0;
        for (var i = 0; i < 1000; i++, time.Advance(TimeSpan.FromMilliseconds(1))) looks += Look(lookout, found: i % 2 == 0) ? 1 : 0;
        Assert.InRange(looks, 1, 500);
    }

    [Fact]
    public void Who_loses_his_processor_looks_no_more_even_if_bytes_came_and_begins_again_when_that_is_over()
    {
        var lookout = New();
        Assert.Equal(100, Looks(lookout, found: true, 100, TimeSpan.FromMicroseconds(50)));
        var looks = 0;
        for (var i = 0; i < 60_000; i++, time.Advance(TimeSpan.FromMilliseconds(1)))
        {
            taken++;
            looks += Look(lookout, found: true) ? 1 : 0;
        }
        Assert.InRange(looks, 400, 1000);
        time.Advance(TimeSpan.FromSeconds(1));
        Look(lookout, found: true); // learns of the last time
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1000, Looks(lookout, found: true, 1000, TimeSpan.FromMicroseconds(50)));
    }

    [Fact]
    public void A_look_that_took_much_longer_than_it_may_was_interrupted()
    {
        var lookout = New();
        var looks = 0;
        for (var i = 0; i < 10_000 && lookout.Begins(Peer, alone: true); i++, looks++)
        {
            time.Advance(TimeSpan.FromMilliseconds(3)); // somebody else ran, and the bytes came meanwhile
            lookout.Ends(found: true);
        }
        Assert.Equal(2, looks);
    }
}
