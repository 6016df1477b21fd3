namespace CbaMail.Storage;

/// <summary>Which keys have encrypted secrets of this database.</summary>
static class SecretTable
{
    public static List<byte[]> Keys(ReadTransaction read)
    {
        using var rows = read.Prepare("SELECT id FROM secret_key");
        var keys = new List<byte[]>();
        while (rows.Step()) keys.Add(rows.Blob(0).ToArray());
        return keys;
    }

    public static void Add(WriteTransaction write, ReadOnlySpan<byte> id, DateTimeOffset now) =>
        write.Prepare("INSERT INTO secret_key (id, made) VALUES (?, ?) ON CONFLICT DO NOTHING").Bind(1, id).Bind(2, now).Run();

    public static void Clear(WriteTransaction write) => write.Prepare("DELETE FROM secret_key").Run();

    public static bool IsEmpty(Sqlite.SqliteConnection connection) => connection.Prepare("SELECT 1 FROM secret_key").Scalar() is null;
}
