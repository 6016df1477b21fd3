using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.Envelope;

namespace CbaMail.Resources;

/// <summary>A room or a piece of equipment with an address that answers invitations by itself.</summary>
/// <param name="Address">Lower case.</param>
public sealed record Resource(long Id, long DomainId, MailAddress Address, ResourceProfile Profile, DateTimeOffset Created);

/// <summary>What a resource is and how it may be booked. What is null is not set.</summary>
public sealed record ResourceProfile
{
    public const int MostDaysAhead = 730;

    /// <summary>For people.</summary>
    public string? Name { get; init; }
    /// <summary><c>room</c> or <c>equipment</c>. Null: <c>room</c>.</summary>
    public string? Kind { get; init; }
    /// <summary>People who fit in.</summary>
    public int? Capacity { get; init; }
    /// <summary>Where it is, for people.</summary>
    public string? Place { get; init; }
    /// <summary>IANA's name: of the opening hours, of whole days and of dates in answers. Null: UTC.</summary>
    public string? TimeZone { get; init; }
    /// <summary>Who may book: <c>everyone</c>, <c>domain</c>, addresses (of groups too), <c>@domain</c>. Null: <c>domain</c>.</summary>
    public IReadOnlyList<string>? Bookers { get; init; }
    /// <summary>Addresses of those who approve, and who hear of it.</summary>
    public IReadOnlyList<string>? Owners { get; init; }
    /// <summary>An owner has to approve.</summary>
    public bool? Approval { get; init; }
    /// <summary>Minutes of one booking at most.</summary>
    public int? MaxMinutes { get; init; }
    /// <summary>How many days ahead it may be booked, 1 to <see cref="MostDaysAhead"/>. Null: 365.</summary>
    public int? DaysAhead { get; init; }
    /// <summary>Minutes of the day from which and until which it is open; both or none.</summary>
    public int? OpensAt { get; init; }
    public int? ClosesAt { get; init; }
    /// <summary>0 is Sunday. Null: each day.</summary>
    public IReadOnlyList<DayOfWeek>? Weekdays { get; init; }
    /// <summary>Series are taken. Null: yes.</summary>
    public bool? Recurring { get; init; }
    /// <summary>Of a series with taken dates the free ones are accepted. Null: no, it is declined as a whole.</summary>
    public bool? AcceptPart { get; init; }
    /// <summary>How many bookings it takes at the same time. Null: 1.</summary>
    public int? Parallel { get; init; }
    /// <summary>Who is declined may learn who has booked it. Null: no.</summary>
    public bool? ShowsWho { get; init; }

    [JsonIgnore]
    public TimeZoneInfo Zone => TimeZone is { } id && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : TimeZoneInfo.Utc;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static ResourceProfile FromJson(string text) => JsonSerializer.Deserialize<ResourceProfile>(text, Json) ?? new();
}
