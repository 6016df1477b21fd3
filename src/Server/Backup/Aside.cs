using System.Collections.Concurrent;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>
/// A thread of low priority for work that lasts: where processors are scarce the mail has them first, and the work takes longer. All of it
/// runs there, what follows an await too; so no commit may run on it (<see cref="Store.StartCommit"/>), or mail would wait for this thread.
/// </summary>
sealed class Aside : TaskScheduler, IDisposable
{
    readonly BlockingCollection<Task> waiting = [];
    readonly Thread thread;

    Aside()
    {
        thread = new Thread(Loop) { Name = "aside", IsBackground = true };
        thread.Start();
    }

    /// <summary>Runs the work there.</summary>
    public static async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        using var aside = new Aside();
        return await Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, aside).Unwrap();
    }

    void Loop()
    {
        Posix.YieldToOthers();
        foreach (var task in waiting.GetConsumingEnumerable()) TryExecuteTask(task);
        waiting.Dispose();
    }

    public override int MaximumConcurrencyLevel => 1;

    protected override void QueueTask(Task task)
    {
        try
        {
            waiting.Add(task);
        }
        catch (InvalidOperationException)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null); // something that nobody awaited, after the end
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => Thread.CurrentThread == thread && !taskWasPreviouslyQueued && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [.. waiting];

    public void Dispose() => waiting.CompleteAdding();
}
