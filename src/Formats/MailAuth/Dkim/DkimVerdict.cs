namespace CbaMail.MailAuth.Dkim;

/// <summary>What one signature came to.</summary>
/// <param name="Result">
/// Pass; Fail: the message or the signature was changed; PermError: the signature or its key is of no use; TempError: DNS gave no
/// answer; Policy: right, and our rules refuse it (RFC 8601 2.7.1).
/// </param>
/// <param name="Reason">Why it is no pass, for the log and the comment of Authentication-Results; "" for a pass.</param>
/// <param name="KeyBits">Length of the key; 0 where none was found.</param>
/// <param name="Testing">The key's record says t=y: a failure is to be taken as no signature (RFC 6376 3.6.1).</param>
public sealed record DkimVerdict(AuthResult Result, DkimSignature Signature, string Reason = "", int KeyBits = 0, bool Testing = false)
{
    /// <summary>d= as it was written.</summary>
    public string Domain => Signature.Domain;
    /// <summary>s= as it was written.</summary>
    public string Selector => Signature.Selector;
}
