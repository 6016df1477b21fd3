namespace CbaMail.Mailboxes;

/// <summary>System flags (RFC 9051 2.3.2) as bits.</summary>
[Flags]
public enum MessageFlags
{
    None = 0,
    Seen = 1,
    Answered = 2,
    Flagged = 4,
    Deleted = 8,
    Draft = 16,
}

/// <summary>A mailbox with its counters, as of one snapshot.</summary>
/// <param name="Name">Full path, "/" between levels; INBOX in capitals.</param>
/// <param name="SpecialUse">With the backslash, as RFC 6154 writes it, or null.</param>
/// <param name="RecentUid">Messages with this UID and above are \Recent to the next session that selects.</param>
/// <param name="ModSeq">HIGHESTMODSEQ.</param>
public sealed record Mailbox(
    long Id, long AccountId, string Name, string? SpecialUse, bool Subscribed,
    uint UidValidity, uint UidNext, uint RecentUid, long ModSeq,
    int Messages, int Unseen, int Deleted, long Bytes)
{
    /// <summary>It has an access control list; else its owner may do all, and nobody else anything.</summary>
    public bool IsShared { get; init; }

    /// <summary>For how many days it keeps its messages: 0: for ever; null: as the settings say (<see cref="Retention"/>).</summary>
    public int? KeepDays { get; init; }

    /// <summary>Under which number it is noted what an account has seen here; 0: the owner's own flags are his.</summary>
    public long ReaderOf(long accountId) => accountId == AccountId ? 0 : accountId;

    /// <summary>MAILBOXID: numbers of mailboxes are never used again (RFC 8474 4).</summary>
    public string ObjectId => $"F{Id}";
}

/// <summary>A message in a mailbox, without its content.</summary>
/// <param name="Size">RFC822.SIZE: prefix and content.</param>
/// <param name="Keywords">Sorted, space separated, or null.</param>
/// <param name="Received">INTERNALDATE.</param>
/// <param name="Saved">SAVEDATE.</param>
public readonly record struct MessageRow(
    uint Uid, MessageFlags Flags, string? Keywords, long ModSeq,
    long ContentId, long Size, DateTimeOffset Received, DateTimeOffset Saved)
{
    public FlagState State => new(Uid, Flags, Keywords, ModSeq);
}

/// <summary>What of a message can change.</summary>
public readonly record struct FlagState(uint Uid, MessageFlags Flags, string? Keywords, long ModSeq);

/// <summary>What somebody knows of messages: right as long as the mailbox has that modification sequence, and then it need not be read.</summary>
public sealed record KnownFlags(long ModSeq, IReadOnlyList<FlagState> Messages);

/// <summary>Messages that follow one another in a mailbox and have the same flags.</summary>
/// <param name="First">UID of the first of them.</param>
public readonly record struct KnownRun(uint First, uint Last, int Messages, MessageFlags Flags, string? Keywords);

/// <summary>The same of many, by rising UID.</summary>
public sealed record KnownRuns(long ModSeq, IReadOnlyList<KnownRun> Runs)
{
    /// <summary>More are known one by one.</summary>
    public const int MostRuns = 256, MostMessages = 10_000;

    public int Messages { get; } = Runs.Sum(run => run.Messages);
}

/// <summary>What happened in a mailbox after a modification sequence.</summary>
/// <param name="Changed">New and changed messages by UID.</param>
/// <param name="Vanished">UIDs expunged, rising.</param>
/// <param name="ModSeq">HIGHESTMODSEQ of the snapshot.</param>
public sealed record MailboxChanges(IReadOnlyList<MessageRow> Changed, IReadOnlyList<uint> Vanished, long ModSeq, uint UidNext);

/// <summary>How STORE changes flags (RFC 9051 6.4.6).</summary>
public enum FlagMode { Set, Add, Remove }

/// <summary>A change of flags; keywords in any order, case kept, compared without case.</summary>
public sealed record FlagChange(FlagMode Mode, MessageFlags Flags, IReadOnlyList<string> Keywords)
{
    /// <summary>Flags that stay as they are although <see cref="FlagMode.Set"/> says otherwise: whoever asks may not change them (RFC 4314 4).</summary>
    public MessageFlags Kept { get; init; }

    /// <summary>The same for keywords.</summary>
    public bool KeepsKeywords { get; init; }

    /// <summary>What becomes of flags and keywords.</summary>
    public (MessageFlags Flags, string? Keywords) Apply(MessageFlags flags, string? keywords) => (
        Mode switch
        {
            FlagMode.Set => (Flags & ~Kept) | (flags & Kept),
            FlagMode.Add => flags | Flags,
            _ => flags & ~Flags,
        },
        KeepsKeywords ? keywords : Mailboxes.Keywords.Apply(keywords, Mode, Keywords));
}

/// <param name="Changed">The rows as they are now, by UID, those included that already were so.</param>
/// <param name="Failed">UIDs that UNCHANGEDSINCE kept from being changed (RFC 7162 3.1.3).</param>
public sealed record StoreResult(IReadOnlyList<FlagState> Changed, IReadOnlyList<uint> Failed);

/// <summary>APPENDUID (RFC 4315).</summary>
public readonly record struct Appended(uint UidValidity, uint Uid, long ModSeq);

/// <summary>COPYUID (RFC 4315): pairs in order of the source's UIDs.</summary>
public sealed record Copied(uint UidValidity, IReadOnlyList<(uint Source, uint Destination)> Pairs);
