namespace CbaMail.Queue;

/// <summary>A recipient by its key.</summary>
internal readonly record struct QueueItem(long MessageId, int Sequence);

/// <summary>
/// What is due, in memory: a lane a destination with what is ready for it, a heap of what is due later, and the leases.
/// An item may stand here twice or after its row has gone; whoever claims it looks at the row, and the lease keeps two from having it.
/// Interactive mail goes before bulk in each lane and among lanes.
/// </summary>
internal sealed class Schedule(int perLane, int total, int bulkTotal)
{
    readonly Lock gate = new();
    readonly Dictionary<string, Lane> lanes = new(StringComparer.Ordinal);
    readonly PriorityQueue<(QueueItem Item, string Destination, bool Bulk), DateTimeOffset> later = new();
    readonly HashSet<QueueItem> leased = [];
    readonly Queue<Lane> wanted = new();
    readonly Queue<Lane> wantedBulk = new();
    int workers;
    int bulkWorkers;
    bool held;
    TaskCompletionSource changed = New();

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    sealed class Lane(string destination)
    {
        public string Destination => destination;
        public readonly Queue<QueueItem> Ready = new();
        public readonly Queue<QueueItem> Bulk = new();
        public readonly Stack<TaskCompletionSource<bool>> Idle = new();
        public int Workers;
        /// <summary>Workers started or woken that have not claimed yet.</summary>
        public int Fresh;
        public bool Wanted;
        public bool WantedBulk;
        public int Count => Ready.Count + Bulk.Count;
    }

    /// <summary>Completes at the next change: something became ready, due at another time, or a worker ended.</summary>
    public Task Changed { get { lock (gate) return changed.Task; } }

    public int Active { get { lock (gate) return leased.Count; } }

    /// <summary>Nothing is started or claimed while this is on; what becomes ready waits.</summary>
    public bool Held
    {
        get { lock (gate) return held; }
        set
        {
            lock (gate)
            {
                held = value;
                if (held) return;
                foreach (var lane in lanes.Values) Want(lane);
                Signal();
            }
        }
    }

    public bool IsLeased(QueueItem item) { lock (gate) return leased.Contains(item); }

    public void Add(QueueItem item, string destination, bool bulk, DateTimeOffset due, DateTimeOffset now)
    {
        lock (gate)
        {
            if (due <= now)
            {
                MakeReady(item, destination, bulk);
                return;
            }
            if (!later.TryPeek(out _, out var first) || due < first) Signal();
            later.Enqueue((item, destination, bulk), due);
        }
    }

    void MakeReady(QueueItem item, string destination, bool bulk)
    {
        if (!lanes.TryGetValue(destination, out var lane)) lanes[destination] = lane = new Lane(destination);
        (bulk ? lane.Bulk : lane.Ready).Enqueue(item);
        while (lane.Idle.TryPop(out var idle))
            if (idle.TrySetResult(true)) // false: it has just stopped waiting
            {
                lane.Fresh++;
                return;
            }
        Want(lane);
    }

    void Want(Lane lane)
    {
        if (lane.Workers >= perLane || lane.Count <= lane.Fresh) return;
        if (lane.Ready.Count > 0 ? lane.Wanted : lane.WantedBulk) return;
        if (lane.Ready.Count > 0)
        {
            lane.Wanted = true;
            wanted.Enqueue(lane);
        }
        else
        {
            lane.WantedBulk = true;
            wantedBulk.Enqueue(lane);
        }
        Signal();
    }

    /// <summary>Moves what has become due to its lanes.</summary>
    /// <returns>When the next is due, or null.</returns>
    public DateTimeOffset? Promote(DateTimeOffset now)
    {
        lock (gate)
        {
            while (later.TryPeek(out var next, out var due))
            {
                if (due > now) return due;
                later.Dequeue();
                MakeReady(next.Item, next.Destination, next.Bulk);
            }
            return null;
        }
    }

    /// <summary>The next lane that a worker is to be started for, or null.</summary>
    /// <param name="bulk">The worker counts as one of a mailing; give it back to <see cref="End"/>.</param>
    public string? Start(out bool bulk)
    {
        lock (gate)
        {
            bulk = false;
            while (workers < total && !held)
            {
                if (wanted.TryDequeue(out var lane)) lane.Wanted = false;
                else if (bulkWorkers < bulkTotal && wantedBulk.TryDequeue(out lane)) lane.WantedBulk = false;
                else return null;
                if (lane.Workers >= perLane || lane.Count <= lane.Fresh) continue;
                bulk = lane.Ready.Count == 0;
                if (bulk && bulkWorkers >= bulkTotal)
                {
                    bulk = false;
                    Want(lane);
                    continue;
                }
                lane.Workers++;
                lane.Fresh++;
                workers++;
                if (bulk) bulkWorkers++;
                Want(lane);
                return lane.Destination;
            }
            return null;
        }
    }

    /// <summary>Leases the next message's recipients of the lane, at most <paramref name="limit"/>; empty when nothing is ready.</summary>
    public List<QueueItem> Claim(string destination, int limit, bool fresh)
    {
        lock (gate)
        {
            var items = new List<QueueItem>();
            if (!lanes.TryGetValue(destination, out var lane)) return items;
            if (fresh && lane.Fresh > 0) lane.Fresh--;
            if (held) return items;
            var from = lane.Ready.Count > 0 ? lane.Ready : lane.Bulk;
            while (items.Count < limit && from.TryPeek(out var item))
            {
                if (items.Count > 0 && item.MessageId != items[0].MessageId) break;
                from.Dequeue();
                if (leased.Add(item)) items.Add(item);
            }
            return items;
        }
    }

    public void Release(IEnumerable<QueueItem> items)
    {
        lock (gate)
            foreach (var item in items) leased.Remove(item);
    }

    /// <summary>Waits as an idle worker of the lane; true when there is work.</summary>
    public async Task<bool> IdleAsync(string destination, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        var source = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (held || !lanes.TryGetValue(destination, out var lane)) return false;
            if (lane.Count > lane.Fresh)
            {
                lane.Fresh++;
                return true;
            }
            lane.Idle.Push(source);
        }
        using var timer = time.CreateTimer(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(false), source, wait, Timeout.InfiniteTimeSpan);
        using var stop = cancel.Register(() => source.TrySetResult(false));
        var work = await source.Task;
        lock (gate)
        {
            if (!work && lanes.TryGetValue(destination, out var lane) && lane.Idle.Contains(source))
            {
                var left = lane.Idle.Where(other => other != source).Reverse().ToArray();
                lane.Idle.Clear();
                foreach (var other in left) lane.Idle.Push(other);
            }
        }
        return work;
    }

    /// <summary>A worker of the lane has ended.</summary>
    public void End(string destination, bool bulk)
    {
        lock (gate)
        {
            workers--;
            if (bulk) bulkWorkers--;
            var lane = lanes[destination];
            lane.Workers--;
            if (lane is { Workers: 0, Count: 0, Wanted: false, WantedBulk: false }) lanes.Remove(destination);
            else
            {
                if (lane.Workers == 0) lane.Fresh = 0;
                Want(lane);
            }
            Signal();
        }
    }

    void Signal()
    {
        var old = changed;
        changed = New();
        old.TrySetResult();
    }
}
