namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>What of the writes that were not flushed survives a power cut.</summary>
enum Survivors { Nothing, Everything, OnlyDatabase, OnlyPacks, Few, Some, Most }

/// <summary>
/// Makes disks as a power cut would leave them out of the log of one run. Flushed data are there; of what was written and not flushed
/// each sector of 512 bytes arrived or did not, in any order between and within files; one sector may be torn; a length that was not flushed
/// may be the old one or the new one, with zeros or garbage in sectors that did not arrive; names made, changed or removed without a flush
/// of their directory may be there or not (a changed one is the old or the new). Cuts are made by rising position: the durable part is carried along.
/// </summary>
sealed class PowerCut(DiskImage image, IReadOnlyList<DiskEvent> log)
{
    const int Sector = 512;

    sealed class Durable(byte[] bytes)
    {
        public byte[] Content = bytes;
        public long Length = bytes.Length;
        public bool Shared = true;
        public readonly List<DiskEvent> Pending = [];

        public void Put(ReadOnlySpan<byte> bytes, long position)
        {
            Room(position + bytes.Length);
            bytes.CopyTo(Content.AsSpan((int)position));
            Length = Math.Max(Length, position + bytes.Length);
        }

        public void Cut(long length)
        {
            Room(length);
            if (length < Length) Content.AsSpan((int)length, (int)(Length - length)).Clear();
            Length = length;
        }

        void Room(long room)
        {
            if (!Shared && room <= Content.Length) return;
            var larger = new byte[Math.Max(room, Shared ? Length : Length * 2)];
            Content.AsSpan(0, (int)Length).CopyTo(larger);
            (Content, Shared) = (larger, false);
        }
    }

    readonly Dictionary<int, Durable> files = Numbered(image, out _);
    readonly Dictionary<string, int> names = Names(image);
    readonly HashSet<string> directories = [.. image.Directories];
    readonly List<DiskEvent> pendingNames = [];
    int at;

    // the disk numbers the files of its image in the same order
    static Dictionary<int, Durable> Numbered(DiskImage image, out int last)
    {
        last = 0;
        var files = new Dictionary<int, Durable>();
        foreach (var (_, bytes) in image.Files) files[++last] = new Durable(bytes);
        return files;
    }

    static Dictionary<string, int> Names(DiskImage image)
    {
        var (names, last) = (new Dictionary<string, int>(), 0);
        foreach (var (path, _) in image.Files) names[path] = ++last;
        return names;
    }

    /// <summary>Goes on in the log until <paramref name="events"/> have happened.</summary>
    public void Advance(int events)
    {
        if (events < at) throw new InvalidOperationException("Cuts are made by rising position.");
        for (; at < events; at++) Take(log[at]);
    }

    void Take(DiskEvent what)
    {
        switch (what.Deed)
        {
            case Deed.Create:
                files[what.File] = new Durable([]);
                pendingNames.Add(what);
                break;
            case Deed.MakeDirectory or Deed.Delete or Deed.Move or Deed.RemoveDirectory:
                pendingNames.Add(what);
                break;
            case Deed.Write or Deed.Length:
                files[what.File].Pending.Add(what);
                break;
            case Deed.Flush:
                var file = files[what.File];
                foreach (var one in file.Pending) Apply(file, one);
                file.Pending.Clear();
                break;
            case Deed.Covered:
                // of what was handed over another file's flush makes durable what is written over alone: no length, nothing behind the old end
                var covered = files[what.File];
                for (var i = 0; i < covered.Pending.Count && covered.Pending[i] is { Deed: Deed.Write } one;)
                {
                    if (one.Position >= covered.Length) { i++; continue; } // zeros ahead of the writer: they touch nothing of it
                    if (one.Position + one.Bytes!.Length > covered.Length) break;
                    Apply(covered, one);
                    covered.Pending.RemoveAt(i);
                }
                break;
            case Deed.FlushFailed:
                // some of it arrived, and no later flush will bring the rest
                var half = files[what.File];
                var random = new Random(at);
                foreach (var one in half.Pending)
                    if (one.Deed == Deed.Length) Apply(half, one); else Tear(half, one, random, 0.5);
                half.Pending.Clear();
                break;
            case Deed.FlushDirectory:
                foreach (var one in pendingNames.Where(one => Path.GetDirectoryName(one.Path) == what.Path).ToList())
                {
                    Apply(names, directories, one);
                    // what came before and can no longer be seen
                    if (one.Deed == Deed.Move) pendingNames.RemoveAll(other => other.Deed == Deed.Create && other.File == one.File);
                    if (one.Deed == Deed.RemoveDirectory) ForgetBelow(one);
                    pendingNames.Remove(one);
                }
                break;
        }
    }

    void ForgetBelow(DiskEvent removed)
    {
        var before = pendingNames.IndexOf(removed);
        for (var i = before - 1; i >= 0; i--)
            if (IsBelow(pendingNames[i].Path, removed.Path)) pendingNames.RemoveAt(i);
    }

    static void Apply(Durable file, DiskEvent what)
    {
        if (what.Deed == Deed.Write) file.Put(what.Bytes, what.Position); else file.Cut(what.Position);
    }

