using System.Runtime.InteropServices;

namespace CbaMail.Storage;

/// <summary>What the framework does not offer of the operating system.</summary>
static partial class Posix
{
    const int ReadOnlyDirectory = 0x10000; // O_RDONLY | O_DIRECTORY

    /// <summary>Makes new and removed names of a directory durable: fsync of a file does not cover its name.</summary>
    public static void FlushDirectory(string path)
    {
        var handle = open(path, ReadOnlyDirectory);
        if (handle < 0) return;
        _ = fsync(handle);
        _ = close(handle);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)] private static partial int open(string path, int flags);
    [LibraryImport("libc")] private static partial int fsync(int handle);
    [LibraryImport("libc")] private static partial int close(int handle);
}
