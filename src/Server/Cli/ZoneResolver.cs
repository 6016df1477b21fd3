using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CbaMail.Dns;
using CbaMail.Text;

namespace CbaMail.Cli;

/// <summary>
/// DNS out of a request of <c>check mailauth</c>: what the zone does not hold does not exist, and nothing is asked of the network.
/// Takes what test suites write: <c>["TXT","text"]</c>, <c>["TXT",["te","xt"]]</c>, <c>["MX",[10,"name"]]</c>, <c>["MX",10,"name"]</c>,
/// <c>{"TXT":"text"}</c>, <c>["TIMEOUT"]</c> and <c>"TIMEOUT"</c>; types it does not know only make the name exist.
/// </summary>
sealed class ZoneResolver : IResolver
{
    // RFC 1034 3.6.2: aliases of aliases are followed; a circle is a fault of the zone
    const int MaxAliases = 10;

    sealed record Name(List<string> Txt, List<IPAddress> V4, List<IPAddress> V6, List<MxRecord> Mx, List<string> Ptr)
    {
        public string? Alias { get; set; }
        public bool TimesOut { get; set; }
    }

    readonly Dictionary<string, Name> names = [];

    /// <summary>The zone of a request; a request without one has an empty DNS.</summary>
    /// <exception cref="FormatException">The zone is no object of lists.</exception>
    public ZoneResolver(JsonElement zone)
    {
        if (zone.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return;
        if (zone.ValueKind != JsonValueKind.Object) throw new FormatException("\"zone\" must be an object of names with lists of records");
        foreach (var entry in zone.EnumerateObject())
        {
            var key = Key(entry.Name);
            if (!names.TryGetValue(key, out var name)) names[key] = name = new([], [], [], [], []);
            if (entry.Value.ValueKind != JsonValueKind.Array) throw new FormatException($"the records of \"{entry.Name}\" must be a list");
            foreach (var record in entry.Value.EnumerateArray()) Add(name, record);
        }
    }

    static void Add(Name name, JsonElement record)
    {
        switch (record.ValueKind)
        {
            case JsonValueKind.String:
                Add(name, record.GetString()!, []);
                break;
            case JsonValueKind.Array when record.GetArrayLength() > 0 && record[0].ValueKind == JsonValueKind.String:
                Add(name, record[0].GetString()!, [.. record.EnumerateArray().Skip(1)]);
                break;
            case JsonValueKind.Object:
                foreach (var member in record.EnumerateObject()) Add(name, member.Name, [member.Value]);
                break;
        }
    }

    static void Add(Name name, string type, JsonElement[] values)
    {
        var value = values.Length > 0 ? values[0] : default;
        var flat = values.Length == 1 && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : values;
        var text = flat.Length > 0 && flat[^1].ValueKind == JsonValueKind.String ? flat[^1].GetString()! : "";
        switch (type.ToUpperInvariant())
        {
            case "TIMEOUT":
                name.TimesOut = true;
                break;
            case "TXT" when flat.Length > 0:
                // RFC 7208 3.3: the strings of one record are one text
                var joined = string.Concat(flat.Where(s => s.ValueKind == JsonValueKind.String).Select(s => s.GetString()));
                if (joined != "NONE") name.Txt.Add(joined); // how the SPF suites write "this name has none"
                break;
            case "A" or "AAAA" when IPAddress.TryParse(text, out var address):
                (address.AddressFamily == AddressFamily.InterNetworkV6 ? name.V6 : name.V4).Add(address);
                break;
            case "MX":
                var preference = flat.Length > 1 && flat[0].ValueKind == JsonValueKind.Number && flat[0].TryGetInt32(out var number) ? number : 0;
                name.Mx.Add(new(preference, text.Length > 1 ? text.TrimEnd('.') : "."));
                break;
            case "PTR" when text.Length > 0:
                name.Ptr.Add(text.Length > 1 ? text.TrimEnd('.') : text);
                break;
            case "CNAME" when text.Length > 0:
                name.Alias = text;
                break;
        }
    }

    /// <summary>RFC 4343: case does not count; nor does a final dot, nor whether a label is written in Unicode.</summary>
    static string Key(string name)
    {
        var bare = name.Length > 1 ? name.TrimEnd('.') : name;
        return (Idna.TryToAscii(bare, out var ascii) ? ascii : bare).ToLowerInvariant();
    }

    ValueTask<DnsAnswer<T>> Ask<T>(string name, Func<Name, List<T>> of, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var key = Key(name);
        for (var aliases = 0; aliases <= MaxAliases; aliases++)
        {
            if (!names.TryGetValue(key, out var found)) return Answer<T>(DnsStatus.NoSuchName, []);
            if (of(found) is { Count: > 0 } records) return Answer(DnsStatus.Found, records);
            if (found.Alias is null) return Answer<T>(found.TimesOut ? DnsStatus.Failed : DnsStatus.NoData, []);
            key = Key(found.Alias);
        }

        return Answer<T>(DnsStatus.Failed, []);
    }

    static ValueTask<DnsAnswer<T>> Answer<T>(DnsStatus status, List<T> records) => ValueTask.FromResult(new DnsAnswer<T>(status, records));

    public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) => Ask(name, n => n.Mx, cancel);
    public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => Ask(name, n => v6 ? n.V6 : n.V4, cancel);
    public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) => Ask(name, n => n.Txt, cancel);
    public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => Ask(DnsName.Reverse(address), n => n.Ptr, cancel);
}
