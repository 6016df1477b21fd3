using System.Net;

namespace CbaMail.MailAuth.Spf;

/// <summary>The mechanisms of RFC 7208 5.</summary>
enum SpfMechanism { All, Include, A, Mx, Ptr, Ip4, Ip6, Exists }

/// <summary>One directive (RFC 7208 4.6.1): a mechanism, and what it means when it matches.</summary>
/// <param name="Qualifier">Pass, Fail, SoftFail or Neutral (RFC 7208 4.6.2).</param>
/// <param name="Text">As published, without its qualifier.</param>
/// <param name="Domain">The domain-spec, or null where the current domain is meant.</param>
/// <param name="Network">Of ip4 and ip6.</param>
sealed record SpfDirective(
    AuthResult Qualifier, SpfMechanism Mechanism, string Text, MacroString? Domain = null, IPAddress? Network = null, int Prefix4 = 32, int Prefix6 = 128);

/// <summary>
/// An SPF record, read whole before anything of it is used: a syntax error anywhere spoils it (RFC 7208 4.6).
/// </summary>
sealed class SpfRecord
{
    const string Version = "v=spf1";

    readonly List<SpfDirective> directives = [];

    public IReadOnlyList<SpfDirective> Directives => directives;

    public MacroString? Redirect { get; private set; }

    public MacroString? Explanation { get; private set; }

    /// <summary>Whether a TXT record is one of SPF: "v=spf1", then a space or the end (RFC 7208 4.5).</summary>
    public static bool IsSpf(string text) =>
        text.StartsWith(Version, StringComparison.OrdinalIgnoreCase) && (text.Length == Version.Length || text[Version.Length] == ' ');

    /// <summary>Reads a record for which <see cref="IsSpf"/> holds; null with a sentence where it breaks the grammar of RFC 7208 12.</summary>
    public static SpfRecord? Parse(string text, out string problem)
    {
        var record = new SpfRecord();
        problem = "";
        // RFC 7208 4.6.1: spaces alone separate terms
        foreach (var range in text.AsSpan().Split(' '))
        {
            if (range.Start.Value == 0 || range.Start.Value == range.End.Value) continue;
            var term = text[range];
            problem = record.Term(term);
            if (problem.Length > 0) return null;
        }
        return record;
    }

    string Term(string term)
    {
        var separator = term.AsSpan().IndexOfAny('=', ':', '/');
        // RFC 7208 4.6.1: a modifier has "=" before any ":" or "/"
        if (separator >= 0 && term[separator] == '=') return Modifier(term, term[..separator], term[(separator + 1)..]);
        return Directive(term, separator);
    }

    string Modifier(string term, string name, string value)
    {
        if (!IsName(name)) return Wrong(term);
        if (name.Equals("redirect", StringComparison.OrdinalIgnoreCase))
        {
            // RFC 7208 6: neither may stand twice
            if (Redirect is not null) return "redirect= stands twice";
            Redirect = MacroString.ParseDomain(value);
            return Redirect is null ? Wrong(term) : "";
        }
        if (name.Equals("exp", StringComparison.OrdinalIgnoreCase))
        {
            if (Explanation is not null) return "exp= stands twice";
            Explanation = MacroString.ParseDomain(value);
            return Explanation is null ? Wrong(term) : "";
        }
        // RFC 7208 6: an unknown modifier is ignored, but is a macro-string
        return MacroString.Parse(value, explanation: true) is null ? Wrong(term) : "";
    }

    // RFC 7208 12: name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
    static bool IsName(string name)
    {
        if (name.Length == 0 || !char.IsAsciiLetter(name[0])) return false;
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return false;
        return true;
    }

