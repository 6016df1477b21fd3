using CbaMail.Html;

namespace CbaMail.Mjml;

/// <summary>
/// Reads a document into elements. Linear in its length, bounded in elements and depth. Fields of a template (<c>{{…}}</c>) are opaque
/// wherever they stand: in attributes with quotes of their own, in text, and alone between components, where they become raw.
/// </summary>
sealed class MjmlReader
{
    const int MaxDepth = 30;
    const int MaxElements = 20_000;
    const int MaxAttributes = 200;

    readonly string text;
    readonly List<MjmlMessage> errors;
    readonly Stack<MjmlNode> open = new();
    MjmlNode? root;
    int at;
    int elements;
    int countedTo, line = 1, lineStart;

    MjmlReader(string text, List<MjmlMessage> errors) => (this.text, this.errors) = (text, errors);

    /// <summary>The root, or null after an error.</summary>
    public static MjmlNode? Read(string text, List<MjmlMessage> errors) => new MjmlReader(text, errors).Run();

    MjmlNode? Run()
    {
        while (errors.Count == 0 && at < text.Length)
        {
            var tag = NextTag(at);
            Between(at, tag);
            if (errors.Count > 0 || tag >= text.Length) break;
            at = tag;
            if (Starts("<!--")) Comment();
            else if (Starts("<![CDATA[")) Fail(tag, "<![CDATA[ is not needed here: text stands in mj-text as it is");
            else if (Starts("<!") || Starts("<?")) at = After(">", at);
            else if (Starts("</")) Close();
            else Open();
        }
        if (errors.Count == 0 && open.TryPeek(out var left)) errors.Add(new(left.Line, left.Column, $"<{left.Name}> is never closed: add </{left.Name}>"));
        if (errors.Count == 0 && root is null) errors.Add(new(1, 1, "This is no MJML: it begins with <mjml> and has <mj-body> in it"));
        return errors.Count == 0 ? root : null;
    }

    bool Starts(string with) => string.CompareOrdinal(text, at, with, 0, with.Length) == 0;

    int After(string end, int from)
    {
        var found = text.IndexOf(end, from, StringComparison.Ordinal);
        return found < 0 ? text.Length : found + end.Length;
    }

    /// <summary>The next '&lt;' that begins markup and stands in no template tag.</summary>
    int NextTag(int from)
    {
        while (from < text.Length)
        {
            var found = text.AsSpan(from).IndexOfAny('<', '{');
            if (found < 0) return text.Length;
            from += found;
            if (text[from] == '<') return from;
            from = Skip(from);
        }
        return text.Length;
    }

    /// <summary>Behind the template tag at a brace, or behind the brace.</summary>
    int Skip(int from) => TemplateTag.End(text, from) is var end && end > from ? end : from + 1;

    /// <summary>Text between components is a mistake, unless it is for the template that the HTML becomes.</summary>
    void Between(int from, int to)
    {
        var content = text[from..to].Trim();
        if (content.Length == 0) return;
        var first = from;
        while (char.IsWhiteSpace(text[first])) first++;
        var fields = true;
        for (var i = 0; fields && i < content.Length;)
            if (char.IsWhiteSpace(content[i])) i++;
            else if (TemplateTag.End(content, i) is var end && end > i) i = end;
            else fields = false;
        if (!open.TryPeek(out var parent)) Fail(first, "Text stands outside of <mjml>");
        else if (!fields) Fail(first, $"Text stands in <{parent.Name}>, which holds components: put it into <mj-text>, or HTML into <mj-raw>");
        else Add(new(MjmlElements.Raw, NoAttributes, Place(first).Line, Place(first).Column) { Content = content }, first);
    }

    static readonly Dictionary<string, string> NoAttributes = [];

    void Comment()
    {
        var start = at;
        at = After("-->", at + 4);
        if (!text.AsSpan(start, at - start).EndsWith("-->")) Fail(start, "The comment is never closed: add -->");
        else if (open.TryPeek(out var parent) && parent.Name is not ("mj-attributes" or "mj-class" or "mjml" or "mj-head" or "mj-html-attributes" or "mj-selector"))
            Add(new(MjmlElements.Raw, NoAttributes, Place(start).Line, Place(start).Column) { Content = text[start..at] }, start);
    }

    void Close()
    {
        var start = at;
        at += 2;
        var name = Name();
        at = After(">", at);
        if (!open.TryPeek(out var last)) Fail(start, $"</{name}> closes nothing");
        else if (last.Name != name) Fail(start, $"</{name}> stands where </{last.Name}> is needed, for the element of line {last.Line}");
        else open.Pop();
    }

