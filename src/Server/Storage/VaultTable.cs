using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>What is known of a pack.</summary>
/// <param name="Bytes">Of the file, once it is sealed.</param>
/// <param name="Live">Of records that rows name.</param>
public readonly record struct PackState(int Pack, bool Sealed, long Bytes, long Live);

/// <summary>The engine's own rows: how far the pack is flushed, what lives in a pack, the last UIDVALIDITY.</summary>
static class VaultTable
{
    public static (int Pack, long Position) Safe(SqliteConnection connection)
    {
        using var row = connection.Prepare("SELECT safe_pack, safe_position FROM vault");
        return row.Step() ? (row.Int32(0), row.Int64(1)) : (0, 0);
    }

    public static void SetSafe(SqliteConnection connection, (int Pack, long Position) safe) =>
        connection.Prepare("UPDATE vault SET safe_pack = ?, safe_position = ?").Bind(1, safe.Pack).Bind(2, safe.Position).Run();

    /// <summary>Writes what stands there: whether a commit becomes durable. (SQLite writes nothing where a row is set to what it is: it is another meanwhile.)</summary>
    public static void Touch(WriteTransaction write)
    {
        write.Prepare("UPDATE vault SET safe_position = safe_position + 1").Run();
        write.Prepare("UPDATE vault SET safe_position = safe_position - 1").Run();
    }

    /// <summary>Bytes of records that rows begin to name, or name no more where they are negative.</summary>
    public static void AddLive(SqliteConnection connection, int pack, long bytes) =>
        connection.Prepare("INSERT INTO pack (id, sealed, bytes, live) VALUES (?, 0, 0, ?) ON CONFLICT (id) DO UPDATE SET live = live + excluded.live")
            .Bind(1, pack).Bind(2, bytes).Run();

    /// <summary>Nothing will be added to the pack; its file has this many bytes.</summary>
    public static void Seal(SqliteConnection connection, int pack, long bytes) =>
        connection.Prepare("INSERT INTO pack (id, sealed, bytes, live) VALUES (?1, 1, ?2, 0) ON CONFLICT (id) DO UPDATE SET sealed = 1, bytes = ?2")
            .Bind(1, pack).Bind(2, bytes).Run();

    /// <summary>Bytes of records that rows name.</summary>
    public static long Live(SqliteConnection connection, int pack) =>
        connection.Prepare("SELECT live FROM pack WHERE id = ?").Bind(1, pack).Scalar() ?? 0;

    /// <summary>Whether no row names anything in a sealed pack.</summary>
    public static bool IsDead(SqliteConnection connection, int pack) =>
        connection.Prepare("SELECT 1 FROM pack WHERE id = ? AND sealed = 1 AND live = 0").Bind(1, pack).Scalar() is not null;

    public static void Remove(SqliteConnection connection, int pack) =>
        connection.Prepare("DELETE FROM pack WHERE id = ? AND live = 0").Bind(1, pack).Run();

    /// <summary>Sealed packs of which less lives than a share, the emptiest first.</summary>
    public static List<PackState> Sparse(ReadTransaction read, double liveShare)
    {
        using var row = read.Prepare("SELECT id, sealed, bytes, live FROM pack WHERE sealed = 1 AND (live = 0 OR live <= bytes * ?) ORDER BY live * 1.0 / max(bytes, 1), id").Bind(1, liveShare);
        return States(row);
    }

    public static List<PackState> All(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT id, sealed, bytes, live FROM pack ORDER BY id");
        return States(row);
    }

    static List<PackState> States(Statement row)
    {
        var packs = new List<PackState>();
        while (row.Step()) packs.Add(new PackState(row.Int32(0), row.Bool(1), row.Int64(2), row.Int64(3)));
        return packs;
    }

    /// <summary>
    /// After a start: the pack that is written to is not sealed, whatever a lost batch has said; earlier ones are; of later ones, which are
    /// gone, no row says anything.
    /// </summary>
    public static void Agree(SqliteConnection connection, int current, Func<int, long?> length)
    {
        connection.Prepare("UPDATE pack SET sealed = 0 WHERE id = ?").Bind(1, current).Run();
        connection.Prepare("DELETE FROM pack WHERE id > ? AND live = 0").Bind(1, current).Run();
        var open = new List<int>();
        using (var row = connection.Prepare("SELECT id FROM pack WHERE sealed = 0 AND id < ?").Bind(1, current))
            while (row.Step()) open.Add(row.Int32(0));
        foreach (var pack in open)
            if (length(pack) is { } bytes) Seal(connection, pack, bytes);
    }

    /// <summary>
    /// A UIDVALIDITY greater than any before (RFC 9051 2.3.1.1): the time in seconds, or one more than the last. A clock that
    /// was set back changes nothing; one that is far ahead does not use the 32 bits up.
    /// </summary>
    public static uint NextUidValidity(SqliteConnection connection, DateTimeOffset now)
    {
        using var row = connection.Prepare("UPDATE vault SET uid_validity = max(uid_validity + 1, ?) RETURNING uid_validity").Bind(1, Math.Min(now.ToUnixTimeSeconds(), uint.MaxValue - (1L << 24)));
        row.Step();
        return (uint)row.Int64(0);
    }
}
