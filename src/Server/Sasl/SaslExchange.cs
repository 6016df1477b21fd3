using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace CbaMail.Sasl;

/// <summary>What a client has shown of itself.</summary>
public sealed record Credentials(string User, string Password)
{
    // keeps the password out of logs and debuggers
    public override string ToString() => User;
}

/// <summary>What comes next: a challenge for the client, or its credentials; neither: what it sent was malformed.</summary>
/// <param name="Challenge">In base64, as SMTP and IMAP send it; may be empty.</param>
public readonly record struct SaslStep(string? Challenge, Credentials? Credentials)
{
    public bool IsMalformed => Challenge is null && Credentials is null;
}

/// <summary>
/// One exchange of RFC 4422, seen from the server, free of any protocol: SMTP (RFC 4954) and IMAP (RFC 9051 6.2.2) give it
/// the client's responses and send its challenges. Cancelling by "*" is theirs.
/// </summary>
public abstract class SaslExchange
{
    /// <summary>Longest response that is taken, in base64 octets (RFC 4954 4).</summary>
    public const int MaxResponse = 12288;

    /// <summary>The mechanisms, as announced.</summary>
    public static IReadOnlyList<string> Mechanisms { get; } = ["PLAIN", "LOGIN"];

    /// <summary>Null where there is no such mechanism.</summary>
    public static SaslExchange? Start(string mechanism) => mechanism.ToUpperInvariant() switch
    {
        "PLAIN" => new PlainExchange(),
        "LOGIN" => new LoginExchange(),
        _ => null,
    };

    /// <summary>The first step where the client sent no initial response.</summary>
    public abstract SaslStep Begin();

    /// <summary>The client's decoded response.</summary>
    public abstract SaslStep Next(ReadOnlySpan<byte> response);

    /// <summary>Takes an initial response: "=" stands for an empty one (RFC 4954 4, RFC 4959 3).</summary>
    public SaslStep Initial(ReadOnlySpan<byte> base64) => base64.SequenceEqual("="u8) ? Next([]) : Respond(base64);

    /// <summary>Takes a response in base64.</summary>
    public SaslStep Respond(ReadOnlySpan<byte> base64)
    {
        if (base64.Length > MaxResponse || !TryDecode(base64, out var bytes)) return default;
        return Next(bytes);
    }

    // RFC 4954 4: anything that is not proper base64 is a failure, white space inside included
    static bool TryDecode(ReadOnlySpan<byte> base64, out byte[] bytes)
    {
        bytes = [];
        if (base64.Length % 4 != 0 || base64.IndexOfAny(" \t\r\n"u8) >= 0) return false;
        var buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        if (Base64.DecodeFromUtf8(base64, buffer, out _, out var written) != OperationStatus.Done) return false;
        bytes = buffer[..written];
        return true;
    }

    /// <summary>UTF-8 without control characters, or null.</summary>
    private protected static string? Text(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes) || bytes.IndexOf((byte)0) >= 0) return null;
        return Encoding.UTF8.GetString(bytes);
    }
}

/// <summary>RFC 4616.</summary>
sealed class PlainExchange : SaslExchange
{
    public override SaslStep Begin() => new("", null);

    // RFC 4616 2: [authzid] NUL authcid NUL passwd
    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        var first = response.IndexOf((byte)0);
        if (first < 0) return default;
        var rest = response[(first + 1)..];
        var second = rest.IndexOf((byte)0);
        if (second <= 0) return default;
        var (authorize, user, password) = (Text(response[..first]), Text(rest[..second]), Text(rest[(second + 1)..]));
        if (authorize is null || user is null || password is null) return default;
        // acting for somebody else is not offered: the sign-in then fails like any other (RFC 4616 2)
        return authorize.Length == 0 || authorize.Equals(user, StringComparison.OrdinalIgnoreCase)
            ? new SaslStep(null, new Credentials(user, password))
            : new SaslStep(null, new Credentials("", ""));
    }
}

/// <summary>LOGIN (draft-murchison-sasl-login): what Outlook speaks. An initial response is the user name.</summary>
sealed class LoginExchange : SaslExchange
{
    string? user;

    public override SaslStep Begin() => new("VXNlcm5hbWU6", null); // Username:

    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (Text(response) is not { } text) return default;
        if (user is not null) return new SaslStep(null, new Credentials(user, text));
        user = text;
        return new SaslStep("UGFzc3dvcmQ6", null); // Password:
    }
}
