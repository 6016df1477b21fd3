using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Envelope;

/// <summary>
/// The Sender Rewriting Scheme: the reverse-path of forwarded mail becomes an address of the forwarder, so that SPF (RFC 7208 2.4) of the
/// next server finds the forwarder's domain, and a bounce comes back through it. SRS0 holds the sender's address, SRS1 that of a first
/// forwarder: a chain grows no further.
/// </summary>
/// <remarks>
/// The addresses read <c>SRS0=mac=day=domain=local@forwarder</c>. Letters' case may be lost on the way: the MAC is in base32 and
/// is taken over lower case, so a local part whose case matters is bounced to in lower case.
/// </remarks>
public static class SenderRewriting
{
    /// <summary>A rewritten address leads back for so long; bounces come within the days that other servers keep trying.</summary>
    public const int Days = 21;

    const string Digits = "abcdefghijklmnopqrstuvwxyz234567";
    const int MacLength = 8;
    const int DayRange = 32 * 32;

    /// <summary>The reverse-path under which the forwarder passes mail of the sender on.</summary>
    /// <param name="day">Days since 1970.</param>
    /// <returns>Null where it would be longer than a local part may be (RFC 5321 4.5.3.1.1).</returns>
    public static MailAddress? Rewrite(MailAddress sender, string forwarder, ReadOnlySpan<byte> key, long day)
    {
        var local = sender.LocalPart;
        string rest, tag;
        if (IsTagged(local, "SRS0"))
        {
            // the first forwarder knows the way back; its own text goes through untouched, with the separator that it chose
            rest = $"{sender.DomainKey}={local[4..]}";
            tag = "SRS1";
        }
        else if (IsTagged(local, "SRS1"))
        {
            var parts = local[5..].Split('=', 2); // another's MAC gives way to ours
            if (parts.Length < 2) return null;
            rest = parts[1];
            tag = "SRS1";
        }
        else
        {
            var when = (int)(day % DayRange);
            rest = $"{Digits[when >> 5]}{Digits[when & 31]}={sender.DomainKey}={local}";
            tag = "SRS0";
        }
        var text = $"{tag}={Mac(rest, key)}={rest}";
        return Encoding.UTF8.GetByteCount(text) <= 64 ? new MailAddress(text, forwarder) : null;
    }

    /// <summary>Whether the local part claims to be a rewritten one.</summary>
    public static bool IsRewritten(string local) => IsTagged(local, "SRS0") || IsTagged(local, "SRS1");

    /// <summary>Where a bounce to a rewritten address leads; null where the address is not of our making, or too old.</summary>
    public static MailAddress? Reverse(string local, ReadOnlySpan<byte> key, long day)
    {
        if (!IsRewritten(local) || local.Length < 5 + MacLength + 1 || local[5 + MacLength] != '=') return null;
        var rest = local[(5 + MacLength + 1)..];
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Mac(rest, key)), Encoding.UTF8.GetBytes(local.Substring(5, MacLength).ToLowerInvariant()))) return null;
        var text = IsTagged(local, "SRS0") ? First(rest, day) : Second(rest);
        return text is not null && MailAddress.TryParse(text, out var address) ? address : null;
    }

    static string? First(string rest, long day)
    {
        var parts = rest.Split('=', 3);
        if (parts.Length < 3 || parts[0].Length != 2) return null;
        var (high, low) = (Digits.IndexOf(char.ToLowerInvariant(parts[0][0])), Digits.IndexOf(char.ToLowerInvariant(parts[0][1])));
        if (high < 0 || low < 0) return null;
        var age = ((day % DayRange) - (high << 5 | low) + DayRange) % DayRange;
        return age <= Days ? Joined(parts[2], parts[1]) : null;
    }

    static string? Second(string rest)
    {
        var parts = rest.Split('=', 2);
        return parts.Length == 2 && parts[1].Length > 0 && parts[1][0] is '=' or '+' or '-' ? Joined("SRS0" + parts[1], parts[0]) : null;
    }

    static string Joined(string local, string domain) => new MailAddress(local, domain).ToString();

    // the word, and one of the three separators that are in use
    static bool IsTagged(string local, string word) =>
        local.Length > 5 && local.StartsWith(word, StringComparison.OrdinalIgnoreCase) && local[4] is '=' or '+' or '-';

    static string Mac(string text, ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text.ToLowerInvariant()), hash);
        var bits = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(hash);
        return string.Create(MacLength, bits, static (mac, bits) =>
        {
            for (var i = 0; i < mac.Length; i++) mac[i] = Digits[(int)(bits >> (59 - 5 * i)) & 31];
        });
    }
}
