namespace CbaMail.Queue;

/// <summary>A recipient by its key.</summary>
internal readonly record struct QueueItem(long MessageId, int Sequence);

/// <summary>
/// What is due, in memory: what is ready by destination (a domain or a route), a lane for the destinations that share a pace, a heap of
/// what is due later, and the leases.
///
/// - A lane is a mail operator: all domains whose servers are his share connections and pace (<see cref="Pace"/>). A domain is a lane of
///   its own until the first look-up tells whose it is (<see cref="Learn"/>); from then on its mail goes to his lane.
/// - In a lane the class goes first (people, notices, mailings), then destinations take turns, so that none keeps the others waiting.
///   Among lanes the class goes first too, and mailings leave connections free.
/// - Within a class of a lane priorities go before turns (<see cref="ReadyItems"/>), as long as there is mail that has one.
/// - An item may stand here twice or after its row has gone; whoever claims it looks at the row, and the lease keeps two from having it.
/// </summary>
internal sealed class Schedule(Func<string, Pace> paces, int total, int bulkTotal)
{
    const int Classes = 3;
    const int MostOperators = 100_000;

    readonly Lock gate = new();
    readonly Dictionary<string, Line> lines = new(StringComparer.Ordinal);
    readonly Dictionary<string, Lane> lanes = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> operators = new(StringComparer.Ordinal);
    readonly PriorityQueue<Later, DateTimeOffset> later = new();
    readonly HashSet<QueueItem> leased = [];
    readonly Queue<Lane>[] wanted = [new(), new(), new()];
    int workers;
    int bulkWorkers;
    bool held;
    TaskCompletionSource changed = New();

    /// <summary>With the same bound of connections for every lane, and no pace to learn.</summary>
    public Schedule(int perLane, int total, int bulkTotal) : this(_ => new Pace(new PaceLimits(perLane) { Learns = false }), total, bulkTotal) { }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is due later: an item, or a lane that rests until then.</summary>
    readonly record struct Later(QueueItem Item, string Destination, Standing Standing, Lane? Rests = null);

    /// <summary>What is ready for one destination.</summary>
    sealed class Line(string destination, Lane lane, ReadyItems[]? ready = null)
    {
        public string Destination => destination;
        public Lane Lane => lane;
        public readonly ReadyItems[] Ready = ready ?? [new(), new(), new()];
        /// <summary>By class: it stands in its lane's row of turns.</summary>
        public readonly bool[] InTurn = new bool[Classes];
        public int Count => Ready[0].Count + Ready[1].Count + Ready[2].Count;
    }

    sealed class Lane(string name, Pace pace)
    {
        public string Name => name;
        public Pace Pace => pace;
        public readonly Queue<Line>[] Turns = [new(), new(), new()];
        public readonly int[] Ready = new int[Classes];
        /// <summary>Those of another priority than 0.</summary>
        public readonly int[] Ranked = new int[Classes];
        public readonly bool[] Wanted = new bool[Classes];
        public readonly Stack<TaskCompletionSource<bool>> Idle = new();
        public int Workers;
        /// <summary>Workers started or woken that have not claimed yet.</summary>
        public int Fresh;
        /// <summary>Its pace lets nothing go before a time that stands in the heap.</summary>
        public bool Rests;
        public int Count => Ready[0] + Ready[1] + Ready[2];
        public bool HasWork => !Rests && Count > Fresh;
        public int Best => Ready[0] > 0 ? 0 : Ready[1] > 0 ? 1 : 2;
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

    /// <summary>Whether what becomes ready for a destination cannot go now, however free the workers are.</summary>
    public bool Waits(string destination)
    {
        lock (gate) return held || (lanes.TryGetValue(operators.GetValueOrDefault(destination, destination), out var lane) && lane.Rests);
    }

    public bool IsLeased(QueueItem item) { lock (gate) return leased.Contains(item); }

    public void Add(QueueItem item, string destination, Standing standing, DateTimeOffset due, DateTimeOffset now)
    {
        lock (gate)
        {
            if (due <= now) MakeReady(item, destination, standing, now);
            else Put(new Later(item, destination, standing), due);
        }
    }

    void Put(Later what, DateTimeOffset due)
    {
        if (!later.TryPeek(out _, out var first) || due < first) Signal();
        later.Enqueue(what, due);
    }

    Lane LaneOf(string name)
    {
        if (!lanes.TryGetValue(name, out var lane)) lanes[name] = lane = new Lane(name, paces(name));
        return lane;
    }

    /// <summary>Makes a lane that has learnt something in an earlier run.</summary>
    public void Know(string name)
    {
        lock (gate) LaneOf(name);
    }

