using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.MailAuth.Sts;
using CbaMail.Queue;
using CbaMail.Reports;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>What the sender asks of the way (RFC 8689).</summary>
internal enum TlsWish
{
    Usual,
    /// <summary>"TLS-Required: No": delivery before what the domain publishes (RFC 8689 3).</summary>
    Relaxed,
    /// <summary>REQUIRETLS: a proven server that promises the same for the further way (RFC 8689 4.2.1).</summary>
    Required,
}

/// <summary>What a connection to one server must be like. Two that are equal let one connection serve both.</summary>
/// <param name="Proof">What the certificate must show, or null.</param>
/// <param name="Enforce">False: a certificate that does not is counted and taken (RFC 8461 5 "testing").</param>
internal sealed record TlsDemand(RouteTls Tls, CertificateProof? Proof = null, bool Enforce = true)
{
    public static readonly TlsDemand Opportunistic = new(RouteTls.Opportunistic);
}

/// <summary>What was found out about a server before connecting.</summary>
/// <param name="Demand">Null: nothing goes there, for the reason in <paramref name="Refused"/>.</param>
/// <param name="Report">Under which policy the connection counts, or null where it does not.</param>
/// <param name="Trouble">What went wrong with the policy itself, whatever becomes of the connection.</param>
internal sealed record TlsRuling(TlsDemand? Demand, ClientReply? Refused = null, TlsReportKey? Report = null, ClientReply? Trouble = null);

/// <summary>
/// Decides how sure we must be of a server: what the settings say, else DANE (RFC 7672), else MTA-STS (RFC 8461), else opportunistic TLS;
/// and what a message asks for itself (RFC 8689). It never connects to a mail server.
/// </summary>
internal sealed class TlsDemands(DaneLookup dane, StsPolicies sts, Settings settings, X509Certificate2Collection roots)
{
    SendingSettings Sending => settings.Sending;

    public async ValueTask<TlsRuling> RuleAsync(Destination where, string domain, Targets targets, Candidate candidate, TlsWish wish, CancellationToken cancel)
    {
        var host = candidate.Target.Host;
        var entry = Sending.TlsPolicy.FirstOrDefault(entry => Destination.Fits(entry.Domain, domain) >= 0 && Destination.Fits(entry.Mx, host) >= 0);
        var policy = entry?.Policy ?? TlsPolicy.Auto;
        if (wish == TlsWish.Relaxed && policy is TlsPolicy.Auto or TlsPolicy.Dane) policy = TlsPolicy.May;
        var ruling = policy switch
        {
            TlsPolicy.Auto when where.Route is { } route => new TlsRuling(OfRoute(route)),
            TlsPolicy.None => new TlsRuling(new TlsDemand(RouteTls.None)),
            TlsPolicy.May => new TlsRuling(TlsDemand.Opportunistic),
            TlsPolicy.Encrypt => new TlsRuling(new TlsDemand(RouteTls.Required)),
            TlsPolicy.Verify => new TlsRuling(new TlsDemand(RouteTls.Required, new PkixProof(entry!.Names.Count > 0 ? new Names(entry.Names) : new Names(host), Roots: roots))),
            TlsPolicy.Fingerprint => new TlsRuling(new TlsDemand(RouteTls.Required, new FingerprintProof(host, new Names([.. entry!.Fingerprints.Select(Digits)])))),
            _ => await PublishedAsync(policy, domain, targets, candidate, cancel),
        };
        // a route that speaks TLS from the first byte goes on doing so
        if (where.Route is { Tls: RouteTls.Implicit } && ruling.Demand is { Tls: RouteTls.Required } demand) ruling = ruling with { Demand = demand with { Tls = RouteTls.Implicit } };
        return wish == TlsWish.Required ? await RequireAsync(ruling, where, domain, targets, host, cancel) : ruling;
    }

    static string Digits(string fingerprint) => new([.. fingerprint.Where(char.IsAsciiHexDigit).Select(char.ToUpperInvariant)]);

    TlsDemand OfRoute(RouteSettings route) => route.Tls == RouteTls.Verify
        ? new(RouteTls.Required, new PkixProof(new Names(route.Host), Roots: roots))
        : new(route.Tls, route.VerifyCertificate ?? route.Tls is RouteTls.Required or RouteTls.Implicit ? new PkixProof(new Names(route.Host), Roots: roots) : null);

    /// <summary>What the domain and its server have published.</summary>
    async ValueTask<TlsRuling> PublishedAsync(TlsPolicy policy, string domain, Targets targets, Candidate candidate, CancellationToken cancel)
    {
        var host = candidate.Target.Host;
        var found = Sending.Dane ? await dane.FindAsync(targets.Secure, candidate, cancel) : DaneFinding.None;
        if (found.State != DaneState.None) return Dane(found, targets, host);
        if (policy == TlsPolicy.DaneOnly)
        {
            var none = ClientReply.Untrusted(TlsFailure.DaneRequired, "4.7.5", $"{host} has no secure TLSA records, which the settings require for it");
            return new TlsRuling(null, none, NoPolicy(targets), none);
        }
        return policy == TlsPolicy.Dane || !Sending.MtaSts || targets.NextHop.All.Count == 0
            ? new TlsRuling(TlsDemand.Opportunistic, Report: NoPolicy(targets))
            : Sts(await sts.FindAsync(targets.NextHop.All[0], cancel), domain, targets, host);
    }

