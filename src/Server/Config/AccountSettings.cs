namespace CbaMail.Config;

/// <summary>Accounts.</summary>
public sealed record AccountSettings
{
    /// <summary>How long a removed account can be brought back with all its mail; 0: it is gone at once. Default 30 days.</summary>
    public TimeSpan KeepRemoved { get; init; } = TimeSpan.FromDays(30);
}
