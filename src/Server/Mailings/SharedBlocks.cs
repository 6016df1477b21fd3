using System.Text;
using System.Text.RegularExpressions;

namespace CbaMail.Mailings;

/// <summary>
/// <c>{{> footer}}</c>: the text of a template of the domain's book, put in its place when a mailing is written. A later change of the
/// book does not reach a mailing that is there already.
/// </summary>
static partial class SharedBlocks
{
    const int MaxDepth = 5;

    [GeneratedRegex("""\{\{~?>\s*(?:"([^"}]{1,200})"|\[([^\]}]{1,200})\]|([^\s}~"\[]{1,200}))\s*~?\}\}""", RegexOptions.CultureInvariant)]
    private static partial Regex Tag { get; }

    /// <summary>The text with blocks in it, or the name of one that is not there (or that leads to itself, or grows too long).</summary>
    public static (string Text, string? Missing) Expand(string text, int most, Func<string, string?> find)
    {
        for (var depth = 0; Tag.IsMatch(text); depth++)
        {
            string? missing = null;
            var output = new StringBuilder();
            var at = 0;
            foreach (Match match in Tag.Matches(text))
            {
                var name = (match.Groups[1].Success ? match.Groups[1] : match.Groups[2].Success ? match.Groups[2] : match.Groups[3]).Value.Trim();
                var block = depth < MaxDepth && output.Length <= most ? find(name) : null;
                if (block is null) { missing = name; break; }
                output.Append(text, at, match.Index - at).Append(block);
                at = match.Index + match.Length;
            }
            if (missing is not null) return (text, missing);
            text = output.Append(text, at, text.Length - at).ToString();
        }
        return (text, null);
    }

    /// <summary>The text without them, places unchanged: for looking whether the rest is right.</summary>
    public static string Blank(string text) => Tag.Replace(text, match => new string(' ', match.Length));
}
