using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using CbaMail.Config;

namespace CbaMail.Smtp.Client;

/// <summary>A server to connect to. <paramref name="Host"/> is the name that the certificate is checked for and logs show.</summary>
public sealed record ClientTarget(string Host, IPAddress Address, int Port)
{
    public override string ToString() => $"{Host}[{Address}]:{Port}";
}

/// <summary>How to speak to a server.</summary>
/// <param name="Hostname">Our name in EHLO.</param>
/// <param name="Proof">What the certificate must show; null: any does.</param>
/// <param name="User">Empty: no sign-in.</param>
public sealed record ClientOptions(
    string Hostname, QueueSettings Times, RouteTls Tls = RouteTls.Opportunistic, CertificateProof? Proof = null, string User = "", string Password = "")
{
    /// <summary>The local address that the connection comes from, or null: the system's choice.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>False: a certificate that does not show what it must is told of and taken (MTA-STS testing, RFC 8461 5).</summary>
    public bool Enforce { get; init; } = true;
}

/// <summary>A recipient of a transaction, with its DSN parameters as written (RFC 3461 4.1, 4.2).</summary>
public sealed record ClientRecipient(Envelope.MailAddress Address, string? Notify = null, string? OriginalRecipient = null);

/// <summary>A message to hand over.</summary>
/// <param name="ReversePath">Null for &lt;&gt;.</param>
/// <param name="SmtpUtf8">The header has UTF-8 (RFC 6532); what the addresses need is seen by the client.</param>
/// <param name="Write">Writes the content, flushing as it goes; bare CR and LF become CRLF on the way, dots are stuffed.</param>
/// <param name="RequireTls">The server is told to require TLS further on (RFC 8689 2), where it can and this way is proven.</param>
/// <param name="BeforeDot">Awaited before the final dot: what must be durable before this message can be accepted.</param>
public sealed record ClientMessage(
    Envelope.MailAddress? ReversePath, IReadOnlyList<ClientRecipient> Recipients, long Size, bool EightBit, bool SmtpUtf8,
    string? Return, string? EnvelopeId, Func<PipeWriter, CancellationToken, ValueTask> Write, Func<Task>? BeforeDot = null, bool RequireTls = false)
{
    /// <summary>RFC 2852; null: no deadline.</summary>
    public ClientDeadline? By { get; init; }
    /// <summary>RFC 6710 4; told where it is not 0.</summary>
    public int Priority { get; init; }
}

/// <summary>By when a message is to be there (RFC 2852 4).</summary>
/// <param name="Left">The seconds that are left now.</param>
/// <param name="Return">"R": not relayed to a server that does not know of deadlines, or not of ones as near (RFC 2852 4.1.4.1); otherwise "N".</param>
/// <param name="Trace">"T".</param>
public sealed record ClientDeadline(Func<long> Left, bool Return, bool Trace)
{
    const long Most = 999_999_999;

    public string Word => string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(Left(), Return ? 1 : -Most, Most)};{(Return ? "R" : "N")}{(Trace ? "T" : "")}");
}

/// <summary>How a transaction ended.</summary>
/// <param name="Replies">One a recipient, in order: positive where the peer has taken the message for it.</param>
/// <param name="Begun">False: the kept connection was gone before the peer answered anything; try on a new one.</param>
/// <param name="Broken">The connection ended before the content was complete: nobody has it, another host may be tried at once.</param>
/// <param name="Unclear">The connection ended between the final dot and its reply: the peer may have it.</param>
public sealed record ClientResult(IReadOnlyList<ClientReply> Replies, bool Begun = true, bool Broken = false, bool Unclear = false)
{
    /// <summary>Everybody is to come back later.</summary>
    public bool PutsOff => Replies.All(reply => reply.IsTemporary);
}

/// <summary>What the peer said in EHLO (RFC 5321 4.1.1.1).</summary>
public sealed record ClientExtensions
{
    /// <summary>RFC 2920.</summary>
    public bool Pipelining { get; private init; }
    /// <summary>RFC 6152.</summary>
    public bool EightBitMime { get; private init; }
    /// <summary>RFC 6531.</summary>
    public bool SmtpUtf8 { get; private init; }
    /// <summary>RFC 3461.</summary>
    public bool Dsn { get; private init; }
    /// <summary>RFC 2852.</summary>
    public bool DeliverBy { get; private init; }
    /// <summary>RFC 2852 2: the least time in seconds that it takes with mode R; 0: not said.</summary>
    public int MinimumBy { get; private init; }
    /// <summary>RFC 6710.</summary>
    public bool MtPriority { get; private init; }
    /// <summary>RFC 3207.</summary>
    public bool StartTls { get; private init; }
    /// <summary>RFC 1870: offered.</summary>
    public bool Size { get; private init; }
    /// <summary>RFC 1870: the largest message; 0: not said.</summary>
    public long MaxSize { get; private init; }
    /// <summary>RFC 8689 2.</summary>
    public bool RequireTls { get; private init; }
    /// <summary>RFC 9422 4.2 RCPTMAX; 0: not said.</summary>
    public int MaxRecipients { get; private init; }
    /// <summary>SASL mechanisms (RFC 4954 3), upper case.</summary>
    public IReadOnlyList<string> Auth { get; private init; } = [];

    /// <summary>From the lines of the reply behind the first, codes taken off.</summary>
    public static ClientExtensions Parse(IEnumerable<string> lines)
    {
        var result = new ClientExtensions();
        foreach (var line in lines)
        {
            var words = line.ToUpperInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) continue;
            result = words[0] switch
            {
                "PIPELINING" => result with { Pipelining = true },
                "8BITMIME" => result with { EightBitMime = true },
                "SMTPUTF8" => result with { SmtpUtf8 = true },
                "DSN" => result with { Dsn = true },
                "DELIVERBY" => result with { DeliverBy = true, MinimumBy = words.Length > 1 && int.TryParse(words[1].Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var least) ? least : 0 },
                "MT-PRIORITY" => result with { MtPriority = true },
                "STARTTLS" => result with { StartTls = true },
                "SIZE" => result with { Size = true, MaxSize = words.Length > 1 && long.TryParse(words[1], out var size) ? Math.Max(0, size) : 0 },
                "REQUIRETLS" => result with { RequireTls = true },
                "LIMITS" => result with { MaxRecipients = Limit(words) },
                "AUTH" => result with { Auth = [.. result.Auth, .. words[1..]] },
                // old servers write AUTH=LOGIN, from a draft of RFC 2554
                _ when words[0].StartsWith("AUTH=", StringComparison.Ordinal) => result with { Auth = [.. result.Auth, words[0][5..], .. words[1..]] },
                _ => result,
            };
        }
        return result;
    }

    static int Limit(string[] words)
    {
        foreach (var word in words)
            if (word.StartsWith("RCPTMAX=", StringComparison.Ordinal) && int.TryParse(word.AsSpan(8), out var limit) && limit > 0) return limit;
        return 0;
    }
}
