using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace CbaMail.Directory;

/// <summary>An address that somebody writes as, and the name with it.</summary>
public sealed record Identity(string Address, string Name = "");

/// <summary>What an account is beyond its address: what it administers, until when it is, what is noted of it. What is null is not set.</summary>
public sealed record AccountProfile
{
    public static readonly AccountProfile None = new();

    /// <summary>Domains that a domain administrator has beside his own, by their numbers.</summary>
    public IReadOnlyList<long>? Domains { get; init; }

    /// <summary>Courses that a course manager has, by their numbers.</summary>
    public IReadOnlyList<long>? Courses { get; init; }

    /// <summary>Permissions beyond those of the role, by name.</summary>
    public IReadOnlyList<string>? Granted { get; init; }

    /// <summary>Permissions of the role that are taken away.</summary>
    public IReadOnlyList<string>? Withheld { get; init; }

    /// <summary>Whether nothing can be done before the owner has taken a password of his own: by a browser's session, and by mail programs with this password.</summary>
    public bool? MustChangePassword { get; init; }

    /// <summary>Since when; mail programs are let in for a while where the settings say so.</summary>
    public DateTimeOffset? MustChangeSince { get; init; }

    /// <summary>An address elsewhere that is known to be the owner's: he gets back in by it.</summary>
    public string? Recovery { get; init; }

    /// <summary>When it is disabled by itself.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>So many days before <see cref="Expires"/> its owner is told of it, by mail; null or 0: not at all.</summary>
    public int? ExpiryNoticeDays { get; init; }

    /// <summary>The time of which its owner has been told.</summary>
    public DateTimeOffset? ToldOfExpiry { get; init; }

    /// <summary>For people, and to find it by.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Whatever other programs note of it: a JSON object.</summary>
    public JsonObject? Attributes { get; init; }

    /// <summary>In which the server writes to its owner: <c>en</c> or <c>ru</c>.</summary>
    public string? Language { get; init; }

    /// <summary>The time zone that its owner lives in, as in <c>Europe/Moscow</c>.</summary>
    public string? Zone { get; init; }

    /// <summary>Names to write under, the first one before all; addresses are those that it may write as.</summary>
    public IReadOnlyList<Identity>? Identities { get; init; }

    /// <summary>What is answered while its owner is away.</summary>
    public Vacation? Vacation { get; init; }

    /// <summary>Addresses elsewhere that have yet to agree to its owner's forwarding.</summary>
    public IReadOnlyList<PendingForward>? PendingForwards { get; init; }

    /// <summary>The directory elsewhere that the account comes from.</summary>
    public AccountOrigin? Origin { get; init; }

    /// <summary>Who gave the role, where it was nobody here: it ends when he says so.</summary>
    public string? RoleBy { get; init; }

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => ReferenceEquals(this, None) ? "{}" : JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static AccountProfile FromJson(string text) => text is "{}" or "" ? None : JsonSerializer.Deserialize<AccountProfile>(text, Json) ?? None;
}
