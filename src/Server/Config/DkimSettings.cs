namespace CbaMail.Config;

/// <summary>The keys of DKIM's keys: they are made, published ahead, changed and retired by themselves.</summary>
public sealed record DkimSettings
{
    /// <summary>Whether mail that leaves is signed at all (DKIM), and what is passed on for others is sealed (ARC). Default yes.</summary>
    public bool Sign { get; init; } = true;

    /// <summary>
    /// Whether a new key signs only when its record is seen in DNS. A signature whose key is not published is worth nothing, and some
    /// receivers count it against the sender. Default yes; in the evaluation profile no.
    /// </summary>
    public bool WaitForDns { get; init; } = true;

    /// <summary>How long a key signs before the next one is made. Default 180 days; 0: keys are changed by hand alone.</summary>
    public TimeSpan Rotate { get; init; } = TimeSpan.FromDays(180);

    /// <summary>How long the record of a key that signs no more stays published: mail that it signed may still be on its way. Default 14 days.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(14);
}
