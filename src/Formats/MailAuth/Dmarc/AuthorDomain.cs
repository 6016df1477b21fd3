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
}

/// <summary>The author's domain of a message.</summary>
/// <param name="Domains">A-labels in lower case, each once; of several From fields all.</param>
public sealed record AuthorDomain(AuthorDomainKind Kind, IReadOnlyList<string> Domains)
{
    /// <summary>More domains in a From field are no author's.</summary>
    public const int MaxDomains = 10;

    /// <summary>Reads the From fields of a message.</summary>
    public static AuthorDomain Of(HeaderList header)
    {
        var fields = header.All("From").ToList();
        if (fields.Count == 0) return new(AuthorDomainKind.NoField, []);
        var domains = new List<string>();
        foreach (var field in fields)
            foreach (var mailbox in AddressList.Parse(field.Raw.Span).Mailboxes)
                if (domains.Count <= MaxDomains && Normal(mailbox.Domain) is { } domain && !domains.Contains(domain)) domains.Add(domain);
        return new(fields.Count > 1 ? AuthorDomainKind.SeveralFields
            : domains.Count switch { 0 => AuthorDomainKind.NoDomain, 1 => AuthorDomainKind.One, _ => AuthorDomainKind.SeveralDomains }, domains);
    }

    /// <summary>The domain in lower-case A-labels without a final dot (RFC 7489 6.6.1), or null where it is no name in DNS: one label, an address, malformed.</summary>
    public static string? Normal(string domain) =>
        Idna.TryToAscii(domain, out var ascii) && SpfName.CheckedDomain(ascii) is { } name ? name.ToLowerInvariant() : null;
}
