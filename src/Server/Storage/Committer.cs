using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Storage;

/// <summary>
/// The one writer. It takes whatever waits as one batch, runs it in one transaction, flushes the pack and commits the database
/// at the same time, and tells the callers when both are done. Concurrency makes the flush cheap, a lonely commit is not delayed
/// (measured.md, 2: "b-parallel").
/// </summary>
/// <remarks>
/// A commit that ends before its pack flush is harmless: the next start finds rows whose record is not whole, and those were
/// never acknowledged and are removed. Work whose other rows must not outlive its bodies asks for the bodies first
/// (<see cref="WriteTransaction.BodiesFirst"/>). The pack's position that is known to be flushed travels in the next batch's transaction.
/// </remarks>
sealed class Committer
{
    const int IdleMilliseconds = 500;

    readonly SqliteConnection connection;
    readonly Packs packs;
    readonly Disk disk;
    readonly StorageSettings settings;
    readonly ILogger log;
    readonly object gate = new();
    readonly Thread thread;
    List<Work> waiting = [];
    bool stopping;
    bool needsCheckpoint;
    (int Pack, long Position) safe;

    public Committer(SqliteConnection connection, Packs packs, Disk disk, StorageSettings settings, ILogger log)
    {
        (this.connection, this.packs, this.disk, this.settings, this.log) = (connection, packs, disk, settings, log);
        safe = packs.End;
        thread = new Thread(Loop) { Name = "committer", IsBackground = true };
        thread.Start();
    }

    /// <summary>One caller's work.</summary>
    public abstract class Work
    {
        internal WriteTransaction? Transaction;
        internal abstract void Run(WriteTransaction transaction);
        internal abstract void Succeed();
        internal abstract void Fail(Exception error);
        internal bool Failed;
    }

    public sealed class Work<T>(Func<WriteTransaction, T> body, CancellationToken cancel) : Work
    {
        readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result;

        public Task<T> Task => done.Task;

        internal override void Run(WriteTransaction transaction)
        {
            cancel.ThrowIfCancellationRequested(); // once it runs, it commits
            result = body(transaction);
        }

        internal override void Succeed() => done.TrySetResult(result!);
        internal override void Fail(Exception error) => done.TrySetException(error);
    }

    public void Enqueue(Work work)
    {
        lock (gate)
        {
            if (stopping) throw new InvalidOperationException("The server is stopping; nothing more is stored.");
            waiting.Add(work);
            if (waiting.Count == 1) Monitor.Pulse(gate);
        }
    }

    /// <summary>Commits what waits and ends the threads.</summary>
    public void Stop()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.Pulse(gate);
        }
        thread.Join();
    }

    void Loop()
    {
        var last = 1;
        while (Take(last) is { } batch)
        {
            last = batch.Count;
            try
            {
                Commit(batch);
            }
            catch (Exception error)
            {
                StorageTelemetry.CommitFailed(log, batch.Count, error);
                foreach (var work in batch) work.Fail(error);
            }
            needsCheckpoint = true;
        }
    }

    // Waits for work; gathers as many as last time, for at most GatherMicroseconds, and not at all after a batch of one.
    List<Work>? Take(int last)
    {
        while (true)
        {
            lock (gate)
            {
                if (waiting.Count > 0) break;
                if (stopping) return null;
                if (!needsCheckpoint) Monitor.Wait(gate);
                else if (Monitor.Wait(gate, IdleMilliseconds)) continue;
                if (waiting.Count > 0 || stopping || !needsCheckpoint) continue;
                needsCheckpoint = false;
            }
            connection.Checkpoint(); // idle: the log moves into the database and is cut off
        }
        if (last > 1 && Volatile.Read(ref waiting).Count < last)
        {
            var start = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref waiting).Count < last && Stopwatch.GetElapsedTime(start).TotalMicroseconds < settings.GatherMicroseconds) Thread.Yield();
        }
        lock (gate)
        {
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

    void Commit(List<Work> batch)
    {
        var start = packs.End;
        connection.Execute("BEGIN IMMEDIATE");
        var flushing = false;
        var flushed = false;
        var committing = false;
        try
        {
            foreach (var work in batch) RunOne(work);
            if (packs.IsDirty)
            {
                VaultTable.SetSafe(connection, safe);
                packs.WriteOut();
                flushing = true;
                packs.StartFlush();
                if (batch.Exists(work => !work.Failed && work.Transaction!.WantsBodiesFirst))
                {
                    flushing = false;
                    if (packs.AwaitFlush() is { } error) throw new IOException("The disk failed to make mail durable.", error);
                    flushed = true;
                }
            }
            committing = true;
            connection.Execute("COMMIT");
        }
        catch
        {
            // A commit that failed may still come back after a power cut: then its bodies must be there.
            if (flushing) Flushed();
            connection.TryRollback();
            safe = committing ? packs.StepOver() : packs.Abandon(start);
            throw;
        }
        if (flushing) Flushed();
        if (flushing || flushed) safe = packs.End;
        foreach (var work in batch)
        {
            if (work.Failed) continue;
            work.Transaction!.Committed();
            work.Succeed();
        }
    }

    // Rows are committed, or may be, and their bodies perhaps not.
    void Flushed()
    {
        if (packs.AwaitFlush() is { } error) disk.Halt("The disk failed to make mail durable; the server stops rather than lose it.", error);
    }

    void RunOne(Work work)
    {
        var before = packs.End;
        work.Transaction = new WriteTransaction(connection, packs);
        connection.Prepare("SAVEPOINT work").Run();
        try
        {
            work.Run(work.Transaction);
            work.Transaction.Ending();
            connection.Prepare("RELEASE work").Run();
        }
        catch (Exception error) when (error is not SqliteError { IsFatal: true })
        {
            connection.Prepare("ROLLBACK TO work").Run();
            connection.Prepare("RELEASE work").Run();
            packs.Forget(before);
            work.Failed = true;
            work.Fail(error);
        }
    }
}
