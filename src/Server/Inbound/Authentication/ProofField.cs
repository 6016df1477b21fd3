using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Inbound.Authentication;

/// <summary>What was proven, as Authentication-Results has it (RFC 8601 2.7).</summary>
static class ProofField
{
    const int MostSignatures = 10;
    const int MaxValue = 253; // octets of a domain name

    public static string Write(string authservId, Arrival arrival, SenderProof proof) => AuthenticationResultsField.Write(authservId, [.. Results(arrival, proof)]);

    static IEnumerable<AuthMethodResult> Results(Arrival arrival, SenderProof proof)
    {
        yield return Spf(arrival, proof.Spf);
        if (proof.Dkim.Count == 0) yield return new AuthMethodResult("dkim", AuthResult.None);
        foreach (var verdict in proof.Dkim.Take(MostSignatures))
        {
            List<AuthProperty> properties = [];
            Add(properties, "d", verdict.Domain);
            Add(properties, "s", verdict.Selector);
            Add(properties, "a", verdict.Signature.AlgorithmName); // RFC 8601 2.7.1
            if (proof.Dkim.Count > 1) Add(properties, "b", verdict.Signature.Mark); // RFC 6008 3: with several signatures, which one is meant
            yield return new AuthMethodResult("dkim", verdict.Result, verdict.Reason, properties);
        }
        if (proof.Arc is { Result: not AuthResult.None } chain)
        {
            List<AuthProperty> properties = chain.Result == AuthResult.Pass ? [new("header", "oldest-pass", chain.OldestPass.ToString(System.Globalization.CultureInfo.InvariantCulture))] : [];
            properties.Add(new("smtp", "remote-ip", arrival.Remote.ToString())); // RFC 8617 10.1
            yield return new AuthMethodResult("arc", chain.Result, chain.Reason, properties);
        }
        if (arrival.Visit.RemoteName is { } name) yield return new AuthMethodResult("iprev", AuthResult.Pass, name, new AuthProperty("policy", "iprev", arrival.Remote.ToString()));
        yield return Dmarc(proof);
    }

    /// <summary>A tag of a signature; not one as no good signature has it, for strangers write them and a line of the field has an end (RFC 5322 2.1.1).</summary>
    static void Add(List<AuthProperty> properties, string name, string value)
    {
        if (value.Length is > 0 and <= MaxValue) properties.Add(new("header", name, value));
    }

    static AuthMethodResult Spf(Arrival arrival, SpfResult spf)
    {
        var property = spf.Identity == SpfIdentity.Helo ? new AuthProperty("smtp", "helo", arrival.Hello) : new AuthProperty("smtp", "mailfrom", arrival.Sender?.ToString() ?? "");
        return new AuthMethodResult("spf", spf.Result, spf.Problem ?? "", property);
    }

    // RFC 7489 11.2; p and dis as others write them too
    static AuthMethodResult Dmarc(SenderProof proof)
    {
        if (proof.Dmarc is not { } dmarc) return new AuthMethodResult("dmarc", AuthResult.None, proof.Author.Kind == AuthorDomainKind.NoField ? "there is no From field" : "");
        var comment = dmarc.Policy is { } policy
            ? $"p={policy.Word()} dis={proof.Applied.Word()}" + (proof.SparedBy is { } sealer ? $" arc={sealer}" : "")
            : dmarc.Discovery.Problem ?? "";
        return new AuthMethodResult("dmarc", dmarc.Result, comment, new AuthProperty("header", "from", dmarc.Discovery.FromDomain));
    }
}
