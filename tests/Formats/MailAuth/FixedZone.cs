using System.Net;
using CbaMail.Dns;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>DNS as a test writes it down. Names that are absent do not exist; a name that times out does so for each type it does not hold.</summary>
sealed class FixedZone : IResolver
{
    readonly Dictionary<string, List<(string Type, object Value)>> names = new(StringComparer.OrdinalIgnoreCase);
    readonly List<string> asked = [];

    /// <summary>What was looked up, in order: "TXT example.com".</summary>
    public IReadOnlyList<string> Asked => asked;

    public FixedZone Add(string name, string type, object value)
    {
        name = name.TrimEnd('.');
        if (!names.TryGetValue(name, out var list)) names[name] = list = [];
        list.Add((type, value));
        return this;
    }

    public FixedZone Txt(string name, params string[] records) { foreach (var text in records) Add(name, "TXT", text); return this; }

    public FixedZone A(string name, params string[] addresses)
    {
        foreach (var address in addresses) Add(name, address.Contains(':') ? "AAAA" : "A", IPAddress.Parse(address));
        return this;
    }

    public FixedZone Mx(string name, string host, int preference) => Add(name, "MX", new MxRecord(preference, host));

    public FixedZone Mx(string name, params string[] hosts) { foreach (var host in hosts) Add(name, "MX", new MxRecord(10, host)); return this; }

    public FixedZone Ptr(string address, params string[] hosts) { foreach (var host in hosts) Add(DnsName.Reverse(IPAddress.Parse(address)), "PTR", host); return this; }

    public FixedZone Cname(string name, string target) => Add(name, "CNAME", target.TrimEnd('.'));

    /// <summary>The name exists and has nothing that is asked for.</summary>
    public FixedZone Empty(string name) => Add(name, "HINFO", "");

    public FixedZone Timeout(string name) => Add(name, "TIMEOUT", "");

    DnsAnswer<T> Find<T>(string name, string type)
    {
        asked.Add($"{type} {name}");
        for (var hops = 0; hops < 8; hops++)
        {
            if (!names.TryGetValue(name, out var list)) return new(DnsStatus.NoSuchName, []);
            var found = list.Where(r => r.Type == type).Select(r => (T)r.Value).ToList();
            if (found.Count > 0) return new(DnsStatus.Found, found);
            if (list.Find(r => r.Type == "CNAME") is ("CNAME", string target)) name = target;
            else return new(list.Exists(r => r.Type == "TIMEOUT") ? DnsStatus.Failed : DnsStatus.NoData, []);
        }
        return new(DnsStatus.Failed, []);
    }

    public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) => Answer(Find<MxRecord>(name, "MX"), cancel);

    public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => Answer(Find<IPAddress>(name, v6 ? "AAAA" : "A"), cancel);

    public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) => Answer(Find<string>(name, "TXT"), cancel);

    public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => Answer(Find<string>(DnsName.Reverse(address), "PTR"), cancel);

    static ValueTask<T> Answer<T>(T answer, CancellationToken cancel) => cancel.IsCancellationRequested ? ValueTask.FromCanceled<T>(cancel) : new(answer);
}
