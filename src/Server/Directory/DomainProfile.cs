using System.Text.Json;
using System.Text.Json.Serialization;

namespace CbaMail.Directory;

/// <summary>What a domain is beyond its name: what it allows, and what an administrator notes of it. What is null is not set.</summary>
public sealed record DomainProfile
{
    public static readonly DomainProfile None = new();

    /// <summary>Accounts that it may have.</summary>
    public int? MaxAccounts { get; init; }

    /// <summary>Aliases that it may have.</summary>
    public int? MaxAliases { get; init; }

    /// <summary>The largest quota of one account, in bytes; where it is set, an account without a quota is none of this domain.</summary>
    public long? MaxQuota { get; init; }

    /// <summary>What the quotas of all its accounts may come to, in bytes.</summary>
    public long? TotalQuota { get; init; }

    /// <summary>Whether people may make aliases for themselves. Null: they may not.</summary>
    public OwnAliases? OwnAliases { get; init; }

    /// <summary>How many of them each.</summary>
    public int? MaxOwnAliases { get; init; }

    /// <summary>Where its people may forward to by themselves: <c>here</c>, <c>@domain</c>, <c>@*.domain</c>, <c>anywhere</c>. Null: nowhere.</summary>
    public IReadOnlyList<string>? ForwardTo { get; init; }

    /// <summary>The template of accounts that its new users are made by.</summary>
    public string? Template { get; init; }

    /// <summary>For people.</summary>
    public string? Description { get; init; }

    /// <summary>Words to find it by.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>How people come in by themselves: <c>closed</c>, not at all; <c>invited</c>, by invitation; <c>approval</c>, also without, once somebody says yes. Null is invited.</summary>
    public string? SignUp { get; init; }

    /// <summary>Whether managers of courses may invite people into accounts here; null is no.</summary>
    public bool? CourseInvitations { get; init; }

    /// <summary>Whether somebody may take a new password by his recovery address; null is yes.</summary>
    public bool? PasswordReset { get; init; }

    /// <summary>How pages and letters show themselves to its people.</summary>
    public Branding? Branding { get; init; }

    [JsonIgnore] public bool HasLimits => MaxAccounts is not null || MaxAliases is not null || MaxQuota is not null || TotalQuota is not null;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal string ToJson() => ReferenceEquals(this, None) ? "{}" : JsonSerializer.Serialize(this, Json);

    /// <summary>What an older release did not know is null; what a newer one wrote is passed over.</summary>
    internal static DomainProfile FromJson(string text) => text is "{}" or "" ? None : JsonSerializer.Deserialize<DomainProfile>(text, Json) ?? None;
}
