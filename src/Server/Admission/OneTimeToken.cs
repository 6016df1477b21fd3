using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Admission;

/// <summary>What stands in a link that lets somebody do one thing: 192 random bits. Only the digest is kept, and it is what a token is looked up by, so that the time of a look-up tells nothing of other tokens.</summary>
static class OneTimeToken
{
    const int Bytes = 24, Letters = 32;

    public static (string Token, byte[] Digest) Make()
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        return (token, Digest(token));
    }

    /// <summary>The digest of what came in a link; null where it cannot be a token.</summary>
    public static byte[]? Read(string? text) => text is { Length: Letters } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? Digest(text) : null;

    static byte[] Digest(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));
}
