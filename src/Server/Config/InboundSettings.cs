using System.Net;

namespace CbaMail.Config;

/// <summary>The keys of what is asked of those who bring mail; docs: receiving. What the evaluation profile switches off is on again where the file names it.</summary>
public sealed record InboundSettings
{
    /// <summary>
    /// Who may say, by the PROXY protocol, for whom he connects: addresses and networks of load balancers. It counts only at listeners that are
    /// marked <c>proxy</c>, and there nobody else is heard. Default: this machine, 127.0.0.0/8 and ::1.
    /// </summary>
    public IReadOnlyList<IPNetwork> ProxyFrom { get; init; } = Loopback;

    /// <summary>How long the header of the PROXY protocol is waited for. Default 5 seconds.</summary>
    public TimeSpan ProxyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Who is asked nothing of what stands below: addresses, networks, and host names (<c>mail.example.org</c>; <c>*.example.org</c>) that address and
    /// name service agree upon. <c>cbamail allow</c> adds further ones. Default: this machine; in the evaluation profile nobody.
    /// </summary>
    public IReadOnlyList<string>? Allow { get; init; }

    /// <summary>
    /// How long a first greeting is held back on the SMTP port, to see who talks before his turn (RFC 5321 4.3.1): software that sends spam does not
    /// wait. Who has waited once is not tested again for <see cref="GreetingMemory"/>. Default 5 seconds; in the evaluation profile 0, which tests nobody.
    /// </summary>
    public TimeSpan? GreetingDelay { get; init; }

