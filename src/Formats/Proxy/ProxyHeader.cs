using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text;

namespace CbaMail.Proxy;

/// <summary>How reading a header ended.</summary>
public enum ProxyRead
{
    /// <summary>The header is whole.</summary>
    Complete,
    /// <summary>So far it is right; more octets are needed.</summary>
    NeedsMore,
    /// <summary>This is no header of the PROXY protocol.</summary>
    Invalid,
}

/// <summary>
/// What a proxy says of the connection that it hands on: the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt).
/// </summary>
/// <param name="Source">The client; null where the proxy speaks for itself (LOCAL), does not know (UNKNOWN, UNSPEC) or was reached by a UNIX socket.</param>
/// <param name="Destination">Where the client connected to; null as <paramref name="Source"/> is.</param>
/// <param name="Tls">Version and cipher, where the client spoke TLS with the proxy.</param>
/// <param name="Length">Octets of the header; what follows is the client's.</param>
public sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination, (string Version, string Cipher)? Tls, int Length)
{
    /// <summary>Longest header of version 1, CRLF included (2.1 there).</summary>
    public const int LongestText = 107;

    /// <summary>Longest header of version 2 that is read: the largest addresses take 232, the rest is for TLVs.</summary>
    public const int LongestBinary = 4096;

    const int Fixed = 16; // octets of version 2 before the addresses
    const int UnixAddresses = 216;

    static ReadOnlySpan<byte> Signature => [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    /// <summary>Reads a header that begins at the first octet.</summary>
    /// <param name="header">Set where the result is <see cref="ProxyRead.Complete"/>.</param>
    /// <param name="problem">Says what is wrong where it is <see cref="ProxyRead.Invalid"/>.</param>
    public static ProxyRead TryRead(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out string problem)
    {
        (header, problem) = (null, "");
        if (bytes.IsEmpty) return ProxyRead.NeedsMore;
        if (StartsAs(bytes, Signature)) return bytes.Length < Fixed ? ProxyRead.NeedsMore : ReadBinary(bytes, out header, out problem);
        if (StartsAs(bytes, "PROXY "u8)) return ReadText(bytes, out header, out problem);
        problem = "no header of the PROXY protocol";
        return ProxyRead.Invalid;
    }

    // as far as there are octets
    static bool StartsAs(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> start)
    {
        var both = Math.Min(bytes.Length, start.Length);
        return bytes[..both].SequenceEqual(start[..both]);
    }

    // ---- version 1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25" CRLF

    static ProxyRead ReadText(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out string problem)
    {
        (header, problem) = (null, "");
        var end = bytes[..Math.Min(bytes.Length, LongestText)].IndexOf("\r\n"u8);
        if (end < 0)
        {
            if (bytes.Length < LongestText) return ProxyRead.NeedsMore;
            problem = "the header's line has no end";
            return ProxyRead.Invalid;
        }
        var line = Encoding.Latin1.GetString(bytes[..end]);
        var words = line.Split(' ');
        if (words[1] == "UNKNOWN")
        {
            header = new ProxyHeader(null, null, null, end + 2); // whatever else stands there is ignored
            return ProxyRead.Complete;
        }
        problem = "the header's addresses are not right";
        if (words.Length != 6 || words[1] is not ("TCP4" or "TCP6")) return ProxyRead.Invalid;
        var v6 = words[1] == "TCP6";
        if (!TryAddress(words[2], v6, out var source) || !TryAddress(words[3], v6, out var destination)) return ProxyRead.Invalid;
        if (!TryPort(words[4], out var from) || !TryPort(words[5], out var to)) return ProxyRead.Invalid;
        problem = "";
        header = new ProxyHeader(new IPEndPoint(Plain(source), from), new IPEndPoint(Plain(destination), to), null, end + 2);
        return ProxyRead.Complete;
    }

    static bool TryAddress(string text, bool v6, out IPAddress address)
    {
        address = IPAddress.None;
        foreach (var c in text)
            if (!(char.IsAsciiHexDigit(c) || c is '.' or ':')) return false; // neither zones nor brackets
        if (v6 != text.Contains(':', StringComparison.Ordinal) || !IPAddress.TryParse(text, out var parsed)) return false;
        address = parsed;
        return v6 || parsed.ToString() == text; // "10.1" and "010.0.0.1" mean different things to different people
    }

    static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535 && (text.Length == 1 || text[0] != '0');

    // ---- version 2

    static ProxyRead ReadBinary(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out string problem)
    {
        (header, problem) = (null, "");
        var (version, command, family, length) = (bytes[12] >> 4, bytes[12] & 15, bytes[13], BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]));
        if (version != 2 || command > 1) problem = $"version {version}, command {command} is not known";
        else if (length > LongestBinary - Fixed) problem = $"a header of {length} octets is longer than anybody needs";
        else if (command == 1 && Addresses(family) < 0) problem = $"the family 0x{family:x2} is not known";
        else if (command == 1 && length < Addresses(family)) problem = "the header is shorter than its addresses";
        if (problem.Length > 0) return ProxyRead.Invalid;
        if (bytes.Length < Fixed + length) return ProxyRead.NeedsMore;

        var block = bytes.Slice(Fixed, length);
        if (command == 0)
        {
            header = new ProxyHeader(null, null, null, Fixed + length); // LOCAL: the block is thrown away, whatever it holds
            return ProxyRead.Complete;
        }
        if (!TryTlvs(bytes[..(Fixed + length)], Fixed + Addresses(family), out var tls, out problem)) return ProxyRead.Invalid;
        var size = (family >> 4) switch { 1 => 4, 2 => 16, _ => 0 };
        header = size == 0
            ? new ProxyHeader(null, null, tls, Fixed + length)
            : new ProxyHeader(EndPoint(block, 0, size, 2 * size), EndPoint(block, size, size, 2 * size + 2), tls, Fixed + length);
        return ProxyRead.Complete;
    }

    // octets of the addresses, or -1: family in the high half (none, IPv4, IPv6, UNIX), transport in the low one (none, stream, datagram)
    static int Addresses(byte family) => family switch
    {
        0x00 => 0,
        0x11 or 0x12 => 12,
        0x21 or 0x22 => 36,
        0x31 or 0x32 => UnixAddresses,
        _ => -1,
    };

    static IPEndPoint EndPoint(ReadOnlySpan<byte> block, int address, int size, int port) =>
        new(Plain(new IPAddress(block.Slice(address, size))), BinaryPrimitives.ReadUInt16BigEndian(block[port..]));

    static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    // ---- TLVs: type, length in two octets, value

    static bool TryTlvs(ReadOnlySpan<byte> whole, int at, out (string, string)? tls, out string problem)
    {
        (tls, problem) = (null, "");
        while (at < whole.Length)
        {
            if (!TryTlv(whole, ref at, out var type, out var value))
            {
                problem = "a TLV does not fit into the header";
                return false;
            }
            if (type == 0x03 && !IsChecksum(whole, at - value.Length, value))
            {
                problem = "the header's checksum is wrong";
                return false;
            }
            if (type == 0x20) tls = ReadTls(value);
        }
        return true;
    }

    static bool TryTlv(ReadOnlySpan<byte> bytes, ref int at, out byte type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (bytes.Length - at < 3) return false;
        type = bytes[at];
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 1)..]);
        if (bytes.Length - at - 3 < length) return false;
        value = bytes.Slice(at + 3, length);
        at += 3 + length;
        return true;
    }

    // PP2_TYPE_CRC32C: over the whole header, its own four octets taken for zeros
    static bool IsChecksum(ReadOnlySpan<byte> whole, int at, ReadOnlySpan<byte> value)
    {
        if (value.Length != 4) return false;
        var crc = 0xffffffffu;
        for (var i = 0; i < whole.Length; i++) crc = BitOperations.Crc32C(crc, i >= at && i < at + 4 ? (byte)0 : whole[i]);
        return ~crc == BinaryPrimitives.ReadUInt32BigEndian(value);
    }

    // PP2_TYPE_SSL: flags, what was found of a client certificate in four octets, TLVs of its own (0x21 version, 0x23 cipher)
    static (string, string)? ReadTls(ReadOnlySpan<byte> value)
    {
        if (value.Length < 5 || (value[0] & 1) == 0) return null;
        var (version, cipher) = ("TLS", "unknown");
        for (var at = 5; TryTlv(value, ref at, out var type, out var word);)
        {
            if (type == 0x21) version = Word(word);
            else if (type == 0x23) cipher = Word(word);
        }
        return (version, cipher);
    }

    // it will stand in a Received field
    static string Word(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var b in bytes[..Math.Min(bytes.Length, 64)]) text.Append(char.IsAsciiLetterOrDigit((char)b) || b is (byte)'.' or (byte)'-' or (byte)'_' ? (char)b : '?');
        return text.Length == 0 ? "unknown" : text.ToString();
    }
}
