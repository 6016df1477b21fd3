using System.Globalization;
using System.Text;

namespace CbaMail.Mailings;

/// <summary>Reads the language of <see cref="Template"/>: linear in the length, nesting bounded, the first mistake remembered with its place.</summary>
sealed class TemplateParser
{
    const int MaxDepth = 50;

    readonly string text;
    readonly TemplateKind kind;
    readonly List<FieldReference> references = [];
    int position;
    int scopes;
    int countedTo, line = 1, lineStart;
    TemplateError? error;

    TemplateParser(string text, TemplateKind kind)
    {
        this.text = text;
        this.kind = kind;
    }

    public static Template? Parse(string text, TemplateKind kind, out TemplateError? error)
    {
        var parser = new TemplateParser(text, kind);
        var nodes = parser.Body(null, 0, out var end);
        if (parser.error is null && end is { } stray)
            parser.Fail(stray.Start, stray.Word is "else" ? "{{else}} stands outside of any {{#if}}" : $"{{{{/{stray.Word}}}}} closes nothing: there is no {{{{#{stray.Word}}}}} before it");
        error = parser.error;
        return error is null ? new Template(kind, nodes, parser.references) : null;
    }

    /// <summary>A tag between braces.</summary>
    /// <param name="Sigil">A number sign, slash, exclamation mark, ampersand, brace, or a blank for a value; else has 'e'.</param>
    readonly record struct Tag(int Start, char Sigil, string Word, int InnerStart, int InnerEnd, int End, bool TrimLeft, bool TrimRight);

    List<TemplateNode> Body(Tag? opener, int depth, out Tag? end)
    {
        var nodes = new List<TemplateNode>();
        end = null;
        if (depth > MaxDepth) Fail(opener!.Value.Start, $"more than {MaxDepth} blocks inside each other");
        while (error is null)
        {
            if (!NextTag(nodes, out var tag)) break;
            switch (tag.Sigil)
            {
                case '!': break;
                case '#': nodes.Add(Block(tag, depth)); break;
                case '/' or 'e': end = tag; return nodes;
                default: nodes.Add(new ValueNode(WholeExpression(tag, required: true), tag.Sigil is '{' or '&')); break;
            }
        }
        if (error is null && opener is { } open)
            Fail(open.Start, $"{{{{#{open.Word} …}}}} is never closed: add {{{{/{open.Word}}}}}");
        return nodes;
    }

    // ---- text and tags

    /// <summary>Adds the text before the next tag and reads the tag; false at the end of the template.</summary>
    bool NextTag(List<TemplateNode> nodes, out Tag tag)
    {
        var literal = new StringBuilder();
        while (true)
        {
            var open = text.IndexOf("{{", position, StringComparison.Ordinal);
            if (open < 0)
            {
                literal.Append(text, position, text.Length - position);
                position = text.Length;
                if (literal.Length > 0) nodes.Add(new TextNode(literal.ToString()));
                tag = default;
                return false;
            }
            if (open > position && text[open - 1] == '\\')
            {
                // \{{ is two braces, as written
                literal.Append(text, position, open - 1 - position).Append("{{");
                position = open + 2;
                continue;
            }
            literal.Append(text, position, open - position);
            if (!ReadTag(open, out tag)) return false;
            Trim(literal, tag);
            if (literal.Length > 0) nodes.Add(new TextNode(literal.ToString()));
            return true;
        }
    }

    /// <summary>White-space control, and a line that holds nothing but a block's tag or a comment leaves no empty line behind.</summary>
    void Trim(StringBuilder literal, in Tag tag)
    {
        position = tag.End;
        var stands = StandsAlone(tag, out var before, out var after);
        var alone = stands && tag.Sigil is ('#' or '/' or 'e' or '!');
        if (tag.TrimLeft)
            while (literal.Length > 0 && char.IsWhiteSpace(literal[^1])) literal.Length--;
        else if (alone)
            literal.Length -= Math.Min(literal.Length, before);
        if (tag.TrimRight)
            while (position < text.Length && char.IsWhiteSpace(text[position])) position++;
        else if (alone)
            position = after;

        bool StandsAlone(in Tag tag, out int indent, out int next)
        {
            indent = 0;
            while (tag.Start - indent > 0 && text[tag.Start - indent - 1] is (' ' or '\t')) indent++;
            next = tag.End;
            while (next < text.Length && text[next] is (' ' or '\t' or '\r')) next++;
            var fromStart = tag.Start - indent == 0 || text[tag.Start - indent - 1] == '\n';
            var toEnd = next == text.Length || text[next] == '\n';
            if (toEnd && next < text.Length) next++;
            return fromStart && toEnd;
        }
    }

