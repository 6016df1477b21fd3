namespace CbaMail.Config;

/// <summary>The keys of bounces: return addresses, addresses that are dead, notices to senders.</summary>
public sealed record BounceSettings
{
    /// <summary>
    /// Whether each copy of a mailing leaves with a return address of its own, <c>bounce+...@domain</c>: a bounce that comes days later is then
    /// tied to its recipient, whatever the other server writes into it. Default yes.
    /// </summary>
    public bool Verp { get; init; } = true;

    /// <summary>How long such an address takes bounces; most servers give up within 5 days. Default 30 days.</summary>
    public TimeSpan Valid { get; init; } = TimeSpan.FromDays(30);

    /// <summary>After how many messages that were told so an address is held for dead and left out of mailings; 0: never. Default 2.</summary>
    public int DeadAfter { get; init; } = 2;

    /// <summary>How long must lie between the first and the last of them: an outage that denies every address for some hours makes none dead. Default 1 day.</summary>
    public TimeSpan DeadApart { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The same where the whole domain does not exist or takes no mail. Default 3 days.</summary>
    public TimeSpan DeadDomainApart { get; init; } = TimeSpan.FromDays(3);

    /// <summary>Bounces older than this are forgotten. Default 30 days.</summary>
    public TimeSpan DeadWithin { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a dead address is left out; then it is tried again. Default 90 days.</summary>
    public TimeSpan SuppressFor { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Notices that one sender gets in an hour; further ones stand in the trace only. 0 = no limit. Default 100; in the evaluation profile 0.</summary>
    public int? PerHour { get; init; }

    internal int MostPerHour(bool evaluation) => PerHour ?? (evaluation ? 0 : 100);
}