    void MakeReady(QueueItem item, string destination, Standing standing, DateTimeOffset now)
    {
        if (!lines.TryGetValue(destination, out var line))
            lines[destination] = line = new Line(destination, LaneOf(operators.GetValueOrDefault(destination, destination)));
        line.Ready[(int)standing.Class].Enqueue(item, standing.Priority, now);
        Enter(line, (int)standing.Class, 1, standing.Priority == 0 ? 0 : 1);
        Wake(line.Lane);
    }

    static void Enter(Line line, int standing, int count, int ranked)
    {
        line.Lane.Ready[standing] += count;
        line.Lane.Ranked[standing] += ranked;
        if (line.InTurn[standing] || count == 0) return;
        line.InTurn[standing] = true;
        line.Lane.Turns[standing].Enqueue(line);
    }

    void Wake(Lane lane)
    {
        while (!lane.Rests && lane.Idle.TryPop(out var idle))
            if (idle.TrySetResult(true)) // false: it has just stopped waiting
            {
                lane.Fresh++;
                return;
            }
        Want(lane);
    }

    void Want(Lane lane)
    {
        if (lane.Workers >= lane.Pace.Connections || !lane.HasWork || lane.Wanted[lane.Best]) return;
        lane.Wanted[lane.Best] = true;
        wanted[lane.Best].Enqueue(lane);
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
                if (next.Rests is { } lane)
                {
                    lane.Rests = false;
                    Wake(lane);
                    Want(lane);
                    Tidy(lane);
                }
                else MakeReady(next.Item, next.Destination, next.Standing, now);
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
            while (workers < total && !held && Next() is { } lane)
            {
                if (lane.Workers >= lane.Pace.Connections || !lane.HasWork)
                {
                    Tidy(lane);
                    continue;
                }
                bulk = lane.Best == (int)MailClass.Bulk;
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
                return lane.Name;
            }
            return null;
        }
    }

    Lane? Next()
    {
        for (var standing = 0; standing < Classes; standing++)
        {
            if (standing == (int)MailClass.Bulk && bulkWorkers >= bulkTotal) break;
            if (!wanted[standing].TryDequeue(out var lane)) continue;
            lane.Wanted[standing] = false;
            return lane;
        }
        return null;
    }

    /// <summary>Leases the next message's recipients of one destination of the lane; empty when nothing is ready, or not yet.</summary>
    /// <param name="limit">Recipients at most.</param>
    /// <param name="destination">Whose they are.</param>
    /// <param name="stay">The destination that the worker is connected to: its mail of the same class goes on.</param>
    /// <param name="only">Nothing but <paramref name="stay"/>'s, whatever its class and the pace.</param>
    public List<QueueItem> Claim(string lane, int limit, bool fresh, DateTimeOffset now, out string destination, string? stay = null, bool only = false)
    {
        lock (gate)
        {
            destination = lane;
            var items = new List<QueueItem>();
            if (!lanes.TryGetValue(lane, out var from)) return items;
            if (fresh && from.Fresh > 0) from.Fresh--;
            if (held || from.Count == 0) return items;
            if (!only && from.Rests) return items;
            if (!only && from.Pace.Wait(now) is { } until)
            {
                Rest(from, until);
                return items;
            }
            if (Pick(from, stay, only, out var standing) is not { } line) return items;
            destination = line.Destination;
            var ready = line.Ready[standing];
            from.Ranked[standing] -= ready.Ranked;
            while (items.Count < limit && ready.TryPeek(out var item, out _))
            {
                if (items.Count > 0 && item.MessageId != items[0].MessageId) break;
                ready.Dequeue();
                from.Ready[standing]--;
                if (leased.Add(item)) items.Add(item);
            }
            from.Ranked[standing] += ready.Ranked;
            if (line.Count == 0) lines.Remove(line.Destination);
            if (!only && items.Count > 0) from.Pace.Take(now);
            return items;
        }
    }

    /// <summary>The destination whose turn it is: of the best class, the one with the best priority where there are any, else the one to stay with, else the next in the row.</summary>
    Line? Pick(Lane lane, string? stay, bool only, out int standing)
    {
        standing = lane.Best;
        if (!only && lane.Ranked[standing] > 0) return First(lane, standing, stay);
        if (stay is not null && lines.TryGetValue(stay, out var line) && line.Lane == lane)
        {
            for (var each = standing; each < (only ? Classes : standing + 1); each++)
                if (line.Ready[each].Count > 0)
                {
                    standing = each;
                    return line;
                }
        }
        if (only) return null;
        while (lane.Turns[standing].TryDequeue(out var next))
        {
            next.InTurn[standing] = next.Ready[standing].Count > 1;
            if (next.InTurn[standing]) lane.Turns[standing].Enqueue(next);
            if (next.Ready[standing].Count > 0) return next;
        }
        return null;
    }

