using System.Globalization;
using System.Text;

namespace CbaMail.Courses;

/// <summary>Russian in Latin letters, as in foreign passports (ICAO Doc 9303), for short names and addresses.</summary>
public static class Transliteration
{
    const string Cyrillic = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя";
    static readonly string[] Latin =
        ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "ie", "y", "", "e", "iu", "ia"];

    /// <summary>Lower-case ASCII letters and digits with single hyphens between words; empty when nothing can be written so.</summary>
    public static string Slug(string text, int length = 40)
    {
        var slug = new StringBuilder();
        var gap = false;
        foreach (var c in text.ToLower(CultureInfo.InvariantCulture).Normalize(NormalizationForm.FormC))
        {
            var at = Cyrillic.IndexOf(c, StringComparison.Ordinal);
            var latin = at >= 0 ? Latin[at] : char.IsAsciiLetterOrDigit(c) ? c.ToString() : WithoutMarks(c);
            if (latin is null) { gap = true; continue; }
            if (latin.Length == 0) continue;
            var add = latin.Length + (gap && slug.Length > 0 ? 1 : 0);
            if (slug.Length + add > length) break;
            if (gap && slug.Length > 0) slug.Append('-');
            slug.Append(latin);
            gap = false;
        }
        return slug.ToString();
    }

    // é -> e; anything without an ASCII letter at its base separates words
    static string? WithoutMarks(char c)
    {
        var letters = string.Concat(c.ToString().Normalize(NormalizationForm.FormD).Where(char.IsAsciiLetterOrDigit));
        return letters.Length > 0 ? letters : CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark ? "" : null;
    }
}
