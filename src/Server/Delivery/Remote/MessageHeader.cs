using System.Text;
using CbaMail.Mailboxes;

namespace CbaMail.Delivery.Remote;

/// <summary>What the header of a message says to those who carry it.</summary>
/// <param name="Hops">Received fields (RFC 5321 6.3).</param>
/// <param name="Relaxed">"TLS-Required: No" (RFC 8689 3).</param>
/// <param name="HasUtf8">Bytes beyond ASCII (RFC 6532).</param>
internal readonly record struct MessageHeader(int Hops, bool Relaxed, bool HasUtf8)
{
    const int MaxHeader = 64 * 1024;

    public static MessageHeader Of(MessageContent content)
    {
        var header = Bounce.Header(content.Read(0, (int)Math.Min(content.Size, MaxHeader))).Span;
        var (hops, relaxed) = (0, false);
        // by lines: a malformed field must not hide those behind it
        for (var rest = header; !rest.IsEmpty;)
        {
            if (Starts(rest, "received:"u8)) hops++;
            var end = rest.IndexOf((byte)'\n');
            if (Starts(rest, "tls-required:"u8)) relaxed |= Ascii.EqualsIgnoreCase((end < 0 ? rest : rest[..end])[13..].Trim(" \t\r\n"u8), "no"u8);
            rest = end < 0 ? [] : rest[(end + 1)..];
        }
        return new MessageHeader(hops, relaxed, header.ContainsAnyExceptInRange((byte)0, (byte)127));
    }

    static bool Starts(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) => line.Length >= name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name);
}
