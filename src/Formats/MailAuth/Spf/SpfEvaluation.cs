using CbaMail.Dns;

namespace CbaMail.MailAuth.Spf;

/// <summary>One run of check_host() with all its includes and redirects (RFC 7208 4): the limits of RFC 7208 4.6.4 count over the whole of it.</summary>
sealed class SpfEvaluation(IResolver resolver, CancellationToken deadline)
{
    /// <summary>Longer explanations do not fit into a reply (RFC 5321 4.5.3.1.5) and are not used.</summary>
    const int MaxExplanation = 400;

    enum Verdict { NoMatch, Match, TempError, PermError }

    int voidLookups;
    SpfReverse? reverse;
    (MacroString Text, string Domain)? explanation;

    public int Lookups { get; private set; }

    /// <summary>The directive that matched, outside of includes.</summary>
    public string? Matched { get; private set; }

    public string Problem { get; private set; } = "";

    /// <summary>RFC 7208 4.3 to 4.7; <paramref name="values"/> carry the domain.</summary>
    public ValueTask<AuthResult> CheckHostAsync(MacroValues values) => CheckHostAsync(values, included: false);

    async ValueTask<AuthResult> CheckHostAsync(MacroValues values, bool included)
    {
        var (result, record) = await RecordAsync(values.Domain);
        if (record is null) return result;

        foreach (var directive in record.Directives)
        {
            // RFC 7208 4.6.2: left to right, and the first that matches decides
            switch (await EvaluateAsync(directive, values))
            {
                case Verdict.TempError: return AuthResult.TempError;
                case Verdict.PermError: return AuthResult.PermError;
                case Verdict.Match:
                    if (included) return directive.Qualifier;
                    Matched = directive.Text;
                    // RFC 7208 6.2: the record that decides explains; an include's never does
                    explanation = record.Explanation is { } text ? (text, values.Domain) : null;
                    return directive.Qualifier;
            }
        }
        // RFC 7208 4.7; an "all" would have matched, so redirect is ignored beside it (RFC 7208 6.1)
        if (record.Redirect is not { } redirect) return AuthResult.Neutral;
        return await RedirectAsync(redirect, values, included);
    }

    // RFC 7208 6.1: the other record's result is ours, but that no record is an error
    async ValueTask<AuthResult> RedirectAsync(MacroString redirect, MacroValues values, bool included)
    {
        if (!CountLookup()) return AuthResult.PermError;
        if (await TargetAsync(redirect, values) is not { } target || SpfName.CheckedDomain(target) is not { } domain)
            return PermError($"redirect={SpfRecord.Shown(redirect.Text)} leads to no domain");
        var result = await CheckHostAsync(values with { Domain = domain }, included);
        return result == AuthResult.None ? PermError($"{SpfRecord.Shown(domain)}, to which the record redirects, has no SPF record") : result;
    }

    AuthResult PermError(string problem)
    {
        Problem = problem;
        return AuthResult.PermError;
    }

    // RFC 7208 4.4, 4.5
    async ValueTask<(AuthResult Result, SpfRecord? Record)> RecordAsync(string domain)
    {
        var answer = await resolver.TxtAsync(SpfName.Query(domain), deadline);
        if (answer.Status == DnsStatus.Failed)
        {
            Problem = $"DNS does not answer for {SpfRecord.Shown(domain)}";
            return (AuthResult.TempError, null);
        }
        string? text = null;
        foreach (var candidate in answer.Records)
        {
            if (!SpfRecord.IsSpf(candidate)) continue;
            if (text is not null) return (PermError($"{SpfRecord.Shown(domain)} has several SPF records"), null);
            text = candidate;
        }
        if (text is null) return (AuthResult.None, null);
        if (SpfRecord.Parse(text, out var problem) is { } record) return (AuthResult.None, record);
        return (PermError($"in the SPF record of {SpfRecord.Shown(domain)}: {problem}"), null);
    }

