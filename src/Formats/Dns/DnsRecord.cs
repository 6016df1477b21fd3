using System.Net;

namespace CbaMail.Dns;

/// <summary>Types of records (RFC 1035 3.2.2, RFC 2782, RFC 3596, RFC 6698, RFC 6891, RFC 8659) that this server asks for or reads.</summary>
public enum DnsType : ushort
{
    A = 1, Ns = 2, Cname = 5, Soa = 6, Ptr = 12, Mx = 15, Txt = 16, Aaaa = 28, Srv = 33, Opt = 41, Ds = 43, Dnskey = 48, Tlsa = 52, Any = 255, Caa = 257,
}

/// <summary>RCODE (RFC 1035 4.1.1, RFC 2136 2.2); further values are kept as numbers.</summary>
public enum DnsCode : ushort
{
    NoError = 0, FormatError = 1, ServerFailure = 2, NoSuchName = 3, NotImplemented = 4, Refused = 5, BadVersion = 16,
}

/// <summary>A resource record (RFC 1035 4.1.3) of class IN, or another class kept as <see cref="RawRecord"/>.</summary>
/// <param name="Name">The owner, as <see cref="DnsName"/> writes it.</param>
/// <param name="Ttl">Seconds; what has the high bit set counts as 0 (RFC 2181 8).</param>
public abstract record DnsRecord(string Name, DnsType Type, uint Ttl);

/// <summary>A or AAAA.</summary>
public sealed record AddressRecord(string Name, uint Ttl, IPAddress Address)
    : DnsRecord(Name, Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? DnsType.Aaaa : DnsType.A, Ttl);

/// <summary>MX (RFC 1035 3.3.9).</summary>
public sealed record ExchangeRecord(string Name, uint Ttl, ushort Preference, string Exchange) : DnsRecord(Name, DnsType.Mx, Ttl);

/// <summary>CNAME, NS or PTR: a record that is one name.</summary>
public sealed record NameRecord(string Name, DnsType Type, uint Ttl, string Target) : DnsRecord(Name, Type, Ttl);

/// <summary>TXT (RFC 1035 3.3.14): its strings, each up to 255 octets.</summary>
public sealed record TextRecord(string Name, uint Ttl, IReadOnlyList<byte[]> Strings) : DnsRecord(Name, DnsType.Txt, Ttl)
{
    /// <summary>The strings joined without a separator, as SPF and DKIM want them (RFC 7208 3.3); bytes that are not UTF-8 as U+FFFD.</summary>
    public string Text => System.Text.Encoding.UTF8.GetString([.. Strings.SelectMany(s => s)]);

    public bool Equals(TextRecord? other) => other is not null && base.Equals(other)
        && Strings.Count == other.Strings.Count && Strings.Zip(other.Strings).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Strings.Count);
}

/// <summary>SOA (RFC 1035 3.3.13); <paramref name="Minimum"/> is the TTL of negative answers (RFC 2308 4).</summary>
public sealed record AuthorityRecord(
    string Name, uint Ttl, string Server, string Mailbox, uint Serial, uint Refresh, uint Retry, uint Expire, uint Minimum)
    : DnsRecord(Name, DnsType.Soa, Ttl);

/// <summary>TLSA (RFC 6698 2.1).</summary>
public sealed record TlsaRecord(string Name, uint Ttl, byte Usage, byte Selector, byte Matching, ReadOnlyMemory<byte> Data) : DnsRecord(Name, DnsType.Tlsa, Ttl)
{
    public bool Equals(TlsaRecord? other) => other is not null && base.Equals(other)
        && (Usage, Selector, Matching) == (other.Usage, other.Selector, other.Matching) && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Usage, Selector, Matching, Data.Length);
}

/// <summary>A record of a type or class that is not decoded (RFC 3597).</summary>
public sealed record RawRecord(string Name, DnsType Type, uint Ttl, ushort Class, ReadOnlyMemory<byte> Data) : DnsRecord(Name, Type, Ttl)
{
    public bool Equals(RawRecord? other) => other is not null && base.Equals(other) && Class == other.Class && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Class, Data.Length);
}
