using System.Text.Json;
using System.Text.Json.Serialization;

namespace CbaMail.Directory;

/// <summary>What an alias is beyond its targets. What is null is not set.</summary>
public sealed record AliasProfile
{
    public static readonly AliasProfile None = new();

    /// <summary>For people: where the address was given away, or what it is for.</summary>
    public string? Comment { get; init; }

    /// <summary>From then on nobody is there.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>After so many messages nobody is there.</summary>
    public int? MaxMessages { get; init; }

    /// <summary>Messages so far; counted only where there is <see cref="MaxMessages"/>.</summary>
    public int? Messages { get; init; }

    /// <summary>Who has not signed in here may not write to it.</summary>
    public bool? InternalOnly { get; init; }

    /// <summary>Whether its targets may write in its name. Null: they may.</summary>
    public bool? MaySend { get; init; }

    /// <summary>The account that made it for itself, by its number.</summary>
    public long? Owner { get; init; }

    /// <summary>An administrator has yet to agree to it: until then nobody is there.</summary>
    public bool? Pending { get; init; }

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static AliasProfile FromJson(string text) => text is "{}" or "" ? None : JsonSerializer.Deserialize<AliasProfile>(text, Json) ?? None;
}

/// <summary>Whether people may make aliases for themselves.</summary>
public enum OwnAliases { None, Approval, Free }
