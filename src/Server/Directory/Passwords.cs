using System.Security.Cryptography;

namespace CbaMail.Directory;

/// <summary>Random passwords that people can read to each other: 80 bits, no letters or digits that look alike.</summary>
public static class Passwords
{
    const string Letters = "abcdefghjkmnpqrstuvwxyz23456789x"; // 32 signs; x twice, for a whole number of bits

    public static string Generate()
    {
        var text = RandomNumberGenerator.GetString(Letters, 16);
        return $"{text[..4]}-{text[4..8]}-{text[8..12]}-{text[12..]}";
    }
}
