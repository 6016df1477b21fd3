using System.Globalization;
using System.Text.Json;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary>Fields of an answer as people read them; what is missing or null is empty.</summary>
static class JsonText
{
    public static string Text(this JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out var value)) return "";
        return value.ValueKind switch
        {
            JsonValueKind.Null => "",
            JsonValueKind.String => value.GetString() ?? "",
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            _ => value.GetRawText(),
        };
    }

    public static long Number(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;

    /// <summary>A size in bytes, 0 as "none".</summary>
    public static string Size(this JsonElement element, string name) =>
        element.Number(name) is > 0 and var bytes ? Sizes.Show(bytes) : "none";

    public static bool True(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>A time to the minute, in UTC, for tables with many columns.</summary>
    public static string Minute(this JsonElement element, string name) => element.Time(name) is { Length: > 0 } time ? time[..^3] : "";

    /// <summary>A time to the second, in UTC.</summary>
    public static string Time(this JsonElement element, string name) =>
        DateTimeOffset.TryParse(element.Text(name), CultureInfo.InvariantCulture, out var time)
            ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "";
}
