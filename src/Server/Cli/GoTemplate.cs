using System.Text;
using System.Text.RegularExpressions;

namespace CbaMail.Cli;

/// <summary>Turns the fields of a text of listmonk (Go's text/template) into ours, or says what has nothing like it.</summary>
static partial class GoTemplate
{
    static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        [".Subscriber.Email"] = "address",
        [".Subscriber.Name"] = "name",
        [".Subscriber.FirstName"] = "firstName",
        [".Subscriber.LastName"] = "lastName",
        [".Campaign.FromEmail"] = "from.address",
        ["."] = "this",
    };

    static readonly Dictionary<string, string> Functions = new(StringComparer.Ordinal)
    {
        ["eq"] = "eq",
        ["ne"] = "ne",
        ["lt"] = "lt",
        ["le"] = "lte",
        ["gt"] = "gt",
        ["ge"] = "gte",
        ["and"] = "and",
        ["or"] = "or",
        ["not"] = "not",
    };

    [GeneratedRegex("""<a\b[^<>]*\{\{-?\s*(?:UnsubscribeURL|ManageURL|OptinURL|MessageURL|ArchiveURL)\b[^<>]*>.*?</a>""", RegexOptions.Singleline | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex OwnLink { get; }

    [GeneratedRegex("""\{\{(?<open>-?)\s*(?<action>.*?)\s*(?<close>-?)\}\}""", RegexOptions.Singleline, 1000)]
    private static partial Regex Action { get; }

    [GeneratedRegex(""" "(?:[^"\\]|\\.)*" | [()] | [^\s()"]+ """, RegexOptions.IgnorePatternWhitespace, 1000)]
    private static partial Regex Token { get; }

    [GeneratedRegex("""\{\{-?\s*template\s+"content"\s+\.\s*-?\}\}""", RegexOptions.None, 1000)]
    private static partial Regex Content { get; }

    /// <summary>Puts the text of a campaign into its template.</summary>
    public static string Within(string template, string content) => Content.IsMatch(template) ? Content.Replace(template, _ => content) : content;

    /// <summary>The name of a field that an attribute becomes.</summary>
    public static string Field(string attribute) => attribute.Replace('.', '_').Trim();

    /// <param name="problems">What has nothing like it here, with its line; then the text is not to be used.</param>
    /// <param name="notes">What was left away.</param>
    public static string Turn(string text, List<string> problems, List<string> notes)
    {
        text = OwnLink.Replace(text, _ => { notes.Add("a link to leave or to see the letter elsewhere is left away: every copy bears this server's own in its header"); return ""; }).Replace("@TrackLink", "", StringComparison.Ordinal);
        var blocks = new Stack<string>();
        var turned = Action.Replace(text, match =>
        {
            var (action, line) = (match.Groups["action"].Value, text.AsSpan(0, match.Index).Count('\n') + 1);
            string Write(string inner) => "{{" + (match.Groups["open"].Length > 0 ? "~" : "") + inner + (match.Groups["close"].Length > 0 ? "~" : "") + "}}";
            string Refuse() { problems.Add($"line {line}: {{{{ {action} }}}} has nothing like it here"); return ""; }
            if (action.StartsWith("/*", StringComparison.Ordinal) || action is "TrackView" or "TrackView .") return "";
            var words = Token.Matches(action).Select(one => one.Value).ToList();
            switch (words.FirstOrDefault())
            {
                case "if" or "range" or "with" when Expression(words[1..]) is { } condition:
                    blocks.Push(words[0] == "range" ? "each" : words[0]);
                    return Write($"#{blocks.Peek()} {condition}");
                case "else" when words.Count == 1 && blocks.Count > 0: return Write("else");
                case "else" when words.Count > 2 && words[1] == "if" && blocks.Count > 0 && Expression(words[2..]) is { } other: return Write("else if " + other);
                case "end" when words.Count == 1 && blocks.Count > 0: return Write("/" + blocks.Pop());
                case "TrackLink" when words.Count >= 2 && words[1] is ['"', .., '"']: return words[1][1..^1];
                case { } first when words.Count == 1 && Name(first) is { } name: return Write(name);
                default: return Refuse();
            }
        });
        if (blocks.Count > 0) problems.Add($"{{{{ {blocks.Peek()} }}}} has no end");
        return turned;
    }

    static string? Name(string word)
    {
        if (Fields.TryGetValue(word, out var known)) return known;
        if (!word.StartsWith(".Subscriber.Attribs.", StringComparison.Ordinal)) return null;
        var name = Field(word[".Subscriber.Attribs.".Length..]);
        return name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c == '_') ? name : null;
    }

    /// <summary>A condition, or null: it says what cannot be said here.</summary>
    static string? Expression(List<string> words)
    {
        if (words.Count == 0) return null;
        var turned = new StringBuilder();
        for (var i = 0; i < words.Count; i++)
        {
            var begins = i == 0 || words[i - 1] == "(";
            var one = words[i] is "(" or ")" || words[i][0] == '"' || words[i].All(char.IsAsciiDigit) ? words[i] : begins && Functions.TryGetValue(words[i], out var function) ? function : Name(words[i]);
            if (one is null) return null;
            if (!begins && one != ")") turned.Append(' ');
            turned.Append(one);
        }
        return words.Count > 1 ? $"({turned})" : turned.ToString();
    }
}
