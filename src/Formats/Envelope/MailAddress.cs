using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;

namespace CbaMail.Envelope;

/// <summary>
/// One mailbox address, <c>local-part@domain</c> (RFC 5321 4.1.2, RFC 6531 3.3).
/// The local part is kept unquoted, as written; the domain as written.
/// </summary>
/// <param name="LocalPart">Unquoted local part, UTF-16, at most 64 octets when it came from the wire.</param>
/// <param name="Domain">Domain or address literal (<c>[192.0.2.1]</c>), as written.</param>
public sealed record MailAddress(string LocalPart, string Domain)
{
    /// <summary>The domain in the form used for comparison: lower case A-labels, without a final dot.</summary>
    public string DomainKey { get; } = ToDomainKey(Domain);

    /// <summary>The whole address in the form used for comparison: both sides in lower case, the local part in NFC.</summary>
    public string Key => Fold(LocalPart) + "@" + DomainKey;

    /// <summary>Whether the address needs no SMTPUTF8 (RFC 6531 3.2).</summary>
    public bool IsAscii => Ascii.IsValid(LocalPart) && Ascii.IsValid(Domain);

    /// <summary>Reads an address without angle brackets; quoted local parts are unquoted.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out MailAddress? address)
    {
        address = null;
        if (text.Length is 0 or > 1024) return false;
        string local;
        int at;
        if (text[0] == '"')
        {
            var unquoted = new StringBuilder();
            var i = 1;
            for (; i < text.Length && text[i] != '"'; i++)
            {
                if (text[i] == '\\' && ++i >= text.Length) return false;
                if (text[i] < ' ' || text[i] == '\x7f') return false;
                unquoted.Append(text[i]);
            }
            at = i + 1;
            if (at >= text.Length || text[at] != '@') return false;
            local = unquoted.ToString();
        }
        else
        {
            at = text.IndexOf('@');
            if (at <= 0 || !IsDotString(text[..at])) return false;
            local = text[..at].ToString();
        }

        var domain = text[(at + 1)..];
        if (local.Length == 0 || Encoding.UTF8.GetByteCount(local) > 64 || !IsDomain(domain)) return false;
        address = new MailAddress(local, domain.ToString());
        return true;
    }

    /// <summary>The address as written on the wire; the local part is quoted where it must be.</summary>
    public override string ToString() => (IsDotString(LocalPart) ? LocalPart : Quote(LocalPart)) + "@" + Domain;

    // RFC 6532 3.1: NFC, so that two ways to type one name are one name
    static string Fold(string local)
    {
        if (Ascii.IsValid(local)) return local.ToLowerInvariant();
        try { return local.Normalize().ToLowerInvariant(); }
        catch (ArgumentException) { return local.ToLowerInvariant(); } // a lone surrogate: not from the wire
    }

    // RFC 5890 2.3.2.1: U-labels and A-labels name the same domain
    static string ToDomainKey(string domain)
    {
        var key = domain.TrimEnd('.').ToLowerInvariant();
        if (Ascii.IsValid(key)) return key;
        try { return new IdnMapping().GetAscii(key).ToLowerInvariant(); }
        catch (ArgumentException) { return key; } // no A-label stands for it: it equals no domain
    }

    static string Quote(string local) => "\"" + local.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    // RFC 5322 3.2.3 dot-atom, RFC 6532 3.2 UTF-8
    static bool IsDotString(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] == '.' || text[^1] == '.') return false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '.' ? text[i - 1] == '.' : !(char.IsAsciiLetterOrDigit(c) || c >= 0x80 || "!#$%&'*+-/=?^_`{|}~".Contains(c))) return false;
        }
        return true;
    }

    static bool IsDomain(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > 255) return false;
        if (text[0] == '[') return text[^1] == ']' && IsLiteral(text[1..^1]);
        if (text[^1] == '.') text = text[..^1]; // RFC 5321 2.3.5 has none, but DNS writes it
        foreach (var range in text.Split('.'))
        {
            var label = text[range];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-') return false;
            foreach (var c in label)
                if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' || c >= 0x80)) return false;
        }
        return true;
    }

    // RFC 5321 4.1.3
    static bool IsLiteral(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase))
            return text.Count('.') == 3 && IPAddress.TryParse(text, out var four) && four.GetAddressBytes().Length == 4;
        return text.IndexOfAny("[]%/ ") < 0 && IPAddress.TryParse(text[5..], out var six) && six.GetAddressBytes().Length == 16;
    }
}
