using System.Buffers.Binary;

namespace CbaMail.Dns;

/// <summary>Writes messages of DNS, with compressed names (RFC 1035 4.1.4). What is written reads back as what was given.</summary>
public static class DnsWriter
{
    /// <exception cref="ArgumentException">A name or a string is too long, or the message has more than 65,535 octets.</exception>
    public static byte[] Write(DnsMessage message)
    {
        var output = new Output();
        output.UInt16(message.Id);
        var code = (int)message.Code;
        output.UInt16((message.IsResponse ? 0x8000 : 0) | (message.Opcode & 15) << 11 | (message.Authoritative ? 0x400 : 0) | (message.Truncated ? 0x200 : 0)
            | (message.RecursionDesired ? 0x100 : 0) | (message.RecursionAvailable ? 0x80 : 0) | (message.AuthenticData ? 0x20 : 0)
            | (message.CheckingDisabled ? 0x10 : 0) | code & 15);
        output.UInt16(message.Questions.Count);
        output.UInt16(message.Answers.Count);
        output.UInt16(message.Authority.Count);
        output.UInt16(message.Additional.Count + (message.Edns is null ? 0 : 1));
        foreach (var question in message.Questions)
        {
            output.Name(question.Name, compress: true);
            output.UInt16((int)question.Type);
            output.UInt16(question.Class);
        }
        foreach (var record in message.Answers) Record(output, record);
        foreach (var record in message.Authority) Record(output, record);
        foreach (var record in message.Additional) Record(output, record);
        if (message.Edns is { } edns)
        {
            // RFC 6891 6.1.2
            output.Bytes([0]);
            output.UInt16((int)DnsType.Opt);
            output.UInt16(edns.UdpSize);
            output.UInt32((uint)(code >> 4) << 24 | (uint)edns.Version << 16 | (edns.DnssecOk ? 0x8000u : 0));
            output.UInt16(0);
        }
        return output.ToArray();
    }

    static void Record(Output output, DnsRecord record)
    {
        output.Name(record.Name, compress: true);
        output.UInt16((int)record.Type);
        output.UInt16(record is RawRecord other ? other.Class : 1);
        output.UInt32(record.Ttl);
        var length = output.Reserve();
        switch (record)
        {
            case AddressRecord address:
                output.Bytes(address.Address.GetAddressBytes());
                break;
            case ExchangeRecord exchange:
                output.UInt16(exchange.Preference);
                output.Name(exchange.Exchange, compress: true);
                break;
            case NameRecord name:
                output.Name(name.Target, compress: true);
                break;
            case TextRecord text:
                foreach (var part in text.Strings)
                {
                    if (part.Length > 255) throw new ArgumentException("A string of a TXT record is longer than 255 octets", nameof(record));
                    output.Bytes([(byte)part.Length]);
                    output.Bytes(part);
                }
                break;
            case AuthorityRecord soa:
                output.Name(soa.Server, compress: true);
                output.Name(soa.Mailbox, compress: true);
                foreach (var value in (ReadOnlySpan<uint>)[soa.Serial, soa.Refresh, soa.Retry, soa.Expire, soa.Minimum]) output.UInt32(value);
                break;
            case TlsaRecord tlsa:
                output.Bytes([tlsa.Usage, tlsa.Selector, tlsa.Matching]);
                output.Bytes(tlsa.Data.Span);
                break;
            case RawRecord raw:
                output.Bytes(raw.Data.Span);
                break;
        }
        output.Close(length);
    }

    sealed class Output
    {
        byte[] buffer = new byte[512];
        int length;
        // whole suffixes in wire form, case kept: reading must give back what was written
        readonly Dictionary<string, int> suffixes = new(StringComparer.Ordinal);

        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            if (length + bytes.Length > ushort.MaxValue) throw new ArgumentException("The message is longer than 65,535 octets");
            if (length + bytes.Length > buffer.Length) Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes.Length));
            bytes.CopyTo(buffer.AsSpan(length));
            length += bytes.Length;
        }

        public void UInt16(int value)
        {
            Span<byte> bytes = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)value));
            Bytes(bytes);
        }

        public void UInt32(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
            Bytes(bytes);
        }

        public int Reserve()
        {
            UInt16(0);
            return length;
        }

        public void Close(int start) => BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(start - 2), checked((ushort)(length - start)));

        public void Name(string name, bool compress)
        {
            if (!DnsName.TryEncode(name, out var wire)) throw new ArgumentException($"'{name}' is no name of DNS", nameof(name));
            for (var at = 0; wire[at] != 0; at += wire[at] + 1)
            {
                var suffix = Convert.ToHexString(wire.AsSpan(at));
                if (compress && suffixes.TryGetValue(suffix, out var known))
                {
                    UInt16(0xc000 | known);
                    return;
                }
                if (length <= 0x3fff) suffixes.TryAdd(suffix, length);
                Bytes(wire.AsSpan(at, wire[at] + 1));
            }
            Bytes([0]);
        }

        public byte[] ToArray() => buffer[..length];
    }
}
