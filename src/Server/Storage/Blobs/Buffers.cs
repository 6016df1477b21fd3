using System.Buffers;

namespace CbaMail.Storage.Blobs;

/// <summary>
/// Arrays that are lent: small ones from the shared pool, large ones made and left to the collector. The pool keeps an array a thread and size
/// for half a minute, rounded up to a power of two: a few messages of 24 MB would hold hundreds, untouched and nevertheless counted against
/// the limit of the heap.
/// </summary>
static class Buffers
{
    const int MostPooled = 1 << 20;

    public static byte[] Rent(int least) => least <= MostPooled ? ArrayPool<byte>.Shared.Rent(least) : GC.AllocateUninitializedArray<byte>(least);

    public static void Return(byte[] array)
    {
        if (array.Length is > 0 and <= MostPooled) ArrayPool<byte>.Shared.Return(array);
    }
}
