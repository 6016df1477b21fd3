namespace CbaMail.Html;

/// <summary>
/// One selector of CSS: types, classes, ids, attributes, <c>:first-child</c>, <c>:last-child</c>, <c>:not</c> of one of them, and the four combinators.
/// What depends on the reader (<c>:hover</c>) matches nothing.
/// </summary>
public sealed class CssSelector
{
    const int MaxCompounds = 12;

    enum Kind { Any, Type, Class, Id, HasAttribute, Attribute, AttributeWord, AttributeStart, AttributeEnd, AttributePart, First, Last }

    readonly record struct Test(Kind Kind, string Name, string Value, bool Negated);

    /// <param name="Combinator">How it hangs on the one before it: blank, '>', '+' or '~'.</param>
    readonly record struct Compound(char Combinator, IReadOnlyList<Test> Tests);

    readonly List<Compound> compounds;

    CssSelector(List<Compound> compounds, int specificity) => (this.compounds, Specificity) = (compounds, specificity);

    /// <summary>Ids, classes, types: the greater wins.</summary>
    public int Specificity { get; }

    /// <summary>Null where it says what is not known here.</summary>
    public static CssSelector? Parse(ReadOnlySpan<char> text)
    {
        var compounds = new List<Compound>();
        var (at, specificity, combinator) = (0, 0, ' ');
        text = text.Trim();
        while (at < text.Length)
        {
            var tests = new List<Test>();
            while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('>' or '+' or '~'))
                if (!ReadTest(text, ref at, tests, ref specificity, false)) return null;
            if (tests.Count == 0 || compounds.Count == MaxCompounds) return null;
            compounds.Add(new(combinator, tests));
            if (at >= text.Length) break;
            combinator = ' ';
            while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] is '>' or '+' or '~'))
            {
                if (!char.IsWhiteSpace(text[at]))
                {
                    if (combinator != ' ') return null;
                    combinator = text[at];
                }
                at++;
            }
            if (at >= text.Length) return null;
        }
        return compounds.Count > 0 ? new(compounds, specificity) : null;
    }

    static bool ReadTest(ReadOnlySpan<char> text, ref int at, List<Test> tests, ref int specificity, bool negated)
    {
        switch (text[at])
        {
            case '*': at++; tests.Add(new(Kind.Any, "", "", negated)); return true;
            case '.': at++; return Named(text, ref at, Kind.Class, 100, tests, ref specificity, negated);
            case '#': at++; return Named(text, ref at, Kind.Id, 10_000, tests, ref specificity, negated);
            case '[': return ReadAttribute(text, ref at, tests, ref specificity, negated);
            case ':':
                var rest = text[at..];
                if (rest.StartsWith(":not(") && !negated)
                {
                    var close = rest.IndexOf(')');
                    if (close < 0) return false;
                    var inner = rest[5..close].Trim();
                    var from = 0;
                    at += close + 1;
                    return inner.Length > 0 && ReadTest(inner, ref from, tests, ref specificity, true) && from == inner.Length;
                }
                var first = rest.StartsWith(":first-child");
                if (!first && !rest.StartsWith(":last-child")) return false;
                at += first ? 12 : 11;
                specificity += 100;
                tests.Add(new(first ? Kind.First : Kind.Last, "", "", negated));
                return true;
            default: return Named(text, ref at, Kind.Type, 1, tests, ref specificity, negated);
        }
    }

    static bool Named(ReadOnlySpan<char> text, ref int at, Kind kind, int weight, List<Test> tests, ref int specificity, bool negated)
    {
        var start = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '-' or '_')) at++;
        if (at == start) return false;
        var name = text[start..at].ToString();
        tests.Add(new(kind, kind == Kind.Type ? name.ToLowerInvariant() : name, "", negated));
        specificity += weight;
        return true;
    }

    static bool ReadAttribute(ReadOnlySpan<char> text, ref int at, List<Test> tests, ref int specificity, bool negated)
    {
        var close = text[at..].IndexOf(']');
        if (close < 0) return false;
        var inner = text[(at + 1)..(at + close)];
        at += close + 1;
        specificity += 100;
        var equals = inner.IndexOf('=');
        if (equals < 0)
        {
            tests.Add(new(Kind.HasAttribute, inner.Trim().ToString().ToLowerInvariant(), "", negated));
            return true;
        }
        var kind = equals == 0 ? Kind.Attribute : inner[equals - 1] switch
        {
            '~' => Kind.AttributeWord,
            '^' => Kind.AttributeStart,
            '$' => Kind.AttributeEnd,
            '*' => Kind.AttributePart,
            _ => Kind.Attribute,
        };
        var name = inner[..(kind == Kind.Attribute ? equals : equals - 1)].Trim();
        tests.Add(new(kind, name.ToString().ToLowerInvariant(), inner[(equals + 1)..].Trim().Trim("\"'").ToString(), negated));
        return name.Length > 0;
    }

    /// <summary>Whether the element is meant.</summary>
    /// <param name="steps">How many elements may still be looked at; counted down.</param>
    public bool Matches(IReadOnlyList<HtmlElement> elements, int index, ref int steps) => Matches(elements, index, compounds.Count - 1, ref steps);

    bool Matches(IReadOnlyList<HtmlElement> elements, int index, int compound, ref int steps)
    {
        if (--steps < 0) return false;
        var element = elements[index];
        foreach (var test in compounds[compound].Tests)
            if (Holds(test, element) == test.Negated) return false;
        if (compound == 0) return true;
        switch (compounds[compound].Combinator)
        {
            case '>': return element.Parent >= 0 && Matches(elements, element.Parent, compound - 1, ref steps);
            case '+': return element.Previous >= 0 && Matches(elements, element.Previous, compound - 1, ref steps);
            case '~':
                for (var before = element.Previous; before >= 0 && steps > 0; before = elements[before].Previous)
                    if (Matches(elements, before, compound - 1, ref steps)) return true;
                return false;
            default:
                for (var above = element.Parent; above >= 0 && steps > 0; above = elements[above].Parent)
                    if (Matches(elements, above, compound - 1, ref steps)) return true;
                return false;
        }
    }

    static bool Holds(in Test test, HtmlElement element) => test.Kind switch
    {
        Kind.Any => true,
        Kind.Type => element.Name == test.Name,
        Kind.Class => HasWord(element["class"], test.Name),
        Kind.Id => element["id"] == test.Name,
        Kind.HasAttribute => element[test.Name] is not null,
        Kind.Attribute => element[test.Name] == test.Value,
        Kind.AttributeWord => HasWord(element[test.Name], test.Value),
        Kind.AttributeStart => element[test.Name]?.StartsWith(test.Value, StringComparison.Ordinal) == true,
        Kind.AttributeEnd => element[test.Name]?.EndsWith(test.Value, StringComparison.Ordinal) == true,
        Kind.AttributePart => element[test.Name]?.Contains(test.Value, StringComparison.Ordinal) == true,
        Kind.First => element.Previous < 0,
        _ => element.IsLast,
    };

    static bool HasWord(string? value, string word)
    {
        if (value is null) return false;
        foreach (var range in value.AsSpan().Split(' '))
            if (value.AsSpan(range).Trim().SequenceEqual(word)) return true;
        return false;
    }
}
