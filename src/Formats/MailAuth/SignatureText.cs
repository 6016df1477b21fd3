using System.Text;

namespace CbaMail.MailAuth;

/// <summary>
/// Writes the field of a signature, folded between its tags and at the colons of a list; the same tags always give the same bytes.
/// With <c>b=</c> empty it is what gets hashed: read relaxed, both forms say the same; read simple, they do where b= stands last.
/// </summary>
static class SignatureText
{
    const int Width = 76; // within the 78 columns of RFC 5322 2.1.1

    /// <param name="signature">The value of the tag "b", in base64.</param>
    /// <param name="whole">
    /// The value of b= is not folded: in ARC later seals cover it with its folds, and whoever computes them anew (the public suite of
    /// ARC does) writes none. Its line is longer than 78 then, and never near 998.
    /// </param>
    public static string Write(string name, IReadOnlyList<(string Name, string Value)> tags, string signature, bool whole = false)
    {
        var text = new StringBuilder(name, 1024).Append(':');
        var column = text.Length;
        foreach (var (tag, value) in tags)
        {
            var last = tag == tags[^1].Name;
            if (tag == "b")
            {
                // always on a line of its own, so that nothing before it depends on what it is
                Fold(text, ref column);
                Append(text, ref column, "b=");
                if (whole) Append(text, ref column, signature);
                for (var at = 0; at < signature.Length && !whole; at += Width - 4)
                {
                    if (at > 0) Fold(text, ref column);
                    Append(text, ref column, signature.AsSpan(at, Math.Min(Width - 4, signature.Length - at)));
                }
            }
            else
            {
                if (column + tag.Length + value.Length + 3 > Width) Fold(text, ref column);
                else Append(text, ref column, " ");
                Append(text, ref column, tag);
                Append(text, ref column, "=");
                Value(text, ref column, value);
            }

            if (!last) Append(text, ref column, ";");
        }

        return text.Append("\r\n").ToString();
    }

    static void Value(StringBuilder text, ref int column, string value)
    {
        if (column + value.Length < Width)
        {
            Append(text, ref column, value);
            return;
        }

        // RFC 6376 3.5: white space may stand on either side of a colon of h=
        for (var at = 0; at < value.Length;)
        {
            var end = value.IndexOf(':', at);
            end = end < 0 ? value.Length : end + 1;
            if (at > 0 && column + (end - at) >= Width) Fold(text, ref column);
            Append(text, ref column, value.AsSpan(at, end - at));
            at = end;
        }
    }

    static void Fold(StringBuilder text, ref int column)
    {
        text.Append("\r\n "); // a space: dkimpy looks for " i=1;" in the text of an ARC-Message-Signature
        column = 1;
    }

    static void Append(StringBuilder text, ref int column, ReadOnlySpan<char> piece)
    {
        text.Append(piece);
        column += piece.Length;
    }
}
