using CbaMail.Storage;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.Backup;

/// <summary>Files that are only read: packs of a backup may lie where nothing can be written.</summary>
sealed class ReadOnlyDisk : Disk
{
    public override DiskFile? Open(string path, bool create) => File.Exists(path) && !create ? new OpenFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)) : null;
    public override bool Exists(string path) => File.Exists(path);
    public override IReadOnlyList<string> Files(string directory) => System.IO.Directory.GetFiles(directory);
    public override void CreateDirectory(string path) { } // it is there, or nothing will be found in it
    public override IDisposable Lock(string directory) => throw Never();
    public override void Delete(string path) => throw Never();
    public override void FlushDirectory(string path) => throw Never();
    public override void StartFlush(IReadOnlyCollection<DiskFile> files) => throw Never();
    public override Exception? AwaitFlush() => throw Never();
    public override Task Beside(Action work) => throw Never();

    static NotSupportedException Never() => new("This disk is only read.");

    sealed class OpenFile(SafeFileHandle handle) : DiskFile
    {
        public override long Length { get => RandomAccess.GetLength(handle); set => throw Never(); }
        public override int Read(Span<byte> bytes, long position) => RandomAccess.Read(handle, bytes, position);
        public override void Write(ReadOnlySpan<byte> bytes, long position) => throw Never();
        public override void Flush() => throw Never();
        public override void Dispose() => handle.Dispose();
    }
}
