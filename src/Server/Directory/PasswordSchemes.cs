using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>A password that another server kept.</summary>
/// <param name="Clear">The password itself, where it was kept so; or null.</param>
/// <param name="Hash">In the one form that <see cref="PasswordSchemes.Verify"/> reads; empty beside a clear password.</param>
internal readonly record struct KeptPassword(string? Clear, string Hash);

/// <summary>
/// Hashes as other servers write them: crypt(3), with and without Dovecot's <c>{SCHEME}</c> and its <c>.b64</c> and <c>.hex</c>, salted and plain digests,
/// PBKDF2 of Dovecot and Django, argon2. Nothing is hashed here: that is libcrypt's, the framework's and libargon2's. Whoever signs in with one gets yescrypt.
///
/// In the database a hash of crypt(3) or argon2 stands bare, all digests as <c>{SMD5}</c>, <c>{SSHA}</c>, <c>{SSHA256}</c> or <c>{SSHA512}</c> (those without a salt
/// have an empty one), PBKDF2 as it came. Hashes whose check would take a core for seconds, or hundreds of megabytes, are refused before they are in.
/// </summary>
internal static partial class PasswordSchemes
{
    const int LongestHash = 512;
    const int DearestBcrypt = 14; // a second
    const int MostRounds = 5_000_000;
    const long MostMemory = 256L << 20;

    static readonly (string Name, HashAlgorithmName Hash, int Bytes)[] digests =
        [("{SMD5}", HashAlgorithmName.MD5, 16), ("{SSHA}", HashAlgorithmName.SHA1, 20), ("{SSHA256}", HashAlgorithmName.SHA256, 32), ("{SSHA512}", HashAlgorithmName.SHA512, 64)];

    /// <summary>Whether the text begins with a scheme in braces, known or not.</summary>
    public static bool HasScheme(string text) => Scheme().IsMatch(text);

    /// <summary>Takes a hash of another server, or says in a sentence why not.</summary>
    public static Result<KeptPassword> Read(string text)
    {
        text = text.Trim();
        if (text.Length is 0 or > LongestHash * 2) return Unknown;
        var scheme = Scheme().Match(text);
        if (!scheme.Success) return Bare(text);
        var (name, value) = (scheme.Groups[1].Value.ToUpperInvariant(), text[scheme.Length..]);
        bool? hex = scheme.Groups[2].Value.ToUpperInvariant() switch { "HEX" => true, "B64" or "BASE64" => false, "" => null, _ => null };
        if (hex is null && scheme.Groups[2].Length > 0) return NoScheme(name + "." + scheme.Groups[2].Value);
        return name switch
        {
            "MD5" when value.StartsWith("$1$", StringComparison.Ordinal) => Bare(value),
            "PLAIN-MD5" or "LDAP-MD5" or "MD5" => Digest(name, "{SMD5}", value, hex, salted: false),
            "SHA" or "SHA1" => Digest(name, "{SSHA}", value, hex, salted: false),
            "SHA256" or "SHA512" => Digest(name, $"{{S{name}}}", value, hex, salted: false),
            "SMD5" or "SSHA" or "SSHA256" or "SSHA512" => Digest(name, $"{{{name}}}", value, hex, salted: true),
            "CRYPT" or "BLF-CRYPT" or "SHA256-CRYPT" or "SHA512-CRYPT" or "MD5-CRYPT" or "DES-CRYPT" or "ARGON2I" or "ARGON2ID" or "ARGON2" => Decoded(value, hex) is { } bare ? Bare(bare) : Malformed(name),
            "PBKDF2" => Decoded(value, hex) is { } pbkdf2 && DovecotPbkdf2().Match(pbkdf2) is { Success: true } parts ? Bounded("{PBKDF2}" + pbkdf2, parts.Groups["rounds"].Value) : Malformed(name),
            "PLAIN" or "CLEAR" or "CLEARTEXT" => Decoded(value, hex) is { Length: > 0 } clear && Crypt.CanHash(PasswordHashing.Prepare(clear)) ? new KeptPassword(clear, "") : Malformed(name),
            _ => NoScheme(name),
        };
    }

