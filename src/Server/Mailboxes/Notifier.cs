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
    readonly Circles<Change> mailboxes = new();
    readonly Circles<long> accounts = new();
    readonly Circles<Change> everywhere = new(); // one of them: 0
    int namesVersion;

    /// <summary>Listens to one mailbox until disposed.</summary>
    public IDisposable Subscribe(long mailboxId, Action<Change> listener) => mailboxes.Enter(mailboxId, listener);

    /// <summary>Listens to all mailboxes of an account and to their names and subscriptions until disposed.</summary>
    public IDisposable SubscribeAccount(long accountId, Action listener) => accounts.Enter(accountId, _ => listener());

    /// <summary>Listens to every mailbox until disposed.</summary>
    public IDisposable SubscribeAll(Action<Change> listener) => everywhere.Enter(0, listener);

    internal void Publish(Change change)
    {
        mailboxes.Tell(change.MailboxId, change);
        everywhere.Tell(0, change);
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

    void PublishNames(long accountId) => accounts.Tell(accountId, accountId);

    /// <summary>Listeners by what they listen to.</summary>
    sealed class Circles<T>
    {
        readonly ConcurrentDictionary<long, Circle> circles = new();
        readonly Lock gate = new();

        public IDisposable Enter(long key, Action<T> listener)
        {
            var seat = new Seat(this, key, listener);
            lock (gate) circles.GetOrAdd(key, static _ => new Circle()).Add(seat);
            return seat;
        }

        public void Tell(long key, T news)
        {
            if (!circles.TryGetValue(key, out var circle)) return;
            foreach (var seat in circle.Seats()) seat.Listener(news);
        }

        void Leave(Seat seat)
        {
            lock (gate)
                if (circles.TryGetValue(seat.Key, out var circle) && circle.Remove(seat)) circles.TryRemove(seat.Key, out _);
        }

        // thousands may come to one mailbox one after the other: the list that is gone through is made when there is something to tell
        sealed class Circle
        {
            readonly HashSet<Seat> members = [];
            Seat[]? seats;

            public void Add(Seat seat)
            {
                lock (members) (seats, _) = (null, members.Add(seat));
            }

            /// <returns>Whether nobody is left.</returns>
            public bool Remove(Seat seat)
            {
                lock (members)
                {
                    (seats, _) = (null, members.Remove(seat));
                    return members.Count == 0;
                }
            }

            public Seat[] Seats()
            {
                lock (members) return seats ??= [.. members];
            }
        }

        sealed class Seat(Circles<T> circles, long key, Action<T> listener) : IDisposable
        {
            public long Key => key;
            public Action<T> Listener => listener;
            public void Dispose() => circles.Leave(this);
        }
    }
}
