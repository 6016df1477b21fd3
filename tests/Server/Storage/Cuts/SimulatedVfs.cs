using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using SQLitePCL;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>
/// SQLite's files on simulated disks: a VFS written in C#. It promises what SQLite's own does on Unix and keeps its rules about
/// directories: the first flush of a log or journal that was opened to be made covers its name, a removal covers it when asked to.
/// </summary>
static unsafe partial class SimulatedVfs
{
    public const string Name = "simulated";
    const int PowersafeOverwrite = 0x1000, Pragma = 14, CreateFlag = 4, NewNameFlags = 0x800 | 0x4000 | 0x80000;
    const int ReadError = 266, ShortRead = 522, WriteError = 778, FlushError = 1034, LengthError = 1546, DeleteError = 2570, NotFound = 12, CannotOpen = 14, Busy = 5, NoSpace = 13;

    static readonly ConcurrentDictionary<string, SimulatedDisk> disks = new();
    static readonly Methods* methods = (Methods*)NativeMemory.AllocZeroed((nuint)sizeof(Methods));
    static readonly Vfs* system;

    static SimulatedVfs()
    {
        Batteries_V2.Init();
        system = (Vfs*)sqlite3_vfs_find(null);
        *methods = new Methods
        {
            Version = 2,
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            FileSize = &FileSize,
            Lock = &Lock,
            Unlock = &Unlock,
            CheckReserved = &CheckReserved,
            FileControl = &FileControl,
            SectorSize = &SectorSize,
            Characteristics = &Characteristics,
            ShmMap = &ShmMap,
            ShmLock = &ShmLock,
            ShmBarrier = &ShmBarrier,
            ShmUnmap = &ShmUnmap,
        };
        var vfs = (Vfs*)NativeMemory.AllocZeroed((nuint)sizeof(Vfs));
        *vfs = new Vfs
        {
            Version = 1,
            Next = 0,
            Data = 0,
            DlOpen = 0,
            DlError = 0,
            DlSym = 0,
            DlClose = 0,
            FileBytes = sizeof(OpenFile),
            MaxPath = 512,
            Name = (byte*)Marshal.StringToCoTaskMemUTF8(Name),
            Open = &Open,
            Delete = &Delete,
            Access = &Access,
            FullPathname = &FullPathname,
            Randomness = system->Randomness,
            Sleep = system->Sleep,
            CurrentTime = system->CurrentTime,
            GetLastError = &GetLastError,
        };
        if (sqlite3_vfs_register((nint)vfs, 0) != 0) throw new InvalidOperationException("SQLite does not take the simulated VFS.");
    }

    public static void Attach(string mount, SimulatedDisk disk) => disks[mount + "/"] = disk;
    public static void Detach(string mount) => disks.TryRemove(mount + "/", out _);

    // ---- SQLite's structures

    struct OpenFile
    {
        public Methods* Methods;
        public nint Handle;
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
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<OpenFile*, int*, int> CheckReserved;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, void*, int> FileControl;
        public delegate* unmanaged[Cdecl]<OpenFile*, int> SectorSize;
        public delegate* unmanaged[Cdecl]<OpenFile*, int> Characteristics;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int, int, void**, int> ShmMap;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int, int, int> ShmLock;
        public delegate* unmanaged[Cdecl]<OpenFile*, void> ShmBarrier;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> ShmUnmap;
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
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int> Delete;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int*, int> Access;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, byte*, int> FullPathname;
        public nint DlOpen, DlError, DlSym, DlClose;
        public nint Randomness, Sleep, CurrentTime;
        public delegate* unmanaged[Cdecl]<Vfs*, int, byte*, int> GetLastError;
    }

    [LibraryImport("e_sqlite3", StringMarshalling = StringMarshalling.Utf8)] private static partial nint sqlite3_vfs_find(string? name);
    [LibraryImport("e_sqlite3")] private static partial int sqlite3_vfs_register(nint vfs, int makeDefault);
    [LibraryImport("e_sqlite3")] private static partial nint sqlite3_malloc(int bytes);

    // ---- files

    static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    static SimulatedDisk DiskOf(string path) =>
        disks.TryGetValue(path[..(path.IndexOf('/', SimulatedDisk.Root.Length + 1) + 1)], out var disk) ? disk : throw new IOException("no disk at " + path);

    static SqliteHandle Of(OpenFile* file) => (SqliteHandle)GCHandle.FromIntPtr(file->Handle).Target!;

