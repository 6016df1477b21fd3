using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>The committer's transaction: write through it, and ask to be told when all is durable.</summary>
public sealed class WriteTransaction
{
    readonly SqliteConnection connection;
    readonly Packs packs;
    readonly PackTally tally;
    List<Action>? committed;
    List<Action>? ending;

    internal WriteTransaction(SqliteConnection connection, Packs packs, PackTally tally) => (this.connection, this.packs, this.tally) = (connection, packs, tally);

    /// <summary>A room's own state for the length of this transaction; the mailboxes keep their changes here.</summary>
    internal object? Attached { get; set; }

    /// <summary>Where the record will lie if it is the next to be appended.</summary>
    public PackLocation Reserve(PackRecord record) => packs.Reserve(record.Length);

    /// <summary>Puts a record into the pack; it is flushed with this commit.</summary>
    public PackLocation Append(PackRecord record, long id) => Append(record.Finish(id));

    /// <summary>The same for a finished record, as it stands in another place.</summary>
    internal PackLocation Append(ReadOnlySpan<byte> record)
    {
        var location = packs.Append(record);
        tally.Add(location);
        if (IsAlone && tally.Mark == 1) packs.StartHandOver();
        return location;
    }

    /// <summary>
    /// Rows of this transaction tell something of its bodies that must not outlive them (a queue entry, a ledger's "delivered"):
    /// the pack is flushed before the database commits, not at the same time. It costs a lonely commit one flush more.
    /// </summary>
    public void BodiesFirst() => WantsBodiesFirst = true;

    /// <summary>The only work of its commit: its first record is on the way to the disk while the rows are written.</summary>
    internal bool IsAlone { get; init; }

    internal bool WantsBodiesFirst { get; private set; }

    /// <summary>Everything before it is flushed.</summary>
    internal (int Pack, long Position) Safe { get; init; }

    /// <summary>
    /// Whether a pack's file may go: no row names it, and none will. The walk of the next start (<see cref="PackRecovery"/>) goes from pack to pack
    /// without a gap, so it has to begin behind this one: the position that it begins at is moved on in this transaction.
    /// </summary>
    internal bool MayRemove(int pack)
    {
        if (pack >= Safe.Pack || !VaultTable.IsDead(connection, pack)) return false;
        VaultTable.SetSafe(connection, Safe);
        return true;
    }

    /// <summary>The file is gone: so is its row.</summary>
    internal void Removed(int pack) => VaultTable.Remove(connection, pack);

    /// <summary>Ends the current pack early where enough of it is dead, so that its space can come back.</summary>
    internal bool SealIfDead(double share, long least)
    {
        var (pack, length) = packs.End;
        var dead = length - VaultTable.Live(connection, pack);
        return dead >= least && dead >= length * share && packs.Seal();
    }

    /// <summary>Corrects the statistics of a pack.</summary>
    internal void SetLive(int pack, long live) => AddLive(pack, live - VaultTable.Live(connection, pack));

    /// <summary>Corrects the statistics of a pack by a difference.</summary>
    internal void AddLive(int pack, long bytes) => VaultTable.AddLive(connection, pack, bytes);

    /// <summary>Gives a row to a sealed pack that has a file and no row.</summary>
    internal void Adopt(int pack, long bytes, Func<long> live)
    {
        if (pack >= packs.End.Pack) return;
        SetLive(pack, live());
        VaultTable.Seal(connection, pack, bytes);
    }

    /// <summary>Counts a record as dead: no row names it any more.</summary>
    public void Drop(PackLocation location) => tally.Drop(location);

    public uint NextUidValidity(DateTimeOffset now) => VaultTable.NextUidValidity(connection, now);

    /// <summary>The kept statement for this constant text.</summary>
    public Statement Prepare(string sql) => connection.Prepare(sql);

    public long LastInsertId => connection.LastInsertId;

    public int Changes => connection.Changes;

    /// <summary>Runs after the commit is durable, before the caller is told; must be short. What it throws is logged. Not run if the work fails.</summary>
    public void OnCommitted(Action action) => (committed ??= []).Add(action);

    /// <summary>
    /// Leaves what can wait, and what readers do without, for a later transaction: it runs before any other work does, in a pause at the latest, unless that work
    /// has said that it goes beside it (<see cref="Store.CommitAsync"/>). It does all that works of its kind have left, after a start as well: the rows tell.
    /// </summary>
    public void Defer(Action<WriteTransaction> rest) => Deferred = rest;

    internal Action<WriteTransaction>? Deferred { get; private set; }

    /// <summary>Runs at the end of this work, still inside the transaction.</summary>
    public void OnEnding(Action action) => (ending ??= []).Add(action);

    internal void Ending()
    {
        for (var i = 0; i < ending?.Count; i++) ending[i]();
    }

    internal void Committed(ILogger log)
    {
        if (committed is null) return;
        foreach (var action in committed)
            try
            {
                action();
            }
            catch (Exception error)
            {
                StorageTelemetry.AfterCommit(log, error); // all is durable; who waits for it must hear so
            }
    }
}

/// <summary>A snapshot for reading; give it back by disposing it.</summary>
public sealed class ReadTransaction : IDisposable
{
    readonly SqliteConnection connection;
    readonly long ticket;
    readonly Action<SqliteConnection, long> giveBack;

    internal ReadTransaction(SqliteConnection connection, long ticket, Action<SqliteConnection, long> giveBack) =>
        (this.connection, this.ticket, this.giveBack) = (connection, ticket, giveBack);

    /// <summary>The kept statement for this constant text.</summary>
    public Statement Prepare(string sql) => connection.Prepare(sql);

    public void Dispose() => giveBack(connection, ticket);
}
