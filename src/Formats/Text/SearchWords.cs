using System.Globalization;

namespace CbaMail.Text;

/// <summary>The words of a text in the form of <see cref="Casemap"/>: the longest runs of letters, digits, marks and what lies beyond U+FFFF.</summary>
public ref struct SearchWords(ReadOnlySpan<char> key)
{
    static readonly uint[] parts = Build();

    ReadOnlySpan<char> rest = key;

    /// <summary>Whether a character belongs to a word.</summary>
    public static bool IsPart(char c) => (parts[c >> 5] >> (c & 31) & 1) != 0;

    /// <summary>The next word, or false at the end.</summary>
    public bool Next(out ReadOnlySpan<char> word)
    {
        var start = 0;
        while (start < rest.Length && !IsPart(rest[start])) start++;
        var end = start;
        while (end < rest.Length && IsPart(rest[end])) end++;
        word = rest[start..end];
        rest = rest[end..];
        return !word.IsEmpty;
    }

    /// <summary>Cuts off the beginning of a word, no longer than so many characters and no half of a pair.</summary>
    public static ReadOnlySpan<char> Take(ref ReadOnlySpan<char> word, int most)
    {
        var length = Math.Min(word.Length, most);
        if (length < word.Length && char.IsHighSurrogate(word[length - 1])) length--;
        var piece = word[..length];
        word = word[length..];
        return piece;
    }

    static uint[] Build()
    {
        var map = new uint[2048];
        for (var i = 0; i < 65536; i++)
        {
            var category = CharUnicodeInfo.GetUnicodeCategory((char)i);
            // letters, marks and digits come first
            var isPart = category is <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.Surrogate;
            if (isPart) map[i >> 5] |= 1u << (i & 31);
        }
        return map;
    }
}
