using System.Runtime.CompilerServices;

namespace CbaMail.Net;

/// <summary>Awaited upon a thread of the <see cref="EventLoop"/> it goes on upon one of the pool; anywhere else it is done already.</summary>
/// <param name="always">Goes on behind all that waits for the pool, wherever it is awaited.</param>
public readonly struct PoolHop(bool always = false) : ICriticalNotifyCompletion
{
    public PoolHop GetAwaiter() => this;

    public bool IsCompleted => !always && !EventLoop.IsHere;

    public void GetResult() { }

    public void OnCompleted(Action continuation) => ThreadPool.QueueUserWorkItem(static go => go(), continuation, preferLocal: false);

    public void UnsafeOnCompleted(Action continuation) => ThreadPool.UnsafeQueueUserWorkItem(static go => go(), continuation, preferLocal: false);
}
