using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>Files that are only read: packs of a backup may lie where nothing can be written.</summary>
sealed class ReadOnlyDisk(Disk disk) : Disk
{
    public override string? SqliteVfs => disk.SqliteVfs;
    public override DiskFile? Open(string path, bool create) => create ? throw Never() : disk.OpenToRead(path);
    public override DiskFile? OpenToRead(string path) => disk.OpenToRead(path);
    public override bool Exists(string path) => disk.Exists(path);
    public override bool DirectoryExists(string path) => disk.DirectoryExists(path);
    public override IReadOnlyList<string> Files(string directory) => disk.Files(directory);
    public override IReadOnlyList<string> Directories(string directory) => disk.Directories(directory);
    public override void CreateDirectory(string path) { } // it is there, or nothing will be found in it
    public override IDisposable Lock(string directory) => throw Never();
    public override IDisposable? Hold(string path, bool shared) => throw Never();
    public override void Delete(string path) => throw Never();
    public override void DeleteDirectory(string path) => throw Never();
    public override void Move(string from, string to) => throw Never();
    public override void FlushDirectory(string path) => throw Never();
    public override void StartFlush(IReadOnlyCollection<DiskFile> files) => throw Never();
    public override Exception? AwaitFlush() => throw Never();
    public override Task Beside(Action work) => throw Never();

    static NotSupportedException Never() => new("This disk is only read.");
}
