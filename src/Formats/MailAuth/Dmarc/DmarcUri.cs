using System.Globalization;

namespace CbaMail.MailAuth.Dmarc;

/// <summary>Where reports are wanted (RFC 7489 6.2), or of TLS-RPT (RFC 8460 3), which knows no limit.</summary>
/// <param name="Text">The URI as published, without its limit.</param>
/// <param name="Scheme">Lower case. What is not "mailto" (of TLS-RPT: or "https") is passed over.</param>
/// <param name="Address">Of mailto: the address, decoded, without subject and the like.</param>
/// <param name="MaxBytes">A report that is larger, as it is sent, must not be sent there (RFC 7489 7.2.1).</param>
public sealed record DmarcUri(string Text, string Scheme, string? Address, ulong? MaxBytes)
{
    /// <summary>The domain of the address or the host of the URI: whose consent is needed (RFC 7489 7.1).</summary>
    public string Host { get; private init; } = "";

    const int MaxText = 1024;
    const int MaxUris = 20;

    /// <summary>The URIs of a list that can be read, in order; others are passed over.</summary>
    public static IReadOnlyList<DmarcUri> ParseList(string list, bool limits = true)
    {
        var uris = new List<DmarcUri>();
        foreach (var part in list.Split(','))
            if (uris.Count < MaxUris && Parse(part, limits) is { } uri) uris.Add(uri);
        return uris;
    }

    static DmarcUri? Parse(string text, bool limits)
    {
        text = text.Trim(' ', '\t', '\r', '\n');
        ulong? limit = null;
        // RFC 7489 6.4: "!" 1*DIGIT [ k m g t ]; an exclamation point of the URI itself is encoded
        if (limits && text.IndexOf('!') is >= 0 and var mark)
        {
            limit = Limit(text.AsSpan(mark + 1));
            if (limit is null) return null;
            text = text[..mark].TrimEnd();
        }
        var colon = text.IndexOf(':');
        if (colon <= 0 || colon == text.Length - 1 || text.Length > MaxText || !IsScheme(text.AsSpan(0, colon)) || text.AsSpan().ContainsAnyExceptInRange('!', '~')) return null;
        var scheme = text[..colon].ToLowerInvariant();
        if (scheme == "mailto")
        {
            // RFC 6068 2: what stands behind "?" are fields of the message
            var end = text.IndexOf('?');
            var address = Uri.UnescapeDataString(text[(colon + 1)..(end < 0 ? text.Length : end)]);
            var at = address.LastIndexOf('@');
            if (at <= 0 || address.AsSpan().ContainsAny(" \t\r\n<>,") || Domain(address[(at + 1)..]) is not { } domain) return null;
            return new DmarcUri(text, scheme, address[..(at + 1)] + domain, limit) { Host = domain };
        }
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) ? new DmarcUri(text, scheme, null, limit) { Host = uri.IdnHost.ToLowerInvariant() } : null;
    }

    static string? Domain(string name) => AuthorDomain.Normal(name);

    // RFC 3986 3.1
    static bool IsScheme(ReadOnlySpan<char> scheme)
    {
        if (!char.IsAsciiLetter(scheme[0])) return false;
        foreach (var c in scheme)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.')) return false;
        return true;
    }

    // RFC 7489 6.4: powers of two
    static ulong? Limit(ReadOnlySpan<char> text)
    {
        text = text.TrimEnd();
        if (text.IsEmpty) return null;
        var shift = char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        if (!ulong.TryParse(shift > 0 ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        return number > ulong.MaxValue >> shift ? ulong.MaxValue : number << shift;
    }
}
