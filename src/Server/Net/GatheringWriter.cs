using System.Buffers;
using System.IO.Pipelines;

namespace CbaMail.Net;

/// <summary>A writer that gathers bytes in one buffer of the pool until they are flushed.</summary>
abstract class GatheringWriter : PipeWriter
{
    const int Usual = 4 << 10, Long = 64 << 10;

    private protected byte[] buffer = [];
    private protected int written;
    private protected bool completed;

    public override bool CanGetUnflushedBytes => true;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return buffer.AsMemory(written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return buffer.AsSpan(written);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(buffer.Length - written));
        written += bytes;
    }

    /// <summary>Throws where nothing may be written now.</summary>
    private protected virtual void Check() => ObjectDisposedException.ThrowIf(completed, this);

    void MakeRoom(int size)
    {
        Check();
        size = Math.Max(size, 1);
        if (buffer.Length - written >= size) return;
        // an answer that has outgrown two buffers is a long one: it is not copied from each size to the next
        var least = written == 0 ? Usual : buffer.Length <= 2 * Usual ? buffer.Length * 2 : Math.Max(Long, buffer.Length * 2);
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(least, written + size));
        buffer.AsSpan(0, written).CopyTo(larger);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    // exchanged: whoever completes beside a flush that ends must not give the same array back
    private protected void GiveBack()
    {
        var array = Interlocked.Exchange(ref buffer, []);
        if (array.Length > 0) ArrayPool<byte>.Shared.Return(array);
    }
}
