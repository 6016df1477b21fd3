using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CbaMail.Net;

/// <summary>One port: takes its connections one after the other and hands them on. Without descriptors it does not spin; see <see cref="SpareDescriptor"/>.</summary>
sealed class Acceptor : EventLoop.IWaiting, IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    readonly EventLoop loop;
    readonly SpareDescriptor spare;
    readonly TimeProvider time;
    readonly Protocol protocol;
    readonly bool speaksFirst;
    readonly Action<Acceptor, int, IPEndPoint> accepted;
    readonly Socket socket;
    readonly int descriptor;
    readonly ulong number;
    readonly Lock gate = new();
    bool closed;

    /// <param name="listener">Null for a port that the settings do not know.</param>
    /// <param name="accepted">Given a descriptor that does not block, and whose it is; called on the loop's thread.</param>
    /// <exception cref="SocketException">The address cannot be had.</exception>
    public Acceptor(EventLoop loop, SpareDescriptor spare, TimeProvider time, EndPoint address, int backlog, ListenerSettings? listener, Action<Acceptor, int, IPEndPoint> accepted)
    {
        (this.loop, this.spare, this.time, this.accepted) = (loop, spare, time, accepted);
        protocol = listener?.Protocol ?? Protocol.Http;
        speaksFirst = listener is { ImplicitTls: false, Protocol: not Protocol.Http };
        socket = SocketTransportOptions.CreateDefaultBoundListenSocket(address);
        socket.NoDelay = true; // what is accepted inherits it
        socket.Blocking = false;
        socket.Listen(backlog);
        descriptor = (int)socket.Handle;
        number = loop.Register(descriptor, this);
        Arm(isNew: true);
    }

    public IPEndPoint Address => (IPEndPoint)socket.LocalEndPoint!;

    void Arm(bool isNew = false, uint events = Epoll.Readable)
    {
        lock (gate)
        {
            if (!closed) loop.Arm(number, events, isNew);
        }
    }

    int Accept(out IPEndPoint? remote)
    {
        remote = null;
        lock (gate) return closed ? Epoll.Again : Epoll.Accept(descriptor, out remote);
    }

    void EventLoop.IWaiting.Happened(uint events)
    {
        int connection;
        IPEndPoint? remote;
        try
        {
            connection = Accept(out remote);
        }
        catch (OutOfMemoryException)
        {
            Arm(); // or the port would be silent for ever
            throw;
        }
        if (connection >= 0) Enter(connection, remote);
        else if (connection is Epoll.Again or Epoll.Interrupted or Epoll.ConnectionAborted || TakeBySpare()) Arm();
        else _ = ArmLaterAsync(); // EMFILE, ENFILE, ENOBUFS, ENOMEM (accept(2))
    }

    void Enter(int connection, IPEndPoint? remote)
    {
        Arm(); // before this one is served: another thread takes the next
        if (remote is null) Epoll.Close(connection); // gone before it was looked at
        else if (Descriptors.AreShort(connection)) spare.TurnAway(connection, Farewell);
        else accepted(this, connection, remote);
    }

    /// <summary>
    /// Takes the next connection where it comes within a moment: a program that hands over mail with a connection for each is back at once.
    /// Called by a thread of the loop that has just seen a peer off.
    /// </summary>
    public void LookOut()
    {
        var (connection, remote, disarmed) = (Epoll.Again, (IPEndPoint?)null, false);
        try
        {
            loop.LookOutForNext(number, () =>
            {
                if (!disarmed) Arm(events: 0); // nobody else is to be woken for it
                disarmed = true;
                return (connection = Accept(out remote)) >= 0;
            });
        }
        finally
        {
            if (disarmed && connection < 0) Arm();
        }
        if (connection >= 0) Enter(connection, remote);
    }

    bool TakeBySpare() => spare.Lend(() =>
    {
        var connection = Accept(out _);
        if (connection < 0) return false;
        spare.TurnAway(connection, Farewell);
        return true;
    });

    byte[]? Farewell => speaksFirst ? Listeners.Farewell(protocol, Listeners.Busy) : null;

    async Task ArmLaterAsync()
    {
        await Task.Delay(Pause, time);
        Arm();
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
        }
        loop.Forget(number);
        socket.Dispose();
    }
}
