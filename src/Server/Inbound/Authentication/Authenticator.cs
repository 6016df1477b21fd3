using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Inbound.Authentication;

/// <summary>
/// Asks SPF, DKIM, ARC and DMARC about a message, all look-ups side by side. Cost where DNS has answered before: one pass over the body
/// for each way of canonicalization, one verification a signature (some 25 us for RSA-2048), some ten microseconds for the rest.
/// </summary>
public sealed class Authenticator
{
    readonly Settings settings;
    readonly AuthenticationSettings rules;
    readonly IResolver resolver;
    readonly TimeProvider time;
    readonly DkimVerifier dkim;
    readonly ArcVerifier arc;

    public Authenticator(Settings settings, IResolver resolver, TimeProvider time)
    {
        (this.settings, rules, this.resolver, this.time) = (settings, settings.Authentication, resolver, time);
        var keys = new DkimKeys(resolver); // read keys are kept for both
        (dkim, arc) = (new DkimVerifier(keys), new ArcVerifier(keys));
    }

    public async ValueTask<SenderProof> ProveAsync(Arrival arrival, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(rules.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        var now = time.GetUtcNow();
        var suffixes = PublicSuffixList.InUse; // one list for all of one message
        var author = AuthorDomain.Of(arrival.Message.Span);
        using var message = new SignedMessage(arrival.Message);

        // started together: what waits for DNS waits once
        var spfTask = arrival.Spf ?? SpfAsync(arrival);
        var policyTasks = author.Domains.Select(domain => DmarcVerifier.DiscoverAsync(domain, resolver, suffixes, both.Token)).ToArray();
        var dkimTask = dkim.VerifyAsync(message, now, both.Token);
        var arcTask = arc.VerifyAsync(message, now, both.Token);
        var spf = await spfTask;
        var signatures = await dkimTask;
        var chain = await arcTask;
        var results = new List<DmarcResult>(policyTasks.Length);
        foreach (var policy in policyTasks)
            results.Add(DmarcVerifier.Evaluate(await policy, new DmarcIdentity(spf.Result, spf.Domain), [.. signatures.Select(verdict => new DmarcIdentity(verdict.Result, verdict.Domain))], suffixes));

        cancel.ThrowIfCancellationRequested(); // the client left; that time ran out is a result
        var dmarc = results.Count == 0 ? null : DmarcVerifier.Strictest(results);
        return new SenderProof
        {
            Spf = spf,
            Dkim = signatures,
            Arc = chain,
            Dmarc = dmarc,
            Author = author,
            SparedBy = dmarc is { Result: AuthResult.Fail } ? TrustedSealer(chain, author) : null,
            Asked = dmarc?.Disposition(Random.Shared.Next(100)) ?? DmarcPolicy.None,
        };
    }

    /// <summary>SPF alone; it ends by itself (RFC 7208 4.6.4).</summary>
    public async Task<SpfResult> SpfAsync(Arrival arrival)
    {
        using var limit = new CancellationTokenSource(rules.Timeout, time);
        var query = new SpfQuery(arrival.Remote, arrival.Hello, arrival.Sender?.ToString() ?? "") { Receiver = settings.Hostname, Now = time.GetUtcNow() };
        return await SpfVerifier.CheckAsync(query, resolver, limit.Token);
    }

    /// <summary>
    /// RFC 8617 7.2.1: who sealed last is believed in what he says of the message's arrival there, where he is one of those named in the settings;
    /// and so is whoever sealed before him as long as those behind are all believed. What a stranger wrote into the first set of a chain counts
    /// for nothing, though one who is believed sealed behind him: he says only that it was there. What is believed is of this author alone.
    /// </summary>
    string? TrustedSealer(ArcVerdict chain, AuthorDomain author)
    {
        if (chain.Result != AuthResult.Pass) return null;
        for (var i = chain.Sets.Count - 1; i >= 0; i--)
        {
            var sealer = AuthorDomain.Normal(chain.Sets[i].Seal.Domain);
            if (sealer is null || !rules.TrustedSealers.Any(trusted => PublicSuffixList.InUse.AreOfOneOrganization(sealer, trusted))) return null;
            if (chain.Sets[i].Results?.Results.Any(result => result is { Method: "dmarc", Result: "pass" } && IsOf(result, author)) == true) return sealer;
        }
        return null;
    }

    // some do not say whose policy it was
    static bool IsOf(AuthMethodResult result, AuthorDomain author) =>
        result.Property("header", "from") is not { } from || author.Domains.All(domain => domain == AuthorDomain.Normal(from[(from.LastIndexOf('@') + 1)..]));
}
