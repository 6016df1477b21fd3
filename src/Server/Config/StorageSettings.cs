namespace CbaMail.Config;

/// <summary>The keys of packs, database and commits. The defaults suit 1 vCPU and 1 GB.</summary>
public sealed record StorageSettings
{
    /// <summary>Bytes after which a pack file is sealed and the next one begun. Default 64 MiB.</summary>
    public long PackBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of the pack that are filled with zeros ahead of the writer: it halves the time of a flush. Default 2 MiB.</summary>
    public int PackAheadBytes { get; init; } = 2 << 20;

    /// <summary>Packs kept open for reading at most; a mailbox may lie in many. Default 64.</summary>
    public int OpenPacks { get; init; } = 64;

    /// <summary>A full pack of which this many per cent are dead is rewritten: what lives is copied behind the newest pack, the file is removed. Default 50.</summary>
    public int CollectDeadPercent { get; init; } = 50;

    /// <summary>How often packs are looked at for space to give back; 0 never. Default 10 minutes.</summary>
    public TimeSpan CollectEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Bytes a second that are copied at most when packs are rewritten; a quarter of it while the server is busy; 0 is as fast as it goes. Default 16 MiB.</summary>
    public long CollectBytesPerSecond { get; init; } = 16L << 20;

    /// <summary>Bytes copied in one commit when packs are rewritten; a larger object is copied alone. Default 1 MiB.</summary>
    public int CollectPieceBytes { get; init; } = 1 << 20;

    /// <summary>How long it is remembered which messages were expunged, so that clients that were away learn of it cheaply (QRESYNC). Default 90 days.</summary>
    public TimeSpan KeepExpunged { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Expunged messages of each mailbox that are remembered longer than that. Default 10,000.</summary>
    public int KeepExpungedAtLeast { get; init; } = 10_000;

    /// <summary>How long a batch waits for as many commits as the last one had, in milliseconds; a lonely commit never waits. Default 1.</summary>
    public int GatherMilliseconds { get; init; } = 1;

    /// <summary>A lonely commit runs on its caller's own thread while commits take less than this, in milliseconds; 0 = never. Default 4.</summary>
    public int LeadMilliseconds { get; init; } = 4;

    /// <summary>Messages from which on flags that are changed together are written as one entry and put into each message's own a moment later; 0 = never. Default 250.</summary>
    public int PendingFlagsAtLeast { get; init; } = 250;

    /// <summary>Time without a commit after which they are, in milliseconds; 0 = only before something else is written. Default 500.</summary>
    public int PendingFlagsMilliseconds { get; init; } = 500;

    /// <summary>Pages of 4 KiB after which the database's log is moved into the database, beside the writer; 0 = never by itself. Default 1,000.</summary>
    public int CheckpointPages { get; init; } = 1_000;

    /// <summary>Time without a commit after which the rest of the log is moved, in milliseconds. Default 500.</summary>
    public int CheckpointIdleMilliseconds { get; init; } = 500;

    /// <summary>Pages of 4 KiB to which the log may grow while commits never pause; then the writer moves the rest itself. Default 1,500.</summary>
    public int LogPages { get; init; } = 1_500;

    /// <summary>Bytes that the log's file keeps to be written over, which is quicker than to grow. Default 6 MiB.</summary>
    public int LogKeptBytes { get; init; } = 6 << 20;

    /// <summary>
    /// Bytes of the disk below which no new mail is taken (452, NO), so that flags, moving, removing and reading go on.
    /// Default 64 MiB, and a tenth of the file system at most.
    /// </summary>
    public long? KeepFree { get; init; }

    /// <summary>Commits in one batch at most. Default 512.</summary>
    public int BatchCommits { get; init; } = 512;

    /// <summary>SQLite's page cache of the writer, in KiB. Default 16,384.</summary>
    public int WriterCacheKib { get; init; } = 16 * 1024;

    /// <summary>SQLite's page cache of each pooled reader, in KiB. Default 2,048.</summary>
    public int ReaderCacheKib { get; init; } = 2 * 1024;

    /// <summary>Readers kept open between uses. Default 4.</summary>
    public int PooledReaders { get; init; } = 4;

    /// <summary>Leaf parts of this many bytes and more are stored once, by their hash. Default 32 KiB.</summary>
    public int SharedPartBytes { get; init; } = 32 * 1024;

    /// <summary>Bytes of messages above 256 KiB that are parsed, compressed and stored at once; further ones wait. Default 64 MiB.</summary>
    public long StagingBytes { get; init; } = 64L << 20;

    /// <summary>Messages above this many bytes are spooled to a file while they arrive. Default 256 KiB.</summary>
    public int SpoolMemoryBytes { get; init; } = 256 * 1024;
}
