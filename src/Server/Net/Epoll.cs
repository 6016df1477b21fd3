using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace CbaMail.Net;

/// <summary>The calls of Linux below the line protocols: epoll(7) and sockets that never block. A failure is minus its error number.</summary>
static partial class Epoll
{
    public const uint Readable = 1, Writable = 4, Error = 8, HangUp = 16, OneShot = 1u << 30;
    public const int Again = -11, Interrupted = -4, ConnectionAborted = -103, Broken = -32;

    const int Add = 1, Modify = 3;
    const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    const int NoSignal = 0x4000, DontWait = 0x40;
    const int BothSides = 2;

    // struct epoll_event is packed on x86-64 and on nothing else
    static readonly int DataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public static int Create() => Outcome(epoll_create1(CloseOnExec));

    /// <summary>Asks once for the next of these events of a descriptor; they are told with this number.</summary>
    public static unsafe int Arm(int epoll, int descriptor, uint events, ulong number, bool isNew)
    {
        var wanted = stackalloc byte[16];
        *(uint*)wanted = events;
        *(ulong*)(wanted + DataAt) = number;
        return Outcome(epoll_ctl(epoll, isNew ? Add : Modify, descriptor, wanted));
    }

    /// <summary>Wakes everybody who waits, now and for ever.</summary>
    /// <returns>The descriptor to close afterwards.</returns>
    public static unsafe int WakeAll(int epoll, ulong number)
    {
        var signal = Outcome(eventfd(1, CloseOnExec));
        var wanted = stackalloc byte[16];
        *(uint*)wanted = Readable;
        *(ulong*)(wanted + DataAt) = number;
        if (signal >= 0) _ = epoll_ctl(epoll, Add, signal, wanted);
        return signal;
    }

    /// <summary>Waits for one event, without end.</summary>
    public static unsafe int Wait(int epoll, out uint events, out ulong number)
    {
        var happened = stackalloc byte[16];
        var count = Outcome(epoll_wait(epoll, happened, 1, -1));
        (events, number) = count == 1 ? (*(uint*)happened, *(ulong*)(happened + DataAt)) : (0, 0);
        return count;
    }

    /// <summary>The next connection that waits, as a descriptor that does not block, and who it is.</summary>
    public static unsafe int Accept(int listening, out IPEndPoint? remote)
    {
        var address = stackalloc byte[28]; // struct sockaddr_in6
        var length = 28;
        var descriptor = Outcome(accept4(listening, address, &length, NonBlocking | CloseOnExec));
        remote = descriptor < 0 ? null : EndPoint(new ReadOnlySpan<byte>(address, length));
        return descriptor;
    }

    public static unsafe IPEndPoint? Local(int descriptor)
    {
        var address = stackalloc byte[28];
        var length = 28;
        return getsockname(descriptor, address, &length) == 0 ? EndPoint(new ReadOnlySpan<byte>(address, length)) : null;
    }

    static IPEndPoint? EndPoint(ReadOnlySpan<byte> address)
    {
        var family = address.Length >= 2 ? MemoryMarshal.Read<ushort>(address) : 0;
        if (family == 2 && address.Length >= 8) return new IPEndPoint(new IPAddress(address.Slice(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(address[2..]));
        if (family != 10 || address.Length < 28) return null;
        var ip = new IPAddress(address.Slice(8, 16), MemoryMarshal.Read<uint>(address[24..]));
        return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, BinaryPrimitives.ReadUInt16BigEndian(address[2..]));
    }

    public static unsafe int Receive(int descriptor, Span<byte> into)
    {
        fixed (byte* bytes = into) return Outcome((int)recv(descriptor, bytes, into.Length, DontWait));
    }

    public static unsafe int Send(int descriptor, ReadOnlySpan<byte> from)
    {
        fixed (byte* bytes = from) return Outcome((int)send(descriptor, bytes, from.Length, DontWait | NoSignal));
    }

    /// <summary>Sends the TCP acknowledgement that is due (tcp(7), TCP_QUICKACK; does not last).</summary>
    public static unsafe void AcknowledgeAtOnce(int descriptor)
    {
        var yes = 1;
        _ = setsockopt(descriptor, 6, 12, &yes, sizeof(int));
    }

    public static void EndBoth(int descriptor) => _ = shutdown(descriptor, BothSides);
    public static void Close(int descriptor) => _ = close(descriptor);

    public static IOException Failure(int outcome) => new(Marshal.GetPInvokeErrorMessage(-outcome), -outcome);

    static int Outcome(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)] private static partial int epoll_create1(int flags);
    [LibraryImport("libc", SetLastError = true)] private static partial int eventfd(uint count, int flags);
    [LibraryImport("libc", SetLastError = true)] private static unsafe partial int epoll_ctl(int epoll, int deed, int descriptor, byte* wanted);
    [LibraryImport("libc", SetLastError = true)] private static unsafe partial int epoll_wait(int epoll, byte* events, int most, int milliseconds);
    [LibraryImport("libc", SetLastError = true)] private static unsafe partial int accept4(int listening, byte* address, int* length, int flags);
    [LibraryImport("libc")] private static unsafe partial int getsockname(int descriptor, byte* address, int* length);
    [LibraryImport("libc", SetLastError = true)] private static unsafe partial nint recv(int descriptor, byte* bytes, nint length, int flags);
    [LibraryImport("libc", SetLastError = true)] private static unsafe partial nint send(int descriptor, byte* bytes, nint length, int flags);
    [LibraryImport("libc")] private static unsafe partial int setsockopt(int descriptor, int level, int option, void* value, int length);
    [LibraryImport("libc")] private static partial int shutdown(int descriptor, int how);
    [LibraryImport("libc")] private static partial int close(int descriptor);
}
