using System.Text;

namespace CbaMail.Tests.House;

/// <summary>
/// A C# file taken apart into code, string literals and comments, each with its line, so that a rule about one is not
/// fooled by another. A small lexer: raw, verbatim and interpolated strings are known, holes of interpolations are code.
/// </summary>
internal sealed class SourceText
{
    private readonly string text;
    private readonly StringBuilder code = new();
    private int at;
    private int line = 1;

    public SourceText(string text)
    {
        this.text = text;
        ReadCode(untilBrace: false);
        Code = code.ToString();
    }

    /// <summary>The file with literals emptied and comments replaced by a blank; line breaks are kept.</summary>
    public string Code { get; }
    public List<(int Line, string Text)> Strings { get; } = [];
    public List<(int Line, string Text)> Comments { get; } = [];

    public int LineOf(int codeIndex) => 1 + Code.AsSpan(0, codeIndex).Count('\n');

    private char Peek(int ahead = 0) => at + ahead < text.Length ? text[at + ahead] : '\0';

    private char Take()
    {
        var c = text[at++];
        if (c == '\n') line++;
        return c;
    }

    private void ReadCode(bool untilBrace)
    {
        var depth = 0;
        while (at < text.Length)
        {
            var c = Peek();
            if (c == '/' && Peek(1) == '/') ReadComment("\n");
            else if (c == '/' && Peek(1) == '*') ReadComment("*/");
            else if (c == '\'') ReadCharacter();
            else if (c is '"' or '$' or '@' && StartsString()) ReadString();
            else
            {
                if (untilBrace && c == '}' && depth == 0) return;
                if (c == '{') depth++;
                if (c == '}') depth--;
                code.Append(Take());
            }
        }
    }

    private void ReadComment(string end)
    {
        var (start, from) = (line, at);
        var stop = text.IndexOf(end, at + 2, StringComparison.Ordinal);
        stop = stop < 0 ? text.Length : end == "\n" ? stop : stop + end.Length;
        while (at < stop)
            if (Take() == '\n') code.Append('\n');
        code.Append(' ');
        Comments.Add((start, text[from..stop]));
    }

    private void ReadCharacter()
    {
        code.Append("' '");
        Take();
        while (at < text.Length && Peek() is not ('\'' or '\n'))
            if (Take() == '\\') Take();
        if (Peek() == '\'') Take();
    }

    private bool StartsString()
    {
        var i = at;
        while (i < text.Length && text[i] is '$' or '@') i++;
        return i < text.Length && text[i] == '"';
    }

    private void ReadString()
    {
        var (dollars, verbatim, start) = (0, false, line);
        for (; Peek() != '"'; Take())
            if (Peek() == '$') dollars++;
            else verbatim = true;
        var quotes = 0;
        while (Peek(quotes) == '"') quotes++;
        var raw = quotes >= 3;
        for (var i = 0; i < (raw ? quotes : 1); i++) Take();
        code.Append('"');
        var content = new StringBuilder();
        while (at < text.Length && !Closes(raw, verbatim, quotes))
        {
            var doubled = false;
            if (dollars > 0 && Hole(raw ? dollars : 1, out doubled))
            {
                for (var i = 0; i < (raw ? dollars : 1); i++) Take();
                code.Append('{');
                ReadCode(untilBrace: true);
                for (var i = 0; i < (raw ? dollars : 1) && Peek() == '}'; i++) Take();
                code.Append('}');
                content.Append("{}");
                continue;
            }
            if (doubled) Take();
            var c = Take();
            if (c == '\n') code.Append('\n');
            content.Append(c);
            if (!raw && (c == '\\' && !verbatim || c == '"' && verbatim) && at < text.Length) content.Append(Take());
        }
        for (var i = 0; i < (raw ? quotes : 1) && at < text.Length; i++) Take();
        code.Append('"');
        Strings.Add((start, content.ToString()));
    }

    private bool Closes(bool raw, bool verbatim, int quotes)
    {
        if (Peek() != '"') return false;
        if (raw) return Enumerable.Range(0, quotes).All(i => Peek(i) == '"');
        return !verbatim || Peek(1) != '"';
    }

    private bool Hole(int braces, out bool doubled)
    {
        doubled = false;
        var n = 0;
        while (Peek(n) == '{') n++;
        if (n == 0) return false;
        if (braces == 1 && n >= 2) { doubled = true; return false; }
        return n >= braces;
    }
}
