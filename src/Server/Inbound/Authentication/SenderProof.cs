using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Inbound.Authentication;

/// <summary>What is proven of who sent a message; for the verdict, the field Authentication-Results, reports and the log.</summary>
public sealed record SenderProof
{
    public required SpfResult Spf { get; init; }
    public IReadOnlyList<DkimVerdict> Dkim { get; init; } = [];
    public ArcVerdict? Arc { get; init; }
    /// <summary>Null where the message has no author's domain.</summary>
    public DmarcResult? Dmarc { get; init; }
    /// <summary>The From domains that were evaluated.</summary>
    public AuthorDomain Author { get; init; } = new(AuthorDomainKind.NoDomain, []);
    /// <summary>A sealer that is trusted says that the message had passed when it came to it.</summary>
    public string? SparedBy { get; init; }
    /// <summary>What the policy asks for after the draw of pct (RFC 7489 6.6.4) and before anything local.</summary>
    public DmarcPolicy Asked { get; init; }
    /// <summary>What was done in the end.</summary>
    public DmarcPolicy Applied { get; internal set; }

    /// <summary>
    /// The From domain where it is proven: by DMARC, or, where it has no policy, by SPF or a signature that are aligned with it as DMARC would
    /// have it (RFC 7489 3.1, relaxed); null where it is not.
    /// </summary>
    public Reports.ProvenSender? Sender
    {
        get
        {
            if (Author.Domains is not [var from]) return null;
            var suffixes = PublicSuffixList.InUse;
            var signed = Dkim.Any(verdict => verdict.Result == AuthResult.Pass && AuthorDomain.Normal(verdict.Domain) is { } domain && suffixes.AreOfOneOrganization(domain, from));
            if (Dmarc is { Result: AuthResult.Pass }) return new(from, Dmarc.DkimAligned);
            if (Dmarc is { Policy: not null }) return null;
            if (signed) return new(from, true);
            return Spf is { Result: AuthResult.Pass } && AuthorDomain.Normal(Spf.Domain) is { } sender && suffixes.AreOfOneOrganization(sender, from) ? new(from, false) : null;
        }
    }

    /// <summary>Whether somebody can be held to the message: SPF or a signature passed.</summary>
    public bool IsProven => Spf.Result == AuthResult.Pass || Dkim.Any(verdict => verdict.Result == AuthResult.Pass);
}