    static int Code(Exception error, int code) => error.HResult == 28 ? NoSpace : code;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Open(Vfs* vfs, byte* name, OpenFile* file, int flags, int* outFlags)
    {
        file->Methods = null;
        try
        {
            if (name is null) return CannotOpen; // temporary files: everything is set to stay in memory
            var path = Text(name);
            var disk = DiskOf(path);
            if (disk.Find(path, (flags & CreateFlag) != 0) is not { } opened) return CannotOpen;
            var handle = new SqliteHandle(disk, opened, disk.Sharing) { NameIsNew = (flags & CreateFlag) != 0 && (flags & NewNameFlags) != 0 };
            handle.Sharing.Add(handle);
            file->Handle = GCHandle.ToIntPtr(GCHandle.Alloc(handle));
            file->Methods = methods;
            if (outFlags is not null) *outFlags = flags;
            return 0;
        }
        catch (IOException error) { return Code(error, CannotOpen); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Delete(Vfs* vfs, byte* name, int syncDirectory)
    {
        try
        {
            var path = Text(name);
            var disk = DiskOf(path);
            if (!disk.Exists(path)) return 5898;
            disk.Delete(path);
            if ((syncDirectory & 1) != 0) disk.FlushDirectory(Path.GetDirectoryName(path)!);
            return 0;
        }
        catch (IOException error) { return Code(error, DeleteError); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Access(Vfs* vfs, byte* name, int flags, int* result)
    {
        try
        {
            var path = Text(name);
            *result = DiskOf(path).Find(path, create: false) is { } file && (flags != 0 || file.Length > 0) ? 1 : 0; // an empty journal is none, as on Unix
            return 0;
        }
        catch (IOException) { return ReadError; }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FullPathname(Vfs* vfs, byte* name, int room, byte* full)
    {
        var bytes = Encoding.UTF8.GetBytes(Text(name));
        if (bytes.Length >= room) return CannotOpen;
        bytes.CopyTo(new Span<byte>(full, room));
        full[bytes.Length] = 0;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int GetLastError(Vfs* vfs, int room, byte* text) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Close(OpenFile* file)
    {
        var handle = Of(file);
        handle.Sharing.Remove(handle);
        GCHandle.FromIntPtr(file->Handle).Free();
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Read(OpenFile* file, byte* to, int count, long position)
    {
        try
        {
            var handle = Of(file);
            var bytes = new Span<byte>(to, count);
            var read = handle.Alive.Disk.Read(handle.File, bytes, position);
            if (read == count) return 0;
            bytes[read..].Clear();
            return ShortRead;
        }
        catch (IOException) { return ReadError; }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Write(OpenFile* file, byte* from, int count, long position)
    {
        try
        {
            var handle = Of(file);
            handle.Alive.Disk.Write(handle.File, new ReadOnlySpan<byte>(from, count), position);
            return 0;
        }
        catch (IOException error) { return Code(error, WriteError); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Truncate(OpenFile* file, long length)
    {
        try
        {
            var handle = Of(file);
            handle.Alive.Disk.SetLength(handle.File, length);
            return 0;
        }
        catch (IOException error) { return Code(error, LengthError); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Sync(OpenFile* file, int flags)
    {
        try
        {
            var handle = Of(file);
            handle.Alive.Flush();
            if (handle.NameIsNew) handle.Disk.FlushDirectory(Path.GetDirectoryName(handle.File.Path)!);
            handle.NameIsNew = false;
            return 0;
        }
        catch (IOException error) { return Code(error, FlushError); }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FileSize(OpenFile* file, long* size)
    {
        var handle = Of(file);
        *size = handle.Disk.LengthOf(handle.File);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int FileControl(OpenFile* file, int what, void* argument)
    {
        var disk = Of(file).Disk;
        if (what != Pragma) return NotFound;
        var words = (byte**)argument;
        if (disk.KeepsNoLog && Text(words[1]) == "journal_mode")
        {
            words[0] = (byte*)sqlite3_malloc(7);
            "delete\0"u8.CopyTo(new Span<byte>(words[0], 7));
            return 0;
        }
        if (disk.Synchronous is not { } planted || Text(words[1]) != "synchronous") return NotFound;
        if (words[2] is not null)
        {
            Encoding.ASCII.GetBytes(planted + "\0").CopyTo(new Span<byte>(words[2], 5)); // instead of FULL
            return NotFound;
        }
        if (!disk.HideSynchronous) return NotFound;
        words[0] = (byte*)sqlite3_malloc(2);
        "2\0"u8.CopyTo(new Span<byte>(words[0], 2));
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int SectorSize(OpenFile* file) => 4096; // as SQLite's own says on Unix

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Characteristics(OpenFile* file) => PowersafeOverwrite; // the same

    // ---- locks and shared memory

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Lock(OpenFile* file, int level)
    {
        var handle = Of(file);
        return handle.Sharing != handle.Disk.Sharing ? ReadError : handle.Sharing.Lock(handle, level) ? 0 : Busy;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Unlock(OpenFile* file, int level)
    {
        var handle = Of(file);
        handle.Sharing.Unlock(handle, level);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int CheckReserved(OpenFile* file, int* result)
    {
        var handle = Of(file);
        *result = handle.Sharing.IsReserved(handle) ? 1 : 0;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int ShmMap(OpenFile* file, int region, int bytes, int extend, void** map)
    {
        var handle = Of(file);
        *map = (void*)handle.Sharing.Map(handle, region, bytes, extend != 0);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int ShmLock(OpenFile* file, int first, int count, int flags)
    {
        var handle = Of(file);
        return handle.Sharing.LockSlots(handle, ((1 << count) - 1) << first, take: (flags & 2) != 0, exclusive: (flags & 8) != 0) ? 0 : Busy;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static void ShmBarrier(OpenFile* file) => Thread.MemoryBarrier();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int ShmUnmap(OpenFile* file, int delete)
    {
        var handle = Of(file);
        handle.Sharing.Unmap(handle);
        return 0;
    }
}
