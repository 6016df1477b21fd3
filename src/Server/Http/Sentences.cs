using System.Collections.Frozen;
using CbaMail.Envelope;

namespace CbaMail.Http;

/// <summary>
/// Sentences of refusals in the caller's language. They are written in English where they are made; Sentences.ru.txt has a line of the English pattern,
/// with {0}, {1} for its parts, and below it the Russian one, then an empty line.
/// </summary>
static class Sentences
{
    static readonly Lazy<FrozenDictionary<string, string>> russian = new(() => Read().ToFrozenDictionary(pair => pair.English, pair => pair.Russian, StringComparer.Ordinal));

    internal static IEnumerable<(string English, string Russian)> Read()
    {
        using var stream = typeof(Sentences).Assembly.GetManifestResourceStream("CbaMail.Http.Sentences.ru.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            yield return (line, reader.ReadLine() ?? throw new InvalidDataException($"\"{line}\" has no translation"));
        }
    }

    /// <summary>The first of the caller's languages that is one of ours; English otherwise (RFC 9110 12.5.4).</summary>
    public static string LanguageOf(HttpContext context)
    {
        foreach (var wish in context.Request.GetTypedHeaders().AcceptLanguage.OrderByDescending(wish => wish.Quality ?? 1))
        {
            if (wish.Quality == 0) continue;
            var language = wish.Value.AsSpan();
            if (language.StartsWith("ru", StringComparison.OrdinalIgnoreCase)) return "ru";
            if (language.StartsWith("en", StringComparison.OrdinalIgnoreCase)) return "en";
        }
        return "en";
    }

    public static string Say(Refusal refusal, string language)
    {
        if (language != "ru" || !russian.Value.TryGetValue(refusal.Wording?.Pattern ?? refusal.Sentence, out var pattern)) return refusal.Sentence;
        return refusal.Wording?.By(pattern) ?? pattern;
    }
}
