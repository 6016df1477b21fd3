namespace CbaMail.Resources;

/// <summary>What is known of an event, or of an instance that was asked for by itself.</summary>
/// <param name="Instance">RECURRENCE-ID in ms since 1970, or -1: the event itself.</param>
/// <param name="Sequence">With <paramref name="Stamp"/>, of the last that was said about it.</param>
/// <param name="Organizer">Address, lower case.</param>
/// <param name="State">accepted, tentative, declined, cancelled.</param>
/// <param name="Request">Of the calendar that asked for it what a later answer is written from; or null.</param>
/// <param name="Why">What the last answer said beside yes and no; or null.</param>
/// <param name="Ends">When the last that was asked for is over.</param>
public sealed record Booking(long Id, long ResourceId, string Uid, long Instance, int Sequence, DateTimeOffset Stamp, string Organizer, string Summary, string State, byte[]? Request, DateTimeOffset Made, string? Why, DateTimeOffset Ends)
{
    public bool IsHeld => State is "accepted" or "tentative";
}
