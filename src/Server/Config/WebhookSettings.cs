namespace CbaMail.Config;

/// <summary>How events are told to webhooks; the webhooks themselves are made by <c>cbamail webhook add</c>.</summary>
public sealed record WebhookSettings
{
    /// <summary>Events that are under way at once; one webhook has at most half of them. Default 8.</summary>
    public int Concurrency { get; init; } = 8;

    /// <summary>Pauses after the first, second ... failed attempt; the last one repeats. Default 1, 5, 15, 30 minutes, 1, 2, 4, 6 hours.</summary>
    public IReadOnlyList<TimeSpan> RetryAfter { get; init; } =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(6),
    ];

    /// <summary>How long one event is tried. Default 24 hours.</summary>
    public TimeSpan Expire { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A webhook that has taken nothing for so long while events were sent to it is switched off. Default 3 days.</summary>
    public TimeSpan GiveUp { get; init; } = TimeSpan.FromDays(3);
}
