using System.Globalization;
using System.Net;
using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// HTML as text that people can read: blocks as paragraphs, lists with marks, links as <c>text (url)</c>, quotes with <c>&gt;</c>.
/// One pass over tags and text, no document tree; never throws, whatever the markup.
/// </summary>
public static class HtmlText
{
    /// <summary>The text of an HTML document or fragment, lines ended by "\n".</summary>
    /// <param name="html">The markup.</param>
    /// <param name="limit">Stops after about that many characters.</param>
    /// <param name="forPreview">Without the addresses of links, and with the hidden text that mailers put first for previews.</param>
    public static string ToPlainText(string html, int limit = int.MaxValue, bool forPreview = false) =>
        new Converter(html, limit, forPreview).Run();

    /// <summary>White space, controls, and characters without width that mailers pad with. Words are short: looking for the next by vectors is no quicker, and slow until it is compiled.</summary>
    static bool IsSpecial(char c) => c is <= ' ' or '\u00A0' or '\u00AD' or '\u034F' or '\u200B' or '\u200C' or '\u200D' or '\uFEFF';

    sealed class Converter(string html, int limit, bool forPreview)
    {
        readonly StringBuilder output = new(Math.Min(html.Length, 4096));
        readonly Stack<(string Href, int Start)> links = new();
        readonly Stack<int> lists = new();
        int quotes;
        int pre;
        int newlines = 2;
        bool space;
        bool cell;

        public string Run()
        {
            var at = 0;
            while (at < html.Length && output.Length < limit)
            {
                var tag = html.IndexOf('<', at);
                if (tag < 0) tag = html.Length;
                if (tag > at) Text(html.AsSpan(at, tag - at));
                if (tag >= html.Length) break;
                at = Tag(tag);
            }

            var length = output.Length;
            while (length > 0 && char.IsWhiteSpace(output[length - 1])) length--;
            return output.ToString(0, length);
        }

        /// <summary>Handles the markup at <paramref name="at"/> and returns where text goes on.</summary>
        int Tag(int at)
        {
            if (at + 1 >= html.Length) return html.Length;
            var next = html[at + 1];
            if (next is '!' or '?') return AfterDeclaration(at);
            var closing = next == '/';
            var start = at + (closing ? 2 : 1);
            if (start >= html.Length || !char.IsAsciiLetter(html[start]))
            {
                // "1 < 2" is text
                Text("<");
                return at + 1;
            }

            var end = start;
            while (end < html.Length && (char.IsAsciiLetterOrDigit(html[end]) || html[end] is ':' or '-')) end++;
            var name = html.Length < start + 40 || end - start < 40 ? html[start..end].ToLowerInvariant() : "";
            var close = TagEnd(end);
            var attributes = html.AsSpan(end, close - end);
            close = Math.Min(close + 1, html.Length);
            if (closing)
            {
                Close(name);
                return close;
            }

            if (name is "script" or "style" or "title" or "template" or "noframes" or "xml" or "object" or "svg") return SkipElement(name, close);
            if (!forPreview && attributes.IndexOf("display", StringComparison.OrdinalIgnoreCase) >= 0 && IsHidden(attributes) && name is not ("br" or "img" or "hr" or "input" or "meta" or "link" or "body" or "html" or "table" or "col"))
                return SkipElement(name, close);
            Open(name, attributes);
            return close;
        }

        /// <summary>The place of the ">" that ends the tag; quoted values may hold one.</summary>
        int TagEnd(int at)
        {
            var quote = '\0';
            for (var i = at; i < html.Length; i++)
            {
                var c = html[i];
                if (quote != 0)
                {
                    if (c == quote) quote = '\0';
                }
                else if (c == '>') return i;
                else if (c is '"' or '\'' && html[i - 1] == '=') quote = c;
            }

            // A quote that never closes: the first ">" after all
            var plain = html.IndexOf('>', at);
            return plain < 0 ? html.Length : plain;
        }

        int AfterDeclaration(int at)
        {
            if (string.CompareOrdinal(html, at, "<!--", 0, 4) == 0)
            {
                var end = html.IndexOf("-->", at + 4, StringComparison.Ordinal);
                return end < 0 ? html.Length : end + 3;
            }

            var close = html.IndexOf('>', at);
            return close < 0 ? html.Length : close + 1;
        }

