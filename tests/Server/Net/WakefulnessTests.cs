using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>When the machine's processors are kept awake, and that they are let go.</summary>
public sealed class WakefulnessTests : IDisposable
{
    readonly ManualTime time = new();
    readonly string device = Path.GetTempFileName(); // stands for the kernel's
    readonly Wakefulness wakefulness;

    public WakefulnessTests() => wakefulness = new Wakefulness(time, device);

    public void Dispose()
    {
        wakefulness.Dispose();
        File.Delete(device);
    }

    void Pays(int times, TimeSpan apart)
    {
        for (var i = 0; i < times; i++, time.Advance(apart)) wakefulness.Paid();
    }

    [Fact]
    public void A_peer_who_sends_one_thing_upon_the_other_keeps_the_machine_awake_until_he_pauses()
    {
        Pays(15, TimeSpan.FromMilliseconds(1));
        Assert.False(wakefulness.Awake);
        Pays(1, TimeSpan.FromMilliseconds(1));
        Assert.True(wakefulness.Awake);
        Assert.Equal(new byte[4], File.ReadAllBytes(device)); // no latency at all, a number of 32 bits
        Pays(1000, TimeSpan.FromMilliseconds(1));
        Assert.True(wakefulness.Awake);
        time.Advance(TimeSpan.FromMilliseconds(40));
        Assert.False(wakefulness.Awake);
        Pays(17, TimeSpan.FromMilliseconds(1));
        Assert.True(wakefulness.Awake);
    }

    [Fact]
    public void Who_sends_something_now_and_then_keeps_nobody_awake()
    {
        for (var i = 0; i < 100_000; i++, time.Advance(TimeSpan.FromMilliseconds(2)))
        {
            wakefulness.Paid();
            Assert.False(wakefulness.Awake);
        }
        for (var letter = 0; letter < 100; letter++, time.Advance(TimeSpan.FromMilliseconds(50)))
        {
            Pays(8, TimeSpan.FromMicroseconds(50));
            Assert.False(wakefulness.Awake);
        }
    }

    [Fact]
    public void The_request_ends_with_the_server()
    {
        Pays(100, TimeSpan.FromMicroseconds(50));
        wakefulness.Dispose();
        Assert.False(wakefulness.Awake);
        Pays(100, TimeSpan.FromMicroseconds(50));
        Assert.False(wakefulness.Awake);
    }

    [Fact]
    public void Without_the_device_nothing_is_asked_for()
    {
        using var elsewhere = new Wakefulness(time, device + ".missing");
        for (var i = 0; i < 100; i++) elsewhere.Paid();
        Assert.False(elsewhere.Awake);
    }
}
