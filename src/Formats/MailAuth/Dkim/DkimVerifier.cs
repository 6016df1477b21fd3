namespace CbaMail.MailAuth.Dkim;

/// <summary>
/// Verifies the DKIM signatures of a message (RFC 6376 6, RFC 8301, RFC 8463). What it does not accept although RFC 6376 knows it:
/// rsa-sha1, RSA keys below 1024 bits (RFC 8301 3), bodies that go on behind what l= covers (RFC 6376 8.2), and more than
/// <see cref="SignedMessage.MaxDkim"/> signatures.
/// </summary>
public sealed class DkimVerifier(DkimKeys keys)
{
    /// <summary>A verdict a signature, from the header's top down; none where there is no signature.</summary>
    /// <param name="message">With its body appended whole.</param>
    /// <param name="now">When the message arrived (RFC 6376 3.5, x=).</param>
    public async ValueTask<IReadOnlyList<DkimVerdict>> VerifyAsync(SignedMessage message, DateTimeOffset now, CancellationToken cancel)
    {
        if (message.DkimSignatures.Count == 0) return [];
        using var check = new SignatureCheck(message, keys, now, cancel);
        foreach (var signature in message.DkimSignatures) check.Ask(signature);
        var verdicts = new List<DkimVerdict>(message.DkimSignatures.Count);
        foreach (var signature in message.DkimSignatures) verdicts.Add(await check.VerdictAsync(signature));
        return verdicts;
    }
}
