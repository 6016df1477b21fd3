using System.Buffers;
using System.Buffers.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>
/// Content-Transfer-Encodings (RFC 2045 6): decoders that take junk as it comes, and encoders that write straight into a buffer.
/// </summary>
public static class TransferEncoding
{
    /// <summary>Bytes of a line of base64: 57 make 76 characters (RFC 2045 6.8).</summary>
    const int Base64Line = 57;

    /// <summary>The decoded content; identity for 7bit, 8bit, binary and names that nobody knows (RFC 2045 6.4).</summary>
    public static byte[] Decode(ReadOnlySpan<byte> body, string encoding) => encoding switch
    {
        "base64" => Base64Bytes(body),
        "quoted-printable" => QuotedBytes(body),
        "x-uuencode" or "x-uue" or "uuencode" or "uue" => Uuencoded(body),
        _ => body.ToArray(),
    };

    /// <summary>
    /// Base64 with whatever line lengths; characters outside of the alphabet are skipped (RFC 2045 6.8), padding that fills a quantum
    /// ends it: mailing lists put footers behind. A "=" that fills none is junk.
    /// </summary>
    static byte[] Base64Bytes(ReadOnlySpan<byte> body)
    {
        var output = new byte[body.Length / 4 * 3 + 6];
        var length = 0;
        int bits = 0, count = 0, padding = 0;
        while (!body.IsEmpty)
        {
            var end = body.IndexOf((byte)'\n');
            var line = end < 0 ? body : body[..end];
            body = end < 0 ? default : body[(end + 1)..];
            line = line.TrimEnd(" \t\r"u8);
            if (line.IsEmpty) continue;
            // Whole quanta by the vectorised decoder; all else by hand
            if (count == 0 && (line.Length & 3) == 0 && Base64.DecodeFromUtf8(line, output.AsSpan(length), out _, out var written) == OperationStatus.Done)
            {
                length += written;
                if (line[^1] == '=') return output.AsSpan(0, length).ToArray();
                continue;
            }

            foreach (var b in line)
            {
                if (b == '=')
                {
                    if (count < 12 || count / 6 + ++padding < 4) continue;
                    body = default;
                    break;
                }

                var value = Value(b);
                if (value < 0) continue;
                padding = 0;
                bits = (bits << 6) | value;
                count += 6;
                if (count < 24) continue;
                output[length++] = (byte)(bits >> 16);
                output[length++] = (byte)(bits >> 8);
                output[length++] = (byte)bits;
                bits = count = 0;
            }
        }

        // A quantum that was cut off, or that padding ended
        if (count >= 12) output[length++] = (byte)(bits >> (count - 8));
        if (count >= 18) output[length++] = (byte)(bits >> (count - 16));
        return length == output.Length ? output : output.AsSpan(0, length).ToArray();
    }

    static int Value(byte b) => b switch
    {
        >= (byte)'A' and <= (byte)'Z' => b - 'A',
        >= (byte)'a' and <= (byte)'z' => b - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => b - '0' + 52,
        (byte)'+' => 62,
        (byte)'/' => 63,
        _ => -1,
    };

    // RFC 2045 6.7: white space at a line's end was added on the way (3); "=" that encodes nothing stays
    static byte[] QuotedBytes(ReadOnlySpan<byte> body)
    {
        var output = new byte[body.Length];
        int length = 0, floor = 0;
        while (true)
        {
            var next = body.IndexOfAny((byte)'=', (byte)'\n');
            var chunk = next < 0 ? body : body[..next];
            chunk.CopyTo(output.AsSpan(length));
            length += chunk.Length;
            if (next < 0)
            {
                TrimLine(output, ref length, floor);
                break;
            }

            if (body[next] == '\n')
            {
                var cr = next > 0 && body[next - 1] == '\r';
                if (cr) length--;
                TrimLine(output, ref length, floor);
                if (cr) output[length++] = (byte)'\r';
                output[length++] = (byte)'\n';
                floor = length;
                body = body[(next + 1)..];
                continue;
            }

            var rest = body[(next + 1)..];
            if (rest.Length >= 2 && EncodedWord.Hex(rest[0]) is >= 0 and var high && EncodedWord.Hex(rest[1]) is >= 0 and var low)
            {
                output[length++] = (byte)(high << 4 | low);
                floor = length;
                body = rest[2..];
                continue;
            }

            // A soft line break, perhaps with white space behind it
            var skip = 0;
            while (skip < Math.Min(80, rest.Length) && rest[skip] is ((byte)' ' or (byte)'\t')) skip++;
            if (skip < rest.Length && rest[skip] == '\r') skip++;
            if (skip == rest.Length || rest[skip] == '\n')
            {
                floor = length;
                body = skip == rest.Length ? default : rest[(skip + 1)..];
                continue;
            }

            output[length++] = (byte)'=';
            floor = length;
            body = rest;
        }

        return output.AsSpan(0, length).ToArray();
    }