    static void Apply(Dictionary<string, int> names, HashSet<string> directories, DiskEvent what)
    {
        if (what.Deed == Deed.Create) names[what.Path] = what.File;
        else if (what.Deed == Deed.Delete) names.Remove(what.Path);
        else if (what.Deed == Deed.MakeDirectory) directories.Add(what.Path);
        else if (what.Deed == Deed.Move)
        {
            if (names.TryGetValue(what.From!, out var file) && file == what.File) names.Remove(what.From!);
            names[what.Path] = what.File;
        }
        else
        {
            directories.RemoveWhere(path => path == what.Path || IsBelow(path, what.Path));
            foreach (var path in names.Keys.Where(path => IsBelow(path, what.Path)).ToList()) names.Remove(path);
        }
    }

    static bool IsBelow(string path, string directory) => path.Length > directory.Length && path[directory.Length] == '/' && path.StartsWith(directory, StringComparison.Ordinal);

    /// <summary>The disk as it is found when the power is back.</summary>
    public DiskImage Cut(Random random, Survivors survivors)
    {
        var (namesLeft, directoriesLeft) = (new Dictionary<string, int>(names), new HashSet<string>(directories));
        var missed = new HashSet<string>(); // of one name they arrive in order, and a file gets no other name before it has one
        foreach (var one in pendingNames)
        {
            if (!missed.Contains(one.Path) && (one.From is null || !missed.Contains(one.From)) && random.NextDouble() < Chance(survivors, one.Path)) Apply(namesLeft, directoriesLeft, one);
            else
            {
                missed.Add(one.Path);
                if (one.From is not null) missed.Add(one.From);
            }
        }
        directoriesLeft.RemoveWhere(path => !Reachable(path, directoriesLeft));
        var left = new Dictionary<string, byte[]>();
        foreach (var (path, number) in namesLeft.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            if (Reachable(path, directoriesLeft)) left[path] = Content(files[number], random, survivors, Chance(survivors, path));
        return new DiskImage(left, directoriesLeft);
    }

    static bool Reachable(string path, HashSet<string> directories) =>
        path == SimulatedDisk.Root || (Path.GetDirectoryName(path) is { Length: > 1 } above && (above == SimulatedDisk.Root || (directories.Contains(above) && Reachable(above, directories))));

    static double Chance(Survivors survivors, string path) => survivors switch
    {
        Survivors.Nothing => 0,
        Survivors.Everything => 1,
        Survivors.OnlyPacks => path.Contains("/packs", StringComparison.Ordinal) ? 1 : 0,
        Survivors.OnlyDatabase => path.Contains("/packs", StringComparison.Ordinal) ? 0 : 1,
        Survivors.Few => 0.1,
        Survivors.Some => 0.5,
        _ => 0.95,
    };

    /// <summary>Writes that a cut now could take away; zeros put ahead of the writer are none.</summary>
    public IEnumerable<DiskEvent> Unflushed => files.Values.SelectMany(file => file.Pending).Where(what => what.Deed == Deed.Write && what.Bytes.AsSpan().ContainsAnyExcept((byte)0));

    static byte[] Content(Durable file, Random random, Survivors survivors, double chance)
    {
        var result = new Durable(file.Content) { Length = file.Length };
        var mixed = survivors >= Survivors.Few;
        foreach (var what in file.Pending)
        {
            if (chance >= 1) Apply(result, what);
            else if (chance <= 0) continue;
            else if (what.Deed == Deed.Length) { if (random.NextDouble() < chance) Apply(result, what); }
            else Tear(result, what, random, chance);
        }
        if (mixed && file.Pending.Count > 0 && file.Pending[^1] is { Deed: Deed.Write, Bytes: { } last } final)
        {
            // the last sector of all, torn: its leading bytes arrived
            var start = (int)(last.Length - 1 - (final.Position + last.Length - 1) % Sector);
            start = Math.Max(0, start);
            var count = random.Next(last.Length - start + 1);
            if (count > 0 && final.Position + start <= result.Length) result.Put(last.AsSpan(start, count), final.Position + start);
        }
        return result.Content.AsSpan(0, (int)result.Length).ToArray();
    }

    static void Tear(Durable result, DiskEvent what, Random random, double chance)
    {
        var bytes = what.Bytes!;
        var end = what.Position + bytes.Length;
        var before = result.Length;
        if (end > before && random.NextDouble() < chance)
        {
            // the length arrived, whether the data did or not
            result.Cut(end);
            if (random.Next(4) == 0) Garbage(result, Math.Max(before, what.Position), end, random);
        }
        for (var from = 0; from < bytes.Length;)
        {
            var to = (int)Math.Min(bytes.Length, (what.Position + from) / Sector * Sector + Sector - what.Position);
            if (random.NextDouble() < chance) result.Put(bytes.AsSpan(from, to - from), what.Position + from);
            from = to;
        }
    }

    // only whole sectors that hold nothing flushed
    static void Garbage(Durable result, long from, long to, Random random)
    {
        from = (from + Sector - 1) / Sector * Sector;
        if (from < to) random.NextBytes(result.Content.AsSpan((int)from, (int)(to - from)));
    }
}
