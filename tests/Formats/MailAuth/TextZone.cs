using System.Net;
using CbaMail.Dns;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>DNS with TXT records alone: a name with "TIMEOUT" gives no answer, one that is not listed does not exist.</summary>
internal sealed class TextZone : Dictionary<string, string[]>, IResolver
{
    public TextZone() : base(StringComparer.OrdinalIgnoreCase) { }

    /// <summary>The names that were asked for.</summary>
    public List<string> Asked { get; } = [];

    public void Add(string name, string record) => Add(name, [record]);

    public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel)
    {
        Asked.Add(name);
        return ValueTask.FromResult(!TryGetValue(name, out var records) ? new DnsAnswer<string>(DnsStatus.NoSuchName, [])
            : records is ["TIMEOUT"] ? new(DnsStatus.Failed, [])
            : records.Length == 0 ? new(DnsStatus.NoData, []) : new DnsAnswer<string>(DnsStatus.Found, records));
    }

    public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) => throw new NotSupportedException();
    public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => throw new NotSupportedException();
    public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => throw new NotSupportedException();
}
