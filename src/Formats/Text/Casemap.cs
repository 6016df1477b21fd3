using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace CbaMail.Text;

/// <summary>
/// The collation i;unicode-casemap (RFC 5051) of I18NLEVEL=1 (RFC 5255 4.2): every character in titlecase, then decomposed for compatibility.
/// A small letter equals its capital, an accented one is its letter and the accent after it. Character by character: the key of a piece of
/// a text stands in the key of the text.
/// </summary>
public static class Casemap
{
    const char Several = '\uffff';
    /// <summary>What one character becomes at most (U+FDFA).</summary>
    const int Longest = 18;

    // what a character becomes: 0 where it has not been asked for yet, Several where it is more than one
    static readonly char[] single = new char[65536];
    static readonly ConcurrentDictionary<char, string> several = new();

    /// <summary>The text as it is compared.</summary>
    public static string Key(string text)
    {
        if (Ascii.IsValid(text)) return text.ToUpperInvariant();
        var key = ArrayPool<char>.Shared.Rent(text.Length + text.Length / 8 + 2 * Longest);
        var length = Write(text, ref key, 0);
        var result = new string(key, 0, length);
        ArrayPool<char>.Shared.Return(key);
        return result;
    }

    /// <summary>Writes the text as it is compared behind what stands there already.</summary>
    /// <param name="key">Of the shared pool; exchanged for a larger one where it is too small.</param>
    /// <returns>Where it ends.</returns>
    public static int Write(ReadOnlySpan<char> text, ref char[] key, int length)
    {
        while (key.Length < length + text.Length) Grow(ref key, length);
        if (Ascii.IsValid(text))
        {
            Ascii.ToUpper(text, key.AsSpan(length), out _);
            return length + text.Length;
        }
        for (var i = 0; i < text.Length; i++)
        {
            if (length + Longest > key.Length) Grow(ref key, length);
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                Append(key, ref length, Rune.ToUpperInvariant(new Rune(c, text[++i])).ToString().Normalize(NormalizationForm.FormKD));
                continue;
            }
            var mapped = single[c];
            if (mapped == 0) mapped = Learn(c);
            if (mapped == Several) Append(key, ref length, several[c]);
            else key[length++] = mapped;
        }
        return length;
    }

    static void Append(char[] key, ref int length, string piece)
    {
        piece.CopyTo(key.AsSpan(length));
        length += piece.Length;
    }

    static void Grow(ref char[] key, int length)
    {
        var larger = ArrayPool<char>.Shared.Rent(2 * key.Length);
        key.AsSpan(0, length).CopyTo(larger);
        ArrayPool<char>.Shared.Return(key);
        key = larger;
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
