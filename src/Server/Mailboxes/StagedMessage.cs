using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>
/// A message ready to be committed: parsed, its large parts cut out, hashed and compressed, outside the committer.
/// It may be committed several times; dispose it after the last.
/// </summary>
public sealed class StagedMessage : IDisposable
{
    internal StagedMessage(PackRecord record) => Record = record;

    internal PackRecord Record { get; }
    internal IReadOnlyList<(long Position, StagedPart Part)> Cut { get; init; } = [];
    internal byte[] Envelope { get; init; } = [];
    internal byte[] Structure { get; init; } = [];
    internal string Preview { get; init; } = "";
    internal DateTimeOffset? Sent { get; init; }
    internal long Conversation { get; init; }
    /// <summary>Its Message-ID and its ancestors (<see cref="Mime.Lineage"/>).</summary>
    internal byte[] Lineage { get; init; } = [];
    /// <summary>What of its header stands in the row (<see cref="KeptFields"/>); null: nothing.</summary>
    internal byte[]? Fields { get; init; }
    /// <summary>Octets that its lines lack (<see cref="Mime.LineEnds"/>).</summary>
    internal int LineEnds { get; init; }
    /// <summary>Octets that the header's surrogate has more (<see cref="Mime.HeaderSurrogate"/>); null: it needs none.</summary>
    internal int? Surrogate { get; init; }

    /// <summary>Bytes of the whole message.</summary>
    public long Size { get; init; }
    /// <summary>The Message-ID field without brackets, or null.</summary>
    public string? MessageId { get; init; }

    public void Dispose()
    {
        Record.Dispose();
        foreach (var (_, part) in Cut)
            if (!part.IsShared) part.Record.Dispose();
    }
}

/// <summary>A large leaf part, by the SHA-256 of its encoded bytes.</summary>
sealed record StagedPart(byte[] Hash, long Length, PackRecord Record)
{
    /// <summary>Other messages may have it too: it is never disposed, the collector takes it.</summary>
    public bool IsShared { get; init; }
}

/// <summary>A stored content within a transaction or for later rows.</summary>
public readonly record struct ContentRef(long Id, long Size)
{
    /// <summary>The Date field; null where there is none or it is not known here.</summary>
    public DateTimeOffset? Sent { get; init; }
}

/// <summary>A row to add. <paramref name="Prefix"/> stands before the content: whole header fields with CRLF, or empty.</summary>
public readonly record struct NewMessage(
    ContentRef Content, ReadOnlyMemory<byte> Prefix, MessageFlags Flags, IReadOnlyList<string> Keywords, DateTimeOffset Received);
