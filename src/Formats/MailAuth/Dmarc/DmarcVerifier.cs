using CbaMail.Dns;
using CbaMail.MailAuth.Spf;

namespace CbaMail.MailAuth.Dmarc;

/// <summary>What SPF or a DKIM signature came to, and for which domain.</summary>
/// <param name="Domain">Of SPF the domain asked (<see cref="SpfResult.Domain"/>); of DKIM the d= tag.</param>
public readonly record struct DmarcIdentity(AuthResult Result, string Domain);

/// <summary>What a look for a domain's policy found (RFC 7489 6.6.3).</summary>
/// <param name="FromDomain">A-labels, lower case.</param>
/// <param name="OrganizationalDomain">Of the From domain (RFC 7489 3.2).</param>
/// <param name="Status">Pass where there is a record; none, permerror (a record that says no policy) or temperror.</param>
public sealed record DmarcDiscovery(string FromDomain, string OrganizationalDomain, AuthResult Status)
{
    public DmarcRecord? Record { get; init; }

    /// <summary>The domain whose record it is: the From domain or its organizational domain. Reports are gathered under it.</summary>
    public string RecordDomain { get; init; } = "";

    /// <summary>What is wrong, of permerror and temperror.</summary>
    public string? Problem { get; init; }

    /// <summary>What the owner asks for mail of this From domain that fails: sp where the record is that of the organization (RFC 7489 6.3).</summary>
    public DmarcPolicy? Policy => Record is null ? null : RecordDomain == FromDomain ? Record.Policy : Record.SubdomainPolicy ?? Record.Policy;
}

/// <summary>What DMARC says of a message.</summary>
/// <param name="Result">pass, fail, none (no policy), permerror or temperror.</param>
/// <param name="SpfAligned">SPF passed for a domain that is aligned (RFC 7489 3.1.2).</param>
/// <param name="DkimAligned">So did a signature (RFC 7489 3.1.1).</param>
public sealed record DmarcResult(AuthResult Result, DmarcDiscovery Discovery, bool SpfAligned, bool DkimAligned)
{
    /// <summary>The policy that the owner published for such mail, whatever the result; null without a record.</summary>
    public DmarcPolicy? Policy => Discovery.Policy;

    /// <summary>What is to be done with the message: nothing unless it failed; with pct the weaker policy for those that are not drawn.</summary>
    /// <param name="random">Evenly spread over 0 to 99 (RFC 7489 6.6.4).</param>
    public DmarcPolicy Disposition(int random) =>
        Result == AuthResult.Fail && Discovery is { Record: { } record, Policy: { } policy } ? record.Sampled(policy, random) : DmarcPolicy.None;
}

/// <summary>DMARC (RFC 7489): whether what SPF and DKIM proved speaks for the domain that the reader sees, and what its owner wants done if not.</summary>
public static class DmarcVerifier
{
    /// <summary>Finds the policy for a From domain (RFC 7489 6.6.3); two look-ups at most. May run beside SPF and DKIM. Where the token ends them it is temperror.</summary>
    public static async ValueTask<DmarcDiscovery> DiscoverAsync(string fromDomain, IResolver resolver, PublicSuffixList suffixes, CancellationToken cancel)
    {
        if (AuthorDomain.Normal(fromDomain) is not { } domain) return new(fromDomain, fromDomain, AuthResult.None);
        var organization = suffixes.OrganizationalDomain(domain);
        var found = await LookUpAsync(domain, new(domain, organization, AuthResult.None), resolver, cancel);
        // RFC 7489 6.6.3 step 3: only where there was no record at all
        return found is not null || organization == domain ? found ?? new(domain, organization, AuthResult.None)
            : await LookUpAsync(organization, new(domain, organization, AuthResult.None), resolver, cancel) ?? new(domain, organization, AuthResult.None);
    }

    static async ValueTask<DmarcDiscovery?> LookUpAsync(string name, DmarcDiscovery nothing, IResolver resolver, CancellationToken cancel)
    {
        if (SpfName.Checked("_dmarc." + name) is not { } query) return null;
        DnsAnswer<string> answer;
        try
        {
            answer = await resolver.TxtAsync(SpfName.Query(query), cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            answer = new(DnsStatus.Failed, []); // too late is no answer
        }
        if (answer.Status == DnsStatus.Failed) return nothing with { Status = AuthResult.TempError, Problem = $"DNS does not answer for _dmarc.{name}" };
        string? text = null;
        foreach (var candidate in answer.Records)
        {
            if (!DmarcRecord.IsDmarc(candidate)) continue;
            // RFC 7489 6.6.3 step 5: several are as none
            if (text is not null) return nothing with { Problem = $"_dmarc.{name} has several DMARC records" };
            text = candidate;
        }
        if (text is null) return null;
        if (DmarcRecord.Parse(text, out var problem) is not { } record) return nothing with { Status = AuthResult.PermError, Problem = problem, RecordDomain = name };
        return nothing with { Status = AuthResult.Pass, Record = record, RecordDomain = name };
    }

    /// <summary>Weighs what was proven against the policy that was found (RFC 7489 6.6.2).</summary>
    public static DmarcResult Evaluate(DmarcDiscovery discovery, DmarcIdentity? spf, IReadOnlyList<DmarcIdentity> dkim, PublicSuffixList suffixes)
    {
        if (discovery.Record is not { } record) return new(discovery.Status, discovery, false, false);
        var spfPass = false;
        var dkimPass = false;
        var undecided = false;
        if (spf is { } sender) Weigh(sender, record.StrictSpf, ref spfPass, ref undecided);
        foreach (var signature in dkim) Weigh(signature, record.StrictDkim, ref dkimPass, ref undecided);
        // RFC 7489 6.6.2: where a temporary error hid what might have passed, the policy cannot be applied
        var result = spfPass || dkimPass ? AuthResult.Pass : undecided ? AuthResult.TempError : AuthResult.Fail;
        return new(result, discovery, spfPass, dkimPass);

        void Weigh(DmarcIdentity identity, bool strict, ref bool pass, ref bool undecided)
        {
            if (identity.Result is not (AuthResult.Pass or AuthResult.TempError) || !IsAligned(identity.Domain, discovery, strict, suffixes)) return;
            if (identity.Result == AuthResult.Pass) pass = true;
            else undecided = true;
        }
    }

    // RFC 7489 3.1
    static bool IsAligned(string domain, DmarcDiscovery discovery, bool strict, PublicSuffixList suffixes)
    {
        if (AuthorDomain.Normal(domain) is not { } name) return false;
        return strict ? name == discovery.FromDomain
            : suffixes.OrganizationalDomain(name.AsSpan()).Equals(discovery.OrganizationalDomain, StringComparison.Ordinal);
    }

    /// <summary>Finds the policy and weighs the message at once.</summary>
    public static async ValueTask<DmarcResult> CheckAsync(
        string fromDomain, DmarcIdentity? spf, IReadOnlyList<DmarcIdentity> dkim, IResolver resolver, PublicSuffixList suffixes, CancellationToken cancel) =>
        Evaluate(await DiscoverAsync(fromDomain, resolver, suffixes, cancel), spf, dkim, suffixes);

    /// <summary>
    /// Of several From domains' results the one that applies (RFC 7489 6.6.1): the strictest policy among those that fail,
    /// else a temporary error, else the first.
    /// </summary>
    public static DmarcResult Strictest(IReadOnlyList<DmarcResult> results) =>
        results.Where(r => r.Result == AuthResult.Fail).OrderByDescending(r => r.Policy).FirstOrDefault()
        ?? results.FirstOrDefault(r => r.Result == AuthResult.TempError) ?? results[0];
}
