using CbaMail.Envelope;

namespace CbaMail.Inbound;

/// <summary>What a check found: nothing, or the refusal that ends the matter, with the check's name for the log.</summary>
public readonly record struct Verdict(Refusal? Refusal, string Check)
{
    public static readonly Verdict Accept;
    public bool IsAccept => Refusal is null;
}

/// <summary>When a check is asked.</summary>
public enum Moment { Connect, Hello, Sender, Recipient, Message }

/// <summary>One question put to mail that arrives. It may fill the <see cref="Arrival"/>; a refusal ends the questions.</summary>
public abstract class Check
{
    public virtual string Name => GetType().Name;
    public abstract ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel);
}
