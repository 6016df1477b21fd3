namespace CbaMail.MailAuth.Dkim;

/// <summary>Algorithms of signatures (RFC 6376 3.3, RFC 8463 3).</summary>
public enum DkimAlgorithm
{
    RsaSha256,
    Ed25519Sha256,
}

/// <summary>The names of algorithms.</summary>
public static class DkimAlgorithms
{
    /// <summary>As it stands in <c>a=</c>.</summary>
    public static string Name(this DkimAlgorithm algorithm) => algorithm switch
    {
        DkimAlgorithm.RsaSha256 => "rsa-sha256",
        DkimAlgorithm.Ed25519Sha256 => "ed25519-sha256",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    /// <summary>As it stands in <c>k=</c> of a key's record.</summary>
    public static string KeyType(this DkimAlgorithm algorithm) => algorithm == DkimAlgorithm.Ed25519Sha256 ? "ed25519" : "rsa";

    /// <summary>The algorithm of a name; case counts (RFC 6376 3.2).</summary>
    public static bool TryParse(string name, out DkimAlgorithm algorithm)
    {
        algorithm = name == "ed25519-sha256" ? DkimAlgorithm.Ed25519Sha256 : DkimAlgorithm.RsaSha256;
        return name is "rsa-sha256" or "ed25519-sha256";
    }
}
