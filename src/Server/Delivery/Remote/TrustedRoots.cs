using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CbaMail.Delivery.Remote;

/// <summary>The authorities of the setting sending.trusted-roots.</summary>
internal static class TrustedRoots
{
    /// <exception cref="InvalidOperationException">The file is none; the message is a sentence for people.</exception>
    public static X509Certificate2Collection Load(string file)
    {
        var roots = new X509Certificate2Collection();
        if (file.Length == 0) return roots;
        try
        {
            roots.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"sending.trusted-roots: {file} cannot be read as certificates in PEM: {e.Message}", e);
        }
        return roots.Count > 0 ? roots : throw new InvalidOperationException($"sending.trusted-roots: {file} holds no certificate in PEM");
    }
}
