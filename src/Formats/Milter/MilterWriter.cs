using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace CbaMail.Milter;

/// <summary>
/// Writes packets of the server's side: a 32-bit length, the command, its data. Texts end with NUL, so that one in a text becomes a space;
/// data that would not fit into a packet are cut (a header field of more than 64 KiB: the milter would hang up).
/// </summary>
public sealed class MilterWriter(IBufferWriter<byte> output)
{
    /// <summary>Bytes of data that a packet may hold; see <see cref="MilterTerms.PacketSize"/>.</summary>
    public int PacketSize { get; set; } = (64 << 10) - 1;

    /// <summary>A command without data.</summary>
    public void Write(MilterCommand command) => Begin(command, 0);

    public void Negotiate(MilterTerms terms)
    {
        var data = Begin(MilterCommand.Negotiate, 12);
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)terms.Version);
        BinaryPrimitives.WriteUInt32BigEndian(data[4..], (uint)terms.Actions);
        BinaryPrimitives.WriteUInt32BigEndian(data[8..], (uint)terms.Steps);
        output.Advance(12);
    }

    /// <summary>Values of macros for the command that follows; nothing where there are none.</summary>
    public void Macros(MilterCommand command, IReadOnlyList<(string Name, string Value)> values)
    {
        if (values.Count == 0) return;
        var texts = new byte[values.Count * 2][];
        var (length, count) = (1, 0);
        foreach (var (name, value) in values)
        {
            var (first, second) = (Bytes(name), Bytes(value));
            if (length + first.Length + second.Length + 2 > PacketSize) break;
            (texts[count], texts[count + 1]) = (first, second);
            length += first.Length + second.Length + 2;
            count += 2;
        }
        var data = Begin(MilterCommand.Macro, length);
        data[0] = (byte)command;
        Fill(data[1..], texts.AsSpan(0, count));
        output.Advance(length);
    }

    /// <param name="name">The client's host name, or its address in brackets.</param>
    /// <param name="address">As text; not sent for an unknown family.</param>
    public void Connect(string name, MilterFamily family, int port, string address)
    {
        var (first, second) = (Bytes(name), Bytes(address));
        var known = family != MilterFamily.Unknown;
        var length = first.Length + 2 + (known ? 2 + second.Length + 1 : 0);
        var data = Begin(MilterCommand.Connect, length);
        first.CopyTo(data);
        data[first.Length] = 0;
        data[first.Length + 1] = (byte)family;
        if (known)
        {
            BinaryPrimitives.WriteUInt16BigEndian(data[(first.Length + 2)..], (ushort)port);
            Fill(data[(first.Length + 4)..], [second]);
        }
        output.Advance(length);
    }

    /// <summary>A command with texts: HELO's name; a path in brackets and its parameters.</summary>
    public void Texts(MilterCommand command, params ReadOnlySpan<string> texts)
    {
        var all = new byte[texts.Length][];
        var (length, count) = (0, 0);
        foreach (var text in texts)
        {
            var bytes = Bytes(text);
            if (length + bytes.Length + 1 > PacketSize) break;
            all[count++] = bytes;
            length += bytes.Length + 1;
        }
        Fill(Begin(command, length), all.AsSpan(0, count));
        output.Advance(length);
    }

    /// <summary>
    /// A header field: lines of a folded value are separated by LF alone, the last one has no line end.
    /// Without <paramref name="leadingSpace"/> one space behind the colon is not sent.
    /// </summary>
    /// <param name="value">Everything behind the colon, with its line end, as it stands in the message.</param>
    public void Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool leadingSpace)
    {
        if (!leadingSpace && value.Length > 0 && value[0] == ' ') value = value[1..];
        value = value.TrimEnd("\r\n"u8);
        if (name.Length > PacketSize - 2) name = name[..(PacketSize - 2)];
        if (value.Length > PacketSize - name.Length - 2) value = value[..(PacketSize - name.Length - 2)];
        var length = name.Length + value.Length + 2 - CarriageReturns(value);
        var data = Begin(MilterCommand.Header, length);
        name.CopyTo(data);
        data[name.Length] = 0;
        var at = name.Length + 1;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\r' && i + 1 < value.Length && value[i + 1] == '\n') continue;
            data[at++] = value[i] == 0 ? (byte)' ' : value[i];
        }
        data[at] = 0;
        output.Advance(length);
    }

    /// <summary>A piece of the body, at most <see cref="PacketSize"/> bytes.</summary>
    public void Body(ReadOnlySpan<byte> piece)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(piece.Length, PacketSize);
        piece.CopyTo(Begin(MilterCommand.Body, piece.Length));
        output.Advance(piece.Length);
    }

    Span<byte> Begin(MilterCommand command, int length)
    {
        var head = output.GetSpan(5);
        BinaryPrimitives.WriteUInt32BigEndian(head, (uint)length + 1);
        head[4] = (byte)command;
        output.Advance(5);
        return length == 0 ? default : output.GetSpan(length)[..length];
    }

    static byte[] Bytes(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        bytes.AsSpan().Replace((byte)0, (byte)' ');
        return bytes;
    }

    static void Fill(Span<byte> data, ReadOnlySpan<byte[]> texts)
    {
        var at = 0;
        foreach (var text in texts)
        {
            text.CopyTo(data[at..]);
            at += text.Length;
            data[at++] = 0;
        }
    }

    static int CarriageReturns(ReadOnlySpan<byte> value)
    {
        var count = 0;
        for (var at = value.IndexOf("\r\n"u8); at >= 0;)
        {
            count++;
            var next = value[(at + 2)..].IndexOf("\r\n"u8);
            at = next < 0 ? -1 : at + 2 + next;
        }
        return count;
    }

    /// <summary>The text of a client's address, and its family.</summary>
    public static (MilterFamily Family, string Text) Address(System.Net.IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) return (MilterFamily.Inet, address.ToString());
        // a scope ("%eth0") means nothing elsewhere
        return (MilterFamily.Inet6, new System.Net.IPAddress(address.GetAddressBytes()).ToString().ToLower(CultureInfo.InvariantCulture));
    }
}
