using System.Globalization;
using System.Text;

namespace CbaMail.Text;

/// <summary>
/// The form in which the words of fuzzy searches are compared: decomposed and without case as <see cref="Casemap"/> has it, then without
/// diacritics, and ё as е; but й is a letter of its own.
/// </summary>
public static class SearchFold
{
    const char Dropped = '\0', Several = '\uFFFF';

    static readonly Dictionary<char, string> several = [];
    static readonly Lazy<char[]> table = new(Build);

    /// <summary>The text in that form.</summary>
    public static string Fold(string text)
    {
        if (IsFolded(text)) return text;
        // RFC 5051 2 has no composition; a decomposed й is one all the same
        if (text.Contains('\u0306')) text = Compose(text);
        var map = table.Value;
        var output = new StringBuilder(text.Length + 8);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsSurrogate(c))
            {
                if (!Rune.TryGetRuneAt(text, i, out var rune)) { output.Append('\uFFFD'); continue; }
                output.Append(Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune)).ToString());
                i++;
                continue;
            }
            var to = map[c];
            if (to == Several) output.Append(several[c]);
            else if (to != Dropped || c == Dropped) output.Append(to);
        }
        return output.ToString();
    }

    static bool IsFolded(string text)
    {
        foreach (var c in text)
            if (c >= 128 || char.IsAsciiLetterUpper(c)) return false;
        return true;
    }

    static string Compose(string text)
    {
        try { return text.Normalize(NormalizationForm.FormC); }
        catch (ArgumentException) { return text; } // half a surrogate pair
    }

    static char[] Build()
    {
        var map = new char[65536];
        for (var i = 0; i < map.Length; i++)
        {
            var c = (char)i;
            var folded = One(c);
            if (folded.Length == 1) map[i] = folded[0];
            else if (folded.Length == 0) map[i] = Dropped;
            else
            {
                map[i] = Several;
                several[c] = folded;
            }
        }
        return map;
    }

    static string One(char c)
    {
        if (c is 'й' or 'Й') return "й"; // a letter of its own, not an и with a mark
        if (char.IsSurrogate(c) || c is Several or '\uFFFE') return "\uFFFD";
        var output = new StringBuilder();
        // RFC 5051 2: the decomposition property, canonical or not
        foreach (var piece in Decompose(c))
            if (CharUnicodeInfo.GetUnicodeCategory(piece) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark))
                output.Append(char.ToLowerInvariant(char.ToUpperInvariant(piece)));
        return output.ToString();
    }

    static string Decompose(char c)
    {
        try { return c.ToString().Normalize(NormalizationForm.FormKD); }
        catch (ArgumentException) { return c.ToString(); } // no character
    }
}