    bool ReadTag(int start, out Tag tag)
    {
        tag = default;
        var i = start + 2;
        var left = Take('~');
        if (text.AsSpan(i).StartsWith("!--")) return Comment("--}}", "--~}}", out tag);
        if (i < text.Length && text[i] == '!') return Comment("}}", "~}}", out tag);
        var sigil = i < text.Length && text[i] is '#' or '/' or '&' or '{' or '^' or '>' ? text[i++] : ' ';
        var inner = i;
        var close = FindClose(inner);
        var next = text.IndexOf("{{", inner, StringComparison.Ordinal);
        if (close < 0 || next >= 0 && next < close)
            return Fail(start, "'{{' is never closed: add '}}'");
        var end = close + 2;
        var innerEnd = close;
        if (sigil == '{')
        {
            if (end >= text.Length || text[end] != '}') return Fail(start, "'{{{' needs three braces at its end: '}}}'");
            end++;
        }
        var right = innerEnd > inner && text[innerEnd - 1] == '~';
        if (right) innerEnd--;
        var word = FirstWord(inner, innerEnd, out var rest);
        switch (sigil)
        {
            case '>': return Fail(start, $"there is no shared block {word}: keep it in the template book under this name, {{{{> {(word.Length > 0 ? word : "name")}}}}} stands for its text");
            case '^' when word.Length == 0: sigil = 'e'; word = "else"; break;
            case '^': return Fail(start, $"write {{{{#unless {word}}}}} instead of {{{{^{word}}}}}");
            case '/' when word.Length == 0: return Fail(start, "{{/}} needs the block's name");
            case ' ' when word == "else": sigil = 'e'; inner = rest; break;
            case ' ' or '{' or '&' when text.AsSpan(inner, innerEnd - inner).IsWhiteSpace(): return Fail(start, "'{{}}' is empty: name a merge field");
            case '#': inner = rest; break;
        }
        tag = new(start, sigil, word, inner, innerEnd, end, left, right);
        return true;

        bool Take(char c)
        {
            if (i >= text.Length || text[i] != c) return false;
            i++;
            return true;
        }

        bool Comment(string close, string trimmingClose, out Tag tag)
        {
            tag = default;
            var at = text.IndexOf(close, i, StringComparison.Ordinal);
            var trimming = text.IndexOf(trimmingClose, i, StringComparison.Ordinal);
            if (at < 0 && trimming < 0) return Fail(start, $"the comment is never closed: add '{close}'");
            var trims = trimming >= 0 && (at < 0 || trimming <= at);
            tag = new(start, '!', "", i, i, trims ? trimming + trimmingClose.Length : at + close.Length, left, trims);
            return true;
        }
    }

    /// <summary>The first "}}" that stands in no quoted text.</summary>
    int FindClose(int from)
    {
        var quote = '\0';
        for (var i = from; i + 1 < text.Length; i++)
        {
            var c = text[i];
            if (quote != '\0')
            {
                if (c == quote) quote = '\0';
            }
            else if (c is '"' or '\'') quote = c;
            else if (c == '}' && text[i + 1] == '}') return i;
            else if (c == '{' && text[i + 1] == '{') return -1;
        }
        // a lone quote may have hidden the end
        return quote == '\0' ? -1 : text.IndexOf("}}", from, StringComparison.Ordinal);
    }

    string FirstWord(int from, int to, out int rest)
    {
        while (from < to && char.IsWhiteSpace(text[from])) from++;
        var end = from;
        while (end < to && !char.IsWhiteSpace(text[end]) && text[end] is not ('(' or '"' or '\'' or '[')) end++;
        rest = end;
        return text[from..end];
    }

    // ---- blocks

