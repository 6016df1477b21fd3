using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace CbaMail.Storage.Sqlite;

/// <summary>
/// SQLite's own files, but for the write-ahead log, on which every commit waits. SQLite writes each frame in two pieces and, as it is built here,
/// flushes by <c>fsync</c>, which writes the file's times too (measured: 0.22 instead of 0.15 ms). Here the frames of a commit are one write,
/// handed over before anything can read them, and the flush is <c>fdatasync</c>, as SQLite itself does where it is told that there is one.
/// </summary>
/// <remarks>
/// Everything is SQLite's own VFS and its structures; of the methods of the log's file those that write, and those that must see what was written,
/// are replaced. Readers see a frame only when the index in shared memory names it, which the writer tells after the flush.
/// </remarks>
static unsafe partial class LogVfs
{
    const string VfsName = "cbamail";
    const int LogFlag = 0x80000, NoSpace = 13, WriteFailed = 778, FlushFailed = 1034, OutOfMemory = 7;

    static readonly int ownAt;      // where our state begins, behind SQLite's own
    static readonly Vfs* system;
    static Methods* theirs;         // of SQLite's files
    static readonly Methods* ours = (Methods*)NativeMemory.AllocZeroed((nuint)sizeof(Methods));
    static readonly Lock gate = new();

    /// <summary>What a connection is opened with; null where SQLite is not as it is known here.</summary>
    public static string? Name { get; }

    static LogVfs()
    {
        Batteries_V2.Init();
        system = (Vfs*)sqlite3_vfs_find("unix");
        if (system is null || system->Version < 3) return;
        ownAt = (system->FileBytes + 15) & ~15;
        var vfs = (Vfs*)NativeMemory.AllocZeroed((nuint)sizeof(Vfs));
        *vfs = *system;
        vfs->Next = 0;
        vfs->FileBytes = ownAt + sizeof(Own);
        vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8(VfsName);
        vfs->Open = &Open;
        if (sqlite3_vfs_register((nint)vfs, 0) == 0) Name = VfsName;
    }

    // ---- SQLite's structures (sqlite3.h)

#pragma warning disable CS0649 // SQLite fills them

    struct OpenFile
    {
        public Methods* Methods;
    }

    struct Methods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<OpenFile*, int> Close;
        public delegate* unmanaged[Cdecl]<OpenFile*, byte*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<OpenFile*, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<OpenFile*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<OpenFile*, long*, int> FileSize;
        public nint Lock, Unlock, CheckReserved, FileControl, SectorSize, Characteristics;
        public nint ShmMap, ShmLock, ShmBarrier, ShmUnmap;
        public nint Fetch, Unfetch;
    }

    struct Vfs
    {
        public int Version;
        public int FileBytes;
        public int MaxPath;
        public nint Next;
        public byte* Name;
        public nint Data;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, OpenFile*, int, int*, int> Open;
        public nint Delete, Access, FullPathname;
        public nint DlOpen, DlError, DlSym, DlClose;
        public nint Randomness, Sleep, CurrentTime, GetLastError;
        public nint CurrentTimeInt64;
        public nint SetSystemCall, GetSystemCall, NextSystemCall;
    }

