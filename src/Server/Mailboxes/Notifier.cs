using System.Collections.Concurrent;

namespace CbaMail.Mailboxes;

/// <summary>A mailbox changed: its account's modification sequence is now <paramref name="ModSeq"/>.</summary>
public readonly record struct Change(long AccountId, long MailboxId, long ModSeq);

/// <summary>
/// Tells whoever listens that a mailbox has changed; knows no listener. Listeners read what changed from the store.
/// They are called before the next commit can begin: set a flag or release a semaphore, and return.
/// </summary>
public sealed class Notifier
{
    readonly ConcurrentDictionary<long, Action<Change>[]> listeners = new();
    readonly ConcurrentDictionary<long, Action[]> accounts = new();
    Action<Change>[] everywhere = [];
    int namesVersion;
    readonly Lock gate = new();

    /// <summary>Listens to one mailbox until disposed.</summary>
    public IDisposable Subscribe(long mailboxId, Action<Change> listener)
    {
        lock (gate) listeners[mailboxId] = [.. listeners.GetValueOrDefault(mailboxId, []), listener];
        return new Subscription(() =>
        {
            lock (gate)
            {
                var left = listeners.GetValueOrDefault(mailboxId, []).Where(l => l != listener).ToArray();
                if (left.Length == 0) listeners.TryRemove(mailboxId, out _); else listeners[mailboxId] = left;
            }
        });
    }

    /// <summary>Listens to all mailboxes of an account and to their names and subscriptions until disposed.</summary>
    public IDisposable SubscribeAccount(long accountId, Action listener)
    {
        lock (gate) accounts[accountId] = [.. accounts.GetValueOrDefault(accountId, []), listener];
        return new Subscription(() =>
        {
            lock (gate)
            {
                var left = accounts.GetValueOrDefault(accountId, []).Where(l => l != listener).ToArray();
                if (left.Length == 0) accounts.TryRemove(accountId, out _); else accounts[accountId] = left;
            }
        });
    }

    /// <summary>Listens to every mailbox until disposed.</summary>
    public IDisposable SubscribeAll(Action<Change> listener)
    {
        lock (gate) everywhere = [.. everywhere, listener];
        return new Subscription(() => { lock (gate) everywhere = [.. everywhere.Where(l => l != listener)]; });
    }

    internal void Publish(Change change)
    {
        if (listeners.TryGetValue(change.MailboxId, out var some))
            foreach (var listener in some) listener(change);
        foreach (var listener in everywhere) listener(change);
        PublishNames(change.AccountId);
    }

    /// <summary>Rises with every name that comes, goes or changes: what was found by one before may be another mailbox.</summary>
    public int NamesVersion => Volatile.Read(ref namesVersion);

    /// <summary>A mailbox of the account has come, gone, got another name, or is subscribed or not.</summary>
    internal void NamesChanged(long accountId)
    {
        Interlocked.Increment(ref namesVersion);
        PublishNames(accountId);
    }

    void PublishNames(long accountId)
    {
        if (!accounts.TryGetValue(accountId, out var some)) return;
        foreach (var listener in some) listener();
    }

    sealed class Subscription(Action end) : IDisposable
    {
        Action? end = end;
        public void Dispose() => Interlocked.Exchange(ref end, null)?.Invoke();
    }
}
