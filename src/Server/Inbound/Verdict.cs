using CbaMail.Envelope;

namespace CbaMail.Inbound;

/// <summary>What a check found: nothing, or the refusal that ends the matter, with the check's name for the log.</summary>
public readonly record struct Verdict(Refusal? Refusal, string Check)
{
    public static readonly Verdict Accept;
    /// <summary>Nothing speaks against going on; where the mail goes to is said by <see cref="Arrival.Disposition"/>.</summary>
    public bool IsAccept => Refusal is null;
}

/// <summary>
/// What becomes of mail that arrives, the mildest first: where several checks speak, the severest stands. <see cref="Defer"/> and
/// <see cref="Refuse"/> come from a check's <see cref="Refusal"/>, the others from <see cref="Arrival.Judge"/>.
/// </summary>
public enum Disposition
{
    /// <summary>To where it is addressed.</summary>
    Accept,
    /// <summary>Into the mailbox with the special use \Junk of each local recipient, flagged $Junk; what would leave us is held in the queue.</summary>
    Junk,
    /// <summary>
    /// Placed as <see cref="Junk"/>: a second place that nobody looks into would lose mail. The field X-Junk-Reason, the trace and the log tell them apart.
    /// </summary>
    Quarantine,
    /// <summary>Answered as accepted, and dropped: only somebody who configured it so may ask for it. Ends the questions.</summary>
    Discard,
    /// <summary>Refused for now: the client tries again.</summary>
    Defer,
    /// <summary>Refused for good.</summary>
    Refuse,
}

/// <summary>What one check says of a message, and why, for the log.</summary>
public readonly record struct Judgement(Disposition Disposition, string Check, string Reason)
{
    public override string ToString() => $"{Disposition.ToString().ToLowerInvariant()} by {Check}: {Reason}";
}

/// <summary>When a check is asked.</summary>
/// <remarks><c>Data</c> is asked when the client is about to send the text: its recipients are all known, nothing has been transferred.</remarks>
public enum Moment { Connect, Hello, Sender, Recipient, Data, Message }

/// <summary>One question put to mail that arrives. It may fill the <see cref="Arrival"/>; a refusal ends the questions.</summary>
public abstract class Check
{
    public virtual string Name => GetType().Name;
    public abstract ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel);
    /// <summary>An earlier check has refused already; nothing that is thought of it here changes that.</summary>
    public virtual ValueTask ToldAsync(Arrival arrival, Refusal refused, CancellationToken cancel) => ValueTask.CompletedTask;
}