    async ValueTask<Verdict> EvaluateAsync(SpfDirective directive, MacroValues values)
    {
        switch (directive.Mechanism)
        {
            case SpfMechanism.All: return Verdict.Match; // RFC 7208 5.1
            case SpfMechanism.Ip4: return Matches(values.Client.IsIn(directive.Network!, directive.Prefix4)); // RFC 7208 5.6
            case SpfMechanism.Ip6: return Matches(values.Client.IsIn(directive.Network!, directive.Prefix6));
        }
        if (!CountLookup()) return Verdict.PermError;
        var target = directive.Domain is null ? values.Domain : await TargetAsync(directive.Domain, values);
        if (directive.Mechanism == SpfMechanism.Include) return await IncludeAsync(directive, target, values);
        // RFC 7208 4.8 leaves open what a name is that cannot be asked for: it has no records, so nothing matches
        if (target is null) return Verdict.NoMatch;
        return directive.Mechanism switch
        {
            SpfMechanism.A => await AddressAsync(directive, target, values),
            SpfMechanism.Mx => await ExchangeAsync(directive, target, values),
            SpfMechanism.Ptr => await PointerAsync(target, values),
            _ => await ExistsAsync(target),
        };
    }

    static Verdict Matches(bool yes) => yes ? Verdict.Match : Verdict.NoMatch;

    // RFC 7208 4.6.4
    bool CountLookup()
    {
        if (++Lookups <= SpfVerifier.MaxLookups) return true;
        Problem = $"the record needs more than {SpfVerifier.MaxLookups} terms that ask DNS";
        return false;
    }

    /// <summary>One term that found nothing: true while there are no more than two (RFC 7208 4.6.4, 11.1).</summary>
    Verdict CountVoid()
    {
        if (++voidLookups <= SpfVerifier.MaxVoidLookups) return Verdict.NoMatch;
        Problem = $"more than {SpfVerifier.MaxVoidLookups} terms name what is not in DNS";
        return Verdict.PermError;
    }

    Verdict Failed(string name)
    {
        Problem = $"DNS does not answer for {SpfRecord.Shown(name)}";
        return Verdict.TempError;
    }

    // RFC 7208 5.2, its table
    async ValueTask<Verdict> IncludeAsync(SpfDirective directive, string? target, MacroValues values)
    {
        // RFC 8616 4
        if (target is null && directive.Domain!.NeedsLocalPart && !System.Text.Ascii.IsValid(values.LocalPart)) return Verdict.NoMatch;
        var result = target is null || SpfName.CheckedDomain(target) is not { } domain
            ? AuthResult.None
            : await CheckHostAsync(values with { Domain = domain }, included: true);
        switch (result)
        {
            case AuthResult.Pass: return Verdict.Match;
            case AuthResult.TempError: return Verdict.TempError;
            case AuthResult.PermError: return Verdict.PermError;
            case AuthResult.None:
                Problem = $"{SpfRecord.Shown(directive.Text)}: there is no SPF record";
                return Verdict.PermError;
            default: return Verdict.NoMatch;
        }
    }

    // RFC 7208 5.3
    async ValueTask<Verdict> AddressAsync(SpfDirective directive, string target, MacroValues values)
    {
        var answer = await resolver.AddressesAsync(SpfName.Query(target), values.Client.IsV6, deadline);
        if (answer.Status == DnsStatus.Failed) return Failed(target);
        if (IsVoid(answer.Status, values)) return CountVoid();
        return Matches(IsAmong(values.Client, answer, directive));
    }

    /// <summary>
    /// A name that exists without AAAA is one of a host with IPv4 alone, and no void look-up: else each client with IPv6 would fail
    /// at records that are in order for IPv4. The limit, which RFC 7208 4.6.4 gives as a SHOULD, is against names that are not there.
    /// </summary>
    static bool IsVoid(DnsStatus status, MacroValues values) =>
        status == DnsStatus.NoSuchName || status == DnsStatus.NoData && !values.Client.IsV6;

    static bool IsAmong(SpfAddress client, DnsAnswer<System.Net.IPAddress> answer, SpfDirective directive)
    {
        foreach (var address in answer.Records)
            if (client.IsIn(address, client.IsV6 ? directive.Prefix6 : directive.Prefix4)) return true;
        return false;
    }