    /// <summary>The destination whose first message ranks best. It keeps its place in the row.</summary>
    static Line? First(Lane lane, int standing, string? stay)
    {
        Line? best = null;
        var least = long.MaxValue;
        var row = lane.Turns[standing];
        for (var i = row.Count; i > 0; i--)
        {
            var line = row.Dequeue();
            if (line.InTurn[standing] = line.Ready[standing].TryPeek(out _, out var rank)) row.Enqueue(line);
            if (rank < least || (rank == least && line.Destination == stay)) (best, least) = (line, rank);
        }
        return best;
    }

    void Rest(Lane lane, DateTimeOffset until)
    {
        if (lane.Rests) return;
        lane.Rests = true;
        lane.Fresh = 0;
        Put(new Later(default, "", default, lane), until);
    }

    public void Release(IEnumerable<QueueItem> items)
    {
        lock (gate)
            foreach (var item in items) leased.Remove(item);
    }

    /// <summary>Whose servers a destination has: what waits for it goes to his lane, now and from now on.</summary>
    /// <param name="lane">The lane of the worker that found out.</param>
    /// <returns>Whether that is another lane than the worker's.</returns>
    public bool Learn(string destination, string @operator, string lane)
    {
        lock (gate)
        {
            if (operators.Count >= MostOperators) operators.Clear();
            operators[destination] = @operator;
            if (lines.TryGetValue(destination, out var line) && line.Lane.Name != @operator)
            {
                // its place in the old lane's row leads nowhere from now on
                var moved = lines[destination] = new Line(destination, LaneOf(@operator), [.. line.Ready]);
                for (var standing = 0; standing < Classes; standing++)
                {
                    var items = line.Ready[standing];
                    line.Ready[standing] = new ReadyItems();
                    line.Lane.Ready[standing] -= items.Count;
                    line.Lane.Ranked[standing] -= items.Ranked;
                    Enter(moved, standing, items.Count, items.Ranked);
                }
                Want(moved.Lane);
            }
            return lane != @operator;
        }
    }

    /// <summary>Tells the lane's pace what a server said; what it has learnt counts at once.</summary>
    /// <param name="messages">Messages that the connection had carried.</param>
    public void Observe(string lane, PaceSignal signal, string reason, int messages, DateTimeOffset now)
    {
        lock (gate)
        {
            var at = LaneOf(lane);
            at.Pace.Observe(signal, reason, messages, now);
            if (signal == PaceSignal.Taken) Want(at);
            else if (at.Pace.Wait(now) is { } until) Rest(at, until);
        }
    }

    /// <summary>Messages that a connection of the lane may carry.</summary>
    public int PerConnection(string lane) { lock (gate) return LaneOf(lane).Pace.PerConnection; }

    /// <summary>What the lane has learnt since it was last asked, or null.</summary>
    public PaceState? News(string lane)
    {
        lock (gate) return lanes.TryGetValue(lane, out var at) && at.Pace.IsDirty ? at.Pace.Keep(lane) : null;
    }

    /// <summary>The lanes as people see them.</summary>
    public IReadOnlyList<LaneView> Lanes()
    {
        lock (gate)
        {
            var known = operators.GroupBy(pair => pair.Value, pair => pair.Key).ToDictionary(group => group.Key, group => group.Order(StringComparer.Ordinal).ToList());
            return [.. lanes.Values.Select(lane => new LaneView(lane.Name, known.GetValueOrDefault(lane.Name) ?? [], lane.Count, lane.Workers, lane.Pace))];
        }
    }

    /// <summary>Waits as an idle worker of the lane; true when there is work.</summary>
    public async Task<bool> IdleAsync(string name, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        var source = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (held || !lanes.TryGetValue(name, out var lane) || lane.Workers > lane.Pace.Connections) return false;
            if (lane.HasWork)
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
            if (!work && lanes.TryGetValue(name, out var lane) && lane.Idle.Contains(source))
            {
                var left = lane.Idle.Where(other => other != source).Reverse().ToArray();
                lane.Idle.Clear();
                foreach (var other in left) lane.Idle.Push(other);
            }
        }
        return work;
    }

    /// <summary>A worker of the lane has ended.</summary>
    public void End(string name, bool bulk)
    {
        lock (gate)
        {
            workers--;
            if (bulk) bulkWorkers--;
            var lane = lanes[name];
            lane.Workers--;
            if (lane.Workers == 0) lane.Fresh = 0;
            Want(lane);
            Tidy(lane);
            Signal();
        }
    }

    /// <summary>Forgets a lane that nothing hangs on; one whose pace has learnt something is kept.</summary>
    void Tidy(Lane lane)
    {
        if (lane is { Workers: 0, Count: 0, Rests: false } && !lane.Wanted.Contains(true) && !lane.Pace.HasLearnt) lanes.Remove(lane.Name);
    }

    void Signal()
    {
        var old = changed;
        changed = New();
        old.TrySetResult();
    }
}

/// <summary>A lane as people see it.</summary>
internal sealed record LaneView(string Name, IReadOnlyList<string> Domains, int Waiting, int Workers, Pace Pace);
