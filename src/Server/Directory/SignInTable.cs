using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>All SQL of the sign-in history (Storage/Schema/0024_credentials.sql).</summary>
static class SignInTable
{
    public static List<SignInRecord> Of(ReadTransaction read, long account)
    {
        using var row = read.Prepare("SELECT id, first, last, times, address, protocol, way, succeeded FROM sign_in WHERE account_id = ? ORDER BY last DESC, id DESC").Bind(1, account);
        var all = new List<SignInRecord>();
        while (row.Step()) all.Add(new(row.Int64(0), row.Time(1), row.Time(2), row.Int64(3), row.String(4), row.String(5), row.String(6), row.Bool(7)));
        return all;
    }

    /// <param name="most">That an account has of its kind; the oldest make room.</param>
    public static long Add(WriteTransaction write, long account, SignInRecord record, int most)
    {
        write.Prepare("INSERT INTO sign_in (account_id, first, last, times, address, protocol, way, succeeded) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, account).Bind(2, record.First).Bind(3, record.Last).Bind(4, record.Times).Bind(5, record.Address).Bind(6, record.Protocol).Bind(7, record.Way).Bind(8, record.Succeeded).Run();
        var id = write.LastInsertId;
        write.Prepare("DELETE FROM sign_in WHERE id IN (SELECT id FROM sign_in WHERE account_id = ? AND succeeded = ? ORDER BY last DESC, id DESC LIMIT -1 OFFSET ?)")
            .Bind(1, account).Bind(2, record.Succeeded).Bind(3, (long)most).Run();
        return id;
    }

    public static bool Set(WriteTransaction write, SignInRecord record) =>
        write.Prepare("UPDATE sign_in SET last = ?, times = ? WHERE id = ?").Bind(1, record.Last).Bind(2, record.Times).Bind(3, record.Id).Run() == 1;

    public static void RemoveAll(WriteTransaction write, long account) => write.Prepare("DELETE FROM sign_in WHERE account_id = ?").Bind(1, account).Run();
}
