using System.Runtime.InteropServices;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// Memory straight from the system, for what is large and soon over: only the pages that are written to are taken, so that the bound of a compression
/// may be asked for, and they are given back at once, while the collector comes round to a dead array when it likes.
/// </summary>
sealed unsafe partial class Region : IDisposable
{
    const int ReadWrite = 1 | 2; // PROT_READ | PROT_WRITE
    const int PrivateAnonymous = 2 | 0x20; // MAP_PRIVATE | MAP_ANONYMOUS

    readonly int length;
    nint start;

    /// <exception cref="OutOfMemoryException">The system has no such range to give.</exception>
    public Region(int length)
    {
        start = mmap(0, (nuint)length, ReadWrite, PrivateAnonymous, -1, 0);
        if (start == -1) throw new OutOfMemoryException($"The system gives no {length} bytes of memory.");
        this.length = length;
    }

    /// <summary>Zeros at first; empty when given back.</summary>
    public Span<byte> Span => start == 0 ? default : new((void*)start, length);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref start, 0) is not 0 and var taken) _ = munmap(taken, (nuint)length);
        GC.SuppressFinalize(this);
    }

    ~Region() => Dispose();

    [LibraryImport("libc")] private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);
    [LibraryImport("libc")] private static partial int munmap(nint address, nuint length);
}
