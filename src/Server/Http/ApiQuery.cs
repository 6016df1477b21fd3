using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CbaMail.Envelope;

namespace CbaMail.Http;

/// <summary>What stands behind "?": what a route does not know is refused, so that nobody takes a whole list for the part that he asked for.</summary>
static class ApiQuery
{
    /// <summary>What a route understands, in the order of the OpenAPI document.</summary>
    public static IEnumerable<string> Of(ApiRoute route) =>
        route.Query.Concat(route.IsList ? ["limit", "cursor"] : []).Concat(route is { Method: "GET", Streams: false } ? ["fields"] : []);

    /// <summary>Null where everything behind "?" is understood, and said once.</summary>
    public static Refusal? Wrong(ApiRoute route, HttpContext context)
    {
        // an issuer leads a browser back with whatever it likes (RFC 6749 4.1.2: unrecognized parameters are ignored)
        if (route.Redirects || context.Request.Query.Count == 0) return null;
        foreach (var (name, values) in context.Request.Query)
        {
            // of a change the door itself says whether it can be tried
            if (!(name == "dry-run" && !route.OnlyReads) && !Of(route).Contains(name)) return Unknown(route, name);
            if (values.Count > 1 && name != route.Repeats) return Refusal.Invalid.Because($"\"{Shown(name)}\" was given twice").At(name);
        }
        return context.Asked("fields") is { } fields ? WrongField(route, fields) : null;
    }

    static Refusal Unknown(ApiRoute route, string name)
    {
        string[] known = [.. Of(route), .. route.CanRehearse ? ["dry-run"] : Array.Empty<string>()];
        return (known.Length == 0 ? Refusal.Invalid.Because($"There is no parameter \"{Shown(name)}\" here, and no other")
            : Refusal.Invalid.Because($"There is no parameter \"{Shown(name)}\" here; those that can be given are {string.Join(", ", known)}")).At(Shown(name));
    }

    static Refusal? WrongField(ApiRoute route, string fields)
    {
        if (FieldsOf(route) is not { Count: > 0 } known) return null;
        return Split(fields).FirstOrDefault(name => !known.Contains(name)) is { } unknown
            ? Refusal.Invalid.Because($"There is no field \"{Shown(unknown)}\" in this answer; those that can be asked for are {string.Join(", ", known)}").At("fields") : null;
    }

    public static string[] Split(string fields) => fields.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The fields of one thing of the answer; none where it has whatever it likes.</summary>
    static IReadOnlyList<string> FieldsOf(ApiRoute route)
    {
        var type = route.Gives?.GetElementType() ?? route.Gives;
        if (type is null || route.GivesType is not null || typeof(JsonNode).IsAssignableFrom(type) || typeof(IEnumerable).IsAssignableFrom(type)) return [];
        return [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is not { Condition: JsonIgnoreCondition.Always })
            .Select(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Distinct()];
    }

    static string Shown(string text) => new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);
}
