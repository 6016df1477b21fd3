using System.Buffers;
using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// Messages with NUL octets in them, which only IMAP's BINARY and SMTP's BINARYMIME can carry: parts that hold some become base64, so that every
/// client can be given the message (RFC 3516 4.4, 6). All others stay octet by octet, for signatures hold over them.
/// </summary>
public static class NulEncoding
{
    /// <summary>Writes the message anew.</summary>
    /// <returns>False where a NUL stands elsewhere than in the body of a part without encoding; what was written is then of no use.</returns>
    public static bool TryWrite(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        long at = 0;
        foreach (var part in MimeTree.Parse(message).Walk())
        {
            if (part.Children.Count > 0 || !part.Body(message).Contains((byte)0)) continue;
            if (part.IsMultipart || part.Encoding is not ("7bit" or "8bit" or "binary" or "")) return false;
            if (!Keep(message, ref at, part.HeaderOffset, output)) return false;
            if (!WriteHeader(message[(int)part.HeaderOffset..(int)part.BodyOffset], output)) return false;
            TransferEncoding.WriteBase64(output, part.Body(message));
            at = part.BodyOffset + part.BodyLength;
        }
        return Keep(message, ref at, message.Length, output);
    }

    static bool Keep(ReadOnlySpan<byte> message, ref long at, long end, IBufferWriter<byte> output)
    {
        var kept = message[(int)at..(int)end];
        at = end;
        if (kept.Contains((byte)0)) return false;
        output.Write(kept);
        return true;
    }

    // RFC 2045 6.1: the part's own field, in place of what it had
    static bool WriteHeader(ReadOnlySpan<byte> header, IBufferWriter<byte> output)
    {
        if (header.Contains((byte)0)) return false;
        var kept = 0;
        var reader = new HeaderReader(header);
        var last = 0;
        while (reader.Next(out var field))
        {
            last = field.End;
            if (!Ascii.EqualsIgnoreCase(header.Slice(field.Start, field.NameLength), "Content-Transfer-Encoding"u8)) continue;
            output.Write(header[kept..field.Start]);
            kept = field.End;
        }
        output.Write(header[kept..last]);
        output.Write("Content-Transfer-Encoding: base64\r\n"u8);
        if (last == header.Length) output.Write("\r\n"u8); // the body began without an empty line
        output.Write(header[last..]);
        return true;
    }
}
