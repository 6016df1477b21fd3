using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// Zstandard (RFC 8878) by the system's libzstd. A prefix of up to 256 KiB that resembles the data serves as dictionary:
/// a personalised mail then costs some hundred bytes.
/// </summary>
static partial class Zstd
{
    const string Library = "libzstd.so.1";
    const int CompressionLevel = 100; // ZSTD_c_compressionLevel
    const int Level = 1;

    // as many as were ever at work at once, about a mebibyte each: pool threads come and go, and one for each of them adds up
    static readonly ConcurrentBag<Contexts> idle = [];

    /// <summary>Whether libzstd is present; without it records are stored as they are.</summary>
    public static bool IsAvailable { get; } = NativeLibrary.TryLoad(Library, out _);

    /// <summary>Compresses into a rented array, or returns 0 where that does not make it smaller.</summary>
    public static unsafe int Compress(ReadOnlySpan<byte> data, ReadOnlySpan<byte> prefix, out byte[] rented)
    {
        rented = [];
        if (!IsAvailable || data.Length < 64) return 0;
        rented = Buffers.Rent((int)ZSTD_compressBound((nuint)data.Length));
        var contexts = Take();
        var context = contexts.Compressor;
        Check(ZSTD_CCtx_setParameter(context, CompressionLevel, Level));
        fixed (byte* from = data, to = rented, like = prefix)
        {
            if (!prefix.IsEmpty) Check(ZSTD_CCtx_refPrefix(context, (nint)like, (nuint)prefix.Length));
            var size = Check(ZSTD_compress2(context, (nint)to, (nuint)rented.Length, (nint)from, (nuint)data.Length));
            idle.Add(contexts); // one that has failed is not used again
            if ((int)size < data.Length - data.Length / 32) return (int)size;
        }
        Buffers.Return(rented);
        rented = [];
        return 0;
    }

    /// <exception cref="IOException">The data are damaged.</exception>
    public static unsafe void Decompress(ReadOnlySpan<byte> data, ReadOnlySpan<byte> prefix, Span<byte> output)
    {
        if (!IsAvailable) throw new IOException("libzstd.so.1 is missing: install the package libzstd1 to read what was compressed with it.");
        var contexts = Take();
        var context = contexts.Decompressor;
        fixed (byte* from = data, to = output, like = prefix)
        {
            if (!prefix.IsEmpty) Check(ZSTD_DCtx_refPrefix(context, (nint)like, (nuint)prefix.Length));
            var size = ZSTD_decompressDCtx(context, (nint)to, (nuint)output.Length, (nint)from, (nuint)data.Length);
            if (ZSTD_isError(size) != 0 || (int)size != output.Length) throw new DamageError("A stored object cannot be decompressed: it is damaged.");
            idle.Add(contexts);
        }
    }

    /// <summary>The first of several frames: how many bytes it has, and how many it becomes; zeros where there is one alone.</summary>
    public static unsafe (int Stored, int Raw) FirstOf(ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
        {
            var stored = IsAvailable ? ZSTD_findFrameCompressedSize((nint)from, (nuint)data.Length) : 0;
            if (stored == 0 || stored >= (nuint)data.Length) return default; // alone, or an error, which is a huge number
            var raw = ZSTD_getFrameContentSize((nint)from, (nuint)data.Length);
            return raw is > 0 and < PackRecord.PieceBytes ? ((int)stored, (int)raw) : default;
        }
    }

    static Contexts Take() => idle.TryTake(out var contexts) ? contexts : new Contexts();

    static nuint Check(nuint code) => ZSTD_isError(code) == 0 ? code : throw new IOException("libzstd reports error " + (long)code);

    sealed class Contexts
    {
        public readonly nint Compressor = ZSTD_createCCtx();
        public readonly nint Decompressor = ZSTD_createDCtx();

        ~Contexts()
        {
            _ = ZSTD_freeCCtx(Compressor);
            _ = ZSTD_freeDCtx(Decompressor);
        }
    }

    [LibraryImport(Library)] private static partial nint ZSTD_createCCtx();
    [LibraryImport(Library)] private static partial nint ZSTD_createDCtx();
    [LibraryImport(Library)] private static partial nuint ZSTD_freeCCtx(nint context);
    [LibraryImport(Library)] private static partial nuint ZSTD_freeDCtx(nint context);
    [LibraryImport(Library)] private static partial nuint ZSTD_compressBound(nuint size);
    [LibraryImport(Library)] private static partial nuint ZSTD_findFrameCompressedSize(nint from, nuint size);
    [LibraryImport(Library)] private static partial ulong ZSTD_getFrameContentSize(nint from, nuint size);
    [LibraryImport(Library)] private static partial uint ZSTD_isError(nuint code);
    [LibraryImport(Library)] private static partial nuint ZSTD_CCtx_setParameter(nint context, int parameter, int value);
    [LibraryImport(Library)] private static partial nuint ZSTD_CCtx_refPrefix(nint context, nint prefix, nuint size);
    [LibraryImport(Library)] private static partial nuint ZSTD_DCtx_refPrefix(nint context, nint prefix, nuint size);
    [LibraryImport(Library)] private static partial nuint ZSTD_compress2(nint context, nint to, nuint capacity, nint from, nuint size);
    [LibraryImport(Library)] private static partial nuint ZSTD_decompressDCtx(nint context, nint to, nuint capacity, nint from, nuint size);
}
