using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>The keys of return addresses: all their SQL.</summary>
internal static class BounceKeyTable
{
    /// <summary>The newest first, each as it stands there.</summary>
    public static List<(long Id, byte[] Value)> All(ReadTransaction transaction)
    {
        var keys = new List<(long, byte[])>();
        using var row = transaction.Prepare("SELECT id, key FROM bounce_key ORDER BY id DESC");
        while (row.Step()) keys.Add((row.Int64(0), row.Blob(1).ToArray()));
        return keys;
    }

    public static void Replace(WriteTransaction transaction, long id, byte[] value) =>
        transaction.Prepare("UPDATE bounce_key SET key=? WHERE id=?").Bind(1, value).Bind(2, id).Run();

    public static void Add(WriteTransaction transaction, byte[] key, DateTimeOffset at) =>
        transaction.Prepare("INSERT INTO bounce_key (key, created) VALUES (?,?)").Bind(1, key).Bind(2, at).Run();
}
