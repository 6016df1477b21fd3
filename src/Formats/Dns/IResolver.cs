using System.Net;

namespace CbaMail.Dns;

/// <summary>How a look-up ended.</summary>
public enum DnsStatus
{
    /// <summary>There are records of the type.</summary>
    Found,
    /// <summary>The name exists, the type does not (RFC 2308 2.2).</summary>
    NoData,
    /// <summary>The name does not exist.</summary>
    NoSuchName,
    /// <summary>SERVFAIL, a time-out, or nobody to ask: try again later.</summary>
    Failed,
}

/// <summary>An answer: records are empty unless <see cref="Status"/> is Found.</summary>
/// <param name="Authenticated">The AD bit of a resolver that is declared trusted (RFC 6840 5.8).</param>
/// <param name="Alias">Where CNAMEs led, or null where the name is no alias.</param>
public sealed record DnsAnswer<T>(DnsStatus Status, IReadOnlyList<T> Records, bool Authenticated = false, string? Alias = null);

/// <summary>One MX record (RFC 5321 5.1); <c>Exchange</c> is "." for null MX (RFC 7505).</summary>
public readonly record struct MxRecord(int Preference, string Exchange);

/// <summary>Look-ups in DNS. Names are A-labels without a final dot. Never throws on an answer of the network.</summary>
public interface IResolver
{
    ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel);
    ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel);
    /// <summary>TXT records, the strings of each joined without a separator.</summary>
    ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel);
    ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel);

    /// <summary>TLSA records (RFC 6698 3) of a name such as <c>_25._tcp.mail.example.org</c>; useless unless authenticated.</summary>
    ValueTask<DnsAnswer<TlsaRecord>> TlsaAsync(string name, CancellationToken cancel) => new(new DnsAnswer<TlsaRecord>(DnsStatus.NoData, []));

    /// <summary>The CNAME record of the name itself, not followed.</summary>
    ValueTask<DnsAnswer<string>> CnameAsync(string name, CancellationToken cancel) => new(new DnsAnswer<string>(DnsStatus.NoData, []));
}
