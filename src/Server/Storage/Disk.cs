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

    public abstract void Delete(string path);

    /// <summary>Makes new and removed names of a directory durable: flushing a file does not cover its name.</summary>
    /// <exception cref="IOException">No descriptors, or the disk fails: the names may be gone after a power cut.</exception>
    public abstract void FlushDirectory(string path);

    /// <summary>Begins to flush files beside the caller, who goes on; one at a time.</summary>
    public abstract void StartFlush(IReadOnlyCollection<DiskFile> files);

    /// <summary>Waits for what <see cref="StartFlush"/> began.</summary>
    /// <returns>What went wrong, or null.</returns>
    public abstract Exception? AwaitFlush();

    /// <summary>Work on files that nobody waits for yet (zeros ahead of the writer).</summary>
    public abstract Task Beside(Action work);

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

    public abstract void Dispose();
}
