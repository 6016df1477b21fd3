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
    SimulatedBeside? beside;
    int flushIn;
    readonly int besideOneIn;
    readonly bool together;
    SimulatedFile? handedOver; // durable with the next flush
    int lastFile;

    public SimulatedDisk(int seed, DiskImage? image = null)
    {
        together = seed % 2 == 0;
        besideOneIn = (seed & 3) switch { 0 => 3, 1 => 10, _ => 40 };
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

    /// <summary>A directory for backups.</summary>
    public string Repository => mount + "/backup";

    /// <summary>A data directory that a backup is restored into.</summary>
    public string Restored => mount + "/restored";

    public override bool FlushesTogether(string directory, string other) => together;

    public override string? SqliteVfs => SimulatedVfs.Name;

    /// <summary>Everything that happened, in order.</summary>
    public IReadOnlyList<DiskEvent> Log => log;

    /// <summary>Called before an event takes place, with its number; what it returns goes wrong instead.</summary>
    public Func<DiskEvent, int, IOException?>? Fault { get; set; }

    /// <summary>A planted fault: SQLite flushes as little as this, although it is told otherwise ("OFF", or "1" for NORMAL).</summary>
    public string? Synchronous { get; set; }

    /// <summary>SQLite cannot have a write-ahead log here, as on a network file system.</summary>
    public bool KeepsNoLog { get; set; }

    /// <summary>With it: SQLite answers that it flushes as it was told.</summary>
    public bool HideSynchronous { get; set; }

    /// <summary>A planted lie: these flushes are promised and not kept.</summary>
    public Func<string, bool>? Forget { get; set; }

    /// <summary>A planted fault: packs are flushed after the database has committed, whatever was asked for.</summary>
    public bool BodiesLast { get; set; }

    /// <summary>What would happen beside the writer happens at once, not at events that the seed chooses.</summary>
    public bool IsBesideAtOnce { get; set; }

    /// <summary>A planted lie: what is to be handed over stays where it is.</summary>
    public bool HandsNothingOver { get; set; }

    /// <summary>How often something beside the writer happened between two of his deeds.</summary>
    public int BesideOthers { get; private set; }

    /// <summary>A planted fault: nobody waits for what happens beside him.</summary>
    public bool AwaitsNothingBeside { get; set; }

    /// <summary>Runs between a commit and the end of its flush, on the committer's thread: what readers can see then.</summary>
    public Action? BeforeFlushed { get; set; }

    /// <summary>Runs whenever a backup rests: a planted fault that is not the disk's.</summary>
    public Action<Store>? DuringBackup { get; set; }

    /// <summary>Why the process would have ended (<see cref="Disk.Halt"/>); from then on nothing works any more.</summary>
    public string? Halted { get; private set; }

    /// <summary>Locks and shared memory of SQLite's connections.</summary>
    public SqliteSharing Sharing { get; private set; } = new();

    /// <summary>Names in the log do not tell which disk it was: an image can be put on another.</summary>
    string Outer(string path) => mount + path[Root.Length..];

    string Inner(string path) => path.StartsWith(mount, StringComparison.Ordinal) ? Root + path[mount.Length..] : path;

    // who drives the work beside holds the gate for it
    Held Enter()
    {
        if (SimulatedBeside.On(this) is not null) return default;
        gate.Enter();
        return new Held(gate);
    }

    readonly struct Held(Lock? gate) : IDisposable
    {
        public void Dispose() => gate?.Exit();
    }

    public int Note(string text, long number = 0)
    {
        using (Enter())
        {
            log.Add(new DiskEvent(Deed.Note, text, 0, number));
            return log.Count;
        }
    }

    void Do(DiskEvent what, Action effect)
    {
        if (SimulatedBeside.On(this) is { } mine)
        {
            mine.Do(() => DoNow(what, effect));
            return;
        }
        using (Enter())
        {
            if (beside is { IsOver: false } && random.Next(besideOneIn) == 0)
            {
                beside.Step();
                BesideOthers++;
            }
            DoNow(what, effect);
        }
    }

    void DoNow(DiskEvent what, Action effect)
    {
        using (Enter())
        {
            if (flushing is not null && !BodiesLast && flushIn-- == 0) FlushNow();
            Try(what);
            log.Add(what);
            effect();
            if (what.Deed == Deed.Flush && handedOver is { } covered)
            {
                log.Add(new DiskEvent(Deed.Covered, covered.Path, covered.Number));
                handedOver = null;
            }
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
        using (Enter())
        {
            if (directories.Contains(path)) return;
            if (Path.GetDirectoryName(path) is { Length: > 1 } above) CreateDirectory(above);
            Do(new DiskEvent(Deed.MakeDirectory, path), () => directories.Add(path));
            FlushDirectory(Path.GetDirectoryName(path)!);
        }
    }

    public override bool Exists(string path)
    {
        using (Enter()) return names.ContainsKey(Inner(path));
    }

    public override IReadOnlyList<string> Files(string directory)
    {
        directory = Inner(directory);
        using (Enter()) return [.. names.Keys.Where(name => Path.GetDirectoryName(name) == directory).Order(StringComparer.Ordinal).Select(Outer)];
    }

    public override bool DirectoryExists(string path)
    {
        using (Enter()) return directories.Contains(Inner(path));
    }

    public override IReadOnlyList<string> Directories(string directory)
    {
        directory = Inner(directory);
        using (Enter()) return [.. directories.Where(name => Path.GetDirectoryName(name) == directory).Order(StringComparer.Ordinal).Select(Outer)];
    }

    public override DiskFile? OpenToRead(string path) => Open(path, create: false);

    public override IDisposable? Hold(string path, bool shared) => new Nothing();

    public override void Move(string from, string to)
    {
        (from, to) = (Inner(from), Inner(to));
        using (Enter())
        {
            if (!names.TryGetValue(from, out var file)) throw new FileNotFoundException(from);
            if (!directories.Contains(Path.GetDirectoryName(to)!)) throw new DirectoryNotFoundException(to);
            Do(new DiskEvent(Deed.Move, to, file.Number, From: from), () =>
            {
                names.Remove(from);
                names[to] = file;
                file.Path = to;
            });
        }
    }

    public override void DeleteDirectory(string path)
    {
        path = Inner(path);
        using (Enter())
        {
            if (!directories.Contains(path)) throw new DirectoryNotFoundException(path);
            foreach (var file in names.Keys.Where(name => Path.GetDirectoryName(name) == path).Order(StringComparer.Ordinal).ToList()) Delete(file);
            foreach (var below in directories.Where(name => Path.GetDirectoryName(name) == path).Order(StringComparer.Ordinal).ToList()) DeleteDirectory(below);
            Do(new DiskEvent(Deed.RemoveDirectory, path), () => directories.Remove(path));
        }
    }

    public override DiskFile? Open(string path, bool create) => Find(path, create) is { } file ? new SimulatedFile.Handle(file) : null;

    public SimulatedFile? Find(string path, bool create)
    {
        path = Inner(path);
        using (Enter())
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
        using (Enter())
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
    public void Flush(SimulatedFile file, ref int seen) => MakeDurable(Deed.Flush, file, ref seen);

    public void HandOver(SimulatedFile file, ref int seen)
    {
        if (HandsNothingOver || Forget?.Invoke(file.Path) == true) return;
        using (Enter())
        {
            MakeDurable(Deed.HandOver, file, ref seen);
            handedOver = file;
        }
    }

    void MakeDurable(Deed deed, SimulatedFile file, ref int seen)
    {
        if (Forget?.Invoke(file.Path) == true) return;
        using (Enter())
        {
            var what = new DiskEvent(deed, file.Path, file.Number);
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
        using (Enter()) return Halted is null ? file.Read(bytes, position) : throw new IOException("The process has ended: " + Halted);
    }

    public long LengthOf(SimulatedFile file)
    {
        using (Enter()) return file.Length;
    }

    // ---- beside

    public override void StartFlush(IReadOnlyCollection<DiskFile> files)
    {
        using (Enter())
        {
            (flushing, flushError, flushIn) = (files, null, random.Next(8) is var when && when < 6 ? when : int.MaxValue);
            if (flushIn == 0 && !BodiesLast) FlushNow();
        }
    }

    public override Exception? AwaitFlush()
    {
        BeforeFlushed?.Invoke();
        using (Enter())
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
        if (IsBesideAtOnce)
        {
            work();
            return Task.CompletedTask;
        }
        using (Enter())
        {
            beside = new SimulatedBeside(this, work);
            beside.Start();
            return beside.Task;
        }
    }

    public override void AwaitBeside(Task work)
    {
        if (AwaitsNothingBeside) return;
        EndBeside();
    }

    /// <summary>Lets what happens beside come to its end.</summary>
    public void EndBeside()
    {
        using var held = Enter();
        while (beside is { IsOver: false }) beside.Step();
    }

    public override void Halt(string why, Exception error)
    {
        using (Enter()) Halted = why;
        throw new IOException(why, error);
    }

    /// <summary>The process ends here, and nothing more that it does reaches the disk.</summary>
    public void Kill() { using (Enter()) Halted ??= "it was killed"; }

    /// <summary>Another process begins; the machine went on, so what was written and not flushed is still there to read.</summary>
    public void Revive()
    {
        using (Enter()) (Halted, flushing, handedOver, Sharing) = (null, null, null, new SqliteSharing());
    }

    /// <summary>The disk is no longer needed. (A store that is closed leaves it as it is: it may be opened again.)</summary>
    public void Detach()
    {
        if (beside is { IsOver: false })
            using (Enter())
            {
                Halted ??= "it is over";
                EndBeside();
            }
        SimulatedVfs.Detach(mount);
    }

    /// <summary>What is there now, flushed or not.</summary>
    public DiskImage Now()
    {
        using (Enter()) return new DiskImage(names.ToDictionary(pair => pair.Key, pair => pair.Value.Bytes()), directories.ToHashSet());
    }

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
    public string Path { get; set; } = path;
    public int Number => number;
    /// <summary>Flushes that went wrong.</summary>
    public int Failures { get; set; }
    public long Length { get; private set; } = bytes.Length;
    bool shared = true; // the array belongs to an image until it is first written to

    public byte[] Bytes() => content.AsSpan(0, (int)Length).ToArray();

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
        public override void AwaitHandOver(long position, long length) => file.Disk.HandOver(file, ref seen);
        public override void Dispose() { }
    }
}
