using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>The keys of return addresses: all their SQL.</summary>
internal static class BounceKeyTable
{
    /// <summary>The newest first.</summary>
    public static List<byte[]> All(ReadTransaction transaction)
    {
        var keys = new List<byte[]>();
        using var row = transaction.Prepare("SELECT key FROM bounce_key ORDER BY id DESC");
        while (row.Step()) keys.Add(row.Blob(0).ToArray());
        return keys;
    }

    public static void Add(WriteTransaction transaction, byte[] key, DateTimeOffset at) =>
        transaction.Prepare("INSERT INTO bounce_key (key, created) VALUES (?,?)").Bind(1, key).Bind(2, at).Run();
}
