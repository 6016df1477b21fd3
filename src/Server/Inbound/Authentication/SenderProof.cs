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

    /// <summary>Whether somebody can be held to the message: SPF or a signature passed.</summary>
    public bool IsProven => Spf.Result == AuthResult.Pass || Dkim.Any(verdict => verdict.Result == AuthResult.Pass);
}
