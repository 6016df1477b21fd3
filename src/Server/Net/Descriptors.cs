using System.Runtime.InteropServices;

namespace CbaMail.Net;

/// <summary>
/// Whether the process comes near its limit of open files. The kernel gives each new one the lowest free number: one whose number is near
/// the limit says that nearly all below it are taken. The runtime needs a descriptor for each thread that it makes, and ends the process
/// where it gets none: so everything that strangers can make us open stops before.
/// </summary>
public static partial class Descriptors
{
    const int OpenFiles = 7; // RLIMIT_NOFILE
    static long looked = long.MinValue / 2;
    static int limit = int.MaxValue;

    /// <summary>An eighth, at least 24 and at most 256.</summary>
    static int Reserve(int limit) => Math.Clamp(limit / 8, 24, 256);

    /// <summary>No further connection should be let in.</summary>
    public static bool AreShort(int opened) => Distance(opened) is var (left, reserve) && left < reserve;

    /// <summary>Those who are in, and mail that leaves, should open nothing more either; packs and threads may.</summary>
    public static bool AreScarce(SafeHandle opened) => Distance(opened.DangerousGetHandle()) is var (left, reserve) && left < reserve / 2;

    static (long Left, int Reserve)? Distance(long opened)
    {
        if (!OperatingSystem.IsLinux()) return null;
        var most = Limit();
        return (most - opened, Reserve(most));
    }

    // it may be changed while we run (prlimit)
    static int Limit()
    {
        var now = Environment.TickCount64;
        if (now - Volatile.Read(ref looked) < 200) return Volatile.Read(ref limit);
        Volatile.Write(ref looked, now);
        if (getrlimit(OpenFiles, out var found) == 0) Volatile.Write(ref limit, (int)Math.Min(found.Current, int.MaxValue));
        return Volatile.Read(ref limit);
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Bounds { public ulong Current, Most; }

    [LibraryImport("libc")] private static partial int getrlimit(int resource, out Bounds bounds);
}