        /// <summary>After the end tag that matches; elements of the same name nest.</summary>
        int SkipElement(string name, int at)
        {
            var raw = name is "script" or "style" or "title" or "xml";
            for (var depth = 1; at < html.Length;)
            {
                var tag = html.IndexOf('<', at);
                if (tag < 0) return html.Length;
                at = tag + 1;
                var closes = at < html.Length && html[at] == '/';
                var start = closes ? at + 1 : at;
                if (string.Compare(html, start, name, 0, name.Length, StringComparison.OrdinalIgnoreCase) != 0) continue;
                if (start + name.Length < html.Length && (char.IsAsciiLetterOrDigit(html[start + name.Length]) || html[start + name.Length] == '-')) continue;
                if (!closes)
                {
                    if (!raw) depth++;
                    continue;
                }

                if (--depth > 0) continue;
                var close = html.IndexOf('>', start);
                return close < 0 ? html.Length : close + 1;
            }

            return html.Length;
        }

        static bool IsHidden(ReadOnlySpan<char> attributes)
        {
            var at = attributes.IndexOf("display", StringComparison.OrdinalIgnoreCase);
            var rest = attributes[(at + 7)..].TrimStart();
            return rest.StartsWith(":") && rest[1..].TrimStart().StartsWith("none", StringComparison.OrdinalIgnoreCase);
        }

        void Open(string name, ReadOnlySpan<char> attributes)
        {
            switch (name)
            {
                case "br":
                    Line(newlines + 1 > 2 ? 2 : newlines + 1);
                    break;
                case "p" or "h1" or "h2" or "h3" or "h4" or "h5" or "h6" or "table" or "dl" or "form" or "fieldset" or "figure" or "article" or "section":
                    Line(2);
                    break;
                case "pre":
                    Line(2);
                    pre++;
                    break;
                case "ul" or "ol" or "menu":
                    Line(lists.Count == 0 ? 2 : 1);
                    if (lists.Count < 50) lists.Push(name == "ol" ? int.TryParse(Attribute(attributes, "start"), NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? Math.Max(1, first) : 1 : 0);
                    break;
                case "li":
                    Line(1);
                    var number = lists.Count > 0 ? lists.Pop() : 0;
                    Raw(new string(' ', 2 * Math.Max(0, lists.Count)) + (number > 0 ? number.ToString(CultureInfo.InvariantCulture) + ". " : "- "));
                    lists.Push(number > 0 ? number + 1 : 0);
                    space = false;
                    break;
                case "blockquote":
                    Line(2);
                    if (quotes < 20) quotes++;
                    break;
                case "div" or "tr" or "dt" or "dd" or "header" or "footer" or "main" or "nav" or "aside" or "address" or "center" or "caption" or "thead" or "tbody" or "option":
                    Line(1);
                    cell = false;
                    break;
                case "td" or "th":
                    if (cell) space = true;
                    cell = true;
                    break;
                case "hr":
                    Line(1);
                    Raw("----------------------------------------");
                    Line(1);
                    break;
                case "img":
                    if (!forPreview && Attribute(attributes, "alt") is { Length: > 0 } alt) Text(alt);
                    break;
                case "a":
                    if (!forPreview && links.Count < 10) links.Push((Attribute(attributes, "href").Trim(), output.Length));
                    break;
            }
        }

        void Close(string name)
        {
            switch (name)
            {
                case "p" or "h1" or "h2" or "h3" or "h4" or "h5" or "h6" or "table" or "dl" or "form" or "fieldset" or "figure" or "article" or "section":
                    Line(2);
                    break;
                case "pre":
                    pre = Math.Max(0, pre - 1);
                    Line(2);
                    break;
                case "ul" or "ol" or "menu":
                    if (lists.Count > 0) lists.Pop();
                    Line(lists.Count == 0 ? 2 : 1);
                    break;
                case "blockquote":
                    Line(2);
                    quotes = Math.Max(0, quotes - 1);
                    break;
                case "div" or "li" or "tr" or "dt" or "dd" or "header" or "footer" or "main" or "nav" or "aside" or "address" or "center" or "caption" or "option":
                    Line(1);
                    cell = false;
                    break;
                case "td" or "th":
                    space = true;
                    break;
                case "a":
                    if (links.TryPop(out var link)) Link(link.Href, link.Start);
                    break;
            }
        }

        void Link(string href, int start)
        {
            if (href.Length == 0 || href[0] == '#' || !HasScheme(href)) return;
            var shown = output.ToString(Math.Min(start, output.Length), Math.Max(0, output.Length - start)).Trim();
            var address = href.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? href[7..] : href.StartsWith("tel:", StringComparison.OrdinalIgnoreCase) ? href[4..] : href;
            if (shown.Equals(address, StringComparison.OrdinalIgnoreCase) || address.TrimEnd('/').EndsWith("://" + shown, StringComparison.OrdinalIgnoreCase)) return;
            // A link around nothing visible would be noise
            if (shown.Length == 0) return;
            var pending = space;
            space = false;
            Raw(" (" + address + ")");
            space = pending;
        }

        static bool HasScheme(string href) =>
            href.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || href.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
            || href.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) || href.StartsWith("tel:", StringComparison.OrdinalIgnoreCase) || href.StartsWith("ftp://", StringComparison.OrdinalIgnoreCase);

