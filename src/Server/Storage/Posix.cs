using System.Runtime.InteropServices;

namespace CbaMail.Storage;

/// <summary>What the framework does not offer of the operating system.</summary>
static partial class Posix
{
    const int ReadOnlyDirectory = 0x10000; // O_RDONLY | O_DIRECTORY
    const int InvalidArgument = 22;
    const int Interrupted = 4;

    /// <summary>Makes new and removed names of a directory durable: fsync of a file does not cover its name.</summary>
    public static void FlushDirectory(string path)
    {
        var handle = open(path, ReadOnlyDirectory);
        if (handle < 0) throw Error(path);
        var failed = fsync(handle) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument; // file systems without it say so
        var error = failed ? Error(path) : null;
        _ = close(handle);
        if (error is not null) throw error;
    }

    /// <summary>A directory as a descriptor, by which what lies in it can be named shortly: <c>/proc/self/fd/N/name</c>.</summary>
    public static Microsoft.Win32.SafeHandles.SafeFileHandle OpenDirectory(string path)
    {
        var handle = open(path, ReadOnlyDirectory);
        return handle >= 0 ? new(handle, ownsHandle: true) : throw new IOException($"The directory {path} cannot be opened: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
    }

    /// <summary>Makes the bytes and the length of a file durable, not its times: those would be one write more for each flush.</summary>
    /// <exception cref="IOException">The disk failed to; its HResult is the system's number.</exception>
    public static void FlushData(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        while (fdatasync(file) != 0)
        {
            var number = Marshal.GetLastPInvokeError();
            if (number != Interrupted) throw new IOException($"What was written could not be made durable: {Marshal.GetPInvokeErrorMessage(number)}.", number);
        }
    }

    /// <summary>Begins to write a range out to the device, without a flush of the device's memory.</summary>
    public static void StartHandOver(Microsoft.Win32.SafeHandles.SafeFileHandle file, long position, long length) =>
        _ = sync_file_range(file, position, length, 2); // SYNC_FILE_RANGE_WRITE; what goes wrong is told to who waits

    /// <summary>Waits until all of a range is with the device.</summary>
    /// <exception cref="IOException">The device did not take it.</exception>
    public static void AwaitHandOver(Microsoft.Win32.SafeHandles.SafeFileHandle file, long position, long length)
    {
        while (sync_file_range(file, position, length, 7) != 0) // SYNC_FILE_RANGE_WRITE_AND_WAIT
        {
            var number = Marshal.GetLastPInvokeError();
            if (number != Interrupted) throw new IOException($"What was written did not reach the disk: {Marshal.GetPInvokeErrorMessage(number)}.", number);
        }
    }

    [LibraryImport("libc", SetLastError = true)] private static partial int sync_file_range(Microsoft.Win32.SafeHandles.SafeFileHandle file, long position, long length, uint flags);

    /// <summary>Whether the error says that no space, or no more of one's share of it, is left.</summary>
    public static bool IsFull(IOException error) => (error.HResult & 0xffff) is 28 or 122; // ENOSPC, EDQUOT

    /// <summary>Tells the kernel that a range of a file will not be read again: a copy of gigabytes must not push out what the server reads.</summary>
    public static void WillNotNeed(Microsoft.Win32.SafeHandles.SafeFileHandle file, long position, long length) =>
        _ = posix_fadvise(file, position, length, 4); // POSIX_FADV_DONTNEED

    [LibraryImport("libc")] private static partial int posix_fadvise(Microsoft.Win32.SafeHandles.SafeFileHandle file, long position, long length, int advice);

    /// <summary>Tells the kernel that reading the file once does not make its pages worth keeping (Linux 6.3 and later).</summary>
    public static void ReadOnce(Microsoft.Win32.SafeHandles.SafeFileHandle file) => _ = posix_fadvise(file, 0, 0, 5); // POSIX_FADV_NOREUSE

    /// <summary>Gives the calling thread, and on Linux it alone, a third of the weight of others where processors are scarce. It cannot be taken back.</summary>
    public static void YieldToOthers()
    {
        if (OperatingSystem.IsLinux()) _ = setpriority(0, 0, 5);
    }

    [LibraryImport("libc")] private static partial int setpriority(int which, uint who, int priority);

    static IOException Error(string path)
    {
        var number = Marshal.GetLastPInvokeError();
        return new IOException($"The names in {path} could not be made durable: {Marshal.GetPInvokeErrorMessage(number)}.", number);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)] private static partial int open(string path, int flags);
    /// <summary>From now on this process makes files and directories for its own user alone.</summary>
    public static void OwnersOnly() => umask(0x3f); // 077

    [LibraryImport("libc")] private static partial uint umask(uint mask);
    [LibraryImport("libc", SetLastError = true)] private static partial int fsync(int handle);
    [LibraryImport("libc", SetLastError = true)] private static partial int fdatasync(Microsoft.Win32.SafeHandles.SafeFileHandle handle);
    [LibraryImport("libc")] private static partial int close(int handle);
}
