using System.Text.Json;

namespace CbaMail.Tls.Acme;

/// <summary>Why the authority did not do it; caught where an attempt ends.</summary>
/// <param name="type">The last part of the problem's type (RFC 8555 6.7), or a word of our own.</param>
/// <param name="names">The names that it is about, where it says so.</param>
/// <param name="retryAfter">When it wants to be asked again, or null.</param>
sealed class AcmeProblem(string type, string sentence, IReadOnlyList<string>? names = null, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(sentence, inner)
{
    public const string Unreachable = "unreachable", Odd = "odd", TimedOut = "timedOut";

    public string Type => type;
    public IReadOnlyList<string> Names => names ?? [];
    public TimeSpan? RetryAfter => retryAfter;

    /// <summary>Out of a problem document (RFC 7807) as RFC 8555 6.7 has it, with its subproblems (6.7.1).</summary>
    public static AcmeProblem Of(JsonElement document, int status, TimeSpan? retryAfter = null, string? name = null)
    {
        var (type, sentence) = Text(document, status);
        var names = new List<string>();
        if (name is not null) names.Add(name);
        if (document.ValueKind == JsonValueKind.Object && document.TryGetProperty("subproblems", out var list) && list.ValueKind == JsonValueKind.Array)
            foreach (var sub in list.EnumerateArray().Take(100))
            {
                if (sub.ValueKind != JsonValueKind.Object) continue;
                var (_, detail) = Text(sub, status);
                var about = sub.TryGetProperty("identifier", out var identifier) && identifier.ValueKind == JsonValueKind.Object ? identifier.String("value") : null;
                if (about is not null) names.Add(about);
                sentence += $"; {(about is null ? "" : about + ": ")}{detail}";
            }
        return new(type, sentence, names, retryAfter);
    }

    static (string Type, string Sentence) Text(JsonElement document, int status)
    {
        if (document.ValueKind != JsonValueKind.Object) return (Odd, $"the authority answered {status}");
        var type = document.String("type") ?? "";
        type = type[(type.LastIndexOf(':') + 1)..];
        var detail = new string([.. (document.String("detail") ?? "").Take(500).Select(c => char.IsControl(c) ? ' ' : c)]);
        return (type, detail.Length > 0 ? detail : type.Length > 0 ? type : $"the authority answered {status}");
    }
}

/// <summary>Reading answers that may hold anything.</summary>
static class AcmeJson
{
    public static string? String(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static IEnumerable<JsonElement> List(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Take(200) : [];

    public static JsonElement? Object(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
