using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>All SQL of answers for the absent (Storage/Schema/0030_vacation.sql).</summary>
static class VacationTable
{
    public static DateTimeOffset? Answered(ReadTransaction read, long account, string sender)
    {
        using var row = read.Prepare("SELECT at FROM vacation_reply WHERE account_id = ? AND sender = ?").Bind(1, account).Bind(2, sender);
        return row.Step() ? row.Time(0) : null;
    }

    /// <summary>How many were answered since.</summary>
    public static long CountSince(ReadTransaction read, long account, DateTimeOffset since) =>
        read.Prepare("SELECT count(*) FROM vacation_reply WHERE account_id = ? AND at > ?").Bind(1, account).Bind(2, since).Scalar() ?? 0;

    public static void Record(WriteTransaction write, long account, string sender, DateTimeOffset now, DateTimeOffset old)
    {
        write.Prepare("DELETE FROM vacation_reply WHERE account_id = ? AND at < ?").Bind(1, account).Bind(2, old).Run();
        write.Prepare("INSERT INTO vacation_reply (account_id, sender, at) VALUES (?, ?, ?) ON CONFLICT (account_id, sender) DO UPDATE SET at = excluded.at").Bind(1, account).Bind(2, sender).Bind(3, now).Run();
    }

    public static void Forget(WriteTransaction write, long account) => write.Prepare("DELETE FROM vacation_reply WHERE account_id = ?").Bind(1, account).Run();
}
