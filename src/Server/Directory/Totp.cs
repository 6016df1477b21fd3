using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Directory;

/// <summary>One-time passwords by time (RFC 6238 over RFC 4226): SHA-1, six digits, steps of 30 seconds, which is what authenticator apps know.</summary>
internal static class Totp
{
    public const int KeyBytes = 20; // RFC 4226: 160 bits are recommended
    const int Window = 1; // steps before and behind: clocks differ, and people type slowly
    const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648

    public static long StepOf(DateTimeOffset moment) => moment.ToUnixTimeSeconds() / 30;

    public static string Code(byte[] key, long step)
    {
        Span<byte> counter = stackalloc byte[8], digest = stackalloc byte[HMACSHA1.HashSizeInBytes];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        HMACSHA1.HashData(key, counter, digest);
        // RFC 4226: dynamic truncation
        var number = BinaryPrimitives.ReadUInt32BigEndian(digest[(digest[^1] & 0xf)..]) & 0x7fff_ffff;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step that the code is of, or null; looks at all of them, however soon one fits.</summary>
    /// <param name="after">Codes up to this step are used up.</param>
    public static long? Match(byte[] key, string code, DateTimeOffset now, long after)
    {
        long? found = null;
        var typed = Encoding.UTF8.GetBytes(code);
        for (var step = StepOf(now) - Window; step <= StepOf(now) + Window; step++)
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(key, step)), typed) && step > after) found = step;
        return found;
    }

    /// <summary>As it is typed into an app.</summary>
    public static string Show(byte[] key) =>
        string.Concat(Enumerable.Range(0, key.Length * 8 / 5).Select(at =>
        {
            var pair = (key[at * 5 / 8] << 8) | (at * 5 / 8 + 1 < key.Length ? key[at * 5 / 8 + 1] : 0);
            return Letters[(pair >> (11 - at * 5 % 8)) & 31];
        }));

    /// <summary>What apps read out of a QR code (Key Uri Format).</summary>
    public static string Link(string issuer, string account, byte[] key) =>
        $"otpauth://totp/{Uri.EscapeDataString(issuer)}:{Uri.EscapeDataString(account)}?secret={Show(key)}&issuer={Uri.EscapeDataString(issuer)}";
}
