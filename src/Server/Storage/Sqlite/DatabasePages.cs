using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace CbaMail.Storage.Sqlite;

/// <summary>
/// The pages of a database file as they lie there, those in its write-ahead log before them: for reading what SQLite itself refuses to
/// (https://www.sqlite.org/fileformat2.html). Nothing is written, and nothing is believed: whoever asks for a page that is not there gets null.
/// </summary>
sealed class DatabasePages : IDisposable
{
    const int DefaultPage = 4096;
    const int LogHeader = 32, FrameHeader = 24;

    readonly SafeFileHandle file;
    readonly SafeFileHandle? log;
    readonly Dictionary<int, long> frames = [];

    public DatabasePages(string path)
    {
        file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var head = new byte[100];
        _ = RandomAccess.Read(file, head, 0);
        var size = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(16)) is 1 ? 65536 : BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(16));
        var isWhole = head.AsSpan().StartsWith("SQLite format 3\0"u8) && size >= 512 && (size & (size - 1)) == 0;
        Size = isWhole ? size : DefaultPage;
        Usable = Size - (isWhole && head[20] < 32 ? head[20] : 0);
        if (File.Exists(path + "-wal"))
        {
            log = File.OpenHandle(path + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            ReadLog(log);
        }
        Count = (int)Math.Min(int.MaxValue - 1, RandomAccess.GetLength(file) / Size);
        if (frames.Count > 0) Count = Math.Max(Count, frames.Keys.Max());
    }

    /// <summary>Bytes of a page.</summary>
    public int Size { get; }
    /// <summary>Of these, those that hold content.</summary>
    public int Usable { get; }
    /// <summary>The highest number of a page that is there.</summary>
    public int Count { get; }

    public byte[]? Read(int number)
    {
        if (number < 1 || number > Count) return null;
        var page = new byte[Size];
        var (from, position) = frames.TryGetValue(number, out var frame) ? (log!, frame) : (file, (number - 1L) * Size);
        try { return RandomAccess.Read(from, page, position) == Size ? page : null; }
        catch (IOException) { return null; } // a sector that cannot be read
    }

    /// <summary>Pages that hold nothing, or what was removed.</summary>
    public HashSet<int> Free()
    {
        var free = new HashSet<int>();
        if (Read(1) is not { } first) return free;
        for (var trunk = (int)BinaryPrimitives.ReadUInt32BigEndian(first.AsSpan(32)); trunk > 0 && Read(trunk) is { } page && free.Add(trunk);)
        {
            var leaves = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(4)), (uint)(Usable / 4 - 2));
            for (var i = 0; i < leaves; i++) free.Add((int)BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(8 + 4 * i)));
            trunk = (int)BinaryPrimitives.ReadUInt32BigEndian(page);
        }
        return free;
    }

    // as SQLite does: frames with the salts of the header and right checksums, as far as the last that ends a transaction
    void ReadLog(SafeFileHandle from)
    {
        var head = new byte[LogHeader];
        if (RandomAccess.Read(from, head, 0) != LogHeader) return;
        var magic = BinaryPrimitives.ReadUInt32BigEndian(head);
        if (magic is not (0x377f0682 or 0x377f0683) || BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(8)) != Size) return;
        var sums = (0u, 0u);
        var big = magic == 0x377f0683;
        Sum(head.AsSpan(0, 24), big, ref sums);
        if (sums != Sums(head.AsSpan(24))) return;
        var frame = new byte[FrameHeader + Size];
        var open = new Dictionary<int, long>();
        for (long at = LogHeader; RandomAccess.Read(from, frame, at) == frame.Length; at += frame.Length)
        {
            Sum(frame.AsSpan(0, 8), big, ref sums);
            Sum(frame.AsSpan(FrameHeader), big, ref sums);
            if (!frame.AsSpan(8, 8).SequenceEqual(head.AsSpan(16, 8)) || sums != Sums(frame.AsSpan(16))) return;
            open[(int)BinaryPrimitives.ReadUInt32BigEndian(frame)] = at + FrameHeader;
            if (BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) == 0) continue;
            foreach (var (page, position) in open) frames[page] = position;
            open.Clear();
        }
    }

    static (uint, uint) Sums(ReadOnlySpan<byte> bytes) => (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));

    static void Sum(ReadOnlySpan<byte> bytes, bool big, ref (uint First, uint Second) sums)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var (one, two) = big ? Sums(bytes) : (BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
            sums.First += one + sums.Second;
            sums.Second += two + sums.First;
        }
    }

    public void Dispose()
    {
        file.Dispose();
        log?.Dispose();
    }
}
