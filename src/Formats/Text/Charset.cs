using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace CbaMail.Text;

/// <summary>
/// Character sets as mail names them. Every code page of .NET is known, with the misspellings that mailers send;
/// an unknown name is no error: the bytes are then read as UTF-8 if they are that, else by a guess.
/// </summary>
public static class Charset
{
    // WHATWG Encoding 4.2 and practice: a name that promises a subset is read as the superset that senders mean.
    static readonly FrozenDictionary<string, int> CodePages = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase)
    {
        ["utf-8"] = 65001,
        ["utf8"] = 65001,
        ["utf-8-bom"] = 65001,
        ["unicode-1-1-utf-8"] = 65001,
        ["utf8mb4"] = 65001,
        ["utf_8"] = 65001,
        ["unicode"] = 65001,
        ["us-ascii"] = 20127,
        ["ascii"] = 20127,
        ["ansi_x3.4-1968"] = 20127,
        ["646"] = 20127,
        ["iso646-us"] = 20127,
        ["iso-8859-1"] = 1252,
        ["latin1"] = 1252,
        ["latin-1"] = 1252,
        ["iso8859-1"] = 1252,
        ["iso_8859-1"] = 1252,
        ["l1"] = 1252,
        ["ansi"] = 1252,
        ["8859-1"] = 1252,
        ["iso88591"] = 1252,
        ["iso-8859-9"] = 1254,
        ["latin5"] = 1254,
        ["iso-8859-11"] = 874,
        ["tis-620"] = 874,
        ["iso8859-11"] = 874,
        ["iso-8859-8-i"] = 38598,
        ["iso-8859-8-e"] = 28598,
        ["iso-8859-6-i"] = 28596,
        ["iso-8859-6-e"] = 28596,
        ["koi8-r"] = 20866,
        ["koi8r"] = 20866,
        ["koi8"] = 20866,
        ["koi-8"] = 20866,
        ["koi8_r"] = 20866,
        ["koi8-u"] = 21866,
        ["koi8u"] = 21866,
        ["koi8-ru"] = 21866,
        ["gb2312"] = 54936,
        ["gbk"] = 54936,
        ["gb18030"] = 54936,
        ["gb_2312-80"] = 54936,
        ["euc-cn"] = 54936,
        ["cp936"] = 54936,
        ["x-gbk"] = 54936,
        ["csgb2312"] = 54936,
        ["chinese"] = 54936,
        ["cn-gb"] = 54936,
        ["gb2312_charset"] = 54936,
        ["hz"] = 52936,
        ["hz-gb-2312"] = 52936,
        ["big5"] = 950,
        ["big5-hkscs"] = 950,
        ["big5hkscs"] = 950,
        ["x-x-big5"] = 950,
        ["cn-big5"] = 950,
        ["big-5"] = 950,
        ["ks_c_5601"] = 949,
        ["ks_c_5601-1987"] = 949,
        ["ks_c_5601-1989"] = 949,
        ["ksc5601"] = 949,
        ["ksc_5601"] = 949,
        ["euc-kr"] = 949,
        ["euckr"] = 949,
        ["uhc"] = 949,
        ["x-windows-949"] = 949,
        ["korean"] = 949,
        ["shift_jis"] = 932,
        ["shift-jis"] = 932,
        ["sjis"] = 932,
        ["x-sjis"] = 932,
        ["ms_kanji"] = 932,
        ["windows-31j"] = 932,
        ["ms932"] = 932,
        ["iso-2022-jp"] = 50220,
        ["iso-2022-jp-ms"] = 50220,
        ["iso-2022-jp-1"] = 50220,
        ["euc-jp"] = 51932,
        ["eucjp"] = 51932,
        ["x-euc-jp"] = 51932,
        ["iso-2022-kr"] = 50225,
        ["macintosh"] = 10000,
        ["mac"] = 10000,
        ["x-mac-roman"] = 10000,
        ["x-mac-cyrillic"] = 10007,
        ["x-mac-ukrainian"] = 10017,
        ["utf-16le"] = 1200,
        ["utf-16be"] = 1201,
        ["ucs-2"] = 1200,
        ["utf-32"] = 12000,
        ["utf-32le"] = 12000,
        ["utf-32be"] = 12001,
        ["cp866"] = 866,
        ["ibm866"] = 866,
        ["dos-866"] = 866,
        ["alt"] = 866,
        ["win"] = 1251,
        ["win-1251"] = 1251,
        ["w1251"] = 1251,
        ["cp-1251"] = 1251,
        ["ansi-1251"] = 1251,
        ["cyrillic"] = 28595,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>The encoding of that name, or null where nobody knows it. "us-ascii" yields ASCII; <see cref="Decode"/> is more tolerant.</summary>
    public static Encoding? Find(string? name)
    {
        name = Clean(name);
        if (name.Length is 0 or > 40) return null;
        if (CodePages.TryGetValue(name, out var page)) return Page(page);
        try
        {
            if (CodePagesEncodingProvider.Instance.GetEncoding(name) is { } known) return Page(known.CodePage);
            if (Iso8859Part(name) is { } part && TableEncoding.Iso8859(part) is { } table) return table;
            if (NumberIn(name) is { } number && Page(number) is { } numbered) return numbered;
            // UTF-7 and other names that the framework refuses throw
            return name.StartsWith("utf-7", StringComparison.OrdinalIgnoreCase) || name.Contains("utf-7", StringComparison.OrdinalIgnoreCase) ? null : Encoding.GetEncoding(name);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Bytes as text in the named character set. Never fails: unknown names and 8-bit "us-ascii" are guessed.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes, string? name)
    {
        if (bytes.IsEmpty) return "";
        var clean = Clean(name);
        if (clean.Length == 0) return Guess(bytes);
        if (IsUtf8Name(clean))
            return Utf8.GetString(bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes[3..] : bytes);
        if (clean.EndsWith("utf-7", StringComparison.OrdinalIgnoreCase) || clean.Equals("utf7", StringComparison.OrdinalIgnoreCase)) return Utf7Mailbox.DecodePlainUtf7(bytes);
        if (clean.Equals("utf-16", StringComparison.OrdinalIgnoreCase) || clean.Equals("ucs-2", StringComparison.OrdinalIgnoreCase)) return Utf16(bytes);
        var encoding = Find(clean);
        if (encoding is null || encoding.CodePage == 20127) return Guess(bytes);
        try
        {
            return encoding.GetString(bytes);
        }
        catch (ArgumentException)
        {
            // some stateful decoders of the framework refuse what they cannot replace
            return Guess(bytes);
        }
    }

    /// <summary>Whether a text of that character set can be decoded piece by piece, to what <see cref="Decode"/> makes of the whole.</summary>
    /// <param name="encoding">Null where it has to be guessed (<see cref="CharsetGuess"/>) as soon as there is more than ASCII.</param>
    public static bool IsReadInPieces(string? name, out Encoding? encoding)
    {
        encoding = null;
        var clean = Clean(name);
        if (clean.Length == 0) return true;
        if (IsUtf8Name(clean)) encoding = Utf8;
        else if (clean.EndsWith("utf-7", StringComparison.OrdinalIgnoreCase) || clean.Equals("utf7", StringComparison.OrdinalIgnoreCase)) return false;
        else if (clean.Equals("utf-16", StringComparison.OrdinalIgnoreCase) || clean.Equals("ucs-2", StringComparison.OrdinalIgnoreCase)) return false;
        else if (Find(clean) is { CodePage: not 20127 } known) encoding = known;
        return encoding is null || encoding == Utf8 || encoding.IsSingleByte;
    }

    /// <summary>Bytes of unknown character set as text: ASCII, UTF-8, else Cyrillic or Western by the look of the bytes.</summary>
    public static string Guess(ReadOnlySpan<byte> bytes)
    {
        if (Ascii.IsValid(bytes)) return Encoding.ASCII.GetString(bytes);
        // RFC 6532 3.2: raw UTF-8 in header fields
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return Utf8.GetString(bytes);
        return Page(GuessPage(bytes))!.GetString(bytes);
    }

    /// <summary>
    /// Windows-1251, KOI8-R or windows-1252. Cyrillic letters stand in runs, Western accented ones alone among ASCII letters;
    /// most letters are lower case, and the two Cyrillic sets have the cases in opposite halves.
    /// </summary>
    static int GuessPage(ReadOnlySpan<byte> bytes)
    {
        var tally = new LetterTally();
        tally.Add(bytes);
        return tally.Page ?? (System.Text.Unicode.Utf8.IsValid(TrimCut(bytes)) ? 65001 : 1252);
    }

    /// <summary>What letters bytes would be.</summary>
    internal struct LetterTally
    {
        int runs, high, low, other;
        bool inside;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            foreach (var b in bytes)
            {
                if (b < 0x80) { inside = false; continue; }
                if (!inside) runs++;
                inside = true;
                if (b >= 0xE0) high++;
                else if (b >= 0xC0) low++;
                else if (b is not (0xA8 or 0xB8 or 0xA3 or 0xB3 or 0x96 or 0x97 or 0xAB or 0xBB or 0x85 or 0xB9 or 0xA0)) other++;
            }
        }

        /// <summary>The Cyrillic set that they look like, or null.</summary>
        public readonly int? Page => high + low is var letters && (letters < 2 * runs || other > letters / 4 + 1) ? null : low > high ? 20866 : 1251;
    }

    /// <summary>Without a multi-byte character that the end cuts in two.</summary>
    static ReadOnlySpan<byte> TrimCut(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.Length;
        for (var i = 0; i < 3 && end > 0 && (bytes[end - 1] & 0xC0) == 0x80; i++) end--;
        return end > 0 && bytes[end - 1] >= 0xC0 ? bytes[..(end - 1)] : bytes;
    }

    // RFC 2781 4.3: a byte order mark decides; without one big endian is the rule, but the zeros know better
    static string Utf16(ReadOnlySpan<byte> bytes)
    {
        if (bytes is [0xFF, 0xFE, ..]) return Encoding.Unicode.GetString(bytes[2..]);
        if (bytes is [0xFE, 0xFF, ..]) return Encoding.BigEndianUnicode.GetString(bytes[2..]);
        int even = 0, odd = 0;
        for (var i = 0; i + 1 < Math.Min(bytes.Length, 400); i += 2)
        {
            if (bytes[i] is 0 or 4) even++;
            if (bytes[i + 1] is 0 or 4) odd++;
        }

        return (odd > even ? Encoding.Unicode : Encoding.BigEndianUnicode).GetString(bytes);
    }

    static bool IsUtf8Name(string name) => CodePages.TryGetValue(name, out var page) && page == 65001;

    internal static Encoding? Page(int number) => number switch
    {
        65001 => Utf8,
        20127 => Encoding.ASCII,
        28591 => Encoding.Latin1,
        1200 => Encoding.Unicode,
        1201 => Encoding.BigEndianUnicode,
        12000 => Encoding.UTF32,
        12001 => Utf32Big,
        _ => Pages.TryGetValue(number, out var known) ? known : Add(number),
    };

    static Encoding? Add(int number) =>
        CodePagesEncodingProvider.Instance.GetEncoding(number, EncoderFallback.ReplacementFallback, new UnreadableBytes()) is { } encoding ? Pages.GetOrAdd(number, encoding) : null;

    static readonly ConcurrentDictionary<int, Encoding> Pages = [];

    static readonly UTF32Encoding Utf32Big = new(bigEndian: true, byteOrderMark: false);

    /// <summary>The code page in "cp1251", "windows1251", "x-cp-1251", "ibm866", "iso8859-5" and the like.</summary>
    static int? NumberIn(string name)
    {
        if (Iso8859Part(name) is { } part) return part switch { 1 => 1252, 9 => 1254, 11 => 874, _ => 28590 + part };
        var text = WithoutX(name);
        foreach (var prefix in (ReadOnlySpan<string>)["windows", "cp", "win", "ibm", "ansi", "dos", "oem", "ms"])
            if (text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                var digits = text[prefix.Length..].TrimStart("-_ ");
                return digits.Length is >= 3 and <= 5 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var page) ? page == 936 ? 54936 : page : null;
            }

        return null;
    }

    static ReadOnlySpan<char> WithoutX(string name) => name.StartsWith("x-", StringComparison.OrdinalIgnoreCase) ? name.AsSpan(2) : name;

    /// <summary>The part of ISO 8859 in "iso-8859-10", "iso_8859-10:1992", "8859-10" and the like.</summary>
    static int? Iso8859Part(string name)
    {
        if (name.Equals("latin6", StringComparison.OrdinalIgnoreCase)) return 10;
        if (name.Equals("latin8", StringComparison.OrdinalIgnoreCase)) return 14;
        if (name.Equals("latin10", StringComparison.OrdinalIgnoreCase)) return 16;
        var text = WithoutX(name);
        foreach (var iso in (ReadOnlySpan<string>)["iso-8859", "iso_8859", "iso8859", "8859"])
            if (text.StartsWith(iso, StringComparison.OrdinalIgnoreCase))
            {
                var digits = text[iso.Length..].TrimStart("-_ ");
                var colon = digits.IndexOf(':');
                if (colon >= 0) digits = digits[..colon];
                return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var part) && part is >= 1 and <= 16 ? part : null;
            }

        return null;
    }

    static string Clean(string? name)
    {
        if (name is null) return "";
        var text = name.AsSpan().Trim("\"' \t\r\n;");
        if (text.StartsWith("charset=", StringComparison.OrdinalIgnoreCase)) text = text[8..].Trim("\"' ");
        // RFC 2231 5: a language may follow the character set
        var star = text.IndexOf('*');
        if (star >= 0) text = text[..star];
        return text.Length == name.Length ? name : text.ToString();
    }
}
