using System.IO.Pipelines;

namespace CbaMail.Net;

/// <summary>
/// One accepted socket as a pair of pipes, without a thread or a buffer of its own while it waits. Reads and writes go straight to the
/// kernel from where the reader and the writer keep their bytes.
/// </summary>
sealed class SocketTransport : IDuplexPipe, EventLoop.IWaiting
{
    const int MostDrained = 256 << 10;

    readonly EventLoop loop;
    readonly int descriptor;
    readonly ulong number;
    readonly Lock gate = new();
    uint waiting; // the events that reader and writer wait for
    bool known;   // to epoll
    bool closed;
    volatile bool inline;

    public SocketTransport(EventLoop loop, int descriptor, bool inline, TimeProvider time)
    {
        (this.loop, this.descriptor, this.inline) = (loop, descriptor, inline);
        number = loop.Register(descriptor, this);
        Reader = new SocketReader(this);
        Writer = new SocketWriter(this, time);
    }

    /// <summary>Whether what waits goes on upon the loop's own thread: only where nothing then computes or reads long.</summary>
    public bool RunsInline { get => inline; set => inline = value; }

    public SocketReader Reader { get; }
    public SocketWriter Writer { get; }
    PipeReader IDuplexPipe.Input => Reader;
    PipeWriter IDuplexPipe.Output => Writer;

    // under the lock: a descriptor that has been closed may be somebody else's by now
    internal int Receive(Span<byte> into)
    {
        lock (gate) return closed ? 0 : Epoll.Receive(descriptor, into);
    }

    internal int Send(ReadOnlySpan<byte> from)
    {
        lock (gate) return closed ? Epoll.Broken : Epoll.Send(descriptor, from);
    }

    public void AcknowledgeAtOnce()
    {
        lock (gate)
        {
            if (!closed) Epoll.AcknowledgeAtOnce(descriptor);
        }
    }

    /// <summary>Before a wait: whether looking out for bytes has brought some. Only on the loop's own threads.</summary>
    internal bool LookOut(Func<bool> receive) => inline && loop.LookOut(number, receive);

    /// <summary>Asks for an event; when it comes, the reader's or the writer's <c>Go</c> is called, once.</summary>
    /// <exception cref="IOException">The connection has been closed, or the kernel has no room.</exception>
    internal void Await(uint what)
    {
        lock (gate)
        {
            if (closed) throw new IOException("the connection has been closed");
            waiting |= what;
            loop.Arm(number, waiting, isNew: !known);
            known = true;
        }
    }

    /// <summary>Takes a wait back.</summary>
    /// <returns>False if its event is already on the way to <c>Go</c>.</returns>
    internal bool Withdraw(uint what)
    {
        lock (gate)
        {
            if ((waiting & what) == 0) return false;
            waiting &= ~what;
            return true;
        }
    }

    void EventLoop.IWaiting.Happened(uint events)
    {
        uint ready;
        lock (gate)
        {
            ready = (events & (Epoll.Error | Epoll.HangUp)) != 0 ? waiting : waiting & events;
            waiting &= ~ready;
            if (waiting != 0 && !closed) loop.Arm(number, waiting, isNew: false);
        }
        if (ready == (Epoll.Readable | Epoll.Writable)) ThreadPool.UnsafeQueueUserWorkItem(Writer, preferLocal: false);
        else if ((ready & Epoll.Writable) != 0) Go(Writer);
        if ((ready & Epoll.Readable) != 0) Go(Reader);
    }

    void Go(IThreadPoolWorkItem one)
    {
        if (inline) one.Execute();
        else ThreadPool.UnsafeQueueUserWorkItem(one, preferLocal: false);
    }

    /// <summary>Ends both directions at once: whoever waits finds the end. The descriptor stays until <see cref="Close"/>.</summary>
    public void Abort()
    {
        lock (gate)
        {
            if (!closed) Epoll.EndBoth(descriptor);
        }
    }

    /// <summary>Closes. What the peer sent and nobody read is thrown away first, or the kernel would answer it by a reset that takes our last words with it.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
        }
        Reader.Complete();
        Writer.Complete();
        Drain(descriptor);
        loop.Forget(number);
        Epoll.Close(descriptor);
    }

    static void Drain(int descriptor)
    {
        Span<byte> nowhere = stackalloc byte[4096];
        for (var drained = 0; drained < MostDrained;)
        {
            var count = Epoll.Receive(descriptor, nowhere);
            if (count <= 0) return;
            drained += count;
            if (count < nowhere.Length) return;
        }
    }
}
