using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace CbaMail.MailAuth;

/// <summary>
/// SHA-256 of a canonicalized body (RFC 6376 3.4.3 and 3.4.4), fed in pieces of any size and never copied whole. Line ends are CRLF in
/// what is hashed even where the message has LF alone; a CR alone is a character as any other.
/// </summary>
public sealed class BodyHash : IDisposable
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly bool relaxed;
    readonly long[] limits;
    readonly byte[][] prefixes;
    readonly byte[] stage = new byte[4096];
    int staged;
    long digested;
    int nextLimit;
    long lines;      // line ends that are held back: those at the body's end do not count
    bool space;      // white space that counts only when something comes behind it in the line
    bool carriage;   // a CR whose LF may come with the next piece
    bool any;        // something was hashed
    byte[]? whole;

    /// <summary>A hash of the whole body and, where asked for, of its beginnings.</summary>
    /// <param name="lengths">Octets of the canonicalized body that further hashes cover (<c>l=</c>, RFC 6376 3.5).</param>
    public BodyHash(Canonicalization way, params IEnumerable<long> lengths)
    {
        relaxed = way == Canonicalization.Relaxed;
        limits = [.. lengths.Distinct().Order()];
        prefixes = new byte[limits.Length][];
        while (nextLimit < limits.Length && limits[nextLimit] <= 0) prefixes[nextLimit++] = hash.GetCurrentHash();
    }

    /// <summary>Octets of the canonicalized body so far; all of them after <see cref="Finish"/>.</summary>
    public long Length => digested + staged;

    /// <summary>The hash of a whole body.</summary>
    public static byte[] Of(ReadOnlySpan<byte> body, Canonicalization way)
    {
        using var hash = new BodyHash(way);
        hash.Append(body);
        return hash.Finish();
    }

    /// <summary>The hash of the first octets; null where the body is shorter or the length was not asked for.</summary>
    public byte[]? Prefix(long length)
    {
        var at = Array.BinarySearch(limits, length);
        return at < 0 ? null : prefixes[at];
    }

    /// <summary>The next piece of the body.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            if (!space && !carriage)
            {
                var count = Unchanged(piece);
                if (count > 0)
                {
                    AppendUnchanged(piece[..count]);
                    piece = piece[count..];
                    continue;
                }
            }

            Step(piece[0]);
            piece = piece[1..];
        }
    }

    /// <summary>The body is at its end.</summary>
    /// <returns>The hash of all of it.</returns>
    public byte[] Finish()
    {
        if (whole is not null) return whole;
        if (carriage) Content("\r"u8);
        // RFC 6376 3.4.3 and 3.4.4: one line end closes the body; relaxed, a body of nothing stays nothing
        if (any || !relaxed) Emit("\r\n"u8);
        Flush();
        return whole = hash.GetCurrentHash();
    }

    /// <summary>How many bytes at the front pass as they are; the last byte is never among them, for what follows it is not known.</summary>
    int Unchanged(ReadOnlySpan<byte> piece)
    {
        var at = 0;
        ref var first = ref MemoryMarshal.GetReference(piece);
        if (Vector256.IsHardwareAccelerated)
        {
            var (lf, cr, sp, tab) = (Vector256.Create((byte)'\n'), Vector256.Create((byte)'\r'), Vector256.Create((byte)' '), Vector256.Create((byte)'\t'));
            for (; at + Vector256<byte>.Count < piece.Length; at += Vector256<byte>.Count)
            {
                var here = Vector256.LoadUnsafe(ref first, (nuint)at);
                var next = Vector256.LoadUnsafe(ref first, (nuint)at + 1);
                var trouble = Vector256.AndNot(Vector256.Equals(next, lf), Vector256.Equals(here, cr));
                if (relaxed) trouble |= Vector256.Equals(here, tab) | Vector256.Equals(here, sp) & Vector256.LessThanOrEqual(next, sp);
                var bits = trouble.ExtractMostSignificantBits();
                if (bits != 0) return FirstUnchanged(piece, at + BitOperations.TrailingZeroCount(bits));
            }
        }

        for (; at + 1 < piece.Length; at++)
        {
            var (here, next) = (piece[at], piece[at + 1]);
            if (next == '\n' && here != '\r' || relaxed && (here == '\t' || here == ' ' && next <= ' ')) break;
        }

        return FirstUnchanged(piece, at);
    }

    /// <summary>A line that begins with LF alone has no byte before it in which the vectors could see it.</summary>
    static int FirstUnchanged(ReadOnlySpan<byte> piece, int count) => piece[0] == '\n' ? 0 : count;

    void AppendUnchanged(ReadOnlySpan<byte> run)
    {
        if (run[^1] == '\r')
        {
            carriage = true;
            run = run[..^1];
        }

        long ends = 0;
        while (run.EndsWith("\r\n"u8))
        {
            run = run[..^2];
            ends++;
        }

        if (!run.IsEmpty) Content(run);
        lines += ends;
    }

    void Step(byte b)
    {
        if (carriage)
        {
            carriage = false;
            if (b == '\n')
            {
                LineEnd();
                return;
            }

            Content("\r"u8);
        }

        switch (b)
        {
            case (byte)'\r': carriage = true; break;
            case (byte)'\n': LineEnd(); break;
            case (byte)' ' or (byte)'\t' when relaxed: space = true; break;
            default: Content([b]); break;
        }
    }

    void LineEnd()
    {
        space = false;
        lines++;
    }

    void Content(ReadOnlySpan<byte> text)
    {
        for (; lines > 0; lines--) Emit("\r\n"u8);
        if (space) Emit(" "u8);
        space = false;
        any = true;
        Emit(text);
    }

    void Emit(ReadOnlySpan<byte> text)
    {
        if (text.Length >= stage.Length - staged) Flush();
        if (text.Length < stage.Length)
        {
            text.CopyTo(stage.AsSpan(staged));
            staged += text.Length;
        }
        else Digest(text);
    }

    void Flush()
    {
        var text = stage.AsSpan(0, staged);
        staged = 0;
        Digest(text);
    }

    void Digest(ReadOnlySpan<byte> text)
    {
        while (nextLimit < limits.Length && limits[nextLimit] <= digested + text.Length)
        {
            var part = (int)(limits[nextLimit] - digested);
            hash.AppendData(text[..part]);
            text = text[part..];
            digested += part;
            prefixes[nextLimit++] = hash.GetCurrentHash();
        }

        if (!text.IsEmpty) hash.AppendData(text);
        digested += text.Length;
    }

    public void Dispose() => hash.Dispose();
}
