using System.Globalization;
using CbaMail.Dns;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>What DNS says of a server's TLS.</summary>
internal enum DaneState
{
    /// <summary>Nothing that is secure: DANE is not for this server.</summary>
    None,
    /// <summary>The look-up failed, which an attacker can bring about: the server is not to be used (RFC 7672 2.1.2).</summary>
    Failed,
    /// <summary>Secure records, none of which we can go by: TLS it must be, with any certificate (RFC 7672 2.2).</summary>
    Unusable,
    Usable,
}

/// <param name="BaseDomain">The TLSA base domain.</param>
/// <param name="All">Every record, as TLS-RPT tells them.</param>
internal sealed record DaneFinding(DaneState State, string BaseDomain = "", IReadOnlyList<TlsaRecord>? Usable = null, IReadOnlyList<TlsaRecord>? All = null)
{
    public static readonly DaneFinding None = new(DaneState.None);
}

/// <summary>Finds the TLSA records of one server (RFC 7672 2.2).</summary>
internal sealed class DaneLookup(IResolver resolver)
{
    /// <param name="secure">DNSSEC vouches for the server's name: without it there is no DANE (RFC 7672 2.2.1).</param>
    public async ValueTask<DaneFinding> FindAsync(bool secure, Candidate candidate, CancellationToken cancel)
    {
        if (!secure) return DaneFinding.None;
        var (host, port) = (candidate.Target.Host, candidate.Target.Port);
        if (candidate.Secure)
        {
            // RFC 7672 2.2.3: first where the aliases lead, then the name itself
            if (candidate.Alias is { } alias && await AskAsync(alias, port, cancel) is { State: not DaneState.None } found) return found;
            return await AskAsync(host, port, cancel);
        }
        // RFC 7672 2.1.3: no question about TLSA to a zone that is not signed, as some servers never answer it;
        // a signed alias into such a zone is asked under its own name
        if (candidate.Alias is null) return DaneFinding.None;
        var cname = await resolver.CnameAsync(host, cancel);
        return cname.Status switch
        {
            DnsStatus.Failed => new DaneFinding(DaneState.Failed, host),
            DnsStatus.Found when cname.Authenticated => await AskAsync(host, port, cancel),
            _ => DaneFinding.None,
        };
    }

    async ValueTask<DaneFinding> AskAsync(string baseDomain, int port, CancellationToken cancel)
    {
        var answer = await resolver.TlsaAsync(string.Create(CultureInfo.InvariantCulture, $"_{port}._tcp.{baseDomain}"), cancel);
        if (answer.Status == DnsStatus.Failed) return new DaneFinding(DaneState.Failed, baseDomain);
        if (answer.Status != DnsStatus.Found || !answer.Authenticated) return DaneFinding.None;
        var usable = Tlsa.Usable(answer.Records);
        return new DaneFinding(usable.Count > 0 ? DaneState.Usable : DaneState.Unusable, baseDomain, usable, answer.Records);
    }
}
