using System.Text;
using CbaMail.Text;

namespace CbaMail.Imap;

/// <summary>Mailbox names between the wire (modified UTF-7, RFC 3501 5.1.3) and the store (UTF-8, "/" between levels).</summary>
internal static class MailboxName
{
    public const int MaxLength = 512;
    public const int MaxDepth = 32;

    /// <summary>Raw UTF-8 is taken as such: clients send it, and RFC 9051 5.1 makes it the rule.</summary>
    /// <param name="utf8">The client has said that its names are UTF-8: "&amp;" is then a character like others.</param>
    public static string Decode(ReadOnlySpan<byte> wire, bool utf8 = false) => Canonical(DecodePattern(wire, utf8));

    public static string DecodePattern(ReadOnlySpan<byte> wire, bool utf8 = false)
    {
        if (!System.Text.Unicode.Utf8.IsValid(wire)) return "\ufffd"; // RFC 9051 5.1: not to be taken for a name in Latin-1
        var text = ImapReader.Decode(wire);
        if (utf8 || !Ascii.IsValid(text) || !text.Contains('&')) return text;
        return Utf7Mailbox.TryDecode(text, out var name) ? name : "\ufffd"; // such a mailbox cannot be; WhyNot says so
    }

    public static string Encode(string name) => Utf7Mailbox.Encode(name);

    /// <summary>RFC 9051 5.1: INBOX in any case is the one INBOX; also as the first level of a path.</summary>
    public static string Canonical(string name)
    {
        if (name.StartsWith("INBOX", StringComparison.OrdinalIgnoreCase) && (name.Length == 5 || name[5] == '/')) name = "INBOX" + name[5..];
        return Ascii.IsValid(name) ? name : Normalized(name);
    }

    static string Normalized(string name)
    {
        try { return name.Normalize(NormalizationForm.FormC); }
        catch (ArgumentException) { return name; } // a lone surrogate; WhyNot refuses it
    }

    /// <summary>Why a mailbox of this name cannot be made, or null.</summary>
    public static string? WhyNot(string name)
    {
        if (name.Length == 0) return "A mailbox needs a name";
        if (name.Length > MaxLength) return "The name is too long";
        if (name[0] == '/' || name[^1] == '/' || name.Contains("//", StringComparison.Ordinal)) return "A level of the name is empty";
        if (name.AsSpan().Count('/') >= MaxDepth) return "The name has too many levels";
        foreach (var c in name)
            if (char.IsControl(c) || char.IsSurrogate(c) && !IsPaired(name) || c is '%' or '*' or '\u2028' or '\u2029' or '\ufffd')
                return "The name has a character that mailbox names cannot have: an asterisk, a percent sign, a control, or & alone (it is written &-)"; // RFC 9051 5.1, RFC 5198 2
        return null;
    }

    /// <summary>The name below another, which is empty for that itself; null elsewhere. One's own are below the empty name (RFC 2342 5).</summary>
    public static string? Below(string name, string top, bool isOwn)
    {
        if (top.Length == 0) return isOwn ? name : null;
        if (!name.StartsWith(top, StringComparison.Ordinal)) return null;
        return name.Length == top.Length ? "" : name[top.Length] == '/' ? name[(top.Length + 1)..] : null;
    }

    static bool IsPaired(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsSurrogate(name[i])) continue;
            if (i + 1 >= name.Length || !char.IsSurrogatePair(name[i], name[i + 1])) return false;
            i++;
        }
        return true;
    }
}
