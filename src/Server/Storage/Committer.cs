using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>
/// The one writer at a time. Whatever waits is one batch: one transaction, the pack flushed with the database or beside it, the callers told
/// when both are durable (measured.md, 2: "b-parallel"). Concurrency makes the flush cheap; a lonely commit is not delayed: where nobody else
/// writes and the disk is quick, the caller commits by himself, without a change of threads.
/// </summary>
/// <remarks>
/// A commit that ends before its pack flush is harmless: the next start finds rows whose record is not whole, and those were
/// never acknowledged and are removed. Where one flush serves both (<see cref="Packs.CanRide"/>), the device has the whole record before that flush
/// begins; a power cut before its end may leave the row without it, and again nobody was told. Work whose other rows must not outlive its bodies asks for the bodies first
/// (<see cref="WriteTransaction.BodiesFirst"/>). The pack's position that is known to be flushed travels in a later batch's transaction,
/// in the very next one where what lies behind it may be torn.
/// </remarks>
sealed class Committer
{
    /// <summary>How long the thread keeps the writer after a batch of several: the next ones are on their way.</summary>
    const int LingerMilliseconds = 2;

    /// <summary>How far the flushed position may be ahead of what the database says of it: a page less a commit, some milliseconds more a start.</summary>
    const long WalkBytes = 1 << 20;

    readonly SqliteConnection connection;
    readonly Packs packs;
    readonly Disk disk;
    readonly StorageSettings settings;
    readonly Checkpoints checkpoints;
    readonly StoreCondition condition;
    readonly ILogger log;
    readonly PackTally tally = new();
    readonly object gate = new();
    readonly Thread thread;
    readonly List<Work> alone = new(1);
    List<Work> waiting = [];
    int wanted;         // the thread gathers until so many wait
    bool busy;          // a caller or the thread has the writer
    bool mine;          // the thread has it
    bool stopping;
    bool mayPause;      // nothing was tried since the last commit: what is deferred may be done in the next pause
    Action<WriteTransaction>? deferred; // what a work has left to be done
    double lately;      // milliseconds that a commit takes, a moving average
    (int Pack, long Position) safe;      // everything before it is flushed, or garbage that no row names
    (int Pack, long Position) toldSafe;  // as it stands in the database: the walk at a start begins there
    bool mustTellSafe = true;            // what lies between the two may be torn

    public Committer(SqliteConnection connection, Packs packs, Disk disk, StorageSettings settings, Checkpoints checkpoints, StoreCondition condition, ILogger log)
    {
        (this.connection, this.packs, this.disk, this.settings, this.checkpoints, this.condition, this.log) = (connection, packs, disk, settings, checkpoints, condition, log);
        safe = packs.End;
        thread = new Thread(Loop) { Name = "committer", IsBackground = true };
        thread.Start();
    }

    /// <summary>One caller's work.</summary>
    public abstract class Work
    {
        internal WriteTransaction? Transaction;
        internal bool Failed;
        /// <summary>It does without what is deferred.</summary>
        internal bool IsBesideDeferred { get; init; }
        internal abstract void Run(WriteTransaction transaction);
        internal abstract void Succeed();
        internal abstract void Fail(Exception error);
    }

    public sealed class Work<T>(Func<WriteTransaction, T> body, CancellationToken cancel) : Work
    {
        TaskCompletionSource<T>? done;
        Exception? error;
        T? result;

        /// <summary>What the caller awaits; asked for before the work is queued, or after the caller has run it himself.</summary>
        public ValueTask<T> Outcome => done is not null ? new ValueTask<T>(done.Task)
            : error is null ? new ValueTask<T>(result!) : ValueTask.FromException<T>(error);

        public void Queue() => done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);

        internal override void Run(WriteTransaction transaction)
        {
            cancel.ThrowIfCancellationRequested(); // once it runs, it commits
            result = body(transaction);
        }

        internal override void Succeed() => done?.TrySetResult(result!);

