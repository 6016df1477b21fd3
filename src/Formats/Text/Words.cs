using System.Text;

namespace CbaMail.Text;

/// <summary>The words that nearly every message repeats, as shared strings: reading a message need not make them anew.</summary>
public static class Words
{
    static readonly string[] Known =
    [
        "text", "plain", "html", "multipart", "mixed", "alternative", "related", "message", "rfc822", "application",
        "octet-stream", "image", "png", "jpeg", "gif", "pdf", "charset", "utf-8", "boundary", "name", "filename", "type", "format",
        "flowed", "delsp", "us-ascii", "7bit", "8bit", "binary", "base64", "quoted-printable", "inline", "attachment", "iso-8859-1",
        "windows-1251", "koi8-r", "report", "delivery-status", "report-type", "size", "signed", "calendar", "text/html", "multipart/alternative",
    ];

    static readonly string?[] Slots = Fill();

    /// <summary>The ASCII bytes as a lower-case string; other bytes as U+FFFD.</summary>
    public static string Lower(ReadOnlySpan<byte> word)
    {
        if (word.IsEmpty) return "";
        if (word.Length <= 24)
        {
            Span<char> lower = stackalloc char[word.Length];
            for (var i = 0; i < word.Length; i++) lower[i] = word[i] < 0x80 ? char.ToLowerInvariant((char)word[i]) : '\uFFFD';
            return Shared(lower);
        }

        return Encoding.ASCII.GetString(word).ToLowerInvariant();
    }

    /// <summary>The characters as a string, shared where they are a well-known word.</summary>
    public static string Shared(ReadOnlySpan<char> word)
    {
        if (word.Length is > 0 and <= 24 && Slots[Slot(word)] is { } known && word.SequenceEqual(known)) return known;
        return word.ToString();
    }

    static string?[] Fill()
    {
        var slots = new string?[512];
        foreach (var word in Known) slots[Slot(word)] ??= word;
        return slots;
    }

    static int Slot(ReadOnlySpan<char> word)
    {
        var hash = (uint)word.Length * 31;
        foreach (var c in word) hash = (hash ^ c) * 0x01000193;
        return (int)((hash ^ (hash >> 15)) & 511);
    }
}