        static string Attribute(ReadOnlySpan<char> attributes, string name)
        {
            for (var from = 0; from < attributes.Length;)
            {
                var at = attributes[from..].IndexOf(name, StringComparison.OrdinalIgnoreCase);
                if (at < 0) return "";
                at += from;
                from = at + name.Length;
                if (at > 0 && !char.IsWhiteSpace(attributes[at - 1]) && attributes[at - 1] is not ('"' or '\'')) continue;
                var rest = attributes[from..].TrimStart();
                if (rest.IsEmpty || rest[0] != '=') continue;
                rest = rest[1..].TrimStart();
                if (rest.IsEmpty) return "";
                var quoted = rest[0] is '"' or '\'';
                var value = quoted ? rest[1..] : rest;
                var end = quoted ? value.IndexOf(rest[0]) : value.IndexOfAny(" \t\r\n");
                return WebUtility.HtmlDecode((end < 0 ? value : value[..end]).ToString());
            }

            return "";
        }

        void Text(ReadOnlySpan<char> text)
        {
            if (text.IndexOf('&') >= 0) text = WebUtility.HtmlDecode(text.ToString());
            while (!text.IsEmpty)
            {
                var end = 0;
                while (end < text.Length && !IsSpecial(text[end])) end++;
                if (end > 0)
                {
                    Started();
                    output.Append(text[..end]);
                    text = text[end..];
                    if (text.IsEmpty) return;
                }

                var c = text[0];
                text = text[1..];
                if (pre > 0 && c == '\n')
                {
                    output.Append('\n');
                    newlines = 1;
                    space = false;
                }
                else if (pre > 0 && c is (' ' or '\t' or '\u00A0'))
                {
                    Started();
                    output.Append(c == '\t' ? '\t' : ' ');
                }

                // A no-break space is a space to a reader of plain text, and pads layout tables
                else if (c is ' ' or '\t' or '\r' or '\n' or '\f' or '\u00A0') space = true;
            }
        }

        void Started()
        {
            if (newlines > 0) Begin();
            else if (space) output.Append(' ');
            space = false;
            newlines = 0;
        }

        void Begin()
        {
            for (var i = 0; i < quotes; i++) output.Append("> ");
        }

        void Raw(string text)
        {
            if (newlines > 0) Begin();
            newlines = 0;
            output.Append(text);
        }

        /// <summary>Sees to it that <paramref name="count"/> line ends precede what comes next.</summary>
        void Line(int count)
        {
            space = false;
            if (output.Length == 0) return;
            // A mark of a list without text yet takes what comes
            if (count <= 2 && output.Length >= 2 && newlines == 0 && EndsInMark()) return;
            for (; newlines < count; newlines++) output.Append('\n');
        }

        bool EndsInMark() => output[^1] == ' ' && (output[^2] == '-' || output[^2] == '.' && output.Length >= 3 && char.IsAsciiDigit(output[^3]));
    }
}
