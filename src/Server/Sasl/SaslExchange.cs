using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace CbaMail.Sasl;

/// <summary>What comes next: a challenge for the client, or its credentials; neither: what it sent was malformed.</summary>
/// <param name="Challenge">In base64, as SMTP, IMAP and POP3 send it; may be empty.</param>
/// <param name="Problem">Why the sign-in fails before anything was proved: a sentence for whoever set up the client.</param>
public readonly record struct SaslStep(string? Challenge, Credentials? Credentials, string? Problem = null)
{
    public bool IsMalformed => Challenge is null && Credentials is null && Problem is null;

    internal static SaslStep Ask(string text) => new(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), null);
}

/// <summary>
/// One exchange of RFC 4422, seen from the server, bytes only: it is given the client's responses and yields challenges and, in the end, what the
/// client has shown. <see cref="SaslConversation"/> judges that.
/// </summary>
public abstract class SaslExchange
{
    /// <summary>Longest response that is taken, in base64 octets (RFC 4954 4).</summary>
    public const int MaxResponse = 12288;

    /// <summary>The first step where the client sent no initial response.</summary>
    public virtual SaslStep Begin() => new("", null);

    /// <summary>The client's decoded response.</summary>
    public abstract SaslStep Next(ReadOnlySpan<byte> response);

    /// <summary>What the client hears of a refusal before it is refused, or null.</summary>
    public virtual string? Explain(Envelope.Refusal refusal) => null;

    /// <summary>Takes an initial response: "=" stands for an empty one (RFC 4954 4, RFC 4959 3).</summary>
    public SaslStep Initial(ReadOnlySpan<byte> base64) => base64.SequenceEqual("="u8) ? Next([]) : Respond(base64);

    /// <summary>Takes a response in base64.</summary>
    public SaslStep Respond(ReadOnlySpan<byte> base64)
    {
        if (base64.Length > MaxResponse || !TryDecode(base64, out var bytes)) return default;
        return Next(bytes);
    }

    // RFC 4954 4: anything that is not proper base64 is a failure, white space inside included
    internal static bool TryDecode(ReadOnlySpan<byte> base64, out byte[] bytes)
    {
        bytes = [];
        if (base64.Length % 4 != 0 || base64.IndexOfAny(" \t\r\n"u8) >= 0) return false;
        var buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        if (Base64.DecodeFromUtf8(base64, buffer, out _, out var written) != OperationStatus.Done) return false;
        bytes = buffer[..written];
        return true;
    }

    /// <summary>UTF-8 without NUL, or null.</summary>
    private protected static string? Text(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes) || bytes.IndexOf((byte)0) >= 0) return null;
        return Encoding.UTF8.GetString(bytes);
    }
}
