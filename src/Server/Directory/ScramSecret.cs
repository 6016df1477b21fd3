using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Directory;

/// <summary>What a server keeps of a password for one hash function (RFC 5802 3): enough to see that a client knows it, not to be that client.</summary>
public sealed record ScramKeys(byte[] StoredKey, byte[] ServerKey)
{
    // RFC 5802 3: SaltedPassword := Hi(password, salt, i); StoredKey := H(HMAC(SaltedPassword, "Client Key")); ServerKey := HMAC(SaltedPassword, "Server Key")
    internal static ScramKeys Make(byte[] password, byte[] salt, int iterations, HashAlgorithmName hash)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, hash, Length(hash));
        var client = CryptographicOperations.HmacData(hash, salted, "Client Key"u8.ToArray());
        var keys = new ScramKeys(CryptographicOperations.HashData(hash, client), CryptographicOperations.HmacData(hash, salted, "Server Key"u8.ToArray()));
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(client);
        return keys;
    }

    internal static int Length(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA1 ? SHA1.HashSizeInBytes : SHA256.HashSizeInBytes;
}

/// <summary>The secrets of an account for SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), under one salt.</summary>
public sealed record ScramSecret(byte[] Salt, int Iterations, ScramKeys Sha1, ScramKeys Sha256)
{
    internal const int SaltBytes = 16;
    const int Bytes = 4 + SaltBytes + 2 * (SHA1.HashSizeInBytes + SHA256.HashSizeInBytes);

    public ScramKeys Of(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA1 ? Sha1 : Sha256;

    /// <summary>Costs <paramref name="iterations"/> twice: go through <see cref="PasswordHashing"/>.</summary>
    public static ScramSecret Make(string password, int iterations)
    {
        // RFC 5802 2.2: where SASLprep knows no form of it, clients send it as it stands
        var bytes = Encoding.UTF8.GetBytes(SaslPrep.TryPrepare(password, out var prepared) ? prepared : password);
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var secret = new ScramSecret(salt, iterations,
            ScramKeys.Make(bytes, salt, iterations, HashAlgorithmName.SHA1), ScramKeys.Make(bytes, salt, iterations, HashAlgorithmName.SHA256));
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }

    /// <summary>
    /// That of a name that has none: the same at every attempt, so that asking tells nobody who is here (RFC 5802 9), and no password fits.
    /// </summary>
    public static ScramSecret Pretend(byte[] serverKey, string name, int iterations)
    {
        byte[] Made(string what, int length) => HMACSHA256.HashData(serverKey, Encoding.UTF8.GetBytes(what + "\0" + name))[..length];
        return new(Made("salt", SaltBytes), iterations,
            new(Made("stored 1", SHA1.HashSizeInBytes), Made("server 1", SHA1.HashSizeInBytes)), new(Made("stored 256", SHA256.HashSizeInBytes), Made("server 256", SHA256.HashSizeInBytes)));
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, Iterations);
        return [.. bytes, .. Salt, .. Sha1.StoredKey, .. Sha1.ServerKey, .. Sha256.StoredKey, .. Sha256.ServerKey];
    }

    public static ScramSecret? FromBytes(byte[] bytes)
    {
        if (bytes.Length != Bytes) return null;
        var at = 4;
        byte[] Take(int count) => bytes[at..(at += count)];
        return new(Take(SaltBytes), BinaryPrimitives.ReadInt32BigEndian(bytes),
            new(Take(SHA1.HashSizeInBytes), Take(SHA1.HashSizeInBytes)), new(Take(SHA256.HashSizeInBytes), Take(SHA256.HashSizeInBytes)));
    }
}

/// <summary>All that is kept of a password.</summary>
/// <param name="Hash">crypt(3), or "": nobody can sign in.</param>
/// <param name="Scram">Null where only the hash is known.</param>
public sealed record PasswordSecrets(string Hash, ScramSecret? Scram)
{
    public static readonly PasswordSecrets None = new("", null);
    public override string ToString() => "(secret)";
}
