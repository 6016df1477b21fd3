namespace CbaMail.Text;

/// <summary>
/// What strangers wrote, fit to be shown: on a terminal, in a log, in a line of a report. Control characters move the cursor and forge lines,
/// those of C1 (ECMA-48 5.3: U+009B begins a command as ESC [ does) no less than those of C0, and embeddings of direction make a text read as another (Unicode TR36 2.1).
/// </summary>
public static class PlainText
{
    /// <summary>The text on one line, each such character as <paramref name="instead"/>; the same string where there is none.</summary>
    public static string Line(string text, char instead = '?') => Clean(text, instead, lines: false);

    /// <summary>The same, with its line ends (LF) and tabs.</summary>
    public static string Lines(string text, char instead = '?') => Clean(text, instead, lines: true);

    static string Clean(string text, char instead, bool lines)
    {
        for (var i = 0; i < text.Length; i++)
            if (IsTrick(text[i], lines))
                return string.Create(text.Length, (text, instead, lines), static (span, from) =>
                {
                    for (var i = 0; i < span.Length; i++) span[i] = IsTrick(from.text[i], from.lines) ? from.instead : from.text[i];
                });
        return text;
    }

    static bool IsTrick(char c, bool lines) =>
        c < ' ' ? !lines || c is not ('\n' or '\t') : c is >= '\x7f' and <= '\x9f' or >= '\u2028' and <= '\u202e' or >= '\u2066' and <= '\u2069' or '\ufeff';
}
