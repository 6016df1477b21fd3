using System.Text.Json;
using System.Text.Json.Serialization;

namespace CbaMail.Courses.Sources;

/// <summary>What something there means here.</summary>
/// <param name="From">The name of a group in a directory, or a role of the other system.</param>
/// <param name="Role">student, teacher, assistant, guardian; none: whoever is only that is left out. Null: as usual.</param>
/// <param name="Group">A group of the run; null: none.</param>
public sealed record RosterRule(string From, string? Role = null, string? Group = null);

/// <summary>Where the people of a run are known, and how they are taken over. What is null is not set.</summary>
public sealed record RosterProfile
{
    /// <summary>Of ldap: name of a directory of the settings.</summary>
    public string? Directory { get; init; }
    /// <summary>Of moodle: address of the site. Of lti: the context_memberships_url.</summary>
    public string? Url { get; init; }
    /// <summary>Of moodle: number or short name of the course there.</summary>
    public string? Course { get; init; }
    /// <summary>Of lti: what the platform calls this server.</summary>
    public string? ClientId { get; init; }
    /// <summary>Of lti: where access tokens are given.</summary>
    public string? TokenUrl { get; init; }
    /// <summary>Of lti: whom the assertion is for. Null: the address of the tokens.</summary>
    public string? Audience { get; init; }
    /// <summary>Of ldap: the groups that are followed. Of the others: roles that mean something else than usual.</summary>
    public IReadOnlyList<RosterRule>? Rules { get; init; }
    /// <summary>Minutes between two looks; 0: only when asked. Null: 60.</summary>
    public int? Interval { get; init; }
    /// <summary>Whoever came by it and is not there any more has left. Null: yes.</summary>
    public bool? EndMissing { get; init; }
    /// <summary>In percent of those in the run; nothing is done where more would leave. Null: 20.</summary>
    public int? MostEnded { get; init; }

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    internal static RosterProfile FromJson(string text) => JsonSerializer.Deserialize<RosterProfile>(text, Json) ?? new();

    /// <summary>What is not null in a change replaces what was.</summary>
    internal RosterProfile With(RosterProfile change) => new()
    {
        Directory = change.Directory ?? Directory,
        Url = change.Url ?? Url,
        Course = change.Course ?? Course,
        ClientId = change.ClientId ?? ClientId,
        TokenUrl = change.TokenUrl ?? TokenUrl,
        Audience = change.Audience ?? Audience,
        Rules = change.Rules ?? Rules,
        Interval = change.Interval ?? Interval,
        EndMissing = change.EndMissing ?? EndMissing,
        MostEnded = change.MostEnded ?? MostEnded,
    };
}

/// <summary>What the last look changed.</summary>
public sealed record RosterCounts(int Added, int Updated, int Unchanged, int Ended, int Failed);

/// <summary>How a source stands.</summary>
/// <param name="Done">The last time that all went well.</param>
/// <param name="Failing">Since when; null: all is well.</param>
/// <param name="Problem">What is wrong, or "".</param>
public sealed record RosterStanding(DateTimeOffset? Tried, DateTimeOffset? Done, DateTimeOffset? Failing, string Problem, RosterCounts? Last);

/// <summary>A system that knows who is in a run.</summary>
/// <param name="Run">Short name.</param>
/// <param name="Kind">ldap, moodle or lti.</param>
/// <param name="Since">Where the next difference is asked for, or "".</param>
/// <param name="Whole">When all of it was read last.</param>
public sealed record RosterSource(
    long Id, long CourseId, long RunId, string Run, string Kind, RosterProfile Profile, bool HasSecret, DateTimeOffset Created, RosterStanding Standing, string Since, DateTimeOffset? Whole)
{
    public TimeSpan Interval => TimeSpan.FromMinutes(Profile.Interval ?? 60);

    /// <summary>What its secret is encrypted for.</summary>
    internal static string Purpose(long id) => $"roster source {id}";
}