        internal override void Fail(Exception why)
        {
            Failed = true;
            error = why;
            done?.TrySetException(why);
        }
    }

    /// <param name="mayLead">The caller waits for the outcome at once: he may commit by himself.</param>
    public ValueTask<T> Commit<T>(Work<T> work, bool mayLead)
    {
        lock (gate)
        {
            if (stopping) throw new InvalidOperationException("The server is stopping; nothing more is stored.");
            if (busy || !mayLead || settings.LeadMilliseconds <= 0 || lately > settings.LeadMilliseconds)
            {
                work.Queue();
                waiting.Add(work);
                if (waiting.Count == Math.Max(1, wanted)) Monitor.PulseAll(gate);
                return work.Outcome;
            }
            busy = true;
        }
        try
        {
            alone.Add(work);
            CommitOrFail(alone);
        }
        finally
        {
            alone.Clear();
            lock (gate)
            {
                busy = false;
                if (waiting.Count > 0 || stopping || Defers) Monitor.PulseAll(gate);
            }
        }
        return work.Outcome;
    }

    /// <summary>Commits what waits and ends the thread.</summary>
    public void Stop()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.PulseAll(gate);
        }
        thread.Join();
    }

    void Loop()
    {
        var last = 1;
        while (Take(last) is { } batch)
        {
            last = batch.Count;
            CommitOrFail(batch);
        }
    }

    // Gathers as many as last time, for at most GatherMilliseconds, and not at all after a batch of one; after one it gives the writer up at once.
    List<Work>? Take(int last)
    {
        lock (gate)
        {
            if (mine && last > 1 && waiting.Count == 0 && !stopping) Monitor.Wait(gate, LingerMilliseconds);
            while (waiting.Count == 0 || (busy && !mine))
            {
                if (mine) mine = busy = false;
                if (stopping && waiting.Count == 0 && !busy) return null;
                if (!Defers || stopping) Monitor.Wait(gate);
                else if (!Monitor.Wait(gate, settings.PendingFlagsMilliseconds) && waiting.Count == 0 && !busy)
                {
                    (mine, busy, mayPause) = (true, true, false);
                    return [];
                }
            }
            mine = busy = true;
            if (last > 1 && waiting.Count < last && settings.GatherMilliseconds > 0)
            {
                wanted = last;
                Monitor.Wait(gate, settings.GatherMilliseconds);
                wanted = 0;
            }
            var batch = waiting;
            if (batch.Count <= settings.BatchCommits) waiting = [];
            else
            {
                waiting = batch[settings.BatchCommits..];
                batch = batch[..settings.BatchCommits];
            }
            return batch;
        }
    }

    // somebody's work of a moment ago is to be finished in the next pause
    bool Defers => deferred is not null && mayPause && settings.PendingFlagsMilliseconds > 0;

    void CommitOrFail(List<Work> batch)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            Commit(batch);
        }
        catch (Exception error)
        {
            foreach (var work in batch)
                if (!work.Failed) work.Fail(error);
            if (!condition.Failed(error)) StorageTelemetry.CommitFailed(log, batch.Count, error);
        }
        lately += (Stopwatch.GetElapsedTime(began).TotalMilliseconds - lately) / 8;
        checkpoints.Committed(connection);
    }

    void Commit(List<Work> batch)
    {
        var start = packs.End;
        tally.Clear();
        var changes = connection.TotalChanges;
        connection.Prepare("BEGIN IMMEDIATE").Run();
        var flushing = false;
        var riding = false;
        var committing = false;
        var tellSafe = false;
        var toldNow = safe;
        var rest = deferred;
        try
        {
            if (batch.Count == 0) Finish(ref rest);
            else if (batch.Count > 1)
                foreach (var work in batch) RunOne(work, ref rest);
            else if (!RunAlone(batch[0], ref rest)) return;
            var hasRows = tally.Mark > 0; // a commit that writes no rows flushes nothing
            WriteStatistics();
            if (packs.IsDirty)
            {
                tellSafe = mustTellSafe || safe.Pack != toldSafe.Pack || safe.Position - toldSafe.Position >= WalkBytes;
                if (tellSafe) VaultTable.SetSafe(connection, toldNow = safe);
                packs.WriteOut();
                if (batch.Exists(work => !work.Failed && work.Transaction!.WantsBodiesFirst)) packs.Flush();
                else if (hasRows && packs.CanRide)
                {
                    packs.AwaitHandOver();
                    riding = true;
                }
                else
                {
                    flushing = true;
                    packs.StartFlush();
                }
            }
            committing = true;
            connection.Prepare("COMMIT").Run();
        }
        catch (Exception error)
        {
            // A commit that failed may still come back after a power cut: then its bodies must be there.
            if (riding) packs.StartFlush();
            if (flushing || riding) Flushed();
            connection.TryRollback();
            safe = committing && !IsCertainlyUndone(error) ? packs.StepOver() : packs.Abandon(start);
            mustTellSafe = true;
            throw;
        }
        if (flushing) Flushed();
        if (riding) packs.HaveRidden();
        if (batch.Count > 0) mayPause = true;
        deferred = rest;
        if (tellSafe) (toldSafe, mustTellSafe) = (toldNow, false);
        if (!packs.IsDirty) safe = packs.End; // flushed here, or by the sealing of a pack
        packs.Sealed.Clear();
        if (condition.IsFailing && connection.TotalChanges != changes) condition.Succeeded(); // one that wrote nothing proves nothing
        foreach (var work in batch)
        {
            if (work.Failed) continue;
            work.Transaction!.Committed(log);
            work.Succeed();
        }
    }

    // Rows are committed, or may be, and their bodies perhaps not.
    void Flushed()
    {
        if (packs.AwaitFlush() is { } error) disk.Halt("The disk failed to make mail durable; the server stops rather than lose it.", error);
    }

    // a batch of one needs no savepoint: if it fails, all is undone
    bool RunAlone(Work work, ref Action<WriteTransaction>? rest)
    {
        var before = packs.End;
        if (!work.IsBesideDeferred) Finish(ref rest);
        work.Transaction = new WriteTransaction(connection, packs, tally) { Safe = safe, IsAlone = true };
        try
        {
            work.Run(work.Transaction);
            work.Transaction.Ending();
            rest = work.Transaction.Deferred ?? rest;
            return true;
        }
        catch (Exception error) when (IsItsOwn(error))
        {
            connection.TryRollback();
            packs.Forget(before);
            work.Fail(error);
            return false;
        }
    }

    // the work's own failure; any other is the disk's and fails the batch
    bool IsItsOwn(Exception error) => error is not SqliteError { IsFatal: true } and not OutOfMemoryException && !packs.IsTorn;

    // SQLITE_FULL comes of a write to the log before its last frame, never of a flush: no power cut brings such a commit back.
    // Its bodies are cut off, or each attempt on a full disk would make it fuller.
    static bool IsCertainlyUndone(Exception error) => error is SqliteError { IsDiskFull: true };

    void WriteStatistics()
    {
        tally.Write(connection);
        foreach (var (pack, bytes) in packs.Sealed) VaultTable.Seal(connection, pack, bytes);
    }

    // does what earlier works have left
    void Finish(ref Action<WriteTransaction>? rest)
    {
        rest?.Invoke(new WriteTransaction(connection, packs, tally) { Safe = safe });
        rest = null;
    }

    void RunOne(Work work, ref Action<WriteTransaction>? rest)
    {
        if (!work.IsBesideDeferred) Finish(ref rest);
        var before = packs.End;
        var mark = tally.Mark;
        work.Transaction = new WriteTransaction(connection, packs, tally) { Safe = safe };
        connection.Prepare("SAVEPOINT work").Run();
        try
        {
            work.Run(work.Transaction);
            work.Transaction.Ending();
            connection.Prepare("RELEASE work").Run();
            rest = work.Transaction.Deferred ?? rest;
        }
        catch (Exception error) when (IsItsOwn(error))
        {
            connection.Prepare("ROLLBACK TO work").Run();
            connection.Prepare("RELEASE work").Run();
            packs.Forget(before);
            tally.Undo(mark);
            work.Fail(error);
        }
    }
}
