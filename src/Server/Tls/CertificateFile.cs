using System.Security.Cryptography;

namespace CbaMail.Tls;

/// <summary>A configured pair of PEM files, looked at again and again: a new content is taken when it is whole, and the old one stays until then.</summary>
sealed class CertificateFile(string certificate, string? key, TimeProvider time)
{
    readonly string key = key ?? certificate;
    (DateTime, long, DateTime, long) taken;

    public string Path => certificate;
    public ServedCertificate? Served { get; private set; }
    /// <summary>Why the files as they are now were not taken, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads the files if they have changed.</summary>
    /// <param name="always">Also if their times say that they have not.</param>
    /// <returns>Whether there is a new certificate.</returns>
    public bool Look(bool always = false)
    {
        try
        {
            var stamp = Stamp();
            if (stamp == taken && !always && Problem is null) return false;
            var read = ServedCertificate.FromPem(File.ReadAllText(certificate), File.ReadAllText(key), CertificateSource.File, certificate);
            if (Served is { } old && old.IsValidAt(time.GetUtcNow()) && !read.IsValidAt(time.GetUtcNow()))
            {
                Problem = $"{certificate} now holds a certificate that is valid from {read.Begins:yyyy-MM-dd} to {read.Expires:yyyy-MM-dd} only; the old one stays in use";
                return false;
            }
            (taken, Problem) = (stamp, null);
            var same = Served is { } before && before.Leaf.RawDataMemory.Span.SequenceEqual(read.Leaf.RawDataMemory.Span);
            if (!same || always) Served = read;
            return !same || always;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            var why = e is FileNotFoundException or DirectoryNotFoundException ? $"{(File.Exists(certificate) ? key : certificate)} does not exist" : $"{certificate}{(key == certificate ? "" : " and " + key)} hold no certificate with its private key in PEM: {e.Message.ReplaceLineEndings(" ")}";
            Problem = Served is null ? why : why.TrimEnd('.') + "; the old certificate stays in use";
            return false;
        }
    }

    (DateTime, long, DateTime, long) Stamp()
    {
        var (one, other) = (new FileInfo(certificate), new FileInfo(key));
        return (one.LastWriteTimeUtc, one.Exists ? one.Length : -1, other.LastWriteTimeUtc, other.Exists ? other.Length : -1);
    }
}
