using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.MailAuth;

/// <summary>
/// Gathers canonicalized header fields and hashes them (RFC 6376 3.4.1, 3.4.2 and 3.7). Line ends are CRLF in what is hashed whatever
/// they are in the message: RFC 6376 3.4 assumes that they are, and a message out of a file may have LF.
/// </summary>
sealed class HeaderHash : IDisposable
{
    byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
    int length;

    /// <summary>What was gathered.</summary>
    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, length);

    /// <summary>Forgets what was gathered.</summary>
    public void Reset() => length = 0;

    /// <summary>Forgets what was gathered behind a length that <see cref="Written"/> once had.</summary>
    public void Truncate(int to) => length = to;

    /// <summary>A field that was just written, its value of <c>b=</c> empty, without the line end.</summary>
    public void AppendOwn(string field, Canonicalization way)
    {
        var bytes = Encoding.UTF8.GetBytes(field);
        var name = field.IndexOf(':', StringComparison.Ordinal);
        Append(bytes, name, name + 1, way);
        length -= 2;
    }

    /// <summary>SHA-256 of what was gathered.</summary>
    public byte[] Hash() => SHA256.HashData(Written);

    /// <summary>One field with its name, from its first byte to its line end, which is added where it is missing.</summary>
    /// <param name="nameLength">Bytes of the name, without the colon and white space before it.</param>
    public void Append(ReadOnlySpan<byte> field, int nameLength, int valueStart, Canonicalization way)
    {
        Reserve(field.Length * (way == Canonicalization.Simple ? 2 : 1) + 2);
        if (way == Canonicalization.Relaxed)
        {
            Lower(field[..nameLength]);
            buffer[length++] = (byte)':';
            Relaxed(field[valueStart..]);
        }
        else Simple(field);
        buffer[length++] = (byte)'\r';
        buffer[length++] = (byte)'\n';
    }

    /// <summary>
    /// The field of the signature itself: with nothing behind <c>b=</c>, white space around the value gone with it, and without the
    /// line end (RFC 6376 3.7).
    /// </summary>
    /// <param name="from">Where in the field the value of <c>b=</c> begins, right behind the equals sign.</param>
    /// <param name="to">Where it ends: at the semicolon or the end of the field.</param>
    public void AppendSignature(ReadOnlySpan<byte> field, int nameLength, int valueStart, int from, int to, Canonicalization way)
    {
        var bare = ArrayPool<byte>.Shared.Rent(field.Length);
        field[..from].CopyTo(bare);
        field[to..].CopyTo(bare.AsSpan(from));
        Append(bare.AsSpan(0, field.Length - (to - from)), nameLength, valueStart, way);
        ArrayPool<byte>.Shared.Return(bare);
        length -= 2;
    }

    void Lower(ReadOnlySpan<byte> name)
    {
        foreach (var b in name) buffer[length++] = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
    }

    void Relaxed(ReadOnlySpan<byte> value)
    {
        var start = length;
        while (!value.IsEmpty)
        {
            var run = value.IndexOfAny(" \t\r\n"u8);
            if (run < 0) run = value.Length;
            value[..run].CopyTo(buffer.AsSpan(length));
            length += run;
            value = value[run..];
            var space = false;
            while (!value.IsEmpty)
            {
                var b = value[0];
                if (b is (byte)' ' or (byte)'\t') space = true;
                // RFC 6376 3.4.2: a fold is unfolded, its white space stays; a CR alone is a character as any other
                else if (b == '\r' && value.Length > 1 && value[1] == '\n') value = value[1..];
                else if (b != '\n') break;
                value = value[1..];
            }

            if (value.IsEmpty) break;
            if (space && length > start) buffer[length++] = (byte)' ';
            if (value[0] != '\r') continue;
            buffer[length++] = (byte)'\r';
            value = value[1..];
        }
    }

    void Simple(ReadOnlySpan<byte> field)
    {
        if (field.EndsWith("\n"u8)) field = field[..^(field.EndsWith("\r\n"u8) ? 2 : 1)];
        while (true)
        {
            var end = field.IndexOf((byte)'\n');
            var line = end < 0 ? field : field[..end];
            line.CopyTo(buffer.AsSpan(length));
            length += line.Length;
            if (end < 0) return;
            if (line.IsEmpty || line[^1] != '\r') buffer[length++] = (byte)'\r';
            buffer[length++] = (byte)'\n';
            field = field[(end + 1)..];
        }
    }

    void Reserve(int count)
    {
        if (buffer.Length - length >= count) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length + count, buffer.Length * 2));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        length = 0;
    }
}
