using System.Text.Json;
using System.Text.Json.Serialization;

namespace CbaMail.Directory;

/// <summary>What an account is beyond its address: what it administers. What is null is not set.</summary>
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

    /// <summary>Whether a browser's session can do nothing before its owner has taken a password of his own.</summary>
    public bool? MustChangePassword { get; init; }

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
