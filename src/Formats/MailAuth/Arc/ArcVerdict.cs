using CbaMail.MailAuth.Dkim;
using CbaMail.Mime;

namespace CbaMail.MailAuth.Arc;

/// <summary>One set of a chain: who forwarded, what it saw, what it sent on (RFC 8617 4.2).</summary>
/// <param name="Results">What the forwarder wrote down of its own checks; null where it cannot be read.</param>
/// <param name="Message">The signature over header and body as the forwarder sent them.</param>
/// <param name="Seal">The signature over all sets up to this one; its domain is who must be trusted.</param>
public sealed record ArcSet(int Instance, AuthenticationResults? Results, DkimSignature Message, DkimSignature Seal)
{
    internal FieldSpan ResultsField { get; init; }
}

/// <summary>What a chain came to (RFC 8617 5.2).</summary>
/// <param name="Result">None: there is no chain; Pass; Fail, for whatever reason (RFC 8617 5.2.1).</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Sets">Those of a chain whose form is right, the oldest first; they mean something only where the result is Pass.</param>
/// <param name="OldestPass">The oldest instance whose message signature still holds; 0 where all hold (RFC 8617 5.2 step 5).</param>
public sealed record ArcVerdict(AuthResult Result, string Reason, IReadOnlyList<ArcSet> Sets, int OldestPass = 0)
{
    /// <summary>The header in which the sets stand.</summary>
    internal ReadOnlyMemory<byte> Text { get; init; }

    /// <summary>The highest instance that the header names, whatever the chain is worth; 0 without any.</summary>
    public int Highest { get; init; }

    /// <summary>The newest seal itself says that the chain is broken: nothing is to be added to it (RFC 8617 5.1 step 2).</summary>
    public bool IsClosed { get; init; }
}
