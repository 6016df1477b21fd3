using System.Collections.Concurrent;
using System.Text;

namespace CbaMail.Imap.Searching;

/// <summary>
/// The collation i;unicode-casemap (RFC 5051) of I18NLEVEL=1 (RFC 5255 4.2): every character in titlecase, then decomposed for compatibility.
/// A small letter equals its capital, an accented one is its letter and the accent after it.
/// </summary>
internal static class Casemap
{
    const char Several = '\uffff';

    // what a character becomes: 0 where it has not been asked for yet, Several where it is more than one
    static readonly char[] single = new char[65536];
    static readonly ConcurrentDictionary<char, string> several = new();

    /// <summary>The text as it is compared.</summary>
    public static string Key(string text)
    {
        if (Ascii.IsValid(text)) return text.ToUpperInvariant();
        var key = new StringBuilder(text.Length + 8);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                key.Append(Rune.ToUpperInvariant(new Rune(c, text[++i])).ToString().Normalize(NormalizationForm.FormKD));
            else
            {
                var mapped = single[c];
                if (mapped == 0) mapped = Learn(c);
                if (mapped == Several) key.Append(several[c]);
                else key.Append(mapped);
            }
        }
        return key.ToString();
    }

    static char Learn(char c)
    {
        if (char.IsSurrogate(c) || c >= '\ufffe') return single[c] = c == Several ? '\ufffd' : c; // half of a pair, no character
        var title = Title(c).ToString().Normalize(NormalizationForm.FormKD);
        if (title.Length == 1) return single[c] = title[0];
        several[c] = title;
        return single[c] = Several;
    }

    // UnicodeData.txt, simple titlecase: where it is not the capital, or .NET leaves the letter alone
    static char Title(char c) => c switch
    {
        >= '\u01c4' and <= '\u01c6' => '\u01c5',
        >= '\u01c7' and <= '\u01c9' => '\u01c8',
        >= '\u01ca' and <= '\u01cc' => '\u01cb',
        >= '\u01f1' and <= '\u01f3' => '\u01f2',
        '\u0131' => 'I',
        '\u017f' => 'S',
        _ => char.ToUpperInvariant(c),
    };

    /// <summary>Compares two keys by code points; UTF-16 alone would put what stands beyond U+FFFF before U+E000 (RFC 5051 2).</summary>
    public static int Compare(string one, string other)
    {
        var length = one.AsSpan().CommonPrefixLength(other);
        if (length == one.Length || length == other.Length) return one.Length - other.Length;
        return Weight(one[length]) - Weight(other[length]);
    }

    static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}

/// <summary>A text that is looked for; found where its key stands in the key of another (RFC 5051 2, RFC 9051 6.4.4).</summary>
internal sealed class Needle(string text)
{
    readonly string key = Casemap.Key(text);

    public string Text => text;
    public bool IsEmpty => text.Length == 0;

    public bool IsIn(string other)
    {
        if (other.Contains(text, StringComparison.OrdinalIgnoreCase)) return true;
        // what is ASCII alone has no other form
        return !Ascii.IsValid(other) && Casemap.Key(other).Contains(key, StringComparison.Ordinal);
    }
}
