using CbaMail.Config;
using CbaMail.Storage.Blobs;

namespace CbaMail.Storage;

// Storage: the engine under everything that lasts. It offers one transaction at a time to whoever writes
// (Store.CommitAsync), snapshots to whoever reads (Store.Read), an object store (Packs) and a place for what arrives (Spool).
//
// It does not know what a message, an account or a queue entry is: rooms own their tables (*Table.cs, Schema/*.sql).
//
// How it lasts (architecture.md, "The vault"; figures in measured.md):
//   bodies    appended to pack files by the committer; handed to the device before the database commits and made durable by its flush,
//             or, where the file system is not known to allow that (InPlace), flushed beside it
//   rows      SQLite, WAL, synchronous=FULL
//   a batch   whatever waits when the last one ended; acknowledged when flush and commit are both done
//   a crash   the tail behind the last whole record is cut off; rows committed without their record are removed
//             by the room that owns them, since nobody was told of them
//
// Rules: no fsync a message; no lock held over a wait; the committer's work computes nothing that could be computed before.

/// <summary>The room's services.</summary>
public static class StorageRoom
{
    /// <param name="removeUnacknowledged">See <see cref="Store"/>.</param>
    public static IServiceCollection AddStorage(this IServiceCollection services, Action<WriteTransaction, PackGap> removeUnacknowledged) => services
        .AddSingleton(provider => new Store(provider.GetRequiredService<Settings>(), provider.GetRequiredService<ILogger<Store>>(), removeUnacknowledged))
        .AddSingleton<Secrets>()
        .AddSingleton(provider => new Spool(provider.GetRequiredService<Settings>(), provider.GetRequiredService<Store>(), provider.GetRequiredService<Net.MemoryGate>()));
}
