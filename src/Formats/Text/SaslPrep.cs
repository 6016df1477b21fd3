using System.Globalization;
using System.Text;

namespace CbaMail.Text;

/// <summary>
/// SASLprep (RFC 4013): the form in which SCRAM compares names and passwords. Over the normalization of today's Unicode where RFC 3454 has 3.2;
/// code points that were unassigned then are let through, as for queries.
/// </summary>
public static class SaslPrep
{
    /// <summary>Prepares a text.</summary>
    /// <returns>False where it holds what SASLprep prohibits, or is no valid Unicode.</returns>
    public static bool TryPrepare(string text, out string prepared)
    {
        prepared = text;
        if (Ascii.IsValid(text)) return !text.Any(char.IsControl); // RFC 4013 2.3: C.2.1
        var mapped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (IsOtherSpace(c)) mapped.Append(' '); // RFC 4013 2.1: C.1.2
            else if (!IsNothing(c)) mapped.Append(c); // RFC 4013 2.1: B.1
        }
        try { prepared = mapped.ToString().Normalize(NormalizationForm.FormKC); } // RFC 4013 2.2
        catch (ArgumentException) { return false; } // half a surrogate pair
        return !prepared.EnumerateRunes().Any(IsProhibited) && IsOneDirection(prepared);
    }

    // RFC 3454 C.1.2
    static bool IsOtherSpace(char c) => c is '\u00A0' or '\u1680' or (>= '\u2000' and <= '\u200B') or '\u202F' or '\u205F' or '\u3000';

    // RFC 3454 B.1
    static bool IsNothing(char c) =>
        c is '\u00AD' or '\u034F' or '\u1806' or (>= '\u180B' and <= '\u180D') or '\u200C' or '\u200D' or '\u2060' or (>= '\uFE00' and <= '\uFE0F') or '\uFEFF';

    // RFC 4013 2.3
    static bool IsProhibited(Rune rune) => rune.Value switch
    {
        <= 0x1F or (>= 0x7F and <= 0x9F) => true, // C.2.1, C.2.2
        0x06DD or 0x070F or 0x180E or 0x2028 or 0x2029 or (>= 0x2061 and <= 0x2063) or (>= 0x206A and <= 0x206F) or (>= 0x1D173 and <= 0x1D17A) => true, // C.2.2
        (>= 0xE000 and <= 0xF8FF) or >= 0xF0000 => true, // C.3
        (>= 0xFDD0 and <= 0xFDEF) => true, // C.4
        (>= 0xFFF9 and <= 0xFFFD) => true, // C.6
        (>= 0x2FF0 and <= 0x2FFB) => true, // C.7
        0x0340 or 0x0341 or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) => true, // C.8
        0xE0001 or (>= 0xE0020 and <= 0xE007F) => true, // C.9
        var value => (value & 0xFFFE) == 0xFFFE, // C.4
    };

    // RFC 3454 6: text from right to left is so from its first to its last sign, and holds no letter of the other direction
    static bool IsOneDirection(string text)
    {
        if (text.Length == 0) return true;
        var runes = text.EnumerateRunes().ToArray();
        if (!runes.Any(IsRightToLeft)) return true;
        return IsRightToLeft(runes[0]) && IsRightToLeft(runes[^1]) && !runes.Any(rune => Rune.IsLetter(rune) && !IsRightToLeft(rune));
    }

    // RFC 3454 D.1: Hebrew, Arabic, Syriac, Thaana, and their presentation forms; not their digits and vowel signs
    static bool IsRightToLeft(Rune rune) =>
        rune.Value is (>= 0x05BE and <= 0x07B1) or (>= 0xFB1D and <= 0xFDFC) or (>= 0xFE70 and <= 0xFEFC)
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.MathSymbol);
}
