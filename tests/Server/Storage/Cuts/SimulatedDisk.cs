using CbaMail.Storage;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>
/// A disk in memory that writes down everything that happens on it, packs and database alike. From the log of one run any power cut
/// can be made afterwards (<see cref="PowerCut"/>). What would happen beside the caller happens at an event that the seed chooses.
/// </summary>
sealed class SimulatedDisk : Disk
{
    public const string Root = "/simulated";
    static int lastNumber;

    readonly Lock gate = new();
    readonly Random random;
    readonly string mount;
    readonly Dictionary<string, SimulatedFile> names = [];
    readonly HashSet<string> directories;
    readonly List<DiskEvent> log = [];
    IReadOnlyCollection<DiskFile>? flushing;
    Exception? flushError;
    int flushIn;
    int lastFile;

    public SimulatedDisk(int seed, DiskImage? image = null)
    {
        (random, mount) = (new Random(seed), $"{Root}/{Interlocked.Increment(ref lastNumber)}");
        Image = image ??= DiskImage.Empty;
        directories = [.. image.Directories];
        foreach (var (path, bytes) in image.Files) names[path] = new SimulatedFile(this, path, ++lastFile, bytes);
        SimulatedVfs.Attach(mount, this);
    }

    /// <summary>What was there at the beginning.</summary>
    public DiskImage Image { get; }

    /// <summary>The data directory of a store on this disk.</summary>
    public string Data => mount + "/data";

    public override string? SqliteVfs => SimulatedVfs.Name;

    /// <summary>Everything that happened, in order.</summary>
    public IReadOnlyList<DiskEvent> Log => log;

    /// <summary>Called before an event takes place, with its number; what it returns goes wrong instead.</summary>
    public Func<DiskEvent, int, IOException?>? Fault { get; set; }

    /// <summary>A planted fault: SQLite flushes as little as this, although it is told otherwise ("OFF", or "1" for NORMAL).</summary>
    public string? Synchronous { get; set; }

    /// <summary>With it: SQLite answers that it flushes as it was told.</summary>
    public bool HideSynchronous { get; set; }

    /// <summary>A planted lie: these flushes are promised and not kept.</summary>
    public Func<string, bool>? Forget { get; set; }

    /// <summary>A planted fault: packs are flushed after the database has committed, whatever was asked for.</summary>
    public bool BodiesLast { get; set; }

    /// <summary>Runs between a commit and the end of its flush, on the committer's thread: what readers can see then.</summary>
    public Action? BeforeFlushed { get; set; }

    /// <summary>Why the process would have ended (<see cref="Disk.Halt"/>); from then on nothing works any more.</summary>
    public string? Halted { get; private set; }

    /// <summary>Locks and shared memory of SQLite's connections.</summary>
    public SqliteSharing Sharing { get; private set; } = new();

    /// <summary>Names in the log do not tell which disk it was: an image can be put on another.</summary>
    string Inner(string path) => path.StartsWith(mount, StringComparison.Ordinal) ? Root + path[mount.Length..] : path;

    public int Note(string text, long number = 0)
    {
        lock (gate)
        {
            log.Add(new DiskEvent(Deed.Note, text, 0, number));
            return log.Count;
        }
    }

    void Do(DiskEvent what, Action effect)
    {
        lock (gate)
        {
            if (flushing is not null && !BodiesLast && flushIn-- == 0) FlushNow();
            Try(what);
            log.Add(what);
            effect();
            if (BodiesLast && flushing is not null && what.Deed == Deed.Flush && what.Path.EndsWith("-wal", StringComparison.Ordinal)) FlushNow();
        }
    }

    void Try(DiskEvent what)
    {
        if (Halted is not null) throw new IOException("The process has ended: " + Halted);
        if (Fault?.Invoke(what, log.Count) is not { } error) return;
        if (what is { Deed: Deed.Write, Bytes.Length: > 1 } && random.Next(2) == 0)
        {
            // some of it was taken before it went wrong
            var part = what with { Bytes = what.Bytes[..random.Next(1, what.Bytes.Length)] };
            log.Add(part);
            names.GetValueOrDefault(what.Path)?.Put(part.Bytes, part.Position);
        }
        throw error;
    }

    // ---- files

    public override IDisposable Lock(string directory) => new Nothing();

    public override void CreateDirectory(string path)
    {
        path = Inner(path);
        lock (gate)
        {
            if (directories.Contains(path)) return;
            if (Path.GetDirectoryName(path) is { Length: > 1 } above) CreateDirectory(above);
            Do(new DiskEvent(Deed.MakeDirectory, path), () => directories.Add(path));
            FlushDirectory(Path.GetDirectoryName(path)!);
        }
    }

    public override bool Exists(string path)
    {
        lock (gate) return names.ContainsKey(Inner(path));
    }

    public override IReadOnlyList<string> Files(string directory)
    {
        directory = Inner(directory);
        lock (gate) return [.. names.Keys.Where(name => Path.GetDirectoryName(name) == directory).Order(StringComparer.Ordinal)];
    }

    public override DiskFile? Open(string path, bool create) => Find(path, create) is { } file ? new SimulatedFile.Handle(file) : null;

    public SimulatedFile? Find(string path, bool create)
    {
        path = Inner(path);
        lock (gate)
        {
            if (names.TryGetValue(path, out var file)) return file;
            if (!create) return null;
            if (!directories.Contains(Path.GetDirectoryName(path)!)) throw new DirectoryNotFoundException(path);
            Do(new DiskEvent(Deed.Create, path, lastFile + 1), () => names[path] = file = new SimulatedFile(this, path, ++lastFile, []));
            return file;
        }
    }

