using System.Globalization;
using System.Text;
using CbaMail.MailAuth.Dkim;

namespace CbaMail.MailAuth.Arc;

/// <summary>
/// Adds a set to the chain of a message that is sent on (RFC 8617 5.1). The message must be as it leaves: with our
/// Authentication-Results, with every change made and, where there is one, with its DKIM-Signature.
/// </summary>
/// <param name="authservId">The name whose Authentication-Results are ours.</param>
public sealed class ArcSealer(string authservId, SigningIdentity identity)
{
    // RFC 8617 4.1.2: these must not be signed, or are taken away on the way
    static readonly string[] NeverSigned = ["authentication-results", "arc-authentication-results", "arc-message-signature", "arc-seal"];

    /// <summary>What is signed where nothing else is asked for; all of it that the header has (DKIM-Signature: RFC 8617 4.1.2).</summary>
    static readonly IReadOnlyList<string> Signed = [.. SigningRules.Guarded, .. SigningRules.GuardedIfPresent, "dkim-signature"];

    /// <summary>The three fields of the new set, each with its line end, in the order in which they stand on top of the message; none where the message must not be sealed.</summary>
    /// <param name="chain">What the chain came to when the message arrived.</param>
    /// <param name="fields">Names for h=; null for the usual ones.</param>
    public IReadOnlyList<string> Seal(ReadOnlyMemory<byte> message, ArcVerdict chain, DateTimeOffset now, IReadOnlyList<string>? fields = null)
    {
        var header = new SigningHeader(message);
        return Seal(header, BodyHash.Of(message.Span[header.BodyStart..], Canonicalization.Relaxed), chain, now, fields);
    }

    /// <summary>As above, for a header whose body has the given hash, relaxed.</summary>
    public IReadOnlyList<string> Seal(ReadOnlyMemory<byte> header, ReadOnlySpan<byte> bodyHash, ArcVerdict chain, DateTimeOffset now) =>
        Seal(new SigningHeader(header), bodyHash, chain, now, fields: null);

    IReadOnlyList<string> Seal(SigningHeader header, ReadOnlySpan<byte> bodyHash, ArcVerdict chain, DateTimeOffset now, IReadOnlyList<string>? fields)
    {
        // RFC 8617 5.1 step 2, and 4.2.1: there is no instance 51
        if (chain.IsClosed || chain.Highest >= ArcChain.MostSets) return [];
        var instance = chain.Highest + 1;
        var (i, t) = (instance.ToString(CultureInfo.InvariantCulture), now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        var results = AuthenticationResultsField.Write("ARC-Authentication-Results", $"i={i}; ", authservId, OwnResults(header));
        using var hash = new HeaderHash();

        var names = fields?.Where(n => !NeverSigned.Contains(n, StringComparer.OrdinalIgnoreCase)).ToList()
            // a second From would be shown beside the one that was sealed (RFC 6376 8.15), so there is none
            ?? ["from", .. Signed.SelectMany(name => Enumerable.Repeat(name, Math.Min(10, header.Names.Count(name))))];
        header.Append(hash, names, Canonicalization.Relaxed);
        // tags in the alphabet's order: what a seal covers is the same bytes for whoever computes it anew
        var signature = Sign(hash, "ARC-Message-Signature",
        [
            ("a", identity.Key.Algorithm.Name()), ("b", ""), ("bh", Convert.ToBase64String(bodyHash)),
            ("c", "relaxed/relaxed"), ("d", identity.Domain), ("h", string.Join(':', names)), ("i", i), ("s", identity.Selector), ("t", t),
        ]);

        hash.Reset();
        // RFC 8617 5.1.2: the seal of a broken chain covers its own set alone
        if (chain.Result == AuthResult.Pass)
            foreach (var set in chain.Sets)
                foreach (var field in new[] { set.ResultsField, set.Message.Span, set.Seal.Span })
                    hash.Append(chain.Text.Span[field.Start..field.End], field.NameLength, field.ValueStart - field.Start, Canonicalization.Relaxed);
        foreach (var field in new[] { results, signature })
        {
            var colon = field.IndexOf(':', StringComparison.Ordinal);
            hash.Append(Encoding.UTF8.GetBytes(field), colon, colon + 1, Canonicalization.Relaxed);
        }

        var seal = Sign(hash, "ARC-Seal",
        [
            ("a", identity.Key.Algorithm.Name()), ("b", ""), ("cv", chain.Result.Word()), ("d", identity.Domain), ("i", i), ("s", identity.Selector), ("t", t),
        ]);
        return [seal, signature, results];
    }

    string Sign(HeaderHash hash, string name, IReadOnlyList<(string Name, string Value)> tags)
    {
        var gathered = hash.Written.Length;
        hash.AppendOwn(SignatureText.Write(name, tags, ""), Canonicalization.Relaxed);
        var field = SignatureText.Write(name, tags, Convert.ToBase64String(identity.Key.Sign(hash.Hash())), whole: true);
        hash.Truncate(gathered);
        return field;
    }

    /// <summary>RFC 8617 4.1.1: all results of ours, of however many fields, in their order.</summary>
    List<AuthMethodResult> OwnResults(SigningHeader header)
    {
        var own = new List<AuthMethodResult>();
        foreach (var field in header.Fields)
        {
            if (!Ascii.EqualsIgnoreCase(header.Text.Span.Slice(field.Start, field.NameLength), "authentication-results"u8)) continue;
            var value = header.Text.Span[field.ValueStart..field.End];
            if (AuthenticationResults.ClaimsToBeOf(value, authservId) && AuthenticationResults.Parse(value) is { Version: 1 } results) own.AddRange(results.Results);
        }

        return own;
    }
}
