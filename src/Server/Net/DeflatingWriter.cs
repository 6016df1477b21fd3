using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;

namespace CbaMail.Net;

/// <summary>
/// Compresses what is flushed (RFC 4978): each flush ends at a whole octet, so that the peer has all of it (RFC 1951 3.2.4: an empty stored block).
/// A compressor takes a third of a megabyte. The few connections that wrote last keep theirs, with what it may repeat; the others' is given up, and
/// a new one goes on in the same stream: what refers to nothing before itself may follow anything. For a short answer none is made.
/// </summary>
sealed class DeflatingWriter(PipeWriter below) : GatheringWriter
{
    const int Short = 1 << 10;
    internal const int MostKept = 16;

    static readonly DeflatingWriter?[] keepers = new DeflatingWriter?[MostKept];
    static int lastKeeper;

    Compressor? kept;
    int place = -1; // among the keepers

    public override long UnflushedBytes => written;

    internal bool HoldsCompressor => Volatile.Read(ref kept) is not null;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (written > 0 && !completed) Compress();
        return below.FlushAsync(cancellationToken);
    }

    void Compress()
    {
        // exchanged: another connection may be taking it away
        var compressor = Interlocked.Exchange(ref kept, null);
        if (compressor is null && written < Short)
        {
            // RFC 1951 3.2.4: a stored block: BFINAL and BTYPE 0, LEN, NLEN
            below.Write<byte>([0, (byte)written, (byte)(written >> 8), (byte)~written, (byte)(~written >> 8)]);
            below.Write(buffer.AsSpan(0, written));
            Clear();
            return;
        }
        compressor ??= new Compressor(below);
        compressor.Write(buffer.AsSpan(0, written));
        Clear();
        Volatile.Write(ref kept, compressor);
        Keep();
    }

    void Keep()
    {
        if (place >= 0 && Volatile.Read(ref keepers[place]) == this) return;
        place = (int)((uint)Interlocked.Increment(ref lastKeeper) % MostKept);
        Interlocked.Exchange(ref keepers[place], this)?.GiveUp();
        if (completed) Release();
    }

    void GiveUp() => Interlocked.Exchange(ref kept, null)?.Dispose();

    /// <summary>Ends the compressed stream (RFC 1951 3.2.3: a last block, an empty one); the next flush of the writer below sends it.</summary>
    public void Finish()
    {
        if (written > 0) Compress();
        below.Write<byte>([3, 0]);
        Complete();
    }

    public override void CancelPendingFlush() => below.CancelPendingFlush();

    /// <summary>Gives all back; what was not flushed is lost. The writer below belongs to whoever made it.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (completed) return;
        completed = true;
        Clear();
        Release();
    }

    void Release()
    {
        if (place >= 0) Interlocked.CompareExchange(ref keepers[place], null, this);
        GiveUp();
    }

    void Clear()
    {
        GiveBack();
        written = 0;
    }

    /// <summary>The framework's compressor, of raw deflate, into a pipe.</summary>
    sealed class Compressor : IDisposable
    {
        readonly Sink sink;
        readonly DeflateStream deflate;

        public Compressor(PipeWriter to)
        {
            sink = new Sink(to);
            deflate = new DeflateStream(sink, CompressionLevel.Fastest, leaveOpen: true);
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            deflate.Write(bytes);
            deflate.Flush();
        }

        public void Dispose()
        {
            sink.IsClosed = true; // it would write its last block in the midst of a stream
            deflate.Dispose();
        }
    }

    sealed class Sink(PipeWriter to) : Stream
    {
        public bool IsClosed { get; set; }

        public override void Write(ReadOnlySpan<byte> bytes)
        {
            if (!IsClosed) to.Write(bytes);
        }

        public override void Write(byte[] bytes, int offset, int count) => Write(bytes.AsSpan(offset, count));
        public override void Flush() { }
        public override bool CanRead => false;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