    /// <summary>How long it is remembered who has waited for the greeting. Default 30 days.</summary>
    public TimeSpan GreetingMemory { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Whether strangers may not send on behind EHLO and DATA before these are answered (RFC 2920 3.1): 554, and the connection is closed.
    /// Default yes; in the evaluation profile no.
    /// </summary>
    public bool? StrictPipelining { get; init; }

    /// <summary>Whether the client's address is looked up in DNS, name and address again (RFC 8601 2.7.3, iprev). Default yes; in the evaluation profile no.</summary>
    public bool? ReverseLookup { get; init; }

    /// <summary>How long all look-ups of one client together may take, counted from its connection. What has not been answered then counts nothing. Default 8 seconds.</summary>
    public TimeSpan LookupTime { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Lists in DNS of bad or good addresses and domains, each with a weight. Default: none, for whom to trust is yours to choose.</summary>
    public IReadOnlyList<DnsListSettings> DnsLists { get; init; } = [];

    /// <summary>What speaks against a client apart from lists.</summary>
    public WeightSettings Weights { get; init; } = new();

    /// <summary>
    /// The sum of weights from which a client's recipients are refused (550), postmaster@ and abuse@ apart. Default 10: more than all of
    /// <see cref="WeightSettings"/> together, so that nobody is refused without a list that says so.
    /// </summary>
    public double RefuseAt { get; init; } = 10;

    /// <summary>How much strangers may do in how much time.</summary>
    public RateSettings Rates { get; init; } = new();

    /// <summary>Who misbehaves again and again is not let in for a while.</summary>
    public BanSettings Bans { get; init; } = new();

    /// <summary>A stranger's first message is answered "try again": software that sends spam mostly does not.</summary>
    public GreylistSettings Greylist { get; init; } = new();

    /// <summary>
    /// How long the answer to a message is held back whose sender nobody here knows and who did not wait for greylisting either: it costs senders
    /// of much spam their time. Default 15 seconds; in the evaluation profile 0.
    /// </summary>
    public TimeSpan? FirstSenderDelay { get; init; }

    /// <summary>Messages that are held back so at the same time; further ones are answered at once. Default 200.</summary>
    public int FirstSenderWaiting { get; init; } = 200;

    /// <summary>
    /// Whether a client that names several unknown recipients is answered ever more slowly, known recipients and unknown ones alike:
    /// a list of guessed names then takes weeks. Default yes; in the evaluation profile no.
    /// </summary>
    public bool? HideUnknown { get; init; }

    /// <summary>Unknown recipients in one session after which it becomes slow. Default 3.</summary>
    public int UnknownBeforeSlow { get; init; } = 3;

    /// <summary>How often what was learnt of strangers is written to the disk, in one commit. A crash forgets what came since. Default 30 seconds.</summary>
    public TimeSpan WriteEvery { get; init; } = TimeSpan.FromSeconds(30);

    internal static readonly IPNetwork[] Loopback = [new(IPAddress.Parse("127.0.0.0"), 8), new(IPAddress.IPv6Loopback, 128)];

    internal TimeSpan Greeting(bool evaluation) => GreetingDelay ?? (evaluation ? TimeSpan.Zero : TimeSpan.FromSeconds(5));
    internal bool IsStrict(bool evaluation) => StrictPipelining ?? !evaluation;
    internal bool Reverses(bool evaluation) => ReverseLookup ?? !evaluation;
    internal TimeSpan FirstSender(bool evaluation) => FirstSenderDelay ?? (evaluation ? TimeSpan.Zero : TimeSpan.FromSeconds(15));
    internal bool Hides(bool evaluation) => HideUnknown ?? !evaluation;
}

/// <summary>What is asked in a list in DNS.</summary>
public enum ListedThing
{
    /// <summary>The client's address (RFC 5782 2).</summary>
    Address,
    /// <summary>The domain of the sender, MAIL FROM (RFC 5782 3).</summary>
    Sender,
    /// <summary>The name in EHLO.</summary>
    Hello,
    /// <summary>The client's own name, which address and name service agree upon.</summary>
    ReverseName,
}

/// <summary>One list in DNS (RFC 5782).</summary>
public sealed record DnsListSettings
{
    /// <summary>Its zone, for example <c>zen.spamhaus.org</c>. Required.</summary>
    public string Zone { get; init; } = "";

    /// <summary>What is looked up in it: address, sender, hello or reverse-name. Default address.</summary>
    public ListedThing Of { get; init; }

    /// <summary>
    /// The answers that count: <c>127.0.0.2</c>, <c>127.0.0.4-7</c>, <c>127.0.*.1</c>. Default: every answer within 127.0.0.0/8 but 127.255.255.*,
    /// by which lists say that they do not answer us.
    /// </summary>
    public IReadOnlyList<string> Answers { get; init; } = [];

    /// <summary>Added to the client's sum when it is listed; below zero for a list of good ones. Default 10, which alone refuses.</summary>
    public double Weight { get; init; } = 10;
}

/// <summary>What speaks against a client apart from lists. 0 asks nothing.</summary>
public sealed record WeightSettings
{
    /// <summary>The address has no name, or none that leads back to it. Default 2.</summary>
    public double NoReverseName { get; init; } = 2;

    /// <summary>The name in EHLO is neither a full domain name nor an address literal. Default 2.</summary>
    public double HelloNoName { get; init; } = 2;

    /// <summary>The address literal in EHLO is another's. Default 3.</summary>
    public double HelloWrongLiteral { get; init; } = 3;

    /// <summary>The name in EHLO has neither an address nor an MX in DNS. Default 2.</summary>
    public double HelloUnknown { get; init; } = 2;
}

/// <summary>
/// So many in so long, for strangers on the SMTP port: <c>100/1h</c>, or <c>off</c>. The number may come at once, and is then given back evenly
/// over the time. Networks are /24 in IPv4 and /48 in IPv6; an address is one /64 there. In the evaluation profile all are off.
/// </summary>
public sealed record RateSettings
{
    /// <summary>Connections from one address, on every port but HTTP. Default 120/1m.</summary>
    public Rate? Connections { get; init; }

    /// <summary>Messages from one address. Default 600/1h.</summary>
    public Rate? Messages { get; init; }

    /// <summary>Messages from one network. Default 3000/1h.</summary>
    public Rate? NetworkMessages { get; init; }

    /// <summary>Messages of one sender. Default 300/1h.</summary>
    public Rate? SenderMessages { get; init; }

    /// <summary>Messages of all senders of one domain. Default off, for a large provider is one domain.</summary>
    public Rate? DomainMessages { get; init; }

    /// <summary>Recipients from one address. Default 3000/1h.</summary>
    public Rate? Recipients { get; init; }

    /// <summary>Messages to one recipient, from all strangers together: against floods of subscriptions. Default 600/1h.</summary>
    public Rate? RecipientMessages { get; init; }

    internal static Rate Of(Rate? given, bool evaluation, int count, int minutes) => given ?? (evaluation ? Rate.None : new Rate(count, TimeSpan.FromMinutes(minutes)));
}

/// <summary>Bans: an address (in IPv6 its /64) is refused on SMTP, submission and IMAP as soon as it connects.</summary>
public sealed record BanSettings
{
    /// <summary>
    /// Bad sessions within <see cref="Within"/> that lead to a ban: each failed sign-in, a talk before the greeting, a session of guessed recipients
    /// or of nonsense counts one. 0: nobody is banned by himself. Default 10; in the evaluation profile 0.
    /// </summary>
    public int? After { get; init; }

    /// <summary>The time in which bad sessions are counted together. Default 1 hour.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long the first ban lasts; each further one twice as long as the last. Default 10 minutes.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The longest ban, and how long after its end a ban is remembered. Default 7 days.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Where somebody has signed in within this time, nobody is banned: it is an office, and one of its phones has an old password. Default 7 days.</summary>
    public TimeSpan SparedAfterSignIn { get; init; } = TimeSpan.FromDays(7);

    internal int Most(bool evaluation) => After ?? (evaluation ? 0 : 10);
}

/// <summary>Greylisting.</summary>
public sealed record GreylistSettings
{
    /// <summary>Whether it is done. Default yes; in the evaluation profile no.</summary>
    public bool? Enabled { get; init; }

    /// <summary>How long a stranger has to wait before he is let in. Default 1 minute: what never comes again is kept out by any delay.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Until when he must have come again, else his next attempt is a first one. Default 2 days.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromDays(2);

    /// <summary>How long who has passed is remembered since his last message. Default 36 days: also who writes once a month.</summary>
    public TimeSpan Memory { get; init; } = TimeSpan.FromDays(36);

    /// <summary>After so many passes the client is not greylisted at all. Default 3.</summary>
    public int AllowAfter { get; init; } = 3;

    /// <summary>First attempts remembered at most; the oldest ones give way. Default 50,000, some 15 MB when full.</summary>
    public int Entries { get; init; } = 50_000;

    internal bool IsOn(bool evaluation) => Enabled ?? !evaluation;
}
