namespace CbaMail.Config;

/// <summary>The keys of the queue, retries and outbound delivery.</summary>
public sealed record QueueSettings
{
}