    void Open()
    {
        var start = at++;
        var name = Name();
        if (name.Length == 0) { Fail(start, "'<' begins no element here; as a sign it is written &lt;"); return; }
        if (MjmlElements.Find(name) is null && !name.StartsWith("mj-", StringComparison.Ordinal) && open.Count > 0) { Fail(start, $"There is no element <{name}>: HTML stands in <mj-text> or <mj-raw>"); return; }
        if (Attributes(start, name, out var closed) is not { } attributes) return;
        var place = Place(start);
        var node = new MjmlNode(name, attributes, place.Line, place.Column);
        if (MjmlElements.Find(name) is { HoldsText: true } && !closed)
        {
            var begin = at;
            if (!ToEnd(name, out var end)) { Fail(start, $"<{name}> is never closed: add </{name}>"); return; }
            node = node with { Content = text[begin..end].Trim() };
            closed = true;
        }
        Add(node, start);
        if (closed) return;
        if (open.Count >= MaxDepth) Fail(start, $"More than {MaxDepth} elements stand inside each other");
        open.Push(node);
    }

    void Add(MjmlNode node, int start)
    {
        if (++elements > MaxElements) Fail(start, $"The document has more than {MaxElements} elements");
        else if (open.TryPeek(out var parent)) parent.Children.Add(node);
        else if (root is not null) Fail(start, $"<{node.Name}> stands behind the end of the document");
        else if (node.Name != "mjml") Fail(start, $"The document begins with <mjml>, not with <{node.Name}>");
        else root = node;
    }

    /// <summary>Goes behind the closing tag of an element that holds text; elements of the same name inside are counted.</summary>
    bool ToEnd(string name, out int end)
    {
        for (var depth = 1; ;)
        {
            end = NextTag(at);
            if (end >= text.Length) return false;
            at = end;
            if (Starts("<!--")) { at = After("-->", at + 4); continue; }
            var closes = Starts("</");
            at += closes ? 2 : 1;
            var found = Name();
            if (found != name) continue;
            if (closes) depth--;
            else
            {
                var rest = After(">", at);
                if (rest < 2 || text[rest - 2] != '/') depth++;
            }
            if (depth > 0) continue;
            at = After(">", at);
            return true;
        }
    }

    string Name()
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '-' or '_' or ':')) at++;
        return text[start..at].ToLowerInvariant();
    }

    Dictionary<string, string>? Attributes(int start, string element, out bool closed)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        closed = false;
        while (true)
        {
            while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] == '/'))
                closed = text[at++] == '/';
            if (at >= text.Length || text[at] == '<') return Never(start, $"The tag <{element}> is never closed: add '>'");
            if (text[at] == '>') { at++; return attributes; }
            closed = false;
            var from = at;
            if (text[at] == '{') return Never(from, $"A template tag stands between the attributes of <{element}>; it may stand in an attribute's value");
            while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('=' or '>' or '/' or '<')) at++;
            var name = text[from..at];
            if (name.Length == 0) return Never(from, $"<{element}> has an attribute without a name");
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
            var value = "";
            if (at < text.Length && text[at] == '=')
            {
                at++;
                while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
                if (Value() is not { } read) return Never(from, $"The value of {name} is never closed: add '\"'");
                value = read;
            }
            if (!attributes.TryAdd(name, value)) return Never(from, $"<{element}> has the attribute {name} twice");
            if (attributes.Count > MaxAttributes) return Never(from, $"<{element}> has more than {MaxAttributes} attributes");
        }
    }

    string? Value()
    {
        if (at >= text.Length) return null;
        var quote = text[at] is '"' or '\'' ? text[at] : '\0';
        if (quote != '\0') at++;
        var start = at;
        while (at < text.Length)
        {
            var c = text[at];
            if (quote != '\0' ? c == quote : char.IsWhiteSpace(c) || c == '>') break;
            at = c == '{' ? Skip(at) : at + 1;
        }
        if (at >= text.Length) return null;
        var value = text[start..at];
        if (quote != '\0') at++;
        return value;
    }

    Dictionary<string, string>? Never(int position, string sentence)
    {
        Fail(position, sentence);
        return null;
    }

    void Fail(int position, string sentence)
    {
        if (errors.Count > 0) return;
        var (row, column) = Place(position);
        errors.Add(new(row, column, sentence));
    }

    (int Line, int Column) Place(int position)
    {
        if (position < countedTo) (countedTo, line, lineStart) = (0, 1, 0);
        for (; countedTo < position; countedTo++)
            if (text[countedTo] == '\n') { line++; lineStart = countedTo + 1; }
        return (line, position - lineStart + 1);
    }
}