#pragma warning restore CS0649

    struct Own
    {
        public byte* Name;  // SQLite keeps it as long as the file is open
        public nint Writer; // a GCHandle, or none before the first write
    }

    [LibraryImport("e_sqlite3", StringMarshalling = StringMarshalling.Utf8)] private static partial nint sqlite3_vfs_find(string? name);
    [LibraryImport("e_sqlite3")] private static partial int sqlite3_vfs_register(nint vfs, int makeDefault);

    // ---- the log's file

    static Own* OwnOf(OpenFile* file) => (Own*)((byte*)file + ownAt);

    static LogWriter? WriterOf(OpenFile* file) => OwnOf(file)->Writer is var handle and not 0 ? (LogWriter?)GCHandle.FromIntPtr(handle).Target : null;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Open(Vfs* vfs, byte* name, OpenFile* file, int flags, int* outFlags)
    {
        var code = system->Open(vfs, name, file, flags, outFlags);
        if (code != 0 || name is null || (flags & LogFlag) == 0 || file->Methods is null || file->Methods->Version < 3) return code;
        lock (gate)
        {
            if (theirs is null)
            {
                *ours = *file->Methods;
                ours->Close = &Close;
                ours->Read = &Read;
                ours->Write = &Write;
                ours->Truncate = &Truncate;
                ours->Sync = &Sync;
                ours->FileSize = &FileSize;
                theirs = file->Methods;
            }
        }
        if (file->Methods != theirs) return code; // another way of locking: SQLite may keep it
        *OwnOf(file) = new Own { Name = name };
        file->Methods = ours;
        return code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Close(OpenFile* file)
    {
        var own = OwnOf(file);
        var code = Settle(file);
        if (own->Writer != 0)
        {
            WriterOf(file)?.Dispose();
            GCHandle.FromIntPtr(own->Writer).Free();
            own->Writer = 0;
        }
        file->Methods = theirs;
        var closed = theirs->Close(file);
        return closed != 0 ? closed : code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Write(OpenFile* file, byte* from, int count, long position)
    {
        try
        {
            var writer = WriterOf(file);
            if (writer is null)
            {
                writer = new LogWriter(Marshal.PtrToStringUTF8((nint)OwnOf(file)->Name)!);
                OwnOf(file)->Writer = GCHandle.ToIntPtr(GCHandle.Alloc(writer));
            }
            writer.Write(new ReadOnlySpan<byte>(from, count), position);
            return 0;
        }
        catch (Exception error) { return Code(error, WriteFailed); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Sync(OpenFile* file, int flags)
    {
        try
        {
            if (WriterOf(file) is not { } writer) return theirs->Sync(file, flags);
            writer.Settle();
            if (writer.IsKnown)
            {
                writer.Flush();
                return 0;
            }
            var code = theirs->Sync(file, flags); // the first one covers the name of a new file
            writer.IsKnown = code == 0;
            return code;
        }
        catch (Exception error) { return Code(error, FlushFailed); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Read(OpenFile* file, byte* to, int count, long position)
    {
        var code = Settle(file);
        return code != 0 ? code : theirs->Read(file, to, count, position);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Truncate(OpenFile* file, long length)
    {
        var code = Settle(file);
        return code != 0 ? code : theirs->Truncate(file, length);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FileSize(OpenFile* file, long* size)
    {
        var code = Settle(file);
        return code != 0 ? code : theirs->FileSize(file, size);
    }

    static int Settle(OpenFile* file)
    {
        if (OwnOf(file)->Writer == 0) return 0;
        try
        {
            WriterOf(file)?.Settle();
            return 0;
        }
        catch (Exception error) { return Code(error, WriteFailed); }
    }

    // an exception must not pass through SQLite
    static int Code(Exception error, int code) => error switch
    {
        IOException io when Posix.IsFull(io) => NoSpace,
        OutOfMemoryException => OutOfMemory,
        _ => code,
    };

    /// <summary>Gathers writes that follow one another.</summary>
    sealed class LogWriter(string path) : IDisposable
    {
        const int Most = 32 * (4096 + 24);

        // closing it gives no lock away: SQLite locks the database's file and that of the shared memory
        readonly SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(Most, pinned: true);
        long start;
        int length;

        /// <summary>It has been flushed once by SQLite, with its name.</summary>
        public bool IsKnown { get; set; }

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (length > 0 && (position != start + length || length + bytes.Length > Most)) Settle();
            if (bytes.Length > Most)
            {
                RandomAccess.Write(file, bytes, position);
                return;
            }
            if (length == 0) start = position;
            bytes.CopyTo(buffer.AsSpan(length));
            length += bytes.Length;
        }

        /// <summary>Hands the file what was gathered.</summary>
        public void Settle()
        {
            if (length == 0) return;
            var count = length;
            length = 0; // also where it fails: SQLite undoes the transaction
            RandomAccess.Write(file, buffer.AsSpan(0, count), start);
        }

        public void Flush() => Posix.FlushData(file);

        public void Dispose() => file.Dispose();
    }
}
