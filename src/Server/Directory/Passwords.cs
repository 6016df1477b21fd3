using System.Security.Cryptography;

namespace CbaMail.Directory;

/// <summary>Random passwords that people can read to each other: no letters or digits that look alike.</summary>
public static class Passwords
{
    const string Letters = "abcdefghjkmnpqrstuvwxyz23456789x"; // 32 signs; x twice, for a whole number of bits
    const int StrongLetters = 24;

    /// <summary>About 79 bits, for people: kept as a slow hash.</summary>
    public static string Generate() => Grouped(RandomNumberGenerator.GetString(Letters, 16));

    /// <summary>About 119 bits, for programs: nobody tries all of them, whatever a trial costs.</summary>
    public static string GenerateStrong() => Grouped(RandomNumberGenerator.GetString(Letters, StrongLetters));

    internal static string Grouped(string letters) => string.Join('-', letters.Chunk(4).Select(group => new string(group)));

    /// <summary>A strong one without hyphens and spaces, in small letters, as people type it; false where it cannot be one.</summary>
    public static bool TryPlain(string text, out string plain)
    {
        plain = "";
        if (text.Length is < StrongLetters or > StrongLetters * 2) return false;
        plain = new string([.. text.Where(c => c is not ('-' or ' ')).Select(char.ToLowerInvariant)]);
        return plain.Length == StrongLetters && plain.All(c => Letters.Contains(c, StringComparison.Ordinal));
    }
}
