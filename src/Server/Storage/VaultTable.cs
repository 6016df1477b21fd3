using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>The engine's own rows: how far the pack is flushed, what is dead in a pack, the last UIDVALIDITY.</summary>
static class VaultTable
{
    public static (int Pack, long Position) Safe(SqliteConnection connection)
    {
        using var row = connection.Prepare("SELECT safe_pack, safe_position FROM vault");
        return row.Step() ? (row.Int32(0), row.Int64(1)) : (0, 0);
    }

    public static void SetSafe(SqliteConnection connection, (int Pack, long Position) safe) =>
        connection.Prepare("UPDATE vault SET safe_pack = ?, safe_position = ?").Bind(1, safe.Pack).Bind(2, safe.Position).Run();

    /// <summary>A record that no row names any more.</summary>
    public static void AddDead(SqliteConnection connection, PackLocation location) =>
        connection.Prepare("INSERT INTO pack (id, sealed, bytes, dead) VALUES (?, 0, 0, ?) ON CONFLICT (id) DO UPDATE SET dead = dead + excluded.dead")
            .Bind(1, location.Pack).Bind(2, location.Stored).Run();

    /// <summary>A UIDVALIDITY greater than any before (RFC 9051 2.3.1.1): the time in seconds, or one more than the last.</summary>
    public static uint NextUidValidity(SqliteConnection connection, DateTimeOffset now)
    {
        using var row = connection.Prepare("UPDATE vault SET uid_validity = max(uid_validity + 1, ?) RETURNING uid_validity").Bind(1, now.ToUnixTimeSeconds());
        row.Step();
        return (uint)row.Int64(0);
    }
}