    string Directive(string term, int separator)
    {
        var (qualifier, start) = term[0] switch
        {
            '+' => (AuthResult.Pass, 1),
            '-' => (AuthResult.Fail, 1),
            '~' => (AuthResult.SoftFail, 1),
            '?' => (AuthResult.Neutral, 1),
            _ => (AuthResult.Pass, 0),
        };
        var text = term[start..];
        var name = separator < 0 ? text : term[start..separator];
        var rest = separator < 0 ? "" : term[separator..];
        var directive = name.ToLowerInvariant() switch
        {
            "all" => rest.Length == 0 ? new SpfDirective(qualifier, SpfMechanism.All, text) : null,
            "include" => WithDomain(new SpfDirective(qualifier, SpfMechanism.Include, text), rest, required: true),
            "exists" => WithDomain(new SpfDirective(qualifier, SpfMechanism.Exists, text), rest, required: true),
            "ptr" => WithDomain(new SpfDirective(qualifier, SpfMechanism.Ptr, text), rest, required: false),
            "a" => WithPrefixes(new SpfDirective(qualifier, SpfMechanism.A, text), rest),
            "mx" => WithPrefixes(new SpfDirective(qualifier, SpfMechanism.Mx, text), rest),
            "ip4" => Ip4(new SpfDirective(qualifier, SpfMechanism.Ip4, text), rest),
            "ip6" => Ip6(new SpfDirective(qualifier, SpfMechanism.Ip6, text), rest),
            _ => null,
        };
        if (directive is null) return Wrong(term);
        directives.Add(directive);
        return "";
    }

    static SpfDirective? WithDomain(SpfDirective directive, string rest, bool required)
    {
        if (rest.Length == 0) return required ? null : directive;
        if (rest[0] != ':' || MacroString.ParseDomain(rest[1..]) is not { } domain) return null;
        return directive with { Domain = domain };
    }

    // RFC 7208 5.3, 5.4: [ ":" domain-spec ] [ dual-cidr-length ]. A domain-spec may hold "/", so the lengths are taken from the end
    static SpfDirective? WithPrefixes(SpfDirective directive, string rest)
    {
        if (TakePrefix(ref rest, "//", 128) is not { } prefix6 || TakePrefix(ref rest, "/", 32) is not { } prefix4) return null;
        return WithDomain(directive with { Prefix4 = prefix4, Prefix6 = prefix6 }, rest, required: false);
    }

    /// <summary>Cuts a length behind <paramref name="slashes"/> off the end: the longest where there is none, null where it is out of range.</summary>
    static int? TakePrefix(ref string rest, string slashes, int longest)
    {
        var digits = rest.Length;
        while (digits > 0 && char.IsAsciiDigit(rest[digits - 1])) digits--;
        if (digits == rest.Length || !rest.AsSpan(0, digits).EndsWith(slashes)) return longest;
        var number = rest.AsSpan(digits);
        // RFC 7208 12: no leading zeros, 0-32 and 0-128
        if (number.Length > 3 || number.Length > 1 && number[0] == '0' || int.Parse(number) is var value && value > longest) return null;
        rest = rest[..(digits - slashes.Length)];
        return value;
    }

    static SpfDirective? Ip4(SpfDirective directive, string rest) =>
        rest.StartsWith(':') && TakePrefix(ref rest, "/", 32) is { } prefix && rest.Length > 0 && SpfAddress.ParseV4(rest.AsSpan(1)) is { } network
            ? directive with { Network = network, Prefix4 = prefix }
            : null;

    static SpfDirective? Ip6(SpfDirective directive, string rest) =>
        rest.StartsWith(':') && TakePrefix(ref rest, "/", 128) is { } prefix && rest.Length > 0 && SpfAddress.ParseV6(rest.AsSpan(1)) is { } network
            ? directive with { Network = network, Prefix6 = prefix }
            : null;

    static string Wrong(string term) => $"\"{Shown(term)}\" is no term of SPF";

    /// <summary>Text of strangers fit for a log or a header field.</summary>
    internal static string Shown(string text)
    {
        if (text.Length > 120) text = text[..120] + "...";
        return string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
        });
    }
}
