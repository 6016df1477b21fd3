using System.Buffers;
using System.Buffers.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>
/// Takes a Content-Transfer-Encoding off piece by piece, in bounded memory; it gives what <see cref="TransferEncoding.Decode"/> gives at once.
/// A value: a copy of it goes on from the same place.
/// </summary>
public struct TransferDecoder
{
    /// <summary>White space at the end of a line that is waited for; of more than that, some is content.</summary>
    const int MostSpace = 2000;

    enum Kind : byte { Identity, Base64, Quoted }

    Kind kind;
    int bits, count, padding;

    /// <summary>Whether pieces come out as they go in.</summary>
    public readonly bool IsIdentity => kind == Kind.Identity;

    /// <summary>Padding has ended the content: what follows is none of it.</summary>
    public bool Ended { get; private set; }

    /// <summary>A decoder for the encoding, or false where nobody knows how to decode it (RFC 3516 4.3).</summary>
    public static bool TryCreate(string encoding, out TransferDecoder decoder)
    {
        decoder = default;
        switch (encoding)
        {
            case "7bit" or "8bit" or "binary" or "": return true;
            case "base64": decoder.kind = Kind.Base64; return true;
            case "quoted-printable": decoder.kind = Kind.Quoted; return true;
            default: return false; // RFC 2045 6.4: an encoding that is not known makes the content application/octet-stream
        }
    }

    /// <summary>Decodes a piece. What is not consumed has to come again, before what follows.</summary>
    /// <param name="output">At least four bytes longer than the piece.</param>
    /// <param name="final">Nothing follows; then all is consumed.</param>
    /// <returns>Bytes written.</returns>
    public int Decode(ReadOnlySpan<byte> piece, Span<byte> output, bool final, out int consumed)
    {
        if (kind == Kind.Quoted) return Quoted(piece, output, final, out consumed);
        consumed = piece.Length;
        if (kind == Kind.Base64) return Base64Piece(piece, output, final);
        piece.CopyTo(output);
        return piece.Length;
    }

    // RFC 2045 6.8
    int Base64Piece(ReadOnlySpan<byte> piece, Span<byte> output, bool final)
    {
        var length = 0;
        while (!piece.IsEmpty && !Ended)
        {
            var end = piece.IndexOf((byte)'\n');
            var line = end < 0 ? piece : piece[..end];
            piece = end < 0 ? default : piece[(end + 1)..];
            line = line.TrimEnd(" \t\r"u8);
            if (count == 0)
            {
                // whole quanta by the vectorised decoder; all else by hand
                var whole = line[..(line.Length & ~3)];
                if (!whole.IsEmpty && Base64.DecodeFromUtf8(whole, output[length..], out _, out var written) == OperationStatus.Done)
                {
                    length += written;
                    Ended = whole.Contains((byte)'=');
                    line = Ended ? default : line[whole.Length..];
                }
            }
            foreach (var b in line)
            {
                if (Add(b, output, ref length)) continue;
                Ended = true;
                break;
            }
        }
        if (!final && !Ended) return length;
        // a quantum that was cut off, or that padding ended
        if (count >= 12) output[length++] = (byte)(bits >> (count - 8));
        if (count >= 18) output[length++] = (byte)(bits >> (count - 16));
        count = 0;
        return length;
    }

    // false where padding fills the quantum; a "=" that fills none is junk
    bool Add(byte b, Span<byte> output, ref int length)
    {
        if (b == '=') return count < 12 || count / 6 + ++padding < 4;
        var value = Value(b);
        if (value < 0) return true;
        padding = 0;
        bits = (bits << 6) | value;
        count += 6;
        if (count < 24) return true;
        output[length++] = (byte)(bits >> 16);
        output[length++] = (byte)(bits >> 8);
        output[length++] = (byte)bits;
        bits = count = 0;
        return true;
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
    static int Quoted(ReadOnlySpan<byte> piece, Span<byte> output, bool final, out int consumed)
    {
        var (at, length) = (0, 0);
        while (at < piece.Length)
        {
            var rest = piece[at..];
            var next = rest.IndexOfAny((byte)'=', (byte)'\n');
            var chunk = next < 0 ? rest : rest[..next];
            if (next < 0)
            {
                var sure = chunk.TrimEnd(" \t"u8).Length;
                if (!final)
                {
                    if (sure > 0 && chunk[sure - 1] == '\r') sure = chunk[..(sure - 1)].TrimEnd(" \t"u8).Length;
                    if (chunk.Length - sure > MostSpace) sure = chunk.Length;
                }
                Put(chunk[..sure], output, ref length);
                at += final ? chunk.Length : sure;
                break;
            }
            if (rest[next] == '\n')
            {
                var cr = next > 0 && rest[next - 1] == '\r';
                Put((cr ? chunk[..^1] : chunk).TrimEnd(" \t"u8), output, ref length);
                if (cr) output[length++] = (byte)'\r';
                output[length++] = (byte)'\n';
                at += next + 1;
                continue;
            }
            var step = Escape(rest[(next + 1)..], final, out var decoded);
            Put(chunk, output, ref length);
            if (step < 0) { at += next; break; } // what follows decides
            if (decoded >= 0) output[length++] = (byte)decoded;
            at += next + 1 + step;
        }
        consumed = at;
        return length;
    }

    /// <summary>What follows a "=": how many bytes belong to it, or -1 where more has to be seen, and what it stands for, or -1 for nothing.</summary>
    static int Escape(ReadOnlySpan<byte> rest, bool final, out int decoded)
    {
        decoded = -1;
        if (rest.Length >= 2 && EncodedWord.Hex(rest[0]) is >= 0 and var high && EncodedWord.Hex(rest[1]) is >= 0 and var low)
        {
            decoded = high << 4 | low;
            return 2;
        }
        if (!final && (rest.IsEmpty || rest.Length == 1 && EncodedWord.Hex(rest[0]) >= 0)) return -1;
        // a soft line break, perhaps with white space behind it
        var skip = 0;
        while (skip < Math.Min(80, rest.Length) && rest[skip] is ((byte)' ' or (byte)'\t')) skip++;
        if (skip < rest.Length && rest[skip] == '\r') skip++;
        if (skip == rest.Length) return final ? skip : -1;
        if (rest[skip] == '\n') return skip + 1;
        decoded = '=';
        return 0;
    }

    static void Put(ReadOnlySpan<byte> bytes, Span<byte> output, ref int length)
    {
        bytes.CopyTo(output[length..]);
        length += bytes.Length;
    }
}
