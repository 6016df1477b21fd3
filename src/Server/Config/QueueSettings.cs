namespace CbaMail.Config;

/// <summary>The keys of the queue, retries and outbound delivery.</summary>
public sealed record QueueSettings
{
    /// <summary>How long a message is tried before it is returned (RFC 5321 4.5.4.1). Default 5 days.</summary>
    public TimeSpan Expire { get; init; } = TimeSpan.FromDays(5);

    /// <summary>How long a message from &lt;&gt; (a bounce of ours) is tried before it is given up. Default 2 days.</summary>
    public TimeSpan BounceExpire { get; init; } = TimeSpan.FromDays(2);

    /// <summary>When the sender is told that a message is late; zero: never. Default 4 hours.</summary>
    public TimeSpan DelayNotice { get; init; } = TimeSpan.FromHours(4);

    /// <summary>
    /// How long it is kept what became of each message that arrived, was refused or left the queue, for <c>message trace</c>; zero: not at all.
    /// A message takes about 300 bytes. Default 7 days.
    /// </summary>
    public TimeSpan KeepFinished { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Pauses after the first, second ... failed attempt; the last one repeats. Default 1, 5, 15, 30 minutes, 1, 2, 4 hours.</summary>
    public IReadOnlyList<TimeSpan> RetryAfter { get; init; } =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4),
    ];

    /// <summary>Each pause is made longer or shorter by up to this share, so that retries do not come in waves. Default 0.1.</summary>
    public double RetryJitter { get; init; } = 0.1;

    /// <summary>
    /// Whether the pace of each operator of mail servers is learnt from what they answer: "too many connections" and "rate limited" halve
    /// it and bring a rest, messages that are taken raise it again. See <c>cbamail queue destinations</c>. Default true.
    /// </summary>
    public bool LearnPace { get; init; } = true;

    /// <summary>Fixed bounds for single operators, domains and routes; the most specific entry counts. Default none.</summary>
    public IReadOnlyList<PaceSettings> Pace { get; init; } = [];

    /// <summary>Connections at once to one destination (an operator of mail servers, or a smarthost). Default 20.</summary>
    public int ConnectionsPerDestination { get; init; } = 20;

    /// <summary>Outbound connections at once in all. Default 200.</summary>
    public int Connections { get; init; } = 200;

    /// <summary>How many of <see cref="Connections"/> mailings may take; the rest is for personal mail. Default 150.</summary>
    public int BulkConnections { get; init; } = 150;

    /// <summary>Recipients in one transaction (RFC 5321 4.5.3.1.8: every server takes 100). Default 100.</summary>
    public int RecipientsPerTransaction { get; init; } = 100;

    /// <summary>Messages over one connection before a new one is made. Default 500.</summary>
    public int MessagesPerConnection { get; init; } = 500;

    /// <summary>How long a connection waits for the next message to its destination. Default 5 seconds.</summary>
    public TimeSpan IdleConnection { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Received fields from which on a message is held to be in a loop (RFC 5321 6.3). Default 50.</summary>
    public int HopLimit { get; init; } = 50;

    /// <summary>Servers of one destination that are tried in one attempt. Default 5.</summary>
    public int HostsPerAttempt { get; init; } = 5;

    /// <summary>The port of other domains' servers. Default 25; other values are for tests.</summary>
    public int Port { get; init; } = 25;

    /// <summary>
    /// The local addresses that outbound connections come from, one or a list of both families; more can be said in <c>sending.sources</c>.
    /// Default empty: the system's choice.
    /// </summary>
    public IReadOnlyList<string> SourceAddress { get; init; } = [];

    /// <summary>Whether addresses of IPv6 are tried. Default true.</summary>
    public bool UseIpv6 { get; init; } = true;

    /// <summary>
    /// What becomes of 8-bit text when the peer does not offer 8BITMIME (RFC 6152): sent as it is (no; every known server takes it), or
    /// returned with 5.6.3 (yes). Default no.
    /// </summary>
    public bool ReturnEightBit { get; init; }

    /// <summary>Routes that replace the look-up of MX records, by recipient domain; the most specific one is taken. Default none.</summary>
    public IReadOnlyList<RouteSettings> Routes { get; init; } = [];

    /// <summary>Time to wait for the TCP connection. Default 30 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time to wait for the greeting (RFC 5321 4.5.3.2.1). Default 5 minutes.</summary>
    public TimeSpan GreetingTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time to wait for the reply to EHLO, STARTTLS, AUTH, MAIL and RCPT (RFC 5321 4.5.3.2.2-3). Default 5 minutes.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time to wait for the reply to DATA (RFC 5321 4.5.3.2.4). Default 2 minutes.</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Time in which a piece of the message must leave (RFC 5321 4.5.3.2.5). Default 3 minutes.</summary>
    public TimeSpan BlockTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Time to wait for the reply to the final dot (RFC 5321 4.5.3.2.6). Default 10 minutes.</summary>
    public TimeSpan FinalTimeout { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>How fast mail may go to one destination.</summary>
public sealed record PaceSettings
{
    /// <summary>
    /// The organizational domain of mail servers (<c>google.com</c>, <c>outlook.com</c>, as <c>cbamail queue destinations</c> shows them), a
    /// recipients' domain, all below one (<c>*.example.org</c>), or <c>*</c>. A domain that stands here by its own name is paced by itself. Default <c>*</c>.
    /// </summary>
    public string Destination { get; init; } = "*";

    /// <summary>Connections at once. Default: <c>queue.connections-per-destination</c>.</summary>
    public int? Connections { get; init; }

    /// <summary>Messages over one connection. Default: <c>queue.messages-per-connection</c>.</summary>
    public int? MessagesPerConnection { get; init; }

    /// <summary>Messages an hour, evenly. Default: no bound.</summary>
    public int? MessagesPerHour { get; init; }
}

/// <summary>How a connection to another server is protected.</summary>
public enum RouteTls
{
    /// <summary>STARTTLS where offered, with any certificate; clear text where it is not offered or fails (RFC 7435).</summary>
    Opportunistic,
    /// <summary>Never.</summary>
    None,
    /// <summary>STARTTLS, with a certificate that is valid for the server's name unless <see cref="RouteSettings.VerifyCertificate"/> is no; or the mail waits.</summary>
    Required,
    /// <summary>TLS from the first byte (port 465), with such a certificate too.</summary>
    Implicit,
    /// <summary>STARTTLS with a valid certificate, whatever else is said; or the mail waits.</summary>
    Verify,
    /// <summary>Another word for <see cref="Opportunistic"/>.</summary>
    May = Opportunistic,
}

/// <summary>A route: mail for some domains goes to one server instead of the domain's own.</summary>
public sealed record RouteSettings
{
    /// <summary>A domain (<c>example.org</c>), all below one (<c>*.example.org</c>), or <c>*</c> for every domain (the smarthost). Default <c>*</c>.</summary>
    public string Domain { get; init; } = "*";

    /// <summary>Name or address of the server. Default: the domain's own servers, to except a domain from a wider route.</summary>
    public string Host { get; init; } = "";

    /// <summary>Default 25; smarthosts mostly want 587 or 465.</summary>
    public int Port { get; init; } = 25;

    /// <summary>
    /// None, Opportunistic (or May), Required, Verify or Implicit. What the recipients' domain publishes (DANE, MTA-STS) is about its own servers and
    /// is not asked for; <c>sending.tls-policy</c> goes before this. Default Opportunistic.
    /// </summary>
    public RouteTls Tls { get; init; } = RouteTls.Opportunistic;

    /// <summary>Whether the certificate must be valid for <see cref="Host"/>; empty: yes with Required and Implicit. Default empty.</summary>
    public bool? VerifyCertificate { get; init; }

    /// <summary>The name to sign in with. Default: no sign-in. The password is sent under TLS only, unless <see cref="Tls"/> is None.</summary>
    public string User { get; init; } = "";

    /// <summary>The password for <see cref="User"/>. Default none.</summary>
    public string Password { get; init; } = "";
}
