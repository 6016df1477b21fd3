using System.Buffers;
using System.IO.Pipelines;

namespace CbaMail.Net;

/// <summary>
/// What the peer has compressed (RFC 4978), inflated as it is asked for: however much a few octets stand for, there is never more of it here than
/// whoever reads wants to see at once. Between two lines nothing is kept but the sender's last octets, which it may repeat.
/// </summary>
sealed class InflatingReader(PipeReader below) : PipeReader
{
    const int Piece = 8 << 10;
    const int Most = 4 << 20; // as of SocketReader
    const byte EmptyLastBlock = 3; // RFC 1951 3.2.3: how a compressor ends after a flush; no command begins so

    readonly Inflater inflater = new();
    byte[] buffer = [];
    int start, end;  // what has not been consumed
    int examined;    // up to here the consumer wants more than there is
    bool holdsMore;  // the inflater had no room for all
    bool isFlushed;  // nothing has come since the sender flushed
    bool ended, ending, completed;

    /// <summary>The peer has sent what is no deflate stream: nothing more comes.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The compressed stream is over: all that comes is passed on as it is.</summary>
    public bool IsPlain { get; private set; }

    internal int Kept => inflater.Kept + buffer.Length;

    /// <summary>
    /// The peer compresses no more (RFC 8437 4.1): from where its stream ends, what it sends is read as it is. Until here all has been
    /// consumed that was inflated. The stream ends with its last block, or where it was flushed.
    /// </summary>
    public void End()
    {
        ending = true;
        if (start < end || IsBroken)
        {
            Break();
            GiveBack();
        }
        else if (ended) (IsPlain, ended) = (true, false);
    }

    void Break() => (IsBroken, ended) = (true, true);

    public override bool TryRead(out ReadResult result)
    {
        ObjectDisposedException.ThrowIf(completed, this);
        while (true)
        {
            if (IsPlain) return below.TryRead(out result);
            if (examined < end || ended) { result = Result(canceled: false); return true; }
            if (holdsMore)
            {
                Inflate([], out _);
                continue;
            }
            if (!below.TryRead(out var compressed)) { result = default; return false; }
            if (Take(compressed)) { result = Result(canceled: true); return true; }
        }
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryRead(out var result)) return result;
            if (IsPlain) return await below.ReadAsync(cancellationToken);
            if (Take(await below.ReadAsync(cancellationToken))) return Result(canceled: true);
        }
    }

    ReadResult Result(bool canceled) => new(start == end ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(buffer, start, end - start), canceled, ended);

    /// <returns>Whether somebody has cancelled the read, and nothing has come with it.</returns>
    bool Take(in ReadResult compressed)
    {
        var bytes = compressed.Buffer;
        if (ending && isFlushed && !bytes.IsEmpty && bytes.FirstSpan[0] != EmptyLastBlock)
        {
            below.AdvanceTo(bytes.Start);
            IsPlain = true;
            return false;
        }
        var (taken, any) = (0L, false);
        foreach (var piece in bytes)
        {
            any = Inflate(piece.Span, out var consumed);
            taken += consumed;
            if (any || consumed < piece.Length || ended || IsPlain) break;
        }
        var whole = taken == bytes.Length;
        below.AdvanceTo(bytes.GetPosition(taken));
        if (whole && compressed.IsCompleted && !holdsMore && !IsPlain) ended = true;
        return compressed.IsCanceled && !any && !ended && !IsPlain;
    }

    /// <summary>Inflates until there is something to see, or all is taken.</summary>
    /// <returns>Whether there is.</returns>
    bool Inflate(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = 0;
        while (true)
        {
            MakeRoom();
            var stop = inflater.Inflate(input[consumed..], buffer.AsSpan(end), out var taken, out var given);
            consumed += taken;
            end += given;
            holdsMore = stop == InflateStop.OutputFull;
            if (stop == InflateStop.Flushed) isFlushed = true;
            else if (taken > 0) isFlushed = false;
            if (ending && given > 0) (end, stop, given) = (start, InflateStop.Broken, 0);
            if (stop == InflateStop.Broken) Break();
            else if (stop == InflateStop.Finished) (ended, IsPlain) = (!ending, ending);
            else if (stop == InflateStop.Flushed && given == 0 && consumed < input.Length && !ending) continue;
            if (start == end) GiveBack();
            return given > 0;
        }
    }

    void MakeRoom()
    {
        if (end < buffer.Length) return;
        if (buffer.Length >= Most && start == 0) throw new IOException("The peer sent more than anybody reads");
        var larger = start > 0 ? buffer : ArrayPool<byte>.Shared.Rent(Math.Max(Piece, buffer.Length * 2));
        buffer.AsSpan(start, end - start).CopyTo(larger);
        if (larger != buffer && buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        (buffer, examined, end, start) = (larger, Math.Max(0, examined - start), end - start, 0);
    }

    void GiveBack()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer, clearArray: true); // may have held a password
        (buffer, start, end, examined) = ([], 0, 0, 0);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (IsPlain) { below.AdvanceTo(consumed, examined); return; }
        if (buffer.Length == 0) return; // the end, or a cancellation, without bytes
        start = consumed.GetInteger();
        this.examined = Math.Max(start, examined.GetInteger());
        if (start == end) GiveBack();
    }

    public override void CancelPendingRead() => below.CancelPendingRead();

    /// <summary>Gives the buffer back. The reader below belongs to whoever made it.</summary>
    public override void Complete(Exception? exception = null)
    {
        completed = true;
        GiveBack();
    }
}