    public override void Delete(string path)
    {
        path = Inner(path);
        lock (gate)
        {
            if (names.TryGetValue(path, out var file)) Do(new DiskEvent(Deed.Delete, path, file.Number), () => names.Remove(path));
        }
    }

    public override void FlushDirectory(string path)
    {
        path = Inner(path);
        if (Forget?.Invoke(path) != true) Do(new DiskEvent(Deed.FlushDirectory, path), () => { });
    }

    public void Write(SimulatedFile file, ReadOnlySpan<byte> bytes, long position)
    {
        if (bytes.IsEmpty) return;
        var copy = bytes.ToArray();
        Do(new DiskEvent(Deed.Write, file.Path, file.Number, position, copy), () => file.Put(copy, position));
    }

    public void SetLength(SimulatedFile file, long length) =>
        Do(new DiskEvent(Deed.Length, file.Path, file.Number, length), () => file.Cut(length));

    /// <param name="seen">How many failures the handle has been told of: each handle hears of one once, and what was to be flushed then is not tried again.</param>
    public void Flush(SimulatedFile file, ref int seen)
    {
        if (Forget?.Invoke(file.Path) == true) return;
        lock (gate)
        {
            var what = new DiskEvent(Deed.Flush, file.Path, file.Number);
            try
            {
                Do(what, () => { });
            }
            catch (IOException) when (Halted is null)
            {
                log.Add(what with { Deed = Deed.FlushFailed });
                seen = ++file.Failures;
                throw;
            }
            if (seen == file.Failures) return;
            seen = file.Failures;
            throw new IOException("An earlier flush has failed.");
        }
    }

    public int Read(SimulatedFile file, Span<byte> bytes, long position)
    {
        lock (gate) return Halted is null ? file.Read(bytes, position) : throw new IOException("The process has ended: " + Halted);
    }

    public long LengthOf(SimulatedFile file)
    {
        lock (gate) return file.Length;
    }

    // ---- beside

    public override void StartFlush(IReadOnlyCollection<DiskFile> files)
    {
        lock (gate)
        {
            (flushing, flushError, flushIn) = (files, null, random.Next(8) is var when && when < 6 ? when : int.MaxValue);
            if (flushIn == 0 && !BodiesLast) FlushNow();
        }
    }

    public override Exception? AwaitFlush()
    {
        BeforeFlushed?.Invoke();
        lock (gate)
        {
            if (flushing is not null && !BodiesLast) FlushNow();
            return flushError;
        }
    }

    void FlushNow()
    {
        var files = flushing!;
        flushing = null;
        try
        {
            foreach (var file in files) file.Flush();
        }
        catch (IOException error)
        {
            flushError = error;
        }
    }

    public override Task Beside(Action work)
    {
        work();
        return Task.CompletedTask;
    }

    public override void Halt(string why, Exception error)
    {
        lock (gate) Halted = why;
        throw new IOException(why, error);
    }

    /// <summary>The process ends here, and nothing more that it does reaches the disk.</summary>
    public void Kill() { lock (gate) Halted ??= "it was killed"; }

    /// <summary>Another process begins; the machine went on, so what was written and not flushed is still there to read.</summary>
    public void Revive()
    {
        lock (gate) (Halted, flushing, Sharing) = (null, null, new SqliteSharing());
    }

    /// <summary>The disk is no longer needed. (A store that is closed leaves it as it is: it may be opened again.)</summary>
    public void Detach() => SimulatedVfs.Detach(mount);

    sealed class Nothing : IDisposable
    {
        public void Dispose() { }
    }
}

/// <summary>A file of a simulated disk: what is read of it now, flushed or not.</summary>
sealed class SimulatedFile(SimulatedDisk disk, string path, int number, byte[] bytes)
{
    byte[] content = bytes;

    public SimulatedDisk Disk => disk;
    public string Path => path;
    public int Number => number;
    /// <summary>Flushes that went wrong.</summary>
    public int Failures { get; set; }
    public long Length { get; private set; } = bytes.Length;
    bool shared = true; // the array belongs to an image until it is first written to

    public int Read(Span<byte> to, long position)
    {
        if (position >= Length) return 0;
        var count = (int)Math.Min(to.Length, Length - position);
        content.AsSpan((int)position, count).CopyTo(to);
        return count;
    }

    public void Put(ReadOnlySpan<byte> bytes, long position)
    {
        var end = position + bytes.Length;
        Own(end);
        bytes.CopyTo(content.AsSpan((int)position));
        if (end > Length) Length = end;
    }

    public void Cut(long length)
    {
        Own(length);
        if (length < Length) content.AsSpan((int)length, (int)(Length - length)).Clear();
        Length = length;
    }

    void Own(long room)
    {
        if (!shared && room <= content.Length) return;
        var larger = new byte[Math.Max(room, shared ? Length : 2 * Length)];
        content.AsSpan(0, (int)Length).CopyTo(larger);
        (content, shared) = (larger, false);
    }

    /// <summary>The packs' way to it.</summary>
    public sealed class Handle(SimulatedFile file) : DiskFile
    {
        int seen = file.Failures;

        public override long Length
        {
            get => file.Disk.LengthOf(file);
            set => file.Disk.SetLength(file, value);
        }

        public override int Read(Span<byte> bytes, long position) => file.Disk.Read(file, bytes, position);
        public override void Write(ReadOnlySpan<byte> bytes, long position) => file.Disk.Write(file, bytes, position);
        public override void Flush() => file.Disk.Flush(file, ref seen);
        public override void Dispose() { }
    }
}
