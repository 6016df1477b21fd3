using Microsoft.Win32.SafeHandles;

namespace CbaMail.Storage;

/// <summary>The machine's own files.</summary>
public sealed class RealDisk : Disk
{
    readonly AutoResetEvent wanted = new(false);
    readonly AutoResetEvent done = new(false);
    IReadOnlyCollection<DiskFile> flushing = [];
    Exception? flushError;
    Thread? flusher;
    volatile bool disposed;

    public override string? SqliteVfs => Sqlite.LogVfs.Name;

    public override bool FlushesTogether(string directory, string other) => InPlace.Lie(directory, other);

    public override IDisposable Lock(string directory) => DataLock.Take(directory);

    public override (long Free, long Total)? Space(string path)
    {
        var drive = new DriveInfo(path);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    public override void CreateDirectory(string path)
    {
        if (System.IO.Directory.Exists(path)) return;
        var above = Path.GetDirectoryName(Path.GetFullPath(path));
        if (above is not null) CreateDirectory(above);
        System.IO.Directory.CreateDirectory(path);
        if (above is not null) FlushDirectory(above);
    }

    public override bool Exists(string path) => File.Exists(path);

    public override IReadOnlyList<string> Files(string directory) => System.IO.Directory.GetFiles(directory);

    public override DiskFile? Open(string path, bool create)
    {
        var exists = File.Exists(path);
        if (!exists && !create) return null;
        return new OpenFile(File.OpenHandle(path, exists ? FileMode.Open : FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
    }

    public override DiskFile? OpenToRead(string path) =>
        File.Exists(path) ? new OpenFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)) : null;

    public override void Delete(string path) => File.Delete(path);

    public override void Move(string from, string to) => File.Move(from, to, overwrite: true);

    public override bool DirectoryExists(string path) => System.IO.Directory.Exists(path);

    public override IReadOnlyList<string> Directories(string directory) => System.IO.Directory.GetDirectories(directory);

    public override void DeleteDirectory(string path) => System.IO.Directory.Delete(path, recursive: true);

    public override IDisposable? Hold(string path, bool shared)
    {
        try
        {
            return shared
                ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read)
                : new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        }
        catch (IOException error) when (File.Exists(path) && !Posix.IsFull(error))
        {
            return null;
        }
    }

    public override bool IsOrdinary(string path) =>
        File.GetAttributes(path) is var attributes && (attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0;

    public override UnixFileMode Mode(string path) => File.GetUnixFileMode(path);

    public override void SetMode(string path, UnixFileMode mode) => File.SetUnixFileMode(path, mode);

    public override void FlushDirectory(string path) => Posix.FlushDirectory(path);

    public override void StartFlush(IReadOnlyCollection<DiskFile> files)
    {
        flushing = files;
        if (flusher is null)
        {
            flusher = new Thread(FlushLoop) { Name = "pack flush", IsBackground = true };
            flusher.Start();
        }
        wanted.Set();
    }

    public override Exception? AwaitFlush()
    {
        done.WaitOne();
        return flushError;
    }

    void FlushLoop()
    {
        while (true)
        {
            wanted.WaitOne();
            if (disposed) return;
            flushError = null;
            try
            {
                foreach (var file in flushing) file.Flush();
            }
            catch (Exception error)
            {
                flushError = error;
            }
            done.Set();
        }
    }

    public override Task Beside(Action work) => Task.Run(work);

    public override void Dispose()
    {
        disposed = true;
        wanted.Set();
        flusher?.Join();
        wanted.Dispose();
        done.Dispose();
    }

    sealed class OpenFile(SafeFileHandle handle) : DiskFile
    {
        public override long Length
        {
            get => RandomAccess.GetLength(handle);
            set => RandomAccess.SetLength(handle, value);
        }

        public override int Read(Span<byte> bytes, long position) => RandomAccess.Read(handle, bytes, position);
        public override void Write(ReadOnlySpan<byte> bytes, long position) => RandomAccess.Write(handle, bytes, position);
        public override void Flush() => Posix.FlushData(handle);
        public override void StartHandOver(long position, long length) => Posix.StartHandOver(handle, position, length);
        public override void AwaitHandOver(long position, long length) => Posix.AwaitHandOver(handle, position, length);
        public override void ReadOnce() => Posix.ReadOnce(handle);
        public override void WillNotNeed(long position, long length) => Posix.WillNotNeed(handle, position, length);
        public override void Dispose() => handle.Dispose();
    }
}
