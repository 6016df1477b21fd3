using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace CbaMail.MailAuth.Spf;

/// <summary>An address as SPF compares it: 32 or 128 bits. An IPv4-mapped IPv6 address is an IPv4 address (RFC 7208 5).</summary>
readonly struct SpfAddress
{
    readonly IPAddress address;
    readonly UInt128 bits;

    public SpfAddress(IPAddress value)
    {
        address = value.IsIPv4MappedToIPv6 ? value.MapToIPv4() : value;
        (bits, IsV6) = Bits(address);
    }

    public bool IsV6 { get; }

    /// <summary>The address itself, IPv4 where it was mapped.</summary>
    public IPAddress Value => address;

    static (UInt128 Bits, bool V6) Bits(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        return written == 4 ? (BinaryPrimitives.ReadUInt32BigEndian(bytes), false) : (BinaryPrimitives.ReadUInt128BigEndian(bytes), true);
    }

    /// <summary>Whether the first <paramref name="prefix"/> bits agree; addresses of different families never do.</summary>
    public bool IsIn(IPAddress network, int prefix)
    {
        var (other, v6) = Bits(network);
        return v6 == IsV6 && (prefix == 0 || (bits ^ other) >> ((v6 ? 128 : 32) - prefix) == 0);
    }

    /// <summary>%{i}: the parts between dots, which for IPv6 are hexadecimal digits (RFC 7208 7.3).</summary>
    public string Dotted
    {
        get
        {
            if (!IsV6) return address.ToString();
            var text = new StringBuilder(63);
            for (var shift = 124; shift >= 0; shift -= 4)
                text.Append("0123456789ABCDEF"[(int)(bits >> shift) & 15]).Append(shift > 0 ? "." : "");
            return text.ToString();
        }
    }

    /// <summary>%{c}: as people write it.</summary>
    public override string ToString() => address.ToString();

    /// <summary>RFC 7208 12 ip4-network: four numbers without leading zeros.</summary>
    public static IPAddress? ParseV4(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[4];
        var count = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (count == 4 || part.Length is 0 or > 3 || part.Length > 1 && part[0] == '0' || part.ContainsAnyExceptInRange('0', '9')
                || !byte.TryParse(part, out bytes[count++])) return null;
        }
        return count == 4 ? new IPAddress(bytes) : null;
    }

    /// <summary>RFC 7208 12 ip6-network, as of RFC 4291 2.2: eight groups, one run of zeros as "::", the last 32 bits perhaps dotted.</summary>
    public static IPAddress? ParseV6(ReadOnlySpan<char> text)
    {
        Span<ushort> head = stackalloc ushort[8];
        Span<ushort> tail = stackalloc ushort[8];
        var gap = text.IndexOf("::");
        if (gap < 0) return Groups(text, head, dotted: true) == 8 ? Make(head, 8, tail, 0) : null;
        var before = Groups(text[..gap], head, dotted: false);
        var after = Groups(text[(gap + 2)..], tail, dotted: true);
        // "::" stands for one group at least
        return before >= 0 && after >= 0 && before + after <= 7 ? Make(head, before, tail, after) : null;
    }

    static IPAddress Make(ReadOnlySpan<ushort> head, int before, ReadOnlySpan<ushort> tail, int after)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        for (var i = 0; i < before; i++) BinaryPrimitives.WriteUInt16BigEndian(bytes[(2 * i)..], head[i]);
        for (var i = 0; i < after; i++) BinaryPrimitives.WriteUInt16BigEndian(bytes[(16 - 2 * (after - i))..], tail[i]);
        return new IPAddress(bytes);
    }

    /// <summary>Reads groups between single colons; their number, or -1 where one is wrong.</summary>
    static int Groups(ReadOnlySpan<char> text, Span<ushort> groups, bool dotted)
    {
        if (text.IsEmpty) return 0;
        var count = 0;
        foreach (var range in text.Split(':'))
        {
            var part = text[range];
            if (count == 8) return -1;
            if (dotted && range.End.Value == text.Length && part.Contains('.'))
            {
                if (count > 6 || ParseV4(part) is not { } v4) return -1;
                var (bits, _) = Bits(v4);
                groups[count++] = (ushort)(bits >> 16);
                groups[count++] = (ushort)(bits & 0xffff);
                return count;
            }
            if (part.Length is 0 or > 4 || !ushort.TryParse(part, System.Globalization.NumberStyles.AllowHexSpecifier, null, out groups[count++])) return -1;
        }
        return count;
    }
}
