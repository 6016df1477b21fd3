using CbaMail.Storage;

namespace CbaMail.Admission;

/// <summary>All SQL of recovery addresses and new passwords (Storage/Schema/0028_admission.sql).</summary>
static class RecoveryTable
{
    /// <summary>Messages that an account has had on that day.</summary>
    static long Asked(WriteTransaction write, string table, long account, long day) => write.Prepare($"SELECT asked FROM {table} WHERE account_id = ? AND day = ?").Bind(1, account).Bind(2, day).Scalar() ?? 0;

    /// <returns>False where there have been enough for today.</returns>
    public static bool AskProof(WriteTransaction write, long account, byte[] digest, string address, DateTimeOffset expires, long day, int most)
    {
        var asked = Asked(write, "recovery_proof", account, day);
        if (asked >= most) return false;
        write.Prepare("INSERT OR REPLACE INTO recovery_proof (account_id, digest, address, expires, day, asked) VALUES (?, ?, ?, ?, ?, ?)")
            .Bind(1, account).Bind(2, digest).Bind(3, address).Bind(4, expires).Bind(5, day).Bind(6, asked + 1).Run();
        return true;
    }

    public static (long Account, string Address, DateTimeOffset Expires)? Proof(ReadTransaction read, byte[] digest)
    {
        using var row = read.Prepare("SELECT account_id, address, expires FROM recovery_proof WHERE digest = ?").Bind(1, digest);
        return row.Step() ? (row.Int64(0), row.String(1), row.Time(2)) : null;
    }

    /// <summary>The address that somebody has still to show to be his, or null.</summary>
    public static string? Awaited(ReadTransaction read, long account, DateTimeOffset now)
    {
        using var row = read.Prepare("SELECT address FROM recovery_proof WHERE account_id = ? AND expires > ?").Bind(1, account).Bind(2, now);
        return row.Step() ? row.String(0) : null;
    }

    public static bool TakeProof(WriteTransaction write, byte[] digest) => write.Prepare("UPDATE recovery_proof SET expires = 0, digest = randomblob(32) WHERE digest = ?").Bind(1, digest).Run() > 0;

    public static bool AskReset(WriteTransaction write, long account, byte[] digest, string language, DateTimeOffset expires, long day, int most)
    {
        var asked = Asked(write, "password_reset", account, day);
        if (asked >= most) return false;
        write.Prepare("INSERT OR REPLACE INTO password_reset (account_id, digest, language, expires, day, asked) VALUES (?, ?, ?, ?, ?, ?)")
            .Bind(1, account).Bind(2, digest).Bind(3, language).Bind(4, expires).Bind(5, day).Bind(6, asked + 1).Run();
        return true;
    }

    public static (long Account, string Language, DateTimeOffset Expires)? Reset(ReadTransaction read, byte[] digest)
    {
        using var row = read.Prepare("SELECT account_id, language, expires FROM password_reset WHERE digest = ?").Bind(1, digest);
        return row.Step() ? (row.Int64(0), row.String(1), row.Time(2)) : null;
    }

    /// <summary>Uses the link up; false where somebody was quicker.</summary>
    public static bool TakeReset(WriteTransaction write, byte[] digest) => write.Prepare("UPDATE password_reset SET digest = NULL WHERE digest = ?").Bind(1, digest).Run() > 0;

    public static void Forget(WriteTransaction write, long account)
    {
        write.Prepare("DELETE FROM recovery_proof WHERE account_id = ?").Bind(1, account).Run();
        write.Prepare("DELETE FROM password_reset WHERE account_id = ?").Bind(1, account).Run();
    }

    /// <summary>No link of an account is good any more; how many it had today stays known.</summary>
    public static void End(WriteTransaction write, long account)
    {
        write.Prepare("UPDATE recovery_proof SET expires = 0, digest = randomblob(32) WHERE account_id = ?").Bind(1, account).Run();
        write.Prepare("UPDATE password_reset SET digest = NULL WHERE account_id = ?").Bind(1, account).Run();
    }

    public static void ForgetBefore(WriteTransaction write, DateTimeOffset now, long day)
    {
        write.Prepare("DELETE FROM recovery_proof WHERE expires < ? AND day < ?").Bind(1, now).Bind(2, day).Run();
        write.Prepare("DELETE FROM password_reset WHERE expires < ? AND day < ?").Bind(1, now).Bind(2, day).Run();
    }
}
