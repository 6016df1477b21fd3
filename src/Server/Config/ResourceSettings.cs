namespace CbaMail.Config;

/// <summary>The keys of rooms and equipment; docs: resources.</summary>
public sealed record ResourceSettings
{
    /// <summary>
    /// Calendar services that send invitations in their people's names, by the address in Sender or From. Where a signature of that address's domain (DKIM)
    /// covers the field, the organizer may be anybody who is not of a domain of ours: he gets the answer, and may book what everyone may, or the service, or
    /// whom From proves. Default: calendar-notification@google.com.
    /// </summary>
    public IReadOnlyList<string> CalendarServices { get; init; } = ["calendar-notification@google.com"];
}
