using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>All SQL of passkeys (Storage/Schema/0025_passkeys.sql).</summary>
static class PasskeyTable
{
    public static List<Passkey> All(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT id, account_id, credential, name, key, count, transports, verified, eligible, backed_up, created, used FROM passkey");
        var all = new List<Passkey>();
        while (row.Step())
            all.Add(new(row.Int64(0), row.Int64(1), row.Blob(2).ToArray(), row.String(3), row.Blob(4).ToArray(), (uint)row.Int64(5), row.String(6).Split(' ', StringSplitOptions.RemoveEmptyEntries),
                row.Bool(7), row.Bool(8), row.Bool(9), row.Time(10), row.IsNull(11) ? null : row.Time(11)));
        return all;
    }

    /// <returns>The id, or null where the authenticator's key is there already.</returns>
    public static long? Add(WriteTransaction write, Passkey passkey) =>
        write.Prepare("INSERT INTO passkey (account_id, credential, name, key, count, transports, verified, eligible, backed_up, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .Bind(1, passkey.AccountId).Bind(2, passkey.Credential).Bind(3, passkey.Name).Bind(4, passkey.Key).Bind(5, (long)passkey.Count).Bind(6, string.Join(' ', passkey.Transports))
            .Bind(7, passkey.IsVerified).Bind(8, passkey.IsBackupEligible).Bind(9, passkey.IsBackedUp).Bind(10, passkey.Created).Run() == 1 ? write.LastInsertId : null;

    public static long Count(WriteTransaction write, long account) => write.Prepare("SELECT count(*) FROM passkey WHERE account_id = ?").Bind(1, account).Scalar() ?? 0;

    public static void Used(WriteTransaction write, Passkey passkey) =>
        write.Prepare("UPDATE passkey SET count = ?, backed_up = ?, used = ? WHERE id = ?").Bind(1, (long)passkey.Count).Bind(2, passkey.IsBackedUp).Bind(3, passkey.Used).Bind(4, passkey.Id).Run();

    public static bool Remove(WriteTransaction write, long account, long id) => write.Prepare("DELETE FROM passkey WHERE account_id = ? AND id = ?").Bind(1, account).Bind(2, id).Run() == 1;

    public static void RemoveAll(WriteTransaction write, long account) => write.Prepare("DELETE FROM passkey WHERE account_id = ?").Bind(1, account).Run();
}
