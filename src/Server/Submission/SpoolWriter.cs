using System.Buffers;
using CbaMail.Storage;

namespace CbaMail.Submission;

/// <summary>Writes into a spool through one pooled buffer.</summary>
sealed class SpoolWriter(SpooledMessage spool) : IBufferWriter<byte>, IDisposable
{
    byte[] buffer = ArrayPool<byte>.Shared.Rent(32 * 1024);
    int count;

    public void Advance(int written) => count += written;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return buffer.AsMemory(count);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    void Reserve(int size)
    {
        if (buffer.Length - count >= size) return;
        Flush();
        if (buffer.Length >= size) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = ArrayPool<byte>.Shared.Rent(size);
    }

    public void Flush()
    {
        if (count > 0) spool.Append(buffer.AsSpan(0, count));
        count = 0;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
}
