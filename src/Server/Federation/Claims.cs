using System.Text.Json;

namespace CbaMail.Federation;

/// <summary>What an issuer says of somebody: claims by name, where a dot leads into one.</summary>
static class Claims
{
    public static JsonElement? Find(JsonElement claims, string name)
    {
        if (claims.ValueKind != JsonValueKind.Object) return null;
        if (claims.TryGetProperty(name, out var found)) return found;
        // RFC 7519 4.2: names may be addresses, so the whole name goes first
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && claims.TryGetProperty(name[..dot], out var inner) ? Find(inner, name[(dot + 1)..]) : null;
    }

    public static string? Text(JsonElement claims, string name) => Find(claims, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>One text or a list of them; null where there is no such claim.</summary>
    public static IReadOnlyList<string>? Texts(JsonElement claims, string name) => Find(claims, name) switch
    {
        { ValueKind: JsonValueKind.String } one => [one.GetString()!],
        { ValueKind: JsonValueKind.Array } many => [.. many.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)],
        _ => null,
    };

    /// <summary>Some providers write it as a text.</summary>
    public static bool IsTrue(JsonElement claims, string name) => Find(claims, name) is { } value && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() == "true"));

    /// <summary>Seconds since 1970 (RFC 7519 2, NumericDate).</summary>
    public static DateTimeOffset? Time(JsonElement claims, string name) =>
        Find(claims, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var seconds) && seconds is >= 0 and < 253_402_300_800 ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;

    /// <summary>RFC 6749 3.3: words between spaces; some providers write a list named scp.</summary>
    public static bool HasScope(JsonElement claims, string scope) =>
        (Texts(claims, "scope") ?? Texts(claims, "scp") ?? []).SelectMany(one => one.Split(' ')).Contains(scope, StringComparer.Ordinal);
}
