using System.Text;
using CbaMail.MailAuth.Spf;
using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.MailAuth.Dmarc;

/// <summary>What the From field says of the author's domain (RFC 7489 6.6.1).</summary>
public enum AuthorDomainKind
{
    /// <summary>One domain: the case DMARC is made for.</summary>
    One,
    /// <summary>No From field: not a message of RFC 5322; to be refused.</summary>
    NoField,
    /// <summary>Several From fields: forbidden, and readers differ in which they show; to be refused.</summary>
    SeveralFields,
    /// <summary>A field without a domain, as an empty group: there is nothing to evaluate.</summary>
    NoDomain,
    /// <summary>Addresses of several domains: each is evaluated, and the strictest policy of those that fail applies.</summary>
    SeveralDomains,
    /// <summary>Addresses of more domains than are looked up: nobody writes so, but to hide one of them; to be refused.</summary>
    TooManyDomains,
}

/// <summary>The author's domain of a message.</summary>
/// <param name="Domains">A-labels in lower case, each once; of several From fields all.</param>
public sealed record AuthorDomain(AuthorDomainKind Kind, IReadOnlyList<string> Domains)
{
    /// <summary>More domains in a From field are no author's.</summary>
    public const int MaxDomains = 10;

    /// <summary>Reads the From fields of a message: those that are found by the rules, and those that more patient readers would show (<see cref="BrokenHeader"/>).</summary>
    public static AuthorDomain Of(ReadOnlySpan<byte> message)
    {
        var fields = new List<ReadOnlyMemory<byte>>();
        var reader = new HeaderReader(message, 0, top: true);
        while (reader.Next(out var field))
            if (fields.Count < 2 * MaxDomains && Ascii.EqualsIgnoreCase(message.Slice(field.Start, field.NameLength), "From"u8)) fields.Add(message[field.ValueStart..field.End].ToArray());
        if (!reader.EndedCleanly) fields.AddRange(BrokenHeader.Further(message, reader.Position, "From"u8));
        if (fields.Count == 0) return new(AuthorDomainKind.NoField, []);
        var domains = new List<string>();
        foreach (var field in fields)
        {
            var before = domains.Count;
            foreach (var mailbox in AddressList.Parse(field.Span).Mailboxes) Add(domains, mailbox.Domain);
            if (domains.Count == before) foreach (var domain in Shown(field.Span)) Add(domains, domain);
        }
        return domains.Count > MaxDomains ? new(AuthorDomainKind.TooManyDomains, domains[..MaxDomains])
            : new(fields.Count > 1 ? AuthorDomainKind.SeveralFields
                : domains.Count switch { 0 => AuthorDomainKind.NoDomain, 1 => AuthorDomainKind.One, _ => AuthorDomainKind.SeveralDomains }, domains);
    }

    static void Add(List<string> domains, string written)
    {
        if (domains.Count <= MaxDomains && Normal(written) is { } domain && !domains.Contains(domain)) domains.Add(domain);
    }

    /// <summary>
    /// A field without any address that can be read still shows its text to people, and what looks like an address there is taken for one:
    /// a name in quotes before "&lt;&gt;", encoded-words, a domain in brackets.
    /// </summary>
    static IEnumerable<string> Shown(ReadOnlySpan<byte> value)
    {
        var text = EncodedWord.Decode(value);
        var found = new List<string>();
        for (var at = text.IndexOf('@'); at >= 0 && found.Count <= MaxDomains; at = text.IndexOf('@', at + 1))
        {
            var start = at + 1;
            while (start < text.Length && text[start] is ' ' or '[' or '"') start++;
            var end = start;
            while (end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] is '-' or '.')) end++;
            // an address literal is no name
            if (end > start && !System.Net.IPAddress.TryParse(text[start..end].TrimEnd('.'), out _)) found.Add(text[start..end]);
        }
        return found;
    }

    /// <summary>The domain in lower-case A-labels without a final dot (RFC 7489 6.6.1), or null where it is no name in DNS: one label, an address, malformed.</summary>
    public static string? Normal(string domain) =>
        Idna.TryToAscii(domain, out var ascii) && SpfName.CheckedDomain(ascii) is { } name ? name.ToLowerInvariant() : null;
}
