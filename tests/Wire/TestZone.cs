using System.Collections.Concurrent;
using System.Net;
using CbaMail.Dns;

namespace CbaMail.Tests.Wire;

/// <summary>DNS in a test's hands: names and what stands there; what is absent does not exist.</summary>
internal sealed class TestZone : IResolver
{
    private readonly Dictionary<string, List<object>> names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names that are never answered before the caller gives up.</summary>
    public HashSet<string> Silent { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names whose server fails.</summary>
    public HashSet<string> Failing { get; } = new(StringComparer.OrdinalIgnoreCase);

    public ConcurrentBag<string> Asked { get; } = [];

    public TestZone Add(string name, params object[] records)
    {
        if (!names.TryGetValue(name, out var list)) names[name] = list = [];
        list.AddRange(records.Select(record => record is string text && IPAddress.TryParse(text, out var address) ? address : record));
        return this;
    }

    /// <summary>An address and its name, both ways.</summary>
    public TestZone AddHost(string name, string address)
    {
        Add(name, address);
        return Add(DnsName.Reverse(IPAddress.Parse(address)), new Ptr(name));
    }

    public sealed record Ptr(string Name);

    public sealed record Txt(string Text);

    private async ValueTask<DnsAnswer<T>> LookAsync<T>(string name, Func<object, T?> take, CancellationToken cancel) where T : class
    {
        Asked.Add(name);
        if (Silent.Contains(name)) await Task.Delay(Timeout.Infinite, cancel);
        if (Failing.Contains(name)) return new DnsAnswer<T>(DnsStatus.Failed, []);
        if (!names.TryGetValue(name, out var records)) return new DnsAnswer<T>(DnsStatus.NoSuchName, []);
        List<T> found = [.. records.Select(take).OfType<T>()];
        return new DnsAnswer<T>(found.Count > 0 ? DnsStatus.Found : DnsStatus.NoData, found);
    }

    public async ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel)
    {
        var found = await LookAsync(name, record => record is MxRecord ? record : null, cancel);
        return new DnsAnswer<MxRecord>(found.Status, [.. found.Records.OfType<MxRecord>()]);
    }

    public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) =>
        LookAsync(name, record => record is IPAddress address && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 == v6 ? address : null, cancel);

    public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) => LookAsync(name, record => (record as Txt)?.Text, cancel);

    public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => LookAsync(DnsName.Reverse(address), record => (record as Ptr)?.Name, cancel);
}
