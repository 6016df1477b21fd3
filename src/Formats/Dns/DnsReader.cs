using System.Buffers.Binary;
using System.Net;

namespace CbaMail.Dns;

/// <summary>Reads messages of DNS. Never throws on input; time is linear but for names, of which each is at most 255 octets.</summary>
public static class DnsReader
{
    const int HeaderLength = 12;

    /// <summary>Reads a whole message; false where it is malformed. Bytes behind the last record are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> wire, out DnsMessage message)
    {
        message = new DnsMessage();
        // RFC 1035 4.1.1
        if (wire.Length is < HeaderLength or > ushort.MaxValue) return false;
        var flags = UInt16(wire, 2);
        var at = HeaderLength;

        var questions = new List<DnsQuestion>();
        for (var left = UInt16(wire, 4); left > 0; left--)
        {
            // RFC 1035 4.1.2
            if (!DnsName.TryRead(wire, ref at, out var name) || at + 4 > wire.Length) return false;
            questions.Add(new DnsQuestion(name, (DnsType)UInt16(wire, at), UInt16(wire, at + 2)));
            at += 4;
        }

        DnsEdns? edns = null;
        var upper = 0;
        if (!Section(wire, ref at, UInt16(wire, 6), ref edns, ref upper, false, out var answers)
            || !Section(wire, ref at, UInt16(wire, 8), ref edns, ref upper, false, out var authority)
            || !Section(wire, ref at, UInt16(wire, 10), ref edns, ref upper, true, out var additional)) return false;

        message = new DnsMessage
        {
            Id = UInt16(wire, 0),
            IsResponse = (flags & 0x8000) != 0,
            Opcode = (byte)(flags >> 11 & 15),
            Authoritative = (flags & 0x400) != 0,
            Truncated = (flags & 0x200) != 0,
            RecursionDesired = (flags & 0x100) != 0,
            RecursionAvailable = (flags & 0x80) != 0,
            AuthenticData = (flags & 0x20) != 0,
            CheckingDisabled = (flags & 0x10) != 0,
            Code = (DnsCode)(upper << 4 | flags & 15),
            Edns = edns,
            Questions = questions,
            Answers = answers,
            Authority = authority,
            Additional = additional,
        };
        return true;
    }

    static ushort UInt16(ReadOnlySpan<byte> wire, int at) => BinaryPrimitives.ReadUInt16BigEndian(wire[at..]);

    static uint UInt32(ReadOnlySpan<byte> wire, int at) => BinaryPrimitives.ReadUInt32BigEndian(wire[at..]);

    static bool Section(ReadOnlySpan<byte> wire, ref int at, int count, ref DnsEdns? edns, ref int upper, bool additional, out List<DnsRecord> records)
    {
        records = [];
        for (; count > 0; count--)
        {
            // RFC 1035 4.1.3
            if (!DnsName.TryRead(wire, ref at, out var name) || at + 10 > wire.Length) return false;
            var type = (DnsType)UInt16(wire, at);
            var @class = UInt16(wire, at + 2);
            var ttl = UInt32(wire, at + 4);
            var length = UInt16(wire, at + 8);
            at += 10;
            if (at + length > wire.Length) return false;
            if (type == DnsType.Opt)
            {
                // RFC 6891 6.1.1: one, in the additional section, owned by the root
                if (!additional || edns is not null || name != ".") return false;
                edns = new DnsEdns(@class, (ttl & 0x8000) != 0, (byte)(ttl >> 16));
                upper = (int)(ttl >> 24);
            }
            else
            {
                // RFC 2181 8: a TTL with the high bit set is zero
                if (ttl > int.MaxValue) ttl = 0;
                var record = @class == 1 ? Data(wire[..(at + length)], at, name, type, ttl) : new RawRecord(name, type, ttl, @class, wire.Slice(at, length).ToArray());
                if (record is null) return false;
                records.Add(record);
            }
            at += length;
        }
        return true;
    }

    /// <param name="wire">The message up to the end of the data: names may point back, but not run on.</param>
    static DnsRecord? Data(ReadOnlySpan<byte> wire, int at, string owner, DnsType type, uint ttl)
    {
        var data = wire[at..];
        switch (type)
        {
            case DnsType.A: // RFC 1035 3.4.1
                return data.Length == 4 ? new AddressRecord(owner, ttl, new IPAddress(data)) : null;
            case DnsType.Aaaa: // RFC 3596 2.2
                return data.Length == 16 ? new AddressRecord(owner, ttl, new IPAddress(data)) : null;
            case DnsType.Mx: // RFC 1035 3.3.9
                if (data.Length < 3) return null;
                var preference = UInt16(wire, at);
                at += 2;
                return DnsName.TryRead(wire, ref at, out var exchange) && at == wire.Length ? new ExchangeRecord(owner, ttl, preference, exchange) : null;
            case DnsType.Cname or DnsType.Ns or DnsType.Ptr: // RFC 1035 3.3.1, 3.3.11, 3.3.12
                return DnsName.TryRead(wire, ref at, out var target) && at == wire.Length ? new NameRecord(owner, type, ttl, target) : null;
            case DnsType.Txt:
                return Text(data, owner, ttl);
            case DnsType.Soa: // RFC 1035 3.3.13
                return DnsName.TryRead(wire, ref at, out var server) && DnsName.TryRead(wire, ref at, out var mailbox) && at + 20 == wire.Length
                    ? new AuthorityRecord(owner, ttl, server, mailbox, UInt32(wire, at), UInt32(wire, at + 4), UInt32(wire, at + 8), UInt32(wire, at + 12), UInt32(wire, at + 16))
                    : null;
            case DnsType.Tlsa: // RFC 6698 2.1
                return data.Length > 3 ? new TlsaRecord(owner, ttl, data[0], data[1], data[2], data[3..].ToArray()) : null;
            default:
                return new RawRecord(owner, type, ttl, 1, data.ToArray());
        }
    }

    // RFC 1035 3.3.14
    static TextRecord? Text(ReadOnlySpan<byte> data, string owner, uint ttl)
    {
        var strings = new List<byte[]>();
        while (!data.IsEmpty)
        {
            int length = data[0];
            if (length + 1 > data.Length) return null;
            strings.Add(data.Slice(1, length).ToArray());
            data = data[(length + 1)..];
        }
        return strings.Count > 0 ? new TextRecord(owner, ttl, strings) : null;
    }
}
