using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>All SQL of application passwords (Storage/Schema/0024_credentials.sql).</summary>
static class ApplicationPasswordTable
{
    public static List<(byte[] Digest, ApplicationPassword Password)> All(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT id, account_id, name, protocols, networks, created, expires, used, used_from, used_by, digest FROM application_password");
        var all = new List<(byte[], ApplicationPassword)>();
        while (row.Step())
            all.Add((row.Blob(10).ToArray(), new(row.Int64(0), row.Int64(1), row.String(2), Words(row.String(3)), Words(row.String(4)), row.Time(5),
                row.IsNull(6) ? null : row.Time(6), row.IsNull(7) ? null : new(row.Time(7), row.String(8), row.String(9)))));
        return all;
    }

    public static long Add(WriteTransaction write, byte[] digest, ApplicationPassword password)
    {
        write.Prepare("INSERT INTO application_password (account_id, name, digest, protocols, networks, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, password.AccountId).Bind(2, password.Name).Bind(3, digest).Bind(4, string.Join(' ', password.Protocols)).Bind(5, string.Join(' ', password.Networks))
            .Bind(6, password.Created).Bind(7, password.Expires).Run();
        return write.LastInsertId;
    }

    /// <summary>As the transaction sees it: several may be added in one batch.</summary>
    public static long Count(WriteTransaction write, long account) => write.Prepare("SELECT count(*) FROM application_password WHERE account_id = ?").Bind(1, account).Scalar() ?? 0;

    public static void Used(WriteTransaction write, long id, PasswordUse use) =>
        write.Prepare("UPDATE application_password SET used = ?, used_from = ?, used_by = ? WHERE id = ?").Bind(1, use.At).Bind(2, use.From).Bind(3, use.By).Bind(4, id).Run();

    public static void Remove(WriteTransaction write, long id) => write.Prepare("DELETE FROM application_password WHERE id = ?").Bind(1, id).Run();

    public static void RemoveAll(WriteTransaction write, long account) => write.Prepare("DELETE FROM application_password WHERE account_id = ?").Bind(1, account).Run();

    static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
