using System.Text;
using CbaMail.Text;

namespace CbaMail.MailAuth;

/// <summary>Domain names as they stand in signatures: A-labels or U-labels (RFC 8616 5), without a final dot.</summary>
static class DomainNames
{
    // RFC 1035 2.3.4, without the root
    const int MaxLength = 253;
    const int MaxLabel = 63;

    /// <summary>The name in lower-case A-labels; false where it is none.</summary>
    /// <param name="leastLabels">A signing domain has two (RFC 6376 3.5), a selector one (RFC 6376 3.1).</param>
    public static bool TryAscii(string name, int leastLabels, out string ascii)
    {
        ascii = "";
        if (name.Length is 0 or > MaxLength || name.Contains('\uFFFD') || !Idna.TryToAscii(name, out var converted)) return false;
        if (!Ascii.IsValid(name) && name[^1] is '.' or '。') return false;
        if (converted.Length > MaxLength) return false;
        var labels = 0;
        foreach (var range in converted.AsSpan().Split('.'))
        {
            labels++;
            if (!IsLabel(converted.AsSpan()[range])) return false;
        }

        ascii = converted.ToLowerInvariant();
        return labels >= leastLabels;
    }

    /// <summary>RFC 5321 4.1.2: sub-domain; with underscores, which real selectors have.</summary>
    static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > MaxLabel || label[0] == '-' || label[^1] == '-') return false;
        foreach (var c in label)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return false;
        return true;
    }

    /// <summary>Whether a name is the domain or lies below it; both in lower-case A-labels.</summary>
    public static bool IsWithin(string name, string domain) =>
        name == domain || name.Length > domain.Length && name[^(domain.Length + 1)] == '.' && name.EndsWith(domain, StringComparison.Ordinal);
}