    TemplateNode Block(in Tag open, int depth)
    {
        if (open.Word is "each" or "with") return Scope(open, depth);
        var branches = new List<(TemplateExpression, bool, IReadOnlyList<TemplateNode>)>();
        IReadOnlyList<TemplateNode> otherwise = [];
        if (open.Word is not ("if" or "unless"))
        {
            Fail(open.Start, $"there is no block {{{{#{open.Word}}}}}; blocks are {{{{#if field}}}}, {{{{#unless field}}}}, {{{{#each list}}}} and {{{{#with object}}}}");
            return new ChoiceNode(branches, otherwise);
        }
        var condition = WholeExpression(open, required: false);
        var negated = open.Word == "unless";
        while (error is null)
        {
            var body = Body(open, depth + 1, out var end);
            if (error is not null || end is not { } tag) break;
            branches.Add((condition, negated, body));
            if (tag.Sigil == '/')
            {
                Closes(open, tag);
                break;
            }
            var word = FirstWord(tag.InnerStart, tag.InnerEnd, out var rest);
            if (word is "if" or "unless")
            {
                condition = WholeExpression(tag with { Word = word, InnerStart = rest }, required: false);
                negated = word == "unless";
                continue;
            }
            if (word.Length > 0) { Fail(tag.Start, "after {{else}} only 'if' may follow: {{else if field}}"); break; }
            otherwise = Body(open, depth + 1, out end);
            if (error is null && end is { } last)
            {
                if (last.Sigil == 'e') Fail(last.Start, "this block has an {{else}} already"); else Closes(open, last);
            }
            break;
        }
        return new ChoiceNode(branches, otherwise);
    }

    ScopeNode Scope(in Tag open, int depth)
    {
        var subject = WholeExpression(open, required: false);
        IReadOnlyList<TemplateNode> otherwise = [];
        scopes++;
        var body = Body(open, depth + 1, out var end);
        scopes--;
        if (error is null && end is { Sigil: 'e' } tag)
        {
            if (FirstWord(tag.InnerStart, tag.InnerEnd, out _).Length > 0) Fail(tag.Start, $"in {{{{#{open.Word}}}}} nothing may follow {{{{else}}}}");
            otherwise = Body(open, depth + 1, out end);
        }
        if (error is null && end is { } last)
        {
            if (last.Sigil == 'e') Fail(last.Start, "this block has an {{else}} already"); else Closes(open, last);
        }
        return new(subject, open.Word == "each", body, otherwise);
    }

    void Closes(in Tag open, in Tag close)
    {
        if (close.Word != open.Word)
            Fail(close.Start, $"{{{{/{close.Word}}}}} stands where {{{{/{open.Word}}}}} is needed, for the block of line {LineOf(open.Start)}");
    }

    // ---- expressions

    TemplateExpression WholeExpression(in Tag tag, bool required)
    {
        var at = tag.InnerStart;
        var expression = Call(ref at, tag.InnerEnd, tag.Start, required, nested: 0);
        Skip(ref at, tag.InnerEnd);
        if (error is null && at < tag.InnerEnd) Fail(at, $"'{text[at..tag.InnerEnd].Trim()}' was not expected here");
        return expression;
    }

    /// <summary>A helper with its arguments, or a single field or literal.</summary>
    TemplateExpression Call(ref int at, int end, int tagStart, bool required, int nested)
    {
        Skip(ref at, end);
        if (at >= end) { Fail(tagStart, "a merge field is missing here"); return new LiteralExpression(""); }
        var start = at;
        var bare = text[at] is not ('(' or '"' or '\'' or '[');
        if (bare)
        {
            var word = FirstWord(at, end, out var rest).TrimEnd(')');
            rest = Math.Min(rest, start + word.Length);
            var look = rest;
            Skip(ref look, end);
            var more = look < end && text[look] != ')';
            if (more && TemplateFunctions.Find(word) is { } function)
            {
                at = rest;
                return Arguments(function, ref at, end, start, required, nested);
            }
            if (more)
            {
                Fail(start, $"there is no helper '{word}'; helpers are {string.Join(", ", TemplateFunctions.All.Select(f => f.Name))}. A field with a space in its name is written [{word} …]");
                return new LiteralExpression("");
            }
        }
        return Simple(ref at, end, required, nested);
    }

    CallExpression Arguments(TemplateFunction function, ref int at, int end, int start, bool required, int nested)
    {
        var arguments = new List<TemplateExpression>();
        while (error is null)
        {
            Skip(ref at, end);
            if (at >= end || text[at] == ')') break;
            arguments.Add(Simple(ref at, end, required && function.Requires(arguments.Count), nested));
        }
        if (error is null && (arguments.Count < function.Least || arguments.Count > function.Most))
            Fail(start, $"'{function.Name}' is used so: {function.Usage}");
        return new(function, arguments);
    }

