using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>All SQL of logos (Storage/Schema/0037_domain_logos.sql).</summary>
static class LogoTable
{
    public static byte[]? Find(ReadTransaction read, long domainId)
    {
        using var row = read.Prepare("SELECT picture FROM domain_logo WHERE domain_id = ?").Bind(1, domainId);
        return row.Step() ? row.Blob(0).ToArray() : null;
    }

    public static void Set(WriteTransaction write, long domainId, byte[] picture) =>
        write.Prepare("INSERT INTO domain_logo (domain_id, picture) VALUES (?, ?) ON CONFLICT (domain_id) DO UPDATE SET picture = excluded.picture").Bind(1, domainId).Bind(2, picture).Run();

    public static void Remove(WriteTransaction write, long domainId) => write.Prepare("DELETE FROM domain_logo WHERE domain_id = ?").Bind(1, domainId).Run();
}
