using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Dns;

namespace CbaMail.Tests.Wire;

/// <summary>
/// A zone of DNSSEC in the test's hands (RFC 4034, ECDSA P-256 of RFC 6605): the lines of a zone file for <see cref="NsdServer"/> and the
/// anchor for <see cref="UnboundServer"/>. The SOA, NS and ns records that NsdServer adds are signed too.
/// </summary>
internal sealed class SignedZone
{
    private const int Ttl = 300;
    private readonly string origin;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] dnskey;
    private readonly SortedDictionary<string, SortedDictionary<int, List<byte[]>>> sets = new(Comparer<string>.Create(Order));
    private readonly HashSet<(string, int)> broken = [];

    public SignedZone(string origin)
    {
        this.origin = origin;
        var point = key.ExportParameters(false).Q;
        dnskey = [1, 1, 3, 13, .. point.X!, .. point.Y!];
        var soa = new byte[20];
        foreach (var (at, value) in ((int, uint)[])[(0, 1), (4, 3600), (8, 600), (12, 86400), (16, 60)]) BinaryPrimitives.WriteUInt32BigEndian(soa.AsSpan(at), value);
        Add(origin, 6, [.. Name("ns." + origin), .. Name("hostmaster." + origin), .. soa]);
        Add(origin, 2, Name("ns." + origin));
        Add("ns." + origin, 1, [127, 0, 0, 1]);
        Add(origin, 48, dnskey);
    }

    /// <summary>As Unbound's trust-anchor wants it.</summary>
    public string Anchor => $"{origin}. DNSKEY 257 3 13 {Convert.ToBase64String(dnskey[4..])}";

    public void A(string name, string address) => Add(name, 1, IPAddress.Parse(address).GetAddressBytes());
    public void Mx(string name, string exchange) => Add(name, 15, [0, 10, .. Name(exchange)]);
    public void Txt(string name, string text) => Add(name, 16, [.. Encoding.UTF8.GetBytes(text).Chunk(255).SelectMany(piece => (byte[])[(byte)piece.Length, .. piece])]);
    public void Tlsa(string name, int usage, int selector, int matching, byte[] data, bool broken = false)
    {
        Add(name, 52, [(byte)usage, (byte)selector, (byte)matching, .. data]);
        if (broken) this.broken.Add((name, 52));
    }

    private void Add(string name, int type, byte[] data)
    {
        if (!sets.TryGetValue(name, out var types)) sets[name] = types = [];
        if (!types.TryGetValue(type, out var list)) types[type] = list = [];
        list.Add(data);
    }

    private static byte[] Name(string name) => DnsName.TryEncode(name.ToLowerInvariant(), out var wire) ? wire : throw new ArgumentException(name);

    // RFC 4034 6.1: by labels from the right
    private static int Order(string one, string other)
    {
        var (a, b) = (one.Split('.').Reverse().ToArray(), other.Split('.').Reverse().ToArray());
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
            if (string.CompareOrdinal(a[i], b[i]) is var order and not 0) return order;
        return a.Length - b.Length;
    }

    /// <summary>The lines, in the form for unknown types (RFC 3597 5).</summary>
    public string Lines()
    {
        var names = sets.Keys.ToList();
        for (var i = 0; i < names.Count; i++)
        {
            var types = sets[names[i]].Keys.Append(46).Append(47).Distinct().ToList();
            var bitmap = new byte[types.Max() / 8 + 1];
            foreach (var type in types) bitmap[type / 8] |= (byte)(0x80 >> type % 8);
            Add(names[i], 47, [.. Name(names[(i + 1) % names.Count]), 0, (byte)bitmap.Length, .. bitmap]);
        }
        var text = new StringBuilder();
        foreach (var (name, types) in sets)
            foreach (var (type, all) in types.ToList())
            {
                foreach (var data in all.Where(_ => type is not (6 or 2) && !(type == 1 && name == "ns." + origin))) Line(text, name, type, data);
                Line(text, name, 46, Sign(name, type, all));
            }
        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, int type, byte[] data) => text.AppendLine($"{name}. {Ttl} IN TYPE{type} \\# {data.Length} {Convert.ToHexString(data)}");

    // RFC 4034 3.1, 6.3
    private byte[] Sign(string name, int type, List<byte[]> all)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var head = new byte[18];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)type);
        (head[2], head[3]) = (13, (byte)name.Split('.').Length);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), Ttl);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(8), (uint)(now + 86400 * 7));
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(12), (uint)(now - 86400));
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(16), Tag());
        byte[] fields = [.. head, .. Name(origin)];
        var signed = new List<byte>(fields);
        foreach (var data in all.OrderBy(Convert.ToHexString, StringComparer.Ordinal))
        {
            signed.AddRange(Name(name));
            signed.AddRange([0, (byte)type, 0, 1, 0, 0, Ttl >> 8, Ttl & 255, (byte)(data.Length >> 8), (byte)data.Length]);
            signed.AddRange(data);
        }
        var signature = key.SignData(signed.ToArray(), HashAlgorithmName.SHA256);
        if (broken.Contains((name, type))) signature[10] ^= 1;
        return [.. fields, .. signature];
    }

    // RFC 4034 B
    private ushort Tag()
    {
        uint sum = 0;
        for (var i = 0; i < dnskey.Length; i++) sum += (i & 1) == 0 ? (uint)dnskey[i] << 8 : dnskey[i];
        return (ushort)(sum + (sum >> 16));
    }
}
