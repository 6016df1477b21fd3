namespace CbaMail.Dns;

/// <summary>A question (RFC 1035 4.1.2), class IN unless said otherwise.</summary>
public readonly record struct DnsQuestion(string Name, DnsType Type, ushort Class = 1);

/// <summary>What EDNS adds (RFC 6891 6.1).</summary>
/// <param name="UdpSize">The largest datagram that the sender takes.</param>
/// <param name="DnssecOk">The DO bit (RFC 3225 3).</param>
public sealed record DnsEdns(ushort UdpSize, bool DnssecOk = false, byte Version = 0);

/// <summary>A message of DNS (RFC 1035 4.1). <see cref="DnsReader"/> and <see cref="DnsWriter"/> turn it from and into bytes.</summary>
public sealed record DnsMessage
{
    public ushort Id { get; init; }
    /// <summary>QR.</summary>
    public bool IsResponse { get; init; }
    public byte Opcode { get; init; }
    /// <summary>AA.</summary>
    public bool Authoritative { get; init; }
    /// <summary>TC: ask again over TCP.</summary>
    public bool Truncated { get; init; }
    /// <summary>RD.</summary>
    public bool RecursionDesired { get; init; }
    /// <summary>RA.</summary>
    public bool RecursionAvailable { get; init; }
    /// <summary>AD (RFC 4035 3.2.3).</summary>
    public bool AuthenticData { get; init; }
    /// <summary>CD (RFC 4035 3.2.2).</summary>
    public bool CheckingDisabled { get; init; }
    /// <summary>RCODE, with the upper bits of EDNS where there are any (RFC 6891 6.1.3).</summary>
    public DnsCode Code { get; init; }
    public DnsEdns? Edns { get; init; }
    public IReadOnlyList<DnsQuestion> Questions { get; init; } = [];
    public IReadOnlyList<DnsRecord> Answers { get; init; } = [];
    public IReadOnlyList<DnsRecord> Authority { get; init; } = [];
    /// <summary>Without the OPT record, which is <see cref="Edns"/>.</summary>
    public IReadOnlyList<DnsRecord> Additional { get; init; } = [];
}
