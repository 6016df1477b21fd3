using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Net;

/// <summary>
/// The peer's bytes. There is a buffer only while there are bytes in it; one array holds them all, so that a line or a part of a message
/// is one span. One read at a time, as of every <see cref="PipeReader"/>.
/// </summary>
sealed class SocketReader(SocketTransport socket) : PipeReader, IValueTaskSource<ReadResult>, IThreadPoolWorkItem
{
    const int Usual = 16 << 10;
    const int Most = 4 << 20; // nobody who speaks a protocol of lines leaves more unread
    const int MostInARow = 4; // then others have their turn

    ManualResetValueTaskSourceCore<ReadResult> source;
    byte[] buffer = [];
    int start, end;     // what has not been consumed
    int examined;       // up to here the consumer wants more than there is
    bool mayHaveMore;   // the last receive filled the buffer
    int inARow;         // receives without a wait
    bool ended, completed;
    Func<bool>? receive;
    int cancelled;      // by CancelPendingRead

    public override bool TryRead(out ReadResult result)
    {
        ObjectDisposedException.ThrowIf(completed, this);
        if (Interlocked.Exchange(ref cancelled, 0) == 1)
        {
            result = Result(canceled: true);
            return true;
        }
        if (!HasNews && mayHaveMore && inARow++ < MostInARow) Receive();
        result = HasNews ? Result(canceled: false) : default;
        return HasNews;
    }

    /// <summary>Lets the next <see cref="TryRead"/> look into the kernel.</summary>
    internal void LookAgain() => (mayHaveMore, inARow) = (true, 0);

    bool HasNews => examined < end || ended;

    ReadResult Result(bool canceled) => new(start == end ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(buffer, start, end - start), canceled, ended);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (TryRead(out var result) || (socket.LookOut(receive ??= ReceiveNews) && TryRead(out result))) return new(result);
        source.Reset();
        inARow = 0;
        socket.Await(Epoll.Readable);
        // a cancellation that came before we waited has found nobody to wake
        if (Volatile.Read(ref cancelled) == 1) Wake();
        var read = new ValueTask<ReadResult>(this, source.Version);
        return cancellationToken.CanBeCanceled ? Cancellable(read, cancellationToken) : read;
    }

    async ValueTask<ReadResult> Cancellable(ValueTask<ReadResult> read, CancellationToken cancel)
    {
        await using var wake = cancel.UnsafeRegister(static state => ((SocketReader)state!).CancelPendingRead(), this);
        var result = await read;
        if (!result.IsCanceled || !cancel.IsCancellationRequested) return result;
        AdvanceTo(result.Buffer.Start);
        throw new OperationCanceledException(cancel);
    }

    /// <summary>There is something to receive, or somebody has cancelled.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            var canceled = Interlocked.Exchange(ref cancelled, 0) == 1;
            if (!canceled)
            {
                Receive();
                if (!HasNews)
                {
                    socket.Await(Epoll.Readable); // woken for nothing
                    if (Volatile.Read(ref cancelled) == 1) Wake();
                    return;
                }
            }
            source.SetResult(Result(canceled));
        }
        catch (Exception e) // no memory, too: on the pool's thread it would end the process
        {
            source.SetException(e);
        }
    }

    bool ReceiveNews()
    {
        Receive();
        return HasNews;
    }

    void Receive()
    {
        MakeRoom();
        int count;
        do count = socket.Receive(buffer.AsSpan(end)); while (count == Epoll.Interrupted);
        mayHaveMore = count == buffer.Length - end;
        if (count > 0) end += count;
        else
        {
            GiveBack();
            if (count == 0) ended = true;
            else if (count != Epoll.Again) throw new ConnectionResetException(Epoll.Failure(count).Message);
        }
    }

    void MakeRoom()
    {
        if (end < buffer.Length) return;
        if (buffer.Length >= Most && start == 0) throw new IOException("The peer sent more than anybody reads");
        var larger = start > 0 ? buffer : ArrayPool<byte>.Shared.Rent(Math.Max(Usual, buffer.Length * 2));
        buffer.AsSpan(start, end - start).CopyTo(larger);
        if (larger != buffer && buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        (buffer, examined, end, start) = (larger, examined - start, end - start, 0);
    }

    void GiveBack()
    {
        if (start < end) return;
        Return(Interlocked.Exchange(ref buffer, []));
        (start, end, examined) = (0, 0, 0);
    }

    // exchanged before: whoever completes beside a read that ends must not give the same array back
    static void Return(byte[] array)
    {
        if (array.Length > 0) ArrayPool<byte>.Shared.Return(array);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (buffer.Length == 0) return; // the end, or a cancellation, without bytes
        start = consumed.GetInteger();
        this.examined = Math.Max(start, examined.GetInteger());
        GiveBack();
    }

    public override void CancelPendingRead()
    {
        Volatile.Write(ref cancelled, 1);
        Wake();
    }

    // not on the caller's thread: it may be the clock's
    void Wake()
    {
        if (socket.Withdraw(Epoll.Readable)) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Gives the buffer back; after the last read.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (completed) return;
        completed = true;
        start = end;
        GiveBack();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => source.GetResult(token);
    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => source.GetStatus(token);
    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
