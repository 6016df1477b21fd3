using CbaMail.Envelope;

namespace CbaMail.Queue;

/// <summary>Whose turn comes first: a person who waits, a notice that a machine owes, a mailing.</summary>
public enum MailClass { Interactive, Transactional, Bulk }

/// <summary>By when a message is to be delivered (RFC 2852).</summary>
/// <param name="Return">After it the message is returned ("R"); otherwise its sender is told, and it is tried on ("N").</param>
/// <param name="Trace">Each server that passes it on tells the sender.</param>
public sealed record DeliverBy(DateTimeOffset Deadline, bool Return, bool Trace)
{
    /// <summary>As it stands in the table.</summary>
    public string Mode => (Return ? "R" : "N") + (Trace ? "T" : "");
}

/// <summary>A queued message as the workers see it.</summary>
public sealed record QueuedMessage(
    long Id, MailAddress? ReversePath, long ContentId, long Size, string? Return, string? EnvelopeId,
    bool SmtpUtf8, bool EightBit, MailClass Class, DateTimeOffset Created, DateTimeOffset Expires)
{
    public bool Bulk => Class == MailClass.Bulk;
    internal Standing Standing => new(Class, Priority);
    /// <summary>It came with REQUIRETLS (RFC 8689 2).</summary>
    public bool RequireTls { get; init; }
    /// <summary>Passed on for somebody: it is sealed when it leaves (RFC 8617).</summary>
    public bool Forwarded { get; init; }
    /// <summary>Whole header fields that stand before the content; or null.</summary>
    public byte[]? Top { get; init; }
    /// <summary>The domain that passes it on, where the reverse-path does not tell.</summary>
    public string? Sealer { get; init; }
    /// <summary>RFC 6710: -9 to 9.</summary>
    public int Priority { get; init; }
    public DeliverBy? By { get; init; }
    /// <summary>RFC 4865, or an administrator: not before.</summary>
    public DateTimeOffset? ReleaseAt { get; init; }
    /// <summary>What its sender asked for, as RFC 4865 5.1.2 writes it, or null.</summary>
    public string? HoldRequest { get; init; }
    /// <summary>Without angle brackets, or null.</summary>
    public string? MessageId { get; init; }
    /// <summary>Who submitted it, or null.</summary>
    public long? Account { get; init; }
    /// <summary>The mailing that it is a copy of, or null.</summary>
    public long? Mailing { get; init; }
    /// <summary>Id of the transaction that brought it.</summary>
    public string Arrival { get; init; } = "";
}

/// <summary>A queued recipient as the workers see it.</summary>
/// <param name="DelayTold">The sender has had the notice of delay for this recipient.</param>
public sealed record QueuedRecipient(
    long MessageId, int Sequence, MailAddress Address, string Domain, string? Notify, string? OriginalRecipient, long? LedgerId,
    int Attempts, bool DelayTold);

/// <summary>A message and those of its recipients that one worker has taken; nobody else has them until it is settled or abandoned.</summary>
public sealed record QueueClaim(string Destination, QueuedMessage Message, IReadOnlyList<QueuedRecipient> Recipients);

/// <summary>How an attempt ended for a recipient.</summary>
public enum OutcomeState { Delivered, Deferred, Bounced }

/// <summary>What an attempt brought for one recipient.</summary>
/// <param name="Reply">The peer's reply as one line, or why there was none.</param>
/// <param name="Status">Enhanced status code (RFC 3463) for notices.</param>
/// <param name="Host">The peer: name and address; empty when none was reached.</param>
/// <param name="Tls">Protocol and cipher, or null.</param>
/// <param name="NextAttempt">For Deferred.</param>
/// <param name="TellDelay">For Deferred: the notice of delay goes out with this commit.</param>
/// <param name="Counts">Whether the attempt counts for the schedule; a recipient that the peer put off to a next transaction was not tried.</param>
public sealed record RecipientOutcome(
    QueuedRecipient Recipient, OutcomeState State, string Reply, string Status, string Host, string? Tls,
    DateTimeOffset At, DateTimeOffset? NextAttempt = null, bool TellDelay = false, bool Counts = true)
{
    BounceVerdict? verdict;

    /// <summary>Why it did not get through; asked of those that did, it means nothing.</summary>
    public BounceVerdict Verdict => verdict ??= ReplyClassifier.Classify(Reply) is { Cause: BounceCause.Unknown } ? ReplyClassifier.Classify(0, Status, "") : ReplyClassifier.Classify(Reply);
}

/// <summary>An outcome for the mailing ledger, in the transaction that settles it.</summary>
/// <param name="State">"delivered", "deferred" or "bounced".</param>
/// <param name="Class">Of one that did not get through: dead, full, policy, content, temporary, unknown; or null.</param>
public sealed record RemoteOutcome(long LedgerId, string State, string Reply, string Host, string? Tls, DateTimeOffset At, string? Class = null);

/// <summary>A queued message as shown to people.</summary>
/// <param name="Sender">Empty for &lt;&gt;.</param>
/// <param name="Recipients">Those that were asked for.</param>
public sealed record QueueEntry(
    long Id, string Sender, long Size, MailClass Class, DateTimeOffset Created, DateTimeOffset Expires, IReadOnlyList<QueueEntryRecipient> Recipients)
{
    /// <summary>Stands in the JSON since the first release.</summary>
    public bool Bulk => Class == MailClass.Bulk;
    public int Priority { get; init; }
    public string? MessageId { get; init; }
    public string? Subject { get; init; }
    public long? Mailing { get; init; }
    public DateTimeOffset? ReleaseAt { get; init; }
    public DateTimeOffset? DeliverBy { get; init; }
    /// <summary>The transaction that brought it, as on the log lines.</summary>
    public string? Arrival { get; init; }
}

/// <summary>A queued recipient as shown to people.</summary>
/// <param name="State">"waiting", "scheduled", "deferred", "active" or "held".</param>
public sealed record QueueEntryRecipient(
    string Address, string State, int Attempts, DateTimeOffset NextAttempt, DateTimeOffset? LastAttempt, string? LastReply, string? LastHost)
{
    /// <summary>The rule that holds it, or null.</summary>
    public long? Rule { get; init; }
    /// <summary>The mailing ledger's row, or null.</summary>
    public long? Ledger { get; init; }
    /// <summary>The attempts so far; null in lists.</summary>
    public IReadOnlyList<QueueAttempt>? History { get; init; }
}

/// <summary>An attempt that did not end the matter.</summary>
/// <param name="Host">Empty when none was reached.</param>
public sealed record QueueAttempt(DateTimeOffset At, string Host, string? Tls, string Reply);

/// <summary>The queue in figures.</summary>
/// <param name="Oldest">When the oldest message came, or null.</param>
public sealed record QueueCounts(int Messages, int Recipients, int Deferred, int Held, int Active, DateTimeOffset? Oldest);
