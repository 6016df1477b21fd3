namespace CbaMail.Html;

/// <summary>An attribute of an element.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Value">As written: entities and fields too.</param>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="End">Behind its last character.</param>
public readonly record struct HtmlAttribute(string Name, string Value, int Start, int End);

/// <summary>An element of a document.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Parent">Index of the element around it, -1 at the top.</param>
/// <param name="Previous">Index of the element before it under the same parent, or -1.</param>
/// <param name="Start">Of its opening tag.</param>
/// <param name="NameEnd">Behind its name: where an attribute can be put.</param>
/// <param name="End">Behind its opening tag.</param>
public sealed record HtmlElement(string Name, int Parent, int Previous, int Start, int NameEnd, int End, IReadOnlyList<HtmlAttribute> Attributes)
{
    /// <summary>Nothing follows it under its parent.</summary>
    public bool IsLast { get; internal set; } = true;

    /// <summary>The attribute's value as written, or null.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var attribute in Attributes)
                if (attribute.Name == name) return attribute.Value;
            return null;
        }
    }
}

/// <summary>
/// The elements of an HTML text by their opening tags, in order: enough to match selectors and to look at links and images. One pass, no
/// recursion, whatever the markup; comments (with what Outlook alone sees in them), scripts, styles and template tags are passed over.
/// </summary>
public static class HtmlTree
{
    const int MaxElements = 100_000;
    const int MaxAttributes = 500;

    static readonly HashSet<string> Void = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

    public static IReadOnlyList<HtmlElement> Read(string html)
    {
        var elements = new List<HtmlElement>();
        var open = new List<int>();                 // indices of elements that are not closed yet
        var lastOf = new Dictionary<int, int>();    // parent -> its last child so far
        for (var at = 0; at < html.Length && elements.Count < MaxElements;)
        {
            var next = html.AsSpan(at).IndexOfAny('<', '{');
            if (next < 0) break;
            at += next;
            if (html[at] == '{') { at = Math.Max(at + 1, TemplateTag.End(html, at)); continue; }
            if (Starts(html, at, "<!--")) { at = AfterComment(html, at); continue; }
            if (at + 1 >= html.Length) break;
            if (html[at + 1] is '!' or '?') { at = After(html, at, '>'); continue; }
            var closes = html[at + 1] == '/';
            var nameStart = at + (closes ? 2 : 1);
            var nameEnd = nameStart;
            while (nameEnd < html.Length && (char.IsAsciiLetterOrDigit(html[nameEnd]) || html[nameEnd] is '-' or ':')) nameEnd++;
            if (nameEnd == nameStart || !char.IsAsciiLetter(html[nameStart])) { at++; continue; }
            var name = html[nameStart..nameEnd].ToLowerInvariant();
            if (closes)
            {
                for (var i = open.Count - 1; i >= Math.Max(0, open.Count - 256); i--)
                    if (elements[open[i]].Name == name) { open.RemoveRange(i, open.Count - i); break; }
                at = After(html, nameEnd, '>');
                continue;
            }
            var end = Attributes(html, nameEnd, out var attributes, out var selfClosed);
            var parent = open.Count > 0 ? open[^1] : -1;
            var previous = lastOf.GetValueOrDefault(parent, -1);
            if (previous >= 0) elements[previous].IsLast = false;
            lastOf[parent] = elements.Count;
            elements.Add(new(name, parent, previous, at, nameEnd, end, attributes));
            at = end;
            if (name is "script" or "style" or "title" or "textarea") at = AfterRaw(html, at, name);
            else if (!selfClosed && !Void.Contains(name)) open.Add(elements.Count - 1);
        }
        return elements;
    }

    /// <summary>Line and column of a position, 1-based.</summary>
    public static (int Line, int Column) Place(string text, int position)
    {
        var before = text.AsSpan(0, Math.Min(position, text.Length));
        return (before.Count('\n') + 1, before.Length - (before.LastIndexOf('\n') + 1) + 1);
    }

    static bool Starts(string html, int at, string with) => string.CompareOrdinal(html, at, with, 0, with.Length) == 0;

    static int After(string html, int from, char sign)
    {
        var found = html.IndexOf(sign, from);
        return found < 0 ? html.Length : found + 1;
    }

    // "<!--[if !mso]><!-->" is a whole comment: what follows is for everybody else
    static int AfterComment(string html, int at)
    {
        var end = html.IndexOf("-->", Math.Min(at + 4, html.Length), StringComparison.Ordinal);
        return end < 0 ? html.Length : end + 3;
    }

    static int AfterRaw(string html, int at, string name)
    {
        var end = html.IndexOf("</" + name, at, StringComparison.OrdinalIgnoreCase);
        return end < 0 ? html.Length : After(html, end, '>');
    }

    static int Attributes(string html, int at, out IReadOnlyList<HtmlAttribute> attributes, out bool selfClosed)
    {
        var found = new List<HtmlAttribute>();
        attributes = found;
        selfClosed = false;
        while (at < html.Length)
        {
            var c = html[at];
            if (c == '>') return at + 1;
            if (c == '{' && TemplateTag.End(html, at) is var tag && tag > at) { at = tag; continue; }
            if (char.IsWhiteSpace(c) || c is '/' or '"' or '\'' or '=')
            {
                if (c == '/') selfClosed = true;
                at++;
                continue;
            }
            selfClosed = false;
            var start = at;
            while (at < html.Length && !char.IsWhiteSpace(html[at]) && html[at] is not ('=' or '>' or '/' or '{')) at++;
            if (at == start) { at++; continue; }
            var name = html[start..at].ToLowerInvariant();
            var look = at;
            while (look < html.Length && char.IsWhiteSpace(html[look])) look++;
            var value = "";
            if (look < html.Length && html[look] == '=')
            {
                at = look + 1;
                while (at < html.Length && char.IsWhiteSpace(html[at])) at++;
                value = Value(html, ref at);
            }
            if (found.Count < MaxAttributes) found.Add(new(name, value, start, Math.Min(at, html.Length)));
        }
        return html.Length;
    }

    static string Value(string html, ref int at)
    {
        if (at >= html.Length) return "";
        var quote = html[at] is '"' or '\'' ? html[at] : '\0';
        if (quote != '\0') at++;
        var start = at;
        while (at < html.Length)
        {
            var c = html[at];
            if (quote != '\0' ? c == quote : char.IsWhiteSpace(c) || c == '>') break;
            at = c == '{' ? Math.Max(at + 1, TemplateTag.End(html, at)) : at + 1;
        }
        var value = html[start..Math.Min(at, html.Length)];
        if (quote != '\0' && at < html.Length) at++;
        return value;
    }
}
