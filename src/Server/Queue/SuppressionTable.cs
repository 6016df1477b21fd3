using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Queue;

/// <summary>The rows of the suppression list and of bounces that say "dead": all their SQL.</summary>
internal static class SuppressionTable
{
    public static void ForEachAddress(ReadTransaction transaction, Action<string> take)
    {
        using var row = transaction.Prepare("SELECT address FROM suppression UNION SELECT address FROM dead_bounce");
        while (row.Step()) take(row.String(0));
    }

    const string Columns = "SELECT address, reason, detail, source, since, expires FROM suppression ";

    static Suppression Read(Statement row) => new(row.String(0), row.String(1), row.String(2), row.String(3), row.Time(4), row.TimeOrNull(5));

    public static Suppression? Find(Func<string, Statement> prepare, string address)
    {
        using var row = prepare(Columns + "WHERE address = ?").Bind(1, address);
        return row.Step() ? Read(row) : null;
    }

    public static List<Suppression> List(ReadTransaction transaction, string after, int limit, string? reason, DateTimeOffset now)
    {
        var list = new List<Suppression>();
        using var row = transaction.Prepare(Columns + "WHERE address > ?1 AND (?2 IS NULL OR reason = ?2) AND (expires IS NULL OR expires > ?3) ORDER BY address LIMIT ?4")
            .Bind(1, after).Bind(2, reason).Bind(3, now).Bind(4, (long)limit);
        while (row.Step()) list.Add(Read(row));
        return list;
    }

    /// <summary>An entry without an end stays as it is.</summary>
    public static void Put(WriteTransaction transaction, Suppression entry) =>
        transaction.Prepare("INSERT INTO suppression (address, reason, detail, source, since, expires) VALUES (?1,?2,?3,?4,?5,?6) "
            + "ON CONFLICT (address) DO UPDATE SET reason=?2, detail=?3, source=?4, since=?5, expires=?6 WHERE suppression.expires IS NOT NULL")
            .Bind(1, entry.Address).Bind(2, entry.Reason).Bind(3, entry.Detail).Bind(4, entry.Source).Bind(5, entry.Since).Bind(6, entry.Expires).Run();

    /// <param name="reason">Only where it is the reason; null: whatever it is.</param>
    public static bool Remove(WriteTransaction transaction, string address, string? reason) =>
        transaction.Prepare("DELETE FROM suppression WHERE address = ?1 AND (?2 IS NULL OR reason = ?2)").Bind(1, address).Bind(2, reason).Run() > 0;

    public static void AddBounce(WriteTransaction transaction, string address, string source, DateTimeOffset at) =>
        transaction.Prepare("INSERT INTO dead_bounce (address, source, at) VALUES (?,?,?) ON CONFLICT DO NOTHING").Bind(1, address).Bind(2, source).Bind(3, at).Run();

    /// <returns>How many there are since a time, and when the first of them was.</returns>
    public static (int Count, DateTimeOffset First) Bounces(WriteTransaction transaction, string address, DateTimeOffset since)
    {
        using var row = transaction.Prepare("SELECT count(*), min(at) FROM dead_bounce WHERE address = ? AND at >= ?").Bind(1, address).Bind(2, since);
        return row.Step() && !row.IsNull(1) ? (row.Int32(0), row.Time(1)) : (0, since);
    }

    public static void ForgetBounces(WriteTransaction transaction, string address) =>
        transaction.Prepare("DELETE FROM dead_bounce WHERE address = ?").Bind(1, address).Run();

    public static int Prune(WriteTransaction transaction, DateTimeOffset now, DateTimeOffset bouncesBefore, int rows) =>
        transaction.Prepare("DELETE FROM suppression WHERE address IN (SELECT address FROM suppression WHERE expires < ?1 LIMIT ?2)").Bind(1, now).Bind(2, (long)rows).Run()
        + transaction.Prepare("DELETE FROM dead_bounce WHERE (address, source) IN (SELECT address, source FROM dead_bounce WHERE at < ?1 LIMIT ?2)").Bind(1, bouncesBefore).Bind(2, (long)rows).Run();
}
