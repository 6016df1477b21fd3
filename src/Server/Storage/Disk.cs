namespace CbaMail.Storage;

/// <summary>
/// The file layer under packs and database. There is one real disk; tests put another in its place that forgets at a power cut
/// what was not flushed, reorders, tears, fills up and fails.
/// </summary>
/// <remarks>
/// The promises that everything above relies on, and no others: a <see cref="DiskFile.Flush"/> that returned makes all earlier writes and the
/// length of that file durable; <see cref="FlushDirectory"/> does so for names made and removed. Without them nothing is certain, in any order,
/// and of a write any sectors may arrive.
/// </remarks>
public abstract class Disk : IDisposable
{
    /// <summary>The name of the SQLite VFS that lies on the same disk; null is SQLite's own.</summary>
    public virtual string? SqliteVfs => null;

    /// <summary>Bytes that are free for us where the path lies, and bytes in all; null where the disk does not say, and then nobody asks again.</summary>
    public virtual (long Free, long Total)? Space(string path) => null;

    /// <summary>Takes the directory for this process, or says who has it.</summary>
    /// <exception cref="InvalidOperationException">Somebody has it; the message is a sentence for people.</exception>
    public abstract IDisposable Lock(string directory);

    /// <summary>Makes a directory where it is missing, with those above it; the names are durable when it returns.</summary>
    /// <exception cref="IOException">No space, no right, or the disk fails.</exception>
    public abstract void CreateDirectory(string path);

    public abstract bool Exists(string path);

    /// <summary>Full names of the files in a directory.</summary>
    public abstract IReadOnlyList<string> Files(string directory);

    /// <summary>Opens for reading and writing; null where the file is missing and not to be created.</summary>
    /// <exception cref="IOException">No space, no descriptors, or the disk fails.</exception>
    public abstract DiskFile? Open(string path, bool create);

    /// <summary>Opens for reading alone, also where nothing can be written; null where the file is missing.</summary>
    /// <exception cref="IOException">No right, no descriptors, or the disk fails.</exception>
    public abstract DiskFile? OpenToRead(string path);

    public abstract void Delete(string path);

    /// <summary>
    /// Gives a file another name, in place of whatever has it. A power cut finds it under the one or the other; the new name is certain
    /// when its directory has been flushed.
    /// </summary>
    public abstract void Move(string from, string to);

    public abstract bool DirectoryExists(string path);

    /// <summary>Full names of the directories in a directory.</summary>
    public abstract IReadOnlyList<string> Directories(string directory);

    /// <summary>Removes a directory with everything below it; for good when the directory above has been flushed.</summary>
    public abstract void DeleteDirectory(string path);

    /// <summary>Takes a file for this process, for readers together or for one alone; freed by the kernel whatever happens to the process. Null where somebody has it.</summary>
    public abstract IDisposable? Hold(string path, bool shared);

    /// <summary>Whether it is a file or directory of its own: no link, no device.</summary>
    public virtual bool IsOrdinary(string path) => true;

    /// <summary>Who may read and write it.</summary>
    public virtual UnixFileMode Mode(string path) => UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Says who may.</summary>
    public virtual void SetMode(string path, UnixFileMode mode) { }

    /// <summary>Makes new and removed names of a directory durable: flushing a file does not cover its name.</summary>
    /// <exception cref="IOException">No descriptors, or the disk fails: the names may be gone after a power cut.</exception>
    public abstract void FlushDirectory(string path);

    /// <summary>Puts a whole file in place of another, or where there was none; durable when it returns, and never half of it.</summary>
    /// <exception cref="IOException">No space, no right, or the disk fails: what was there is there.</exception>
    public void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var draft = path + ".new";
        Delete(draft);
        using (var file = Open(draft, create: true)!)
        {
            file.Write(bytes, 0);
            file.Flush();
        }
        Move(draft, path);
        FlushDirectory(System.IO.Path.GetDirectoryName(path)!);
    }

    /// <summary>Begins to flush files beside the caller, who goes on; one at a time.</summary>
    public abstract void StartFlush(IReadOnlyCollection<DiskFile> files);

    /// <summary>Waits for what <see cref="StartFlush"/> began.</summary>
    /// <returns>What went wrong, or null.</returns>
    public abstract Exception? AwaitFlush();

    /// <summary>
    /// Whether what a file of one directory has <see cref="DiskFile.AwaitHandOver">handed over</see> is durable with the next flush of a file in
    /// the other: they lie on one device, and on a file system that writes in place.
    /// </summary>
    public virtual bool FlushesTogether(string directory, string other) => false;

    /// <summary>Work on files that nobody waits for yet (zeros ahead of the writer).</summary>
    public abstract Task Beside(Action work);

    /// <summary>Waits for what <see cref="Beside"/> began.</summary>
    public virtual void AwaitBeside(Task work) => ((IAsyncResult)work).AsyncWaitHandle.WaitOne();

    /// <summary>The disk has failed in a way that leaves unknown what is durable: the process ends rather than go on and lie. The next start sorts it out.</summary>
    public virtual void Halt(string why, Exception error) => Environment.FailFast(why, error);

    public virtual void Dispose() { }
}

/// <summary>An open file of a <see cref="Disk"/>; reading is safe beside everything else.</summary>
public abstract class DiskFile : IDisposable
{
    public abstract long Length { get; set; }

    /// <returns>Bytes read; 0 at the end.</returns>
    public abstract int Read(Span<byte> bytes, long position);

    /// <exception cref="IOException">No space is left, or the disk fails.</exception>
    public abstract void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>Makes everything written so far durable.</summary>
    public abstract void Flush();

    /// <summary>Begins to hand a range to the device, which may keep it in memory; does not wait. The range had been written and flushed before and is written over.</summary>
    public virtual void StartHandOver(long position, long length) { }

    /// <summary>Waits until the device has the range.</summary>
    /// <exception cref="IOException">It did not take it.</exception>
    public virtual void AwaitHandOver(long position, long length) => throw new NotSupportedException();

    /// <summary>Reading it once does not make its pages worth keeping.</summary>
    public virtual void ReadOnce() { }

    /// <summary>A range will not be read again soon: a copy of gigabytes must not push out of memory what the server reads.</summary>
    public virtual void WillNotNeed(long position, long length) { }

    public abstract void Dispose();
}
