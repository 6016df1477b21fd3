using System.Text;

namespace CbaMail.Html;

/// <summary>Writes rules of CSS into the <c>style</c> attributes of the elements that they mean, for readers who throw style sheets away.</summary>
public static class InlineStyles
{
    const int MaxRules = 2_000;
    const int MaxSteps = 5_000_000;
    const int MaxOutput = 4_000_000;

    sealed record Rule(CssSelector Selector, IReadOnlyList<Declaration> Declarations);
    readonly record struct Declaration(string Name, string Value, bool Important);

    /// <summary>The document with the rules in it; what an element says itself goes before a rule, unless that is <c>!important</c>. At-rules are left out.</summary>
    /// <returns>Null where rules and elements are too many for each other.</returns>
    public static string? Apply(string html, string css)
    {
        var rules = Rules(css);
        if (rules.Count == 0) return html;
        rules = [.. rules.OrderBy(rule => rule.Selector.Specificity)]; // stable: of equals the last wins
        return Edit(html, (elements, i, steps) =>
        {
            List<Declaration>? found = null;
            foreach (var rule in rules)
                if (rule.Selector.Matches(elements, i, ref steps.Left)) (found ??= []).AddRange(rule.Declarations);
            return found is null ? [] : [("style", Merge(found, elements[i]["style"]))];
        });
    }

    /// <summary>The document with attributes put into the elements that the selectors mean. Null as for <see cref="Apply"/>.</summary>
    public static string? Attributes(string html, IReadOnlyList<(string Selector, string Name, string Value)> wanted)
    {
        var parsed = wanted.Take(MaxRules).SelectMany(one => one.Selector.Split(','), (one, selector) => (Selector: CssSelector.Parse(selector), one.Name, one.Value)).Where(one => one.Selector is not null).ToList();
        return Edit(html, (elements, i, steps) =>
        {
            List<(string, string)>? found = null;
            foreach (var (selector, name, value) in parsed)
                if (selector!.Matches(elements, i, ref steps.Left)) (found ??= []).Add((name.ToLowerInvariant(), value));
            return found ?? [];
        });
    }

    sealed class Budget { public int Left = MaxSteps; }

    static string? Edit(string html, Func<IReadOnlyList<HtmlElement>, int, Budget, IReadOnlyList<(string Name, string Value)>> wanted)
    {
        var elements = HtmlTree.Read(html);
        var output = new StringBuilder(html.Length + html.Length / 4);
        var (done, steps) = (0, new Budget());
        for (var i = 0; i < elements.Count; i++)
        {
            var element = elements[i];
            var changes = wanted(elements, i, steps);
            if (steps.Left <= 0 || output.Length > MaxOutput) return null;
            if (changes.Count == 0) continue;
            output.Append(html, done, element.NameEnd - done);
            done = element.NameEnd;
            foreach (var (name, value) in changes)
                if (element[name] is null) Write(name, value);
            foreach (var attribute in element.Attributes)
                foreach (var (name, value) in changes)
                {
                    if (attribute.Name != name || attribute.Start < done) continue;
                    output.Append(html.AsSpan(done, attribute.Start - done).TrimEnd());
                    Write(name, value);
                    done = attribute.End;
                }
        }
        return output.Append(html, done, html.Length - done).ToString();

        void Write(string name, string value) => output.Append(' ').Append(name).Append("=\"").Append(value.Contains("{{", StringComparison.Ordinal) ? value : value.Replace("\"", "&quot;", StringComparison.Ordinal)).Append('"');
    }

    static string Merge(List<Declaration> rules, string? own)
    {
        if (own is not null) Declarations(own, rules);
        var winner = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < rules.Count; i++)
            if (!winner.TryGetValue(rules[i].Name, out var before) || rules[i].Important || !rules[before].Important) winner[rules[i].Name] = i;
        var output = new StringBuilder();
        for (var i = 0; i < rules.Count; i++)
            if (winner[rules[i].Name] == i) output.Append(rules[i].Name).Append(':').Append(rules[i].Value).Append(rules[i].Important ? " !important;" : ";");
        return output.ToString();
    }

    static List<Rule> Rules(string css)
    {
        var rules = new List<Rule>();
        css = WithoutComments(css);
        for (var at = 0; rules.Count < MaxRules;)
        {
            while (at < css.Length && char.IsWhiteSpace(css[at])) at++;
            if (at >= css.Length) break;
            if (css[at] == '@')
            {
                var sign = css.AsSpan(at).IndexOfAny(';', '{');
                if (sign < 0) break;
                at = css[at + sign] == ';' ? at + sign + 1 : AfterBlock(css, at + sign);
                continue;
            }
            var brace = Next(css, at, '{');
            var end = brace < 0 ? -1 : Next(css, brace + 1, '}');
            if (end < 0) break;
            var declarations = new List<Declaration>();
            Declarations(css[(brace + 1)..end], declarations);
            foreach (var one in css[at..brace].Split(','))
                if (CssSelector.Parse(one) is { } selector) rules.Add(new(selector, declarations));
            at = end + 1;
        }
        return rules;
    }

    // the next such sign outside of template tags
    static int Next(string css, int at, char sign)
    {
        while (at < css.Length)
        {
            if (css[at] == '{' && TemplateTag.End(css, at) is var tag && tag > at) at = tag;
            else if (css[at] == sign) return at;
            else at++;
        }
        return -1;
    }

    static int AfterBlock(string css, int at)
    {
        var depth = 0;
        for (; at < css.Length; at++)
        {
            if (css[at] == '{') depth++;
            else if (css[at] == '}' && --depth == 0) return at + 1;
        }
        return at;
    }

    static string WithoutComments(string css)
    {
        var output = new StringBuilder(css.Length);
        for (var at = 0; at < css.Length;)
        {
            var from = css.IndexOf("/*", at, StringComparison.Ordinal);
            if (from < 0) return output.Append(css, at, css.Length - at).ToString();
            output.Append(css, at, from - at);
            var to = css.IndexOf("*/", from + 2, StringComparison.Ordinal);
            at = to < 0 ? css.Length : to + 2;
        }
        return output.ToString();
    }

    static void Declarations(string block, List<Declaration> into)
    {
        var start = 0;
        char quote = '\0';
        var brackets = 0;
        for (var i = 0; i <= block.Length; i++)
        {
            if (i < block.Length)
            {
                var c = block[i];
                if (c == '{' && TemplateTag.End(block, i) is var tag && tag > i) { i = tag - 1; continue; }
                if (quote != '\0') { if (c == quote) quote = '\0'; continue; }
                if (c is '"' or '\'') { quote = c; continue; }
                if (c == '(') brackets++;
                if (c == ')') brackets--;
                if (c != ';' || brackets > 0) continue;
            }
            var one = block[start..i];
            start = i + 1;
            var colon = one.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) continue;
            var value = one[(colon + 1)..].Trim();
            var important = value.EndsWith("!important", StringComparison.OrdinalIgnoreCase);
            if (important) value = value[..^10].TrimEnd();
            if (value.Length > 0) into.Add(new(one[..colon].Trim().ToLowerInvariant(), value, important));
        }
    }
}
