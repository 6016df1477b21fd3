using CbaMail.Storage;

namespace CbaMail.Submission;

/// <summary>The rows of what accounts have sent: all their SQL.</summary>
internal static class SentTable
{
    public static List<SentHour> Of(ReadTransaction transaction, long account, long after)
    {
        var hours = new List<SentHour>();
        using var row = transaction.Prepare("SELECT hour, messages, recipients, fresh FROM sent_hour WHERE account_id=? AND hour>? ORDER BY hour").Bind(1, account).Bind(2, after);
        while (row.Step()) hours.Add(new SentHour(row.Int64(0), row.Int32(1), row.Int32(2), row.Int32(3)));
        return hours;
    }

    public static void Add(WriteTransaction transaction, long account, SentHour added) =>
        transaction.Prepare("INSERT INTO sent_hour (account_id, hour, messages, recipients, fresh) VALUES (?1,?2,?3,?4,?5) "
            + "ON CONFLICT (account_id, hour) DO UPDATE SET messages=messages+?3, recipients=recipients+?4, fresh=fresh+?5")
            .Bind(1, account).Bind(2, added.Hour).Bind(3, (long)added.Messages).Bind(4, (long)added.Recipients).Bind(5, (long)added.Fresh).Run();

    public static void Prune(WriteTransaction transaction, long account, long before) =>
        transaction.Prepare("DELETE FROM sent_hour WHERE account_id=? AND hour<?").Bind(1, account).Bind(2, before).Run();

    public static void RemoveAccount(WriteTransaction transaction, long account) =>
        transaction.Prepare("DELETE FROM sent_hour WHERE account_id=?").Bind(1, account).Run();
}
