using CbaMail.MailAuth.Dkim;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Where a key is in its life.</summary>
public enum DkimKeyState
{
    /// <summary>Made, to be published; signs when it is seen in DNS.</summary>
    Next,
    /// <summary>Signs.</summary>
    Active,
    /// <summary>Signs no more; stays published for a while.</summary>
    Retiring,
}

/// <summary>A row.</summary>
/// <param name="Sealed">The private key under Storage/Secrets.</param>
/// <param name="Since">Of the state.</param>
sealed record DkimKeyRow(long DomainId, string Selector, DkimAlgorithm Algorithm, DkimKeyState State, byte[] Sealed, string Record, DateTimeOffset Created, DateTimeOffset Since);

/// <summary>All SQL of DKIM keys (Storage/Schema/0010_dkim_keys.sql).</summary>
static class DkimKeyTable
{
    public static List<DkimKeyRow> All(ReadTransaction read)
    {
        using var rows = read.Prepare("SELECT domain_id, selector, algorithm, state, key, record, created, since FROM dkim_key ORDER BY domain_id, created, selector");
        var all = new List<DkimKeyRow>();
        while (rows.Step())
            if (DkimAlgorithms.TryParse(rows.String(2), out var algorithm) && Enum.TryParse<DkimKeyState>(rows.String(3), ignoreCase: true, out var state))
                all.Add(new(rows.Int64(0), rows.String(1), algorithm, state, rows.Blob(4).ToArray(), rows.String(5), rows.Time(6), rows.Time(7)));
        return all;
    }

    public static void Put(WriteTransaction write, DkimKeyRow row) => write.Prepare("""
        INSERT OR REPLACE INTO dkim_key (domain_id, selector, algorithm, state, key, record, created, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """)
        .Bind(1, row.DomainId).Bind(2, row.Selector).Bind(3, row.Algorithm.Name()).Bind(4, row.State.ToString().ToLowerInvariant()).Bind(5, row.Sealed)
        .Bind(6, row.Record).Bind(7, row.Created).Bind(8, row.Since).Run();

    public static void Remove(WriteTransaction write, long domainId, string selector) =>
        write.Prepare("DELETE FROM dkim_key WHERE domain_id = ? AND selector = ?").Bind(1, domainId).Bind(2, selector).Run();

    public static void RemoveAll(WriteTransaction write, long domainId) => write.Prepare("DELETE FROM dkim_key WHERE domain_id = ?").Bind(1, domainId).Run();
}
