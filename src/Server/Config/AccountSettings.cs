namespace CbaMail.Config;

/// <summary>Accounts.</summary>
public sealed record AccountSettings
{
    /// <summary>How long a removed account can be brought back with all its mail; 0: it is gone at once. Default 30 days.</summary>
    public TimeSpan KeepRemoved { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long an expunged message can be brought back; 0: it is gone at once. Not while the disk is short. Default 14 days.</summary>
    public TimeSpan KeepExpunged { get; init; } = TimeSpan.FromDays(14);

    /// <summary>How much an account may have of such messages beside its quota, in per cent of it; the oldest go first. Default 50.</summary>
    public int KeepExpungedPercent { get; init; } = 50;

    /// <summary>How long mail stays in Junk (the mailbox with that special use), unless the mailbox itself says otherwise; whole days, and what is flagged stays. Default 0: for ever.</summary>
    public TimeSpan KeepJunk { get; init; }

    /// <summary>The same of Trash. Default 0: for ever.</summary>
    public TimeSpan KeepTrash { get; init; }
}
