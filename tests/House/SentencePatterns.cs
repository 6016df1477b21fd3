using System.Text;
using System.Text.RegularExpressions;

namespace CbaMail.Tests.House;

/// <summary>The sentences of refusals in a source file, as the patterns that <c>SentenceBuilder</c> makes of them.</summary>
internal static partial class SentencePatterns
{
    /// <param name="Pattern">With {0}, {1} for the holes.</param>
    /// <param name="Lost">Why the running program does not have this pattern, or null.</param>
    public sealed record Found(string Where, string Pattern, string? Lost);

    // Because("..."), RefuseAsync(400, "..."), the constants of Refusal, and CsvTable's, which stands below Refusal
    [GeneratedRegex("""\.Because\(|\bRefuseAsync\((\d{3}|e\.StatusCode), |\bnew\(\d{3}, "[\d.]+", "[A-Z]+", \d{3}, |\brefusal = (?=")""")]
    private static partial Regex Call { get; }

    [GeneratedRegex(@"\bconst string (\w+) =")]
    private static partial Regex ConstantName { get; }

    /// <summary>String constants, as Type.Name: an interpolation of nothing else is a constant itself, and no pattern remains of it.</summary>
    public static HashSet<string> Constants(IEnumerable<string> files) =>
        [.. files.SelectMany(file => ConstantName.Matches(Repository.Read(file)).Select(match => $"{TypeOf(file)}.{match.Groups[1].Value}"))];

    static string TypeOf(string file) => Path.GetFileName(file).Split('.')[0];

    public static IEnumerable<Found> In(string file, string text, IReadOnlySet<string> constants)
    {
        foreach (Match call in Call.Matches(text))
        {
            var where = $"{file}:{1 + text.AsSpan(0, call.Index).Count('\n')}";
            var (depth, alone, at) = (1, true, call.Index + call.Length);
            for (; depth > 0 && at < text.Length && text[at] != ';'; at++)
            {
                if (text[at] == '"' || (text[at] == '$' && text[at + 1] == '"'))
                {
                    var (pattern, holes, end) = Literal(text, at);
                    var closed = text[end] is ')' or ';' || text.AsSpan(end).StartsWith(" with ");
                    yield return new(where, pattern, holes.Count > 0 && (!alone || !closed) ? "is a string before it is a sentence: give each its own Because"
                        : !closed && text.AsSpan(end).TrimStart().StartsWith("+") ? "is put together with +: interpolate it"
                        : holes.Count > 0 && holes.All(hole => constants.Contains(hole.Contains('.', StringComparison.Ordinal) ? hole : $"{TypeOf(file)}.{hole}")) ? "has constants only, and is one itself" : null);
                    at = end - 1;
                }
                else if (text[at] == '(') depth++;
                else if (text[at] == ')') depth--;
                if (!char.IsWhiteSpace(text[at])) alone = false;
            }
        }
    }

    static (string Pattern, List<string> Holes, int End) Literal(string text, int at)
    {
        var interpolated = text[at] == '$';
        var (pattern, holes) = (new StringBuilder(), new List<string>());
        for (at += interpolated ? 2 : 1; text[at] != '"'; at++)
        {
            if (text[at] == '\\') pattern.Append(text[++at] == 'n' ? '\n' : text[at]);
            else if (interpolated && text[at] == '{' && text[at + 1] != '{')
            {
                var end = HoleEnd(text, at);
                pattern.Append('{').Append(holes.Count).Append('}');
                holes.Add(text[(at + 1)..end]);
                at = end;
            }
            else
            {
                pattern.Append(text[at]);
                if (interpolated && text[at] is '{' or '}') pattern.Append(text[++at]);
            }
        }
        return (pattern.ToString(), holes, at + 1);
    }

    static int HoleEnd(string text, int at)
    {
        for (var depth = 0; ; at++)
        {
            if (text[at] == '"' || (text[at] == '$' && text[at + 1] == '"')) at = Literal(text, at).End - 1;
            else if (text[at] == '\'') at = text.IndexOf('\'', at + (text[at + 1] == '\\' ? 3 : 2));
            else if (text[at] is '{' or '(' or '[') depth++;
            else if (text[at] is '}' or ')' or ']' && --depth == 0) return at;
        }
    }
}
