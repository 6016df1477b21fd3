using CbaMail.MailAuth.Sts;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Delivery.Remote;

/// <summary>A policy as it was fetched.</summary>
/// <param name="Id">Of the TXT record that led to it.</param>
internal sealed record KeptPolicy(string Domain, string Id, StsPolicy Policy, DateTimeOffset Fetched, DateTimeOffset Expires);

/// <summary>Other domains' policies of MTA-STS, kept over restarts (RFC 8461 5.1).</summary>
internal static class StsPolicyTable
{
    const string Columns = "SELECT domain, id, policy, fetched, expires FROM sts_policy ";

    public static KeptPolicy? Find(ReadTransaction read, string domain)
    {
        using var row = read.Prepare(Columns + "WHERE domain=?").Bind(1, domain);
        return row.Step() ? Row(row) : null;
    }

    /// <summary>Those that will have expired by then, the next first.</summary>
    public static List<KeptPolicy> Ending(ReadTransaction read, DateTimeOffset by, int limit)
    {
        using var row = read.Prepare(Columns + "WHERE expires<=? ORDER BY expires LIMIT ?").Bind(1, by).Bind(2, (long)limit);
        var all = new List<KeptPolicy>();
        while (row.Step())
            if (Row(row) is { } kept) all.Add(kept);
        return all;
    }

    public static void Put(WriteTransaction write, KeptPolicy kept) =>
        write.Prepare("INSERT INTO sts_policy (domain, id, policy, fetched, expires) VALUES (?,?,?,?,?) ON CONFLICT (domain) DO UPDATE SET id=excluded.id, policy=excluded.policy, fetched=excluded.fetched, expires=excluded.expires")
            .Bind(1, kept.Domain).Bind(2, kept.Id).Bind(3, string.Join('\n', kept.Policy.Lines)).Bind(4, kept.Fetched).Bind(5, kept.Expires).Run();

    public static void RemoveExpired(WriteTransaction write, DateTimeOffset now) => write.Prepare("DELETE FROM sts_policy WHERE expires<?").Bind(1, now).Run();

    static KeptPolicy? Row(Statement row) =>
        StsPolicy.TryParse(row.String(2), out var policy, out _) ? new KeptPolicy(row.String(0), row.String(1), policy, row.Time(3), row.Time(4)) : null;
}
