using CbaMail.Storage;

namespace CbaMail.Tls.Acme;

/// <summary>A group of names with one certificate: the host's own, or those of one mail domain.</summary>
/// <param name="Names">Of the certificate, or of the order under way.</param>
/// <param name="Key">Sealed; of the certificate and of its renewals, so that TLSA records stay right.</param>
/// <param name="NextKey">Sealed; the key after the next rotation.</param>
/// <param name="NextPublic">SHA-256 of the public part of <paramref name="NextKey"/>.</param>
/// <param name="Rotate">The next certificate is for <paramref name="NextKey"/>.</param>
/// <param name="Chain">PEM; null while there is none.</param>
/// <param name="Renew">When the next attempt is due.</param>
/// <param name="Attempts">That failed since the last success.</param>
/// <param name="LeftOut">Names that the authority could not check.</param>
sealed record AcmeEntry(
    string Group, IReadOnlyList<string> Names, byte[] Key, byte[] NextKey, byte[] NextPublic, bool Rotate, string? Chain, DateTimeOffset? Begins, DateTimeOffset? Ends,
    DateTimeOffset Renew, string? OrderUrl = null, int Attempts = 0, string? Problem = null, IReadOnlyList<string>? LeftOut = null);

/// <summary>All SQL of ACME (Storage/Schema/0009_secrets_and_certificates.sql).</summary>
static class AcmeTable
{
    public static List<AcmeEntry> Entries(ReadTransaction read)
    {
        using var rows = read.Prepare("SELECT name, names, key, next_key, next_public, rotate, chain, begins, ends, renew, order_url, attempts, problem, left_out FROM acme_certificate ORDER BY name");
        var all = new List<AcmeEntry>();
        while (rows.Step())
            all.Add(new(rows.String(0), Words(rows.String(1)), rows.Blob(2).ToArray(), rows.Blob(3).ToArray(), rows.Blob(4).ToArray(), rows.Bool(5), rows.Text(6), rows.TimeOrNull(7), rows.TimeOrNull(8),
                rows.Time(9), rows.Text(10), rows.Int32(11), rows.Text(12), Words(rows.String(13))));
        return all;
    }

    public static void Put(WriteTransaction write, AcmeEntry entry) => write.Prepare("""
        INSERT OR REPLACE INTO acme_certificate (name, names, key, next_key, next_public, rotate, chain, begins, ends, renew, order_url, attempts, problem, left_out)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
        .Bind(1, entry.Group).Bind(2, string.Join(' ', entry.Names)).Bind(3, entry.Key).Bind(4, entry.NextKey).Bind(5, entry.NextPublic).Bind(6, entry.Rotate).Bind(7, entry.Chain)
        .Bind(8, entry.Begins).Bind(9, entry.Ends).Bind(10, entry.Renew).Bind(11, entry.OrderUrl).Bind(12, (long)entry.Attempts).Bind(13, entry.Problem)
        .Bind(14, string.Join(' ', entry.LeftOut ?? [])).Run();

    public static void Remove(WriteTransaction write, string group) => write.Prepare("DELETE FROM acme_certificate WHERE name = ?").Bind(1, group).Run();

    public static (string? Url, byte[] Key)? Account(ReadTransaction read, string directory)
    {
        using var row = read.Prepare("SELECT url, key FROM acme_account WHERE directory = ?").Bind(1, directory);
        return row.Step() ? (row.Text(0), row.Blob(1).ToArray()) : null;
    }

    public static void PutAccount(WriteTransaction write, string directory, byte[] key, DateTimeOffset now) =>
        write.Prepare("INSERT OR REPLACE INTO acme_account (directory, url, key, created) VALUES (?, NULL, ?, ?)").Bind(1, directory).Bind(2, key).Bind(3, now).Run();

    public static void SetAccount(WriteTransaction write, string directory, string? url) =>
        write.Prepare("UPDATE acme_account SET url = ? WHERE directory = ?").Bind(1, url).Bind(2, directory).Run();

    static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
