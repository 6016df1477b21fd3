using Microsoft.Win32.SafeHandles;

namespace CbaMail.Net;

/// <summary>
/// A descriptor kept for the day on which there is no other: it is given up for a moment, so that a newcomer can be let in, told why he
/// cannot stay, and let go. Without it an acceptor would be woken at once again and again by a connection that it cannot take.
/// </summary>
sealed class SpareDescriptor(TimeProvider time, ILogger<Listeners> log) : IDisposable
{
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);
    readonly Lock gate = new();
    SafeFileHandle? spare = File.OpenHandle("/dev/null");
    long told;

    /// <summary>Runs this while a descriptor is free.</summary>
    /// <returns>What it returned.</returns>
    public bool Lend(Func<bool> take)
    {
        Tell();
        lock (gate)
        {
            spare?.Dispose();
            spare = null;
            try
            {
                return take();
            }
            finally
            {
                try { spare = File.OpenHandle("/dev/null"); }
                catch (IOException) { spare = null; } // somebody was quicker: the next time
            }
        }
    }

    /// <summary>Says this, if anything, and closes. Here and not in a session: a crowd that comes at once must not get past the last descriptors.</summary>
    public void TurnAway(int descriptor, byte[]? farewell)
    {
        Tell();
        if (farewell is not null) _ = Epoll.Send(descriptor, farewell);
        Epoll.Close(descriptor);
    }

    // once a minute: the trouble is one, the connections are many
    void Tell()
    {
        var now = time.GetTimestamp();
        if (told != 0 && time.GetElapsedTime(told, now) < Quiet) return;
        told = now;
        NetTelemetry.OutOfDescriptors(log);
    }

    public void Dispose() => spare?.Dispose();
}
