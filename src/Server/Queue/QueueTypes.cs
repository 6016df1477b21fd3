using CbaMail.Envelope;

namespace CbaMail.Queue;

/// <summary>Whose turn comes first: a person who waits, a notice that a machine owes, a mailing.</summary>
public enum MailClass { Interactive, Transactional, Bulk }

/// <summary>A queued message as the workers see it.</summary>
public sealed record QueuedMessage(
    long Id, MailAddress? ReversePath, long ContentId, long Size, string? Return, string? EnvelopeId,
    bool SmtpUtf8, bool EightBit, MailClass Class, DateTimeOffset Created, DateTimeOffset Expires)
{
    public bool Bulk => Class == MailClass.Bulk;

    /// <summary>It came with REQUIRETLS (RFC 8689 2).</summary>
    public bool RequireTls { get; init; }
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
    DateTimeOffset At, DateTimeOffset? NextAttempt = null, bool TellDelay = false, bool Counts = true);

/// <summary>An outcome for the mailing ledger, in the transaction that settles it.</summary>
/// <param name="State">"delivered", "deferred" or "bounced".</param>
public sealed record RemoteOutcome(long LedgerId, string State, string Reply, string Host, string? Tls, DateTimeOffset At);

/// <summary>A queued message as shown to people.</summary>
/// <param name="Sender">Empty for &lt;&gt;.</param>
public sealed record QueueEntry(
    long Id, string Sender, long Size, MailClass Class, DateTimeOffset Created, DateTimeOffset Expires, IReadOnlyList<QueueEntryRecipient> Recipients)
{
    /// <summary>Stands in the JSON since the first release.</summary>
    public bool Bulk => Class == MailClass.Bulk;
}

/// <summary>A queued recipient as shown to people.</summary>
/// <param name="State">"waiting", "deferred", "active" or "held".</param>
public sealed record QueueEntryRecipient(
    string Address, string State, int Attempts, DateTimeOffset NextAttempt, DateTimeOffset? LastAttempt, string? LastReply, string? LastHost);

/// <summary>The queue in figures.</summary>
/// <param name="Oldest">When the oldest message came, or null.</param>
public sealed record QueueCounts(int Messages, int Recipients, int Deferred, int Held, int Active, DateTimeOffset? Oldest);
