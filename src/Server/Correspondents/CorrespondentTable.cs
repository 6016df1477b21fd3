using CbaMail.Storage;

namespace CbaMail.Correspondents;

/// <summary>The rows of who wrote to whom: all their SQL.</summary>
internal static class CorrespondentTable
{
    /// <returns>How often the account wrote to the address and the other way, or null.</returns>
    public static (long Sent, long Received)? Find(ReadTransaction transaction, long account, long address)
    {
        using var row = transaction.Prepare("SELECT sent, received FROM correspondent WHERE account_id=? AND address=?").Bind(1, account).Bind(2, address);
        return row.Step() ? (row.Int64(0), row.Int64(1)) : null;
    }

    public static bool IsWrittenTo(WriteTransaction transaction, long account, long address) =>
        transaction.Prepare("SELECT 1 FROM correspondent WHERE account_id=? AND address=? AND sent>0").Bind(1, account).Bind(2, address).Scalar() is not null;

    public static void Add(WriteTransaction transaction, long account, long address, int sent, int received, DateTimeOffset at) =>
        transaction.Prepare("INSERT INTO correspondent (account_id, address, sent, received, first, last) VALUES (?1,?2,?3,?4,?5,?5) "
            + "ON CONFLICT (account_id, address) DO UPDATE SET sent=sent+?3, received=received+?4, last=?5")
            .Bind(1, account).Bind(2, address).Bind(3, (long)sent).Bind(4, (long)received).Bind(5, at).Run();

    public static void RemoveAccount(WriteTransaction transaction, long account) =>
        transaction.Prepare("DELETE FROM correspondent WHERE account_id=?").Bind(1, account).Run();

    /// <summary>Removes some of those that were last heard of before a time, in a piece of the table.</summary>
    /// <returns>Where the next piece begins, or null at the end.</returns>
    public static (long Account, long Address)? Prune(WriteTransaction transaction, (long Account, long Address) from, DateTimeOffset before, int rows)
    {
        (long, long)? end = null;
        using (var row = transaction.Prepare("SELECT account_id, address FROM correspondent WHERE (account_id, address) >= (?,?) ORDER BY account_id, address LIMIT 1 OFFSET ?")
            .Bind(1, from.Account).Bind(2, from.Address).Bind(3, (long)rows))
            if (row.Step()) end = (row.Int64(0), row.Int64(1));
        var (account, address) = end ?? (long.MaxValue, long.MaxValue);
        transaction.Prepare("DELETE FROM correspondent WHERE (account_id, address) >= (?,?) AND (account_id, address) < (?,?) AND last < ?")
            .Bind(1, from.Account).Bind(2, from.Address).Bind(3, account).Bind(4, address).Bind(5, before).Run();
        return end;
    }
}
