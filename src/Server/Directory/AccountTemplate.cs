using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace CbaMail.Directory;

/// <summary>What a new account begins with where nothing else is said. What is null is not set; a role is never given by one.</summary>
/// <param name="Name">A word, one of its kind on this server.</param>
public sealed record AccountTemplate(string Name)
{
    /// <summary>Whose it is; null: accounts of all domains may be made by it.</summary>
    public string? Domain { get; init; }

    public string? Description { get; init; }

    /// <summary>Bytes; 0 is none.</summary>
    public long? Quota { get; init; }

    /// <summary>Separated by spaces.</summary>
    public string? Groups { get; init; }

    public IReadOnlyList<string>? Tags { get; init; }

    public JsonObject? Attributes { get; init; }

    /// <summary><c>en</c> or <c>ru</c>.</summary>
    public string? Language { get; init; }

    /// <summary>As in <c>Europe/Moscow</c>.</summary>
    public string? Zone { get; init; }

    /// <summary>The account ends so many days after it was made.</summary>
    public int? ValidDays { get; init; }

    public int? ExpiryNoticeDays { get; init; }

    public bool? MustChangePassword { get; init; }

    /// <summary>That the account begins with.</summary>
    public MailPolicy? Policy { get; init; }

    /// <summary>What of it stands in a profile.</summary>
    internal AccountProfile Noted => new() { Tags = Tags, Attributes = Attributes, Language = Language, Zone = Zone, ExpiryNoticeDays = ExpiryNoticeDays };

    /// <summary>The profile that is wanted, and below it what the template says.</summary>
    internal AccountProfile Below(AccountProfile wanted, DateTimeOffset created) => wanted with
    {
        Tags = wanted.Tags ?? Tags,
        Attributes = Attributes is null ? wanted.Attributes
            : new JsonObject(Attributes.Where(one => wanted.Attributes?.ContainsKey(one.Key) != true).Concat(wanted.Attributes ?? []).Select(one => KeyValuePair.Create(one.Key, one.Value?.DeepClone()))),
        Language = wanted.Language ?? Language,
        Zone = wanted.Zone ?? Zone,
        Expires = wanted.Expires ?? (ValidDays is { } days ? created.AddDays(days) : null),
        ExpiryNoticeDays = wanted.ExpiryNoticeDays ?? ExpiryNoticeDays,
        MustChangePassword = wanted.MustChangePassword ?? MustChangePassword,
    };

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static AccountTemplate? FromJson(string text) => JsonSerializer.Deserialize<AccountTemplate>(text, Json);
}
