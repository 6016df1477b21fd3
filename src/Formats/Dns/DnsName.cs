using System.Text;

namespace CbaMail.Dns;

/// <summary>
/// Domain names of DNS (RFC 1035 3.1): text without a final dot, "." for the root; bytes that are no plain character
/// of a host name stand as \DDD or with a backslash (RFC 1035 5.1).
/// </summary>
public static class DnsName
{
    /// <summary>RFC 1035 2.3.4: octets of a name on the wire, the root's zero included.</summary>
    public const int MaxLength = 255;
    /// <summary>RFC 1035 2.3.4.</summary>
    public const int MaxLabel = 63;

    // A legal chain needs one pointer a label at most; more is an attack on our time.
    const int MaxPointers = 127;

    /// <summary>Reads a name at <paramref name="position"/> and moves it behind the name. Never throws.</summary>
    /// <param name="message">The whole message: pointers count from its start (RFC 1035 4.1.4).</param>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int position, out string name)
    {
        name = "";
        var text = new StringBuilder();
        var at = position;
        var lowest = position; // a pointer must go back before everything read so far: no loop is possible
        var length = 1;
        var pointers = 0;
        var jumped = false;
        while (true)
        {
            if ((uint)at >= (uint)message.Length) return false;
            var count = message[at];
            switch (count & 0xc0)
            {
                case 0xc0: // RFC 1035 4.1.4
                    if (at + 1 >= message.Length || ++pointers > MaxPointers) return false;
                    var target = (count & 0x3f) << 8 | message[at + 1];
                    if (!jumped) position = at + 2;
                    jumped = true;
                    if (target >= lowest) return false;
                    at = lowest = target;
                    continue;
                case 0x00:
                    break;
                default:
                    return false; // RFC 6891 5: extended label types are out of use
            }
            if (count == 0)
            {
                if (!jumped) position = at + 1;
                name = text.Length == 0 ? "." : text.ToString();
                return true;
            }
            length += count + 1;
            if (length > MaxLength || at + 1 + count > message.Length) return false;
            if (text.Length > 0) text.Append('.');
            foreach (var b in message.Slice(at + 1, count)) AppendByte(text, b);
            at += count + 1;
        }
    }

    static void AppendByte(StringBuilder text, byte b)
    {
        if (b is (byte)'.' or (byte)'\\' or (byte)'"') text.Append('\\').Append((char)b);
        else if (b is > 0x20 and < 0x7f) text.Append((char)b);
        else text.Append('\\').Append(b.ToString("d3", System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>The wire form without compression, or false where the text is no name.</summary>
    public static bool TryEncode(ReadOnlySpan<char> name, out byte[] wire)
    {
        wire = [];
        if (name is "." or "") { wire = [0]; return name.Length == 1; }
        Span<byte> buffer = stackalloc byte[MaxLength];
        var at = 1;
        var label = 0;
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (c == '.')
            {
                if (!Close(buffer, label, at)) return false;
                if (i == name.Length - 1) { label = at; break; } // a final dot is allowed
                label = at++;
                if (at >= MaxLength) return false;
                continue;
            }
            if (c == '\\')
            {
                if (i + 1 >= name.Length) return false;
                if (char.IsAsciiDigit(name[i + 1]))
                {
                    if (i + 3 >= name.Length || !byte.TryParse(name.Slice(i + 1, 3), System.Globalization.NumberStyles.None, null, out var value)) return false;
                    c = (char)value;
                    i += 3;
                }
                else c = name[++i];
            }
            if (c > 0xff || at >= MaxLength - 1) return false;
            buffer[at++] = (byte)c;
        }
        if (label != at && !Close(buffer, label, at)) return false;
        buffer[at++] = 0;
        wire = buffer[..at].ToArray();
        return true;
    }

    static bool Close(Span<byte> buffer, int label, int at)
    {
        var length = at - label - 1;
        if (length is 0 or > MaxLabel) return false;
        buffer[label] = (byte)length;
        return true;
    }

    /// <summary>Whether two names are the same (RFC 4343: ASCII case does not count).</summary>
    public static bool Same(string a, string b) => string.Equals(a.TrimEndDot(), b.TrimEndDot(), StringComparison.OrdinalIgnoreCase);

    static string TrimEndDot(this string name) => name.Length > 1 && name[^1] == '.' && name[^2] != '\\' ? name[..^1] : name;

    /// <summary>The name under which the name of an address is looked up (RFC 1035 3.5, RFC 3596 2.5).</summary>
    public static string Reverse(System.Net.IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var text = new StringBuilder();
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            if (bytes.Length == 4) text.Append(bytes[i]).Append('.');
            else text.Append((bytes[i] & 15).ToString("x")).Append('.').Append((bytes[i] >> 4).ToString("x")).Append('.');
        }
        return text.Append(bytes.Length == 4 ? "in-addr.arpa" : "ip6.arpa").ToString();
    }
}