    static TlsRuling Dane(DaneFinding found, Targets targets, string host)
    {
        var report = Report(targets, TlsPolicyKind.Tlsa, found.BaseDomain, (found.All ?? []).Select(Tlsa.Text), [host]);
        switch (found.State)
        {
            case DaneState.Failed:
                // RFC 7672 2.1.2: who can make the look-up fail must not thereby get the mail in clear text
                var failed = ClientReply.Untrusted(TlsFailure.DnssecInvalid, "4.7.5", $"The TLSA records of {host} could not be looked up securely now");
                return new TlsRuling(null, failed, report, failed);
            case DaneState.Unusable:
                // RFC 7672 2.2: it has TLS, but how to know it is not for us to read
                return new TlsRuling(new TlsDemand(RouteTls.Required), Report: report,
                    Trouble: ClientReply.Untrusted(TlsFailure.TlsaInvalid, "4.7.5", $"None of the TLSA records of {host} is of use for SMTP"));
            default:
                // RFC 7672 3.2.2: the base domain, and the names that securely led there
                // where no record asks for a name there is none, and one connection serves all domains of the server
                var names = found.Usable!.Any(record => record.Usage == Tlsa.Anchor)
                    ? new Names([.. ((IEnumerable<string>)[found.BaseDomain, host, .. targets.NextHop.All]).Distinct(StringComparer.OrdinalIgnoreCase)])
                    : new Names();
                return new TlsRuling(new TlsDemand(RouteTls.Required, new DaneProof(found.BaseDomain, names, found.Usable!)), Report: report);
        }
    }

    TlsRuling Sts(StsFinding finding, string domain, Targets targets, string host)
    {
        var trouble = finding.Failure is { } failure ? ClientReply.Untrusted(failure, "4.7.5", finding.Problem) : null;
        if (finding.Policy is not { Mode: not StsMode.None } policy)
            return new TlsRuling(TlsDemand.Opportunistic, Trouble: trouble,
                Report: trouble is null ? NoPolicy(targets) : Report(targets, TlsPolicyKind.Sts, targets.NextHop.All[0], [], []));
        var report = Report(targets, TlsPolicyKind.Sts, targets.NextHop.All[0], policy.Lines, policy.Exchanges);
        var allowed = policy.Allows(host);
        var foreign = allowed ? null : ClientReply.Untrusted(TlsFailure.ValidationFailure, "4.7.5", $"{host} is not among the mail servers that {domain} names in its policy (MTA-STS)");
        var proof = new PkixProof(new Names(host), "mta-sts", CommonName: false, Roots: roots);
        if (policy.Mode == StsMode.Testing) return new TlsRuling(new TlsDemand(RouteTls.Opportunistic, proof, Enforce: false), Report: report, Trouble: foreign ?? trouble);
        return allowed ? new TlsRuling(new TlsDemand(RouteTls.Required, proof), Report: report, Trouble: trouble) : new TlsRuling(null, foreign, report, foreign);
    }

    /// <summary>RFC 8689 4.2.1: the server's name must be vouched for, and its certificate be valid for that name.</summary>
    async ValueTask<TlsRuling> RequireAsync(TlsRuling ruling, Destination where, string domain, Targets targets, string host, CancellationToken cancel)
    {
        if (ruling.Demand is null || ruling.Demand is { Proof: not null, Enforce: true, Tls: RouteTls.Required or RouteTls.Implicit }) return ruling;
        var vouched = where.Route is not null || targets.Secure
            || (Sending.MtaSts && targets.NextHop.All.Count > 0 && (await sts.FindAsync(targets.NextHop.All[0], cancel)).Policy is { Mode: not StsMode.None } policy && policy.Allows(host));
        if (!vouched)
            return ruling with { Demand = null, Refused = ClientReply.Local(550, "5.7.10", $"The message requires TLS (REQUIRETLS), and nothing vouches for the mail servers of {domain}: neither DNSSEC nor MTA-STS") };
        return ruling with { Demand = new TlsDemand(ruling.Demand.Tls == RouteTls.Implicit ? RouteTls.Implicit : RouteTls.Required, new PkixProof(new Names(host), Roots: roots)) };
    }

    static TlsReportKey? NoPolicy(Targets targets) => Report(targets, TlsPolicyKind.NoPolicyFound, targets.NextHop.All.FirstOrDefault() ?? "", [], []);

    static TlsReportKey? Report(Targets targets, TlsPolicyKind kind, string policyDomain, IEnumerable<string> policy, IEnumerable<string> exchanges) =>
        targets.NextHop.All.Count == 0 ? null : new TlsReportKey(targets.NextHop.All[0], kind, policyDomain, string.Join('\n', policy), string.Join('\n', exchanges));
}