    /// <summary>Whether a wrong password is known at once: what tells an attacker, by the time it takes, that there is such a name.</summary>
    public static bool IsQuick(string hash) => hash.Length > 0 && (hash[0] == '{' || hash.StartsWith("$1$", StringComparison.Ordinal) || hash.Length == 13);

    /// <summary>Whether the password belongs to the hash; compares in fixed time. Go through <see cref="PasswordHashing"/>.</summary>
    public static bool Verify(string password, string hash)
    {
        if (hash.StartsWith("$argon2", StringComparison.Ordinal)) return Argon2.Verify(password, hash);
        if (hash.StartsWith("{PBKDF2}", StringComparison.Ordinal))
            return DovecotPbkdf2().Match(hash["{PBKDF2}".Length..]) is { Success: true } dovecot && Pbkdf2(password, dovecot, HashAlgorithmName.SHA1, Convert.FromHexString(dovecot.Groups["hash"].ValueSpan));
        if (hash.StartsWith("pbkdf2_", StringComparison.Ordinal))
            return DjangoPbkdf2().Match(hash) is { Success: true } django && Decode(django.Groups["hash"].Value, hex: false) is { } made
                && Pbkdf2(password, django, django.Groups["name"].Value == "sha1" ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256, made);
        foreach (var (name, algorithm, size) in digests)
        {
            if (!hash.StartsWith(name, StringComparison.Ordinal)) continue;
            if (Decode(hash[name.Length..], hex: false) is not { } bytes || bytes.Length < size) return false;
            return CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(algorithm, [.. Encoding.UTF8.GetBytes(password), .. bytes.AsSpan(size)]), bytes.AsSpan(0, size));
        }
        return Crypt.Verify(password, hash);
    }

    static bool Pbkdf2(string password, Match parts, HashAlgorithmName algorithm, byte[] made) => CryptographicOperations.FixedTimeEquals(made,
        Rfc2898DeriveBytes.Pbkdf2(password, Encoding.UTF8.GetBytes(parts.Groups["salt"].Value), int.Parse(parts.Groups["rounds"].ValueSpan, CultureInfo.InvariantCulture), algorithm, made.Length));

    // ---- reading

    static Result<KeptPassword> Digest(string name, string kept, string value, bool? hex, bool salted)
    {
        var size = digests.First(one => one.Name == kept).Bytes;
        // without a suffix Dovecot tells the two apart by their length
        var bytes = Decode(value, hex ?? (!salted && value.Length == size * 2));
        return bytes is not null && (salted ? bytes.Length >= size && bytes.Length <= size + 64 : bytes.Length == size) ? new KeptPassword(null, kept + Convert.ToBase64String(bytes)) : Malformed(name);
    }

    static Result<KeptPassword> Bare(string text)
    {
        if (text.Length > LongestHash || !Ascii.IsValid(text)) return Unknown;
        if (text.StartsWith("argon2$", StringComparison.Ordinal)) text = text["argon2".Length..]; // as Django writes it
        if (Argon2.Parameters().Match(text) is { Success: true } argon2)
        {
            if (!Argon2.IsThere) return Refusal.NotPossible.Because("An argon2 hash needs the library libargon2.so.1 (on Debian: apt install libargon2-1)");
            long memory = Number(argon2, "memory") << 10, passes = Number(argon2, "passes");
            return memory <= MostMemory && memory * passes <= 16 * MostMemory && Number(argon2, "lanes") <= 16 ? new KeptPassword(null, text) : TooDear;
        }
        if (DjangoPbkdf2().Match(text) is { Success: true } django) return Bounded(text, django.Groups["rounds"].Value);
        if (CryptSalted().IsMatch(text)) return new KeptPassword(null, text);
        if (CryptRounds().Match(text) is { Success: true } rounds) return Bounded(text, rounds.Groups["rounds"].Value);
        if (Bcrypt().Match(text) is { Success: true } bcrypt) return Number(bcrypt, "cost") <= DearestBcrypt ? new KeptPassword(null, text) : TooDear;
        if (Memory().Match(text) is not { Success: true } hard) return Unknown;
        // crypt(5): N = 2^i of the letter, of yescrypt one more; r follows, 32 at most; p and t, which would multiply the time, are not taken
        var power = Letters.IndexOf(hard.Groups["n"].Value[0], StringComparison.Ordinal) + (hard.Groups["yescrypt"].Success ? 1 : 0);
        return power <= 16 ? new KeptPassword(null, text) : TooDear;
    }

    const string Letters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    static Result<KeptPassword> Bounded(string hash, string rounds) =>
        rounds.Length == 0 || (int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MostRounds) ? new KeptPassword(null, hash) : TooDear;

    static long Number(Match match, string group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    static byte[]? Decode(string text, bool hex)
    {
        try { return hex ? Convert.FromHexString(text) : Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')); }
        catch (FormatException) { return null; }
    }

    /// <summary>Text that may be encoded.</summary>
    static string? Decoded(string value, bool? hex) =>
        hex is null ? value : Decode(value, hex.Value) is { } bytes && System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;

    static readonly Refusal Unknown = Refusal.Invalid.Because("This is no hash of a password that is known here; docs/en/sign-in.md names them").At("passwordHash");
    static readonly Refusal TooDear = Refusal.Invalid.Because("Checking this hash would take too much time or memory; give a new password instead").At("passwordHash");
    static Refusal NoScheme(string name) => Refusal.Invalid.Because($"Hashes of the scheme {{{name}}} cannot be checked here; docs/en/sign-in.md names those that can").At("passwordHash");
    static Refusal Malformed(string name) => Refusal.Invalid.Because($"What stands behind {{{name}}} is no such hash").At("passwordHash");

    [GeneratedRegex(@"^\{([A-Za-z0-9-]{2,24})(?:\.([A-Za-z0-9]{1,8}))?\}")] private static partial Regex Scheme();
    // crypt(5), each method with its length: a hash that is cut off is no hash
    [GeneratedRegex(@"^(?:\$1\$[^$:\s]{0,8}\$[./0-9A-Za-z]{22}|[./0-9A-Za-z]{13})$")] private static partial Regex CryptSalted();
    [GeneratedRegex(@"^(?:\$5\$(?:rounds=(?<rounds>\d{1,9})\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{43}|\$6\$(?:rounds=(?<rounds>\d{1,9})\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{86}|\$sha1\$(?<rounds>\d{1,9})\$[./0-9A-Za-z]{1,64}\$[./0-9A-Za-z]{28})$")] private static partial Regex CryptRounds();
    [GeneratedRegex(@"^\$2[abxy]\$(?<cost>[0-3]\d)\$[./0-9A-Za-z]{53}$")] private static partial Regex Bcrypt();
    [GeneratedRegex(@"^(?:(?<yescrypt>\$g?y\$)[./j](?<n>[./0-9A-Za-z])[./0-9A-T]|\$7\$(?<n>[./0-9A-Za-z])[./0-9A-U]\.\.\.\.(?:/\.\.\.\.)?)(?:\$[./0-9A-Za-z]{0,86}|[./0-9A-Za-z]{0,86})\$[./0-9A-Za-z]{43}$")] private static partial Regex Memory();
    [GeneratedRegex(@"^\$1\$(?<salt>[^$]{1,64})\$(?<rounds>\d{1,9})\$(?<hash>[0-9A-Fa-f]{40})$")] private static partial Regex DovecotPbkdf2();
    [GeneratedRegex(@"^pbkdf2_(?<name>sha256|sha1)\$(?<rounds>\d{1,9})\$(?<salt>[^$]{1,128})\$(?<hash>[A-Za-z0-9+/]{27,43}=)$")] private static partial Regex DjangoPbkdf2();
}
