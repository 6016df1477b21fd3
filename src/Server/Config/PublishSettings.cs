namespace CbaMail.Config;

/// <summary>What a policy of MTA-STS asks of senders (RFC 8461 3.2).</summary>
public enum MtaStsMode { None, Testing, Enforce }

/// <summary>What a DMARC record asks of receivers (RFC 7489 6.3).</summary>
public enum DmarcWish { None, Quarantine, Reject }

/// <summary>The keys of what domains publish: <c>cbamail domain dns NAME</c> prints it, and the server answers for it.</summary>
public sealed record PublishSettings
{
    /// <summary>
    /// The mode of MTA-STS that is served for the mail domains. Begin with testing: senders report what would fail and deliver all the same;
    /// after a week of clean reports write enforce. Default testing.
    /// </summary>
    public MtaStsMode MtaSts { get; init; } = MtaStsMode.Testing;

    /// <summary>How long senders keep the policy. Default 7 days: a mistake in it lasts no longer.</summary>
    public TimeSpan MtaStsMaxAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// What receivers are asked to do with mail in a domain's name that fails. Everything that this server sends is signed, so mail that fails is
    /// forged, or was sent by a service that you have forgotten: quarantine puts it among junk, where it can be found. none only collects
    /// reports; reject is for when these have been clean. Default quarantine.
    /// </summary>
    public DmarcWish Dmarc { get; init; } = DmarcWish.Quarantine;

    /// <summary>
    /// Local part of the address that gets reports of DMARC and TLS, in each domain. Default: the names under which the server reads them itself
    /// (<c>reports.dmarc-names</c>, <c>reports.tls-names</c>); postmaster where it reads none.
    /// </summary>
    public string Reports { get; init; } = "";
}
