using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace CbaMail.Net;

/// <summary>Our bytes to the peer. Nothing is sent before a flush; a flush is done when the kernel has taken all. A peer that has gone is told by the result, not by an exception.</summary>
sealed class SocketWriter(SocketTransport socket, TimeProvider time) : GatheringWriter, IValueTaskSource<FlushResult>, IThreadPoolWorkItem
{
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    static readonly FlushResult Sent = new(isCanceled: false, isCompleted: false), Gone = new(isCanceled: false, isCompleted: true);

    ManualResetValueTaskSourceCore<FlushResult> source;
    int sent;
    bool gone;
    int cancelled;
    volatile bool waits; // for the kernel, which reads from the buffer: nobody else touches it

    public override long UnflushedBytes => written - sent;

    private protected override void Check()
    {
        base.Check();
        if (waits) throw new IOException("The peer has not taken what was flushed before");
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (waits) return new(Gone); // whoever did not wait for the last one has given the connection up
        if (written == 0 || completed) return new(gone ? Gone : Sent);
        if (Send() is { } outcome) return new(outcome);
        source.Reset();
        waits = true;
        socket.Await(Epoll.Writable);
        return WaitAsync(new ValueTask<FlushResult>(this, source.Version).AsTask(), cancellationToken);
    }

    /// <summary>A peer that reads nothing is not waited for without end.</summary>
    async ValueTask<FlushResult> WaitAsync(Task<FlushResult> flush, CancellationToken cancel)
    {
        await using var wake = cancel.UnsafeRegister(static state => ((SocketWriter)state!).CancelPendingFlush(), this);
        try
        {
            var result = await flush.WaitAsync(Patience, time, CancellationToken.None);
            if (result.IsCanceled) cancel.ThrowIfCancellationRequested();
            return result;
        }
        catch (TimeoutException)
        {
            socket.Abort();
            return Gone;
        }
    }

    /// <summary>Null: the kernel takes no more for now.</summary>
    FlushResult? Send()
    {
        while (!gone && sent < written)
        {
            var bytes = buffer;
            var count = bytes.Length < written ? Epoll.Broken : socket.Send(bytes.AsSpan(sent, written - sent)); // an end beside us takes the buffer away
            if (count > 0) sent += count;
            else if (count == Epoll.Again) return null;
            else gone = count != Epoll.Interrupted;
        }
        (written, sent) = (0, 0);
        GiveBack();
        return gone ? Gone : Sent;
    }

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            if (Interlocked.Exchange(ref cancelled, 0) == 1) source.SetResult(new FlushResult(isCanceled: true, isCompleted: gone));
            else if (Send() is { } outcome) source.SetResult(outcome);
            else socket.Await(Epoll.Writable);
        }
        catch (IOException)
        {
            gone = true;
            source.SetResult(Gone);
        }
    }

    public override void CancelPendingFlush()
    {
        if (!socket.Withdraw(Epoll.Writable)) return;
        Volatile.Write(ref cancelled, 1);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false); // not on the caller's thread: it may be the clock's
    }

    /// <summary>Gives the buffer back; what was not flushed is lost.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (completed) return;
        completed = true;
        GiveBack();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        waits = false;
        return source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => source.GetStatus(token);
    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