    // RFC 7208 5.4: without MX there is no implicit one
    async ValueTask<Verdict> ExchangeAsync(SpfDirective directive, string target, MacroValues values)
    {
        var answer = await resolver.MxAsync(SpfName.Query(target), deadline);
        if (answer.Status == DnsStatus.Failed) return Failed(target);
        if (answer.Status != DnsStatus.Found) return CountVoid();
        if (answer.Records.Count > SpfVerifier.MaxLookups)
        {
            Problem = $"{SpfRecord.Shown(target)} has more than {SpfVerifier.MaxLookups} MX hosts"; // RFC 7208 4.6.4
            return Verdict.PermError;
        }
        var isVoid = false;
        foreach (var mx in answer.Records)
        {
            // RFC 7505 3: the null MX names no host
            if (mx.Exchange is "." or "" || SpfName.Checked(mx.Exchange) is not { } host) continue;
            var addresses = await resolver.AddressesAsync(host, values.Client.IsV6, deadline);
            if (addresses.Status == DnsStatus.Failed) return Failed(host);
            if (IsAmong(values.Client, addresses, directive)) return Verdict.Match;
            isVoid |= IsVoid(addresses.Status, values);
        }
        // RFC 7208 4.6.4: terms are counted, so several hosts that are gone are one
        return isVoid ? CountVoid() : Verdict.NoMatch;
    }

    // RFC 7208 5.5
    async ValueTask<Verdict> PointerAsync(string target, MacroValues values)
    {
        reverse ??= new SpfReverse(resolver, values.Client, deadline);
        if (await reverse.IsEmptyAsync()) return CountVoid();
        return Matches(await reverse.FindAsync(name => SpfName.IsWithin(name, target)) is not null);
    }

    // RFC 7208 5.7: an A record, whatever the client's family
    async ValueTask<Verdict> ExistsAsync(string target)
    {
        var answer = await resolver.AddressesAsync(SpfName.Query(target), v6: false, deadline);
        return answer.Status switch
        {
            DnsStatus.Failed => Failed(target),
            DnsStatus.Found => Verdict.Match,
            _ => CountVoid(),
        };
    }

    /// <summary>The name that a domain-spec stands for (RFC 7208 4.8), or null where it is none that can be asked for.</summary>
    async ValueTask<string?> TargetAsync(MacroString spec, MacroValues values) =>
        await ExpandAsync(spec, values) is { } name ? SpfName.Checked(SpfName.Fitted(name)) : null;

    async ValueTask<string?> ExpandAsync(MacroString text, MacroValues values)
    {
        if (!text.NeedsValidatedName) return text.Expand(values);
        reverse ??= new SpfReverse(resolver, values.Client, deadline);
        // RFC 7208 7.3: the domain itself, else a name below it, else any
        var name = await reverse.FindAsync(n => n.Equals(values.Domain, StringComparison.OrdinalIgnoreCase))
            ?? await reverse.FindAsync(n => SpfName.IsWithin(n, values.Domain))
            ?? await reverse.FindAsync(_ => true);
        return text.Expand(name is null ? values : values with { ValidatedName = name });
    }

    /// <summary>The text that the domain gives for its fail (RFC 7208 6.2); null where there is none that is whole, plain and short.</summary>
    public async ValueTask<string?> ExplainAsync(MacroValues values)
    {
        if (explanation is not { } source) return null;
        values = values with { Domain = source.Domain };
        if (await TargetAsync(source.Text, values) is not { } target) return null;
        var answer = await resolver.TxtAsync(SpfName.Query(target), deadline);
        if (answer.Status != DnsStatus.Found || answer.Records.Count != 1) return null;
        if (MacroString.Parse(answer.Records[0], explanation: true) is not { } macros || await ExpandAsync(macros, values) is not { } text) return null;
        // RFC 7208 6.2: US-ASCII; it goes into a reply of SMTP, so controls are out too
        return text.Length is > 0 and <= MaxExplanation && !text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? text : null;
    }
}
