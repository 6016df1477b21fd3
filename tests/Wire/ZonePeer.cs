using System.Net;
using CbaMail.Dns;

namespace CbaMail.Tests.Wire;

/// <summary>DNS for a test: a few names over a real socket; what is not there does not exist.</summary>
internal sealed class ZonePeer : IDisposable
{
    private readonly List<DnsRecord> records = [];
    private readonly DnsPeer peer;
    private readonly HashSet<string> asked = [];
    private bool disposed;

    public ZonePeer() => peer = new DnsPeer((question, _) => Answer(question));

    public IPEndPoint Address => peer.Address;

    public ZonePeer Text(string name, string text)
    {
        // RFC 1035 3.3.14: strings of up to 255 octets
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        return Add(new TextRecord(name, 300, [.. bytes.Chunk(255)]));
    }

    public ZonePeer Host(string name, string address) => Add(new AddressRecord(name, 300, IPAddress.Parse(address)));

    public ZonePeer Exchange(string name, string host) => Add(new ExchangeRecord(name, 300, 10, host));

    public ZonePeer Pointer(string address, string host) => Add(new NameRecord(DnsName.Reverse(IPAddress.Parse(address)), DnsType.Ptr, 300, host));

    public ZonePeer Add(DnsRecord record)
    {
        lock (records) records.Add(record);
        return this;
    }

    public void Remove(string name)
    {
        lock (records) records.RemoveAll(record => DnsName.Same(record.Name, name));
    }

    /// <summary>Whether anything was asked of a name.</summary>
    public bool WasAsked(Func<string, bool> name)
    {
        lock (records) return asked.Any(name);
    }

    private DnsMessage Answer(DnsMessage question)
    {
        var (name, type) = (question.Questions[0].Name, question.Questions[0].Type);
        lock (records)
        {
            asked.Add(name);
            var named = records.Where(record => DnsName.Same(record.Name, name)).ToList();
            var found = named.Where(record => record.Type == type).ToArray();
            return DnsPeer.Reply(question, found) with { Code = named.Count > 0 ? DnsCode.NoError : DnsCode.NoSuchName };
        }
    }

    public void Dispose()
    {
        if (!disposed) peer.Dispose();
        disposed = true;
    }
}