    TemplateExpression Simple(ref int at, int end, bool required, int nested)
    {
        var start = at;
        switch (text[at])
        {
            case '(':
                if (nested >= MaxDepth) { Fail(start, "too many parentheses"); return new LiteralExpression(""); }
                at++;
                var inner = Call(ref at, end, start, required, nested + 1);
                Skip(ref at, end);
                if (error is null && (at >= end || text[at] != ')')) Fail(start, "'(' is never closed: add ')'");
                at++;
                return inner;
            case '"' or '\'':
                var close = text.IndexOf(text[at], at + 1, end - at - 1);
                if (close < 0) { Fail(start, "the quoted text is never closed"); return new LiteralExpression(""); }
                at = close + 1;
                return new LiteralExpression(text[(start + 1)..close]);
            case '[':
                var bracket = text.IndexOf(']', at + 1, end - at - 1);
                if (bracket < 0) { Fail(start, "'[' is never closed: add ']'"); return new LiteralExpression(""); }
                at = bracket + 1;
                return Field(text[(start + 1)..bracket].Trim(), start, required);
        }
        while (at < end && !char.IsWhiteSpace(text[at]) && text[at] is not (')' or '(' or '"' or '\'' or '[' or '=' or '|')) at++;
        var word = text[start..at];
        if (word.EndsWith('.') && at < end && text[at] == '[' && text.IndexOf(']', at, end - at) is var last && last > 0)
        {
            // this.[exam date]
            at = last + 1;
            return Field(word + text[(start + word.Length + 1)..last].Trim(), start, required);
        }
        if (word.Length == 0 || !word.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or '@' or '/'))
        {
            Fail(start, $"'{(word.Length == 0 ? text[start].ToString() : word)}' is no merge field; a name with other signs is written [in brackets]");
            return new LiteralExpression("");
        }
        if (word is "true" or "false") return new LiteralExpression(word == "true");
        if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) return new LiteralExpression(word);
        return Field(word, start, required);
    }

    FieldExpression Field(string written, int start, bool required)
    {
        if (written.Length == 0) Fail(start, "a merge field is missing here");
        var (row, column) = Place(start);
        var (name, ups) = (written, 0);
        for (; name.StartsWith("../", StringComparison.Ordinal); ups++) name = name[3..];
        if (name.StartsWith("@root.", StringComparison.Ordinal)) (name, ups) = (name[6..], -1);
        if (name.StartsWith("this.", StringComparison.Ordinal) || name.StartsWith("this/", StringComparison.Ordinal)) name = name[5..];
        else if (name.StartsWith("./", StringComparison.Ordinal)) name = name[2..];
        else if (name is "this" or "." or "..") (name, ups) = ("", name == ".." ? ups + 1 : ups);
        if (ups > scopes) Fail(start, $"'{written}' leads out of the template: there are {scopes} blocks of each and with around it");
        if (name.StartsWith('@') && name is not ("@index" or "@number" or "@first" or "@last" or "@key")) Fail(start, $"there is no {name}; in {{{{#each}}}} there are @index, @number, @first, @last and @key");
        var outside = ups < 0 || ups >= scopes;
        if (outside && (name.Length == 0 || name[0] == '@')) Fail(start, $"'{written}' stands outside of {{{{#each}}}} and {{{{#with}}}}");
        if (outside) references.Add(new(name, required, row, column)); // what is in a list is known when it is read
        return new(written, name, outside ? -1 : ups, row, column);
    }

    void Skip(ref int at, int end)
    {
        while (at < end && char.IsWhiteSpace(text[at])) at++;
    }

    // ---- places

    bool Fail(int at, string message)
    {
        if (error is not null) return false;
        var (row, column) = Place(at);
        error = new(row, column, message);
        return false;
    }

    int LineOf(int at) => text.AsSpan(0, at).Count('\n') + 1;

    /// <summary>Line and column; asked for rising positions it counts on from the last one.</summary>
    (int Line, int Column) Place(int at)
    {
        if (at < countedTo) (countedTo, line, lineStart) = (0, 1, 0);
        for (; countedTo < at && countedTo < text.Length; countedTo++)
            if (text[countedTo] == '\n') { line++; lineStart = countedTo + 1; }
        return (line, at - lineStart + 1);
    }
}
