using System.Text;
using CbaMail.Imap.Commands;

namespace CbaMail.Imap;

/// <summary>
/// The URL of a message or a part of it on this server: imessagepart of RFC 5092 11, relative to the session (RFC 4469 3). URLs with a scheme or a server are
/// none: they lead out of the session.
/// </summary>
/// <param name="Mailbox">The name, decoded.</param>
/// <param name="Section">The part and the range, as FETCH BODY.PEEK would be asked for them.</param>
internal sealed record ImapUrl(string Mailbox, uint? UidValidity, uint Uid, BodySection Section)
{
    /// <summary>Null where it is none.</summary>
    /// <param name="selected">The mailbox that is the base of a relative path, or null.</param>
    public static ImapUrl? Parse(string text, string? selected)
    {
        if (text.Length is 0 or > 4000 || text.StartsWith("//", StringComparison.Ordinal)) return null;
        // RFC 3986 4.2: a colon in the first segment is the end of a scheme; after a ";" it cannot be
        var first = text.AsSpan().IndexOfAny(":/;?");
        if (first >= 0 && text[first] is ':' or '?') return null;

        var absolute = text[0] == '/';
        var rest = absolute ? text.AsSpan(1) : text;
        string? partial = Cut(ref rest, ";PARTIAL="), section = Cut(ref rest, ";SECTION=");
        if (Number(Cut(ref rest, ";UID=")) is not { } uid) return null;
        uint? validity = null;
        if (CutLast(ref rest, ";UIDVALIDITY=") is { } given && (validity = Number(given)) is null) return null;
        if (MailboxOf(rest, absolute, selected) is not { } mailbox || mailbox.Length == 0) return null;
        return Part(section, partial) is { } part ? new ImapUrl(mailbox, validity, uid, part) : null;
    }

    // RFC 5092 7: relative to the selected mailbox, or to what lies beside it (RFC 3986 5.2.3)
    static string? MailboxOf(ReadOnlySpan<char> path, bool absolute, string? selected)
    {
        if (path.IsEmpty) return absolute ? null : selected;
        if (Decode(path) is not { } name) return null;
        var level = absolute || selected is null ? -1 : selected.LastIndexOf('/');
        return MailboxName.Canonical(level < 0 ? name : selected![..(level + 1)] + name);
    }

    /// <summary>Takes the last segment off where it is the one asked for: "/;UID=20".</summary>
    static string? Cut(ref ReadOnlySpan<char> rest, string name)
    {
        var slash = rest.LastIndexOf('/');
        // only after it may the name stand, or at the very beginning of a relative one
        var segment = rest[(slash + 1)..];
        if (!segment.StartsWith(name, StringComparison.OrdinalIgnoreCase)) return null;
        rest = slash < 0 ? default : rest[..slash];
        return segment[name.Length..].ToString();
    }

    static string? CutLast(ref ReadOnlySpan<char> rest, string name)
    {
        var at = rest.LastIndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return null;
        var value = rest[(at + name.Length)..].ToString();
        rest = rest[..at];
        return value;
    }

    static uint? Number(string? text) =>
        text is not null && text.Length <= 10 && text.All(char.IsAsciiDigit) && uint.TryParse(text, out var number) && number > 0 ? number : null;

    // RFC 5092 11: isection, ipartial; "HEADER" alone stands for the section's own header
    static BodySection? Part(string? section, string? partial)
    {
        var spec = "[";
        if (section is not null)
        {
            if (Decode(section) is not { Length: > 0 } decoded) return null;
            spec += decoded;
        }
        spec += "]";
        if (partial is not null)
        {
            // partial-range = number ["." nz-number]: without a length, up to the end
            spec += "<" + (partial.Contains('.') ? partial : $"{partial}.{long.MaxValue}") + ">";
        }
        return FetchItems.SectionOf(Encoding.UTF8.GetBytes(spec));
    }

    /// <summary>Without percent-encoding (RFC 3986 2.1), as UTF-8 (RFC 5092 3.1); null where it is none.</summary>
    static string? Decode(ReadOnlySpan<char> text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is <= ' ' and not ' ' or '\u007f') return null;
            if (text[i] != '%')
            {
                var rune = char.IsSurrogate(text[i]) && i + 1 < text.Length ? text.Slice(i++, 2) : text.Slice(i, 1);
                bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToArray()));
                continue;
            }
            if (i + 2 >= text.Length || !byte.TryParse(text.Slice(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var value)) return null;
            bytes.Add(value);
            i += 2;
        }
        var decoded = bytes.ToArray();
        return System.Text.Unicode.Utf8.IsValid(decoded) ? Encoding.UTF8.GetString(decoded) : null;
    }
}
