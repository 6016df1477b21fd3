namespace CbaMail.Config;

/// <summary>What is done with mail that its sender's domain disowns.</summary>
public enum FailedSender
{
    /// <summary>Taken as it is; the result stands in Authentication-Results.</summary>
    Accept,
    /// <summary>Into the recipients' junk mailbox.</summary>
    Junk,
    /// <summary>Refused with 550.</summary>
    Refuse,
}

/// <summary>The keys of SPF, DKIM, ARC and DMARC for mail that arrives. All need a resolver; without one (evaluation without <c>dns.servers</c>) nothing is checked.</summary>
public sealed record AuthenticationSettings
{
    /// <summary>Whether mail of other servers is checked at all. Default yes.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Our name in Authentication-Results (RFC 8601 2.5): fields of strangers that bear it are taken out. Default: <c>hostname</c>.</summary>
    public string AuthservId { get; init; } = "";

    /// <summary>
    /// Whether the policy of the From domain is followed (RFC 7489): refused for reject, junk for quarantine. <c>junk</c> makes reject mean
    /// junk, <c>ignore</c> only writes down what was found. A domain here may say otherwise: <c>policy set DOMAIN dmarc</c>. Default follow.
    /// </summary>
    public DmarcMode Dmarc { get; init; } = DmarcMode.Follow;

    /// <summary>
    /// What is done where SPF says fail and DMARC says nothing. Forwarding breaks SPF, so a fail alone proves little. Default accept.
    /// </summary>
    public FailedSender SpfFail { get; init; } = FailedSender.Accept;

    /// <summary>
    /// Domains whose ARC seal is believed (RFC 8617 9.2): mail that fails DMARC is spared where one of these sealed last that it had passed
    /// on arrival there. Large forwarders that check what they take. Default google.com, microsoft.com, fastmail.com, mail.ru, yandex.ru, zoho.com.
    /// </summary>
    public IReadOnlyList<string> TrustedSealers { get; init; } = ["google.com", "microsoft.com", "fastmail.com", "mail.ru", "yandex.ru", "zoho.com"];

    /// <summary>The time that all look-ups of one message may take together (RFC 7208 4.6.4 asks for 20 seconds at least). Default 20 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>How the policies of senders' domains are taken.</summary>
public enum DmarcMode { Follow, Junk, Ignore }