    static void TrimLine(byte[] output, ref int length, int floor)
    {
        while (length > floor && output[length - 1] is ((byte)' ' or (byte)'\t')) length--;
    }

    static byte[] Uuencoded(ReadOnlySpan<byte> body)
    {
        var output = new List<byte>(body.Length * 3 / 4);
        var whole = body;
        var begun = false;
        while (!body.IsEmpty)
        {
            var end = body.IndexOf((byte)'\n');
            var line = (end < 0 ? body : body[..end]).TrimEnd("\r"u8);
            body = end < 0 ? default : body[(end + 1)..];
            if (!begun)
            {
                // POSIX uuencode: "begin", the mode in octal, the name
                begun = line.StartsWith("begin "u8) && line[6..].IndexOfAnyExceptInRange((byte)'0', (byte)'7') is > 0 and var mode && line[6 + mode] == ' ';
                continue;
            }

            if (line.TrimEnd(" \t"u8).SequenceEqual("end"u8)) break;
            if (line.IsEmpty) continue;
            var count = (line[0] - 32) & 63;
            for (var i = 1; count > 0 && i < line.Length; i += 4)
            {
                var bits = 0;
                for (var j = 0; j < 4; j++) bits = bits << 6 | (i + j < line.Length ? (line[i + j] - 32) & 63 : 0);
                for (var j = 16; j >= 0 && count > 0; j -= 8, count--) output.Add((byte)(bits >> j));
            }
        }

        return begun ? [.. output] : whole.ToArray();
    }

    /// <summary>Writes base64 in lines of 76 characters, each ended by CRLF (RFC 2045 6.8). May be called again after a multiple of 57 bytes.</summary>
    public static void WriteBase64(IBufferWriter<byte> output, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            // up to 64 lines a buffer
            var lines = Math.Min(64, (content.Length + Base64Line - 1) / Base64Line);
            var span = output.GetSpan(lines * 78);
            var length = 0;
            for (; lines > 0; lines--)
            {
                var take = Math.Min(Base64Line, content.Length);
                Base64.EncodeToUtf8(content[..take], span[length..], out _, out var written);
                length += written;
                span[length++] = (byte)'\r';
                span[length++] = (byte)'\n';
                content = content[take..];
            }

            output.Advance(length);
        }
    }

    /// <summary>The bytes that <see cref="WriteBase64"/> writes for content of this length.</summary>
    public static long Base64Length(long content) => (content + 2) / 3 * 4 + (content + Base64Line - 1) / Base64Line * 2;

    /// <summary>Writes text whose lines end in CRLF as quoted-printable, no line above 76 characters (RFC 2045 6.7).</summary>
    public static void WriteQuoted(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        var column = 0;
        while (!text.IsEmpty)
        {
            var take = Math.Min(text.Length, 4096);
            // never part a CR from its LF: the look ahead below needs both
            if (take < text.Length && text[take - 1] == '\r') take--;
            if (take == 0) take = 1;
            var span = output.GetSpan(take * 3 + take / 20 + 16);
            var length = 0;
            for (var i = 0; i < take; i++)
            {
                var b = text[i];
                if (b == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
                {
                    span[length++] = b;
                    span[length++] = (byte)'\n';
                    i++;
                    column = 0;
                    continue;
                }

                var last = i + 1 >= text.Length || text[i + 1] == '\r' && i + 2 < text.Length && text[i + 2] == '\n';
                // (3): white space may not end a line; "From " and "." at a line's start are mangled by mbox files and careless SMTP
                var plain = b is (>= (byte)'!' and <= (byte)'~') and not (byte)'=' || b is ((byte)' ' or (byte)'\t') && !last;
                if (plain && column == 0 && (b == '.' || b == 'F' && text[i..].StartsWith("From "u8))) plain = false;
                var width = plain ? 1 : 3;
                if (column + width > (last ? 76 : 75))
                {
                    span[length++] = (byte)'=';
                    span[length++] = (byte)'\r';
                    span[length++] = (byte)'\n';
                    column = 0;
                    if (plain && (b == '.' || b == 'F' && text[i..].StartsWith("From "u8))) (plain, width) = (false, 3);
                }

                if (plain) span[length++] = b;
                else
                {
                    span[length++] = (byte)'=';
                    span[length++] = (byte)"0123456789ABCDEF"[b >> 4];
                    span[length++] = (byte)"0123456789ABCDEF"[b & 15];
                }

                column += width;
            }

            output.Advance(length);
            text = text[take..];
        }
    }
}
