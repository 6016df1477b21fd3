using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>All SQL of second factors (Storage/Schema/0024_credentials.sql).</summary>
static class SecondFactorTable
{
    public static List<(long Account, DateTimeOffset Confirmed)> Confirmed(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT account_id, confirmed FROM totp WHERE confirmed IS NOT NULL");
        var all = new List<(long, DateTimeOffset)>();
        while (row.Step()) all.Add((row.Int64(0), row.Time(1)));
        return all;
    }

    public static (byte[] Secret, DateTimeOffset? Confirmed, long Step)? Totp(WriteTransaction write, long account)
    {
        using var row = write.Prepare("SELECT secret, confirmed, step FROM totp WHERE account_id = ?").Bind(1, account);
        return row.Step() ? (row.Blob(0).ToArray(), row.IsNull(1) ? null : row.Time(1), row.Int64(2)) : null;
    }

    public static void Begin(WriteTransaction write, long account, byte[] secret) =>
        write.Prepare("INSERT INTO totp (account_id, secret, confirmed, step) VALUES (?, ?, NULL, 0) ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, step = 0")
            .Bind(1, account).Bind(2, secret).Run();

    public static void Confirm(WriteTransaction write, long account, DateTimeOffset now, long step) =>
        write.Prepare("UPDATE totp SET confirmed = ?, step = ? WHERE account_id = ?").Bind(1, now).Bind(2, step).Bind(3, account).Run();

    public static void Used(WriteTransaction write, long account, long step) =>
        write.Prepare("UPDATE totp SET step = ? WHERE account_id = ?").Bind(1, step).Bind(2, account).Run();

    public static void SetRecoveryCodes(WriteTransaction write, long account, IEnumerable<byte[]> digests)
    {
        write.Prepare("DELETE FROM recovery_code WHERE account_id = ?").Bind(1, account).Run();
        foreach (var digest in digests) write.Prepare("INSERT INTO recovery_code (account_id, digest) VALUES (?, ?)").Bind(1, account).Bind(2, digest).Run();
    }

    /// <returns>Whether it was there: it counts once.</returns>
    public static bool UseRecoveryCode(WriteTransaction write, long account, byte[] digest) =>
        write.Prepare("DELETE FROM recovery_code WHERE account_id = ? AND digest = ?").Bind(1, account).Bind(2, digest).Run() == 1;

    public static long CountRecoveryCodes(ReadTransaction read, long account) => read.Prepare("SELECT count(*) FROM recovery_code WHERE account_id = ?").Bind(1, account).Scalar() ?? 0;

    public static void Remove(WriteTransaction write, long account, bool codesToo)
    {
        write.Prepare("DELETE FROM totp WHERE account_id = ?").Bind(1, account).Run();
        if (codesToo) write.Prepare("DELETE FROM recovery_code WHERE account_id = ?").Bind(1, account).Run();
    }
}
