namespace CbaMail.Config;

/// <summary>The keys of the full-text index.</summary>
public sealed record SearchSettings
{
    /// <summary>Whether there are indexes. Without them a search reads every message: what it finds is the same. Default yes.</summary>
    public bool Index { get; init; } = true;

    /// <summary>How long new mail may wait until it is taken into the index, so that many messages go in at once; a search does not wait for it, and what it has had to read itself goes in a second later. Default 30 seconds.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>New messages of a mailbox that a fuzzy search, whose scores come from the index, takes into it before it answers; with more it reads them instead, and the index is filled behind. Any other search takes in 50 at most, of 1 MB in all: above that reading them is quicker. Default 1000.</summary>
    public int CatchUp { get; init; } = 1000;

    /// <summary>Per cent of one core that filling indexes takes at most while others write mail, 1 to 100; at other times up to one core. Default 10.</summary>
    public int BusyShare { get; init; } = 10;
}
