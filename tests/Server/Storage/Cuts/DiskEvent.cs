namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>What happened on a simulated disk.</summary>
enum Deed { Create, MakeDirectory, Delete, Move, RemoveDirectory, Write, Length, Flush, FlushFailed, FlushDirectory, HandOver, Covered, Note }

/// <summary>One entry of a disk's log; a power cut comes after one of them.</summary>
/// <param name="Path">The file or directory, or the text of a note.</param>
/// <param name="File">Which file: a name that is made anew is another file.</param>
/// <param name="From">The name that it had before, where it gets another.</param>
/// <param name="Position">Of a write; the new length of a file; the number of a note.</param>
sealed record DiskEvent(Deed Deed, string Path, int File = 0, long Position = 0, byte[]? Bytes = null, string? From = null)
{
    /// <summary>What two runs of the same seed have in common: SQLite salts its log by chance, so its bytes do not count.</summary>
    public string Shape => $"{Deed} {Path} {File} {Position} {From} {Bytes?.Length} {(Path.EndsWith(".pack", StringComparison.Ordinal) && Bytes is not null ? Hash(Bytes) : 0)}";

    static int Hash(byte[] bytes)
    {
        var sum = 17;
        foreach (var one in bytes) sum = unchecked(sum * 31 + one);
        return sum;
    }
}

/// <summary>Files and directories as they are found after a start.</summary>
sealed record DiskImage(IReadOnlyDictionary<string, byte[]> Files, IReadOnlySet<string> Directories)
{
    public static DiskImage Empty { get; } = new(new Dictionary<string, byte[]>(), new HashSet<string> { SimulatedDisk.Root });
}
