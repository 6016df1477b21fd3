using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Directory;
using CbaMail.Text;

namespace CbaMail.Sasl;

/// <summary>What an exchange of SCRAM must know of the server.</summary>
/// <param name="Secret">Of a name; for nobody's name one that no password fits.</param>
/// <param name="Binding">The bytes of a channel binding type, or null where it is not had.</param>
/// <param name="IsPlusAnnounced">Whether this connection was told of the forms with channel binding.</param>
sealed record ScramSurroundings(Func<string, ScramSecret> Secret, Func<string, byte[]?> Binding, bool IsPlusAnnounced);

/// <summary>
/// SCRAM (RFC 5802) with SHA-1 or SHA-256 (RFC 7677): the client proves that it knows the password, the server that it knew it once, and neither
/// shows it. The forms with -PLUS bind that to the TLS connection, so that nobody in the middle can pass it on.
/// </summary>
sealed class ScramExchange(HashAlgorithmName hash, bool plus, ScramSurroundings server, string? nonce = null) : SaslExchange
{
    // RFC 5802 5.1: without a comma, printable
    readonly string serverNonce = nonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));
    string user = "", clientFirstBare = "", serverFirst = "", fullNonce = "";
    byte[] bound = []; // what "c" must be: the GS2 header and the channel binding
    ScramSecret? secret;
    bool proved;

    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (Text(response) is not { } text) return default;
        if (secret is null) return First(text);
        if (!proved) return Final(text);
        // RFC 5802 3: the client has seen our signature, and has nothing more to say
        return text.Length == 0 ? new SaslStep(null, new Proof(user, true)) : default;
    }

    // RFC 5802 7: client-first-message = gs2-header client-first-message-bare; gs2-header = gs2-cbind-flag "," [authzid] ","
    SaslStep First(string message)
    {
        var flagEnd = message.IndexOf(',', StringComparison.Ordinal);
        if (flagEnd < 1) return default;
        var authorizeEnd = message.IndexOf(',', flagEnd + 1);
        if (authorizeEnd < 0) return default;
        var flag = message[..flagEnd];
        var header = message[..(authorizeEnd + 1)];
        if (Binding(flag, out var binding) is { } wrong) return wrong;

        var attributes = message[(authorizeEnd + 1)..].Split(',');
        // RFC 5802 5.1: "m" is a demand that we cannot know
        if (attributes[0].StartsWith("m=", StringComparison.Ordinal)) return new(null, null, "This extension of SCRAM is not known here");
        if (attributes.Length < 2 || !attributes[0].StartsWith("n=", StringComparison.Ordinal) || !attributes[1].StartsWith("r=", StringComparison.Ordinal)) return default;
        var clientNonce = attributes[1][2..];
        if (clientNonce.Length == 0 || clientNonce.Any(c => c is < '!' or > '~') || !attributes.Skip(2).All(IsAttribute)) return default;
        if (Name(attributes[0][2..]) is not { Length: > 0 } name) return default;

        var authorize = message[(flagEnd + 1)..authorizeEnd];
        if (authorize.Length > 0)
        {
            if (!authorize.StartsWith("a=", StringComparison.Ordinal) || Name(authorize[2..]) is not { Length: > 0 } other) return default;
            isForAnother = !other.Equals(name, StringComparison.OrdinalIgnoreCase);
        }
        user = name;
        bound = [.. Encoding.UTF8.GetBytes(header), .. binding];
        clientFirstBare = message[(authorizeEnd + 1)..];
        fullNonce = clientNonce + serverNonce;
        secret = server.Secret(user);
        serverFirst = string.Create(CultureInfo.InvariantCulture, $"r={fullNonce},s={Convert.ToBase64String(secret.Salt)},i={secret.Iterations}");
        return SaslStep.Ask(serverFirst);
    }

    bool isForAnother; // acting for somebody else is not offered: it fails like any other sign-in, at the same place

    // RFC 5802 6: "n" has no channel binding, "y" has and believes that we have not, "p" names the one that it uses
    SaslStep? Binding(string flag, out byte[] binding)
    {
        binding = [];
        switch (flag)
        {
            case "n" or "y" when plus: return new(null, null, "A mechanism with -PLUS needs a channel binding");
            case "n": return null;
            // somebody has taken the -PLUS out of what we announced
            case "y" when server.IsPlusAnnounced: return new(null, null, "Channel binding is offered here, and the client was told otherwise: is somebody between?");
            case "y": return null;
        }
        if (!flag.StartsWith("p=", StringComparison.Ordinal) || flag.Length == 2 || flag.AsSpan(2).ContainsAnyExceptInRange('-', 'z')) return default(SaslStep);
        if (!plus) return new(null, null, "Channel binding needs a mechanism with -PLUS");
        if (server.Binding(flag[2..]) is not { } bytes) return new(null, null, "This type of channel binding is not had here: tls-exporter and tls-server-end-point are");
        binding = bytes;
        return null;
    }

    // RFC 5802 7: client-final-message = "c=" base64 "," "r=" nonce ["," extensions] "," "p=" base64
    SaslStep Final(string message)
    {
        var proofAt = message.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0) return default;
        var withoutProof = message[..proofAt];
        var attributes = withoutProof.Split(',');
        if (attributes.Length < 2 || !attributes[0].StartsWith("c=", StringComparison.Ordinal) || !attributes[1].StartsWith("r=", StringComparison.Ordinal) || !attributes.Skip(2).All(IsAttribute)) return default;
        if (!TryDecode(Encoding.UTF8.GetBytes(attributes[0][2..]), out var channel) || !TryDecode(Encoding.UTF8.GetBytes(message[(proofAt + 3)..]), out var proof)) return default;

        var keys = secret!.Of(hash);
        var said = Encoding.UTF8.GetBytes($"{clientFirstBare},{serverFirst},{withoutProof}"); // AuthMessage
        var right = attributes[1].AsSpan(2).SequenceEqual(fullNonce) & CryptographicOperations.FixedTimeEquals(channel, bound) & Fits(proof, keys, said) & !isForAnother;
        if (!right) return new SaslStep(null, new Proof(user, false));
        proved = true;
        // RFC 5802 3: ServerSignature := HMAC(ServerKey, AuthMessage)
        return SaslStep.Ask("v=" + Convert.ToBase64String(CryptographicOperations.HmacData(hash, keys.ServerKey, said)));
    }

    // RFC 5802 3: ClientKey := ClientProof XOR HMAC(StoredKey, AuthMessage), and H(ClientKey) is the StoredKey
    bool Fits(byte[] proof, ScramKeys keys, byte[] said)
    {
        var key = CryptographicOperations.HmacData(hash, keys.StoredKey, said);
        if (proof.Length != key.Length) return false;
        for (var i = 0; i < key.Length; i++) key[i] ^= proof[i];
        return CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(hash, key), keys.StoredKey);
    }

    // RFC 5802 5.1, 7: a letter, "=", a value
    static bool IsAttribute(string text) => text.Length >= 3 && char.IsAsciiLetter(text[0]) && text[1] == '=';

    // RFC 5802 5.1: "=2C" is a comma, "=3D" an equals sign, and no other "=" stands there; SASLprep
    static string? Name(string text)
    {
        for (var at = text.IndexOf('=', StringComparison.Ordinal); at >= 0; at = text.IndexOf('=', at + 1))
            if (string.CompareOrdinal(text, at, "=2C", 0, 3) != 0 && string.CompareOrdinal(text, at, "=3D", 0, 3) != 0) return null;
        return SaslPrep.TryPrepare(text.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal), out var prepared) ? prepared : null;
    }
}
