namespace CbaMail.Queue;

/// <summary>What a server's answer says of our pace.</summary>
internal enum PaceSignal
{
    /// <summary>A message was taken.</summary>
    Taken,
    /// <summary>Put off without a word of why.</summary>
    Busy,
    /// <summary>Too many connections at once.</summary>
    Connections,
    /// <summary>Too many messages in a time.</summary>
    Rate,
    /// <summary>Too many messages over this connection.</summary>
    Session,
}

/// <summary>What the settings allow a lane.</summary>
/// <param name="PerHour">Messages an hour; 0: as many as are taken.</param>
internal sealed record PaceLimits(int Connections, int PerConnection = int.MaxValue, int PerHour = 0)
{
    /// <summary>False: as fast as these allow, whatever is answered.</summary>
    public bool Learns { get; init; } = true;
}

/// <summary>What a pace has learnt, as it is kept over restarts. Times are those of the clock that it is asked with.</summary>
internal sealed record PaceState(string Lane, double Connections, double PerHour, int PerConnection, int Strikes, DateTimeOffset Until, string Reason, DateTimeOffset Changed);

/// <summary>
/// How fast mail may go to one operator: additive increase, multiplicative decrease, as TCP does it. It begins with a few connections and
/// adds one with each message that is taken; a refusal halves what it speaks of (connections, messages an hour), and a rest follows that
/// doubles as long as the refusals go on. After that it grows slowly. A day without refusals, and all of it is forgotten.
/// Not for use by two at once: its lane's schedule holds the lock. Pure: time is passed in.
/// </summary>
internal sealed class Pace(PaceLimits limits)
{
    const int First = 5;
    const double LeastPerHour = 20;
    const double MostPerHour = 36_000;

    /// <summary>Refusals within this are one: those of the other connections had been sent when the first one came.</summary>
    static readonly TimeSpan Burst = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Memory = TimeSpan.FromDays(1);
    static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(30);
    static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(30);
    static readonly TimeSpan Recent = TimeSpan.FromMinutes(5);

    // what was last kept: growth by a connection, or a tenth, is news
    double keptConnections, keptPerHour;
    double connections = Math.Min(First, limits.Connections);
    double perHour;
    int perConnection = int.MaxValue;
    int strikes;
    DateTimeOffset until;
    DateTimeOffset changed;
    DateTimeOffset next;
    double recent;
    DateTimeOffset recentAt;

    public int Connections => Math.Max(1, limits.Learns ? (int)Math.Min(connections, limits.Connections) : limits.Connections);

    public int PerConnection => Math.Min(perConnection, limits.PerConnection);

    /// <summary>Messages an hour; 0: no bound.</summary>
    public double PerHour => perHour > 0 && (limits.PerHour == 0 || perHour < limits.PerHour) ? perHour : limits.PerHour;

    public string Reason { get; private set; } = "";

    public bool HasLearnt => changed != default;

    /// <summary>It has learnt something since it was last kept.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>When the next message may go; null: now.</summary>
    public DateTimeOffset? Wait(DateTimeOffset now)
    {
        if (HasLearnt && now - changed > Memory) Forget();
        var at = until > next ? until : next;
        return at > now ? at : null;
    }

    /// <summary>A message goes.</summary>
    public void Take(DateTimeOffset now)
    {
        recent = Recently(now) + 1;
        recentAt = now;
        if (PerHour <= 0) return;
        var step = TimeSpan.FromHours(1 / PerHour);
        // what was not used for a while may go at once, up to a minute's worth
        var spare = step > TimeSpan.FromMinutes(1) ? step : TimeSpan.FromMinutes(1);
        next = (next > now - spare + step ? next : now - spare + step) + step;
    }

    /// <summary>Messages lately, fading over minutes: a twelfth of what would go in an hour.</summary>
    double Recently(DateTimeOffset now) => recentAt == default ? 0 : recent * Math.Exp(-Math.Max(0, (now - recentAt) / Recent));

    /// <param name="messages">Messages that the connection had carried.</param>
    public void Observe(PaceSignal signal, string reason, int messages, DateTimeOffset now)
    {
        if (!limits.Learns) return;
        if (signal == PaceSignal.Taken)
        {
            Grow(now);
            return;
        }
        if (signal == PaceSignal.Session)
        {
            perConnection = Math.Max(1, messages);
            Note(reason, now);
            return;
        }
        if (HasLearnt && now - changed < Burst) return;
        connections = Math.Max(1, Math.Min(connections, limits.Connections) / 2);
        if (signal == PaceSignal.Rate)
        {
            var rate = Math.Max(LeastPerHour, Recently(now) * (TimeSpan.FromHours(1) / Recent));
            perHour = Math.Max(LeastPerHour, (PerHour > 0 ? Math.Min(PerHour, rate) : rate) / 2);
        }
        if (signal != PaceSignal.Busy)
        {
            var rest = FirstRest * Math.Pow(2, Math.Min(strikes++, 10));
            until = now + (rest < LongestRest ? rest : LongestRest);
        }
        Note(reason, now);
    }

    void Grow(DateTimeOffset now)
    {
        if (now >= until) strikes = 0;
        // to the bound by one a message as long as nothing was refused, after that by one a round
        if (connections < limits.Connections) connections = Math.Min(limits.Connections, connections + (HasLearnt ? 1 / connections : 1));
        if (perHour > 0)
        {
            perHour += (60 + 0.1 * perHour) / perHour;
            if (perHour > MostPerHour) perHour = 0;
        }
        if (HasLearnt && (Math.Floor(connections) != Math.Floor(keptConnections) || Math.Abs(perHour - keptPerHour) > 0.1 * keptPerHour)) IsDirty = true;
    }

    void Note(string reason, DateTimeOffset now) => (Reason, changed, IsDirty) = (reason, now, true);

    void Forget()
    {
        (connections, perHour, perConnection, strikes, until, next, changed, Reason) = (Math.Min(First, limits.Connections), 0, int.MaxValue, 0, default, default, default, "");
        IsDirty = true;
    }

    /// <summary>When it rests until, or null.</summary>
    public DateTimeOffset? RestsUntil(DateTimeOffset now) => until > now ? until : null;

    /// <summary>What is to be kept; it counts as kept from now on.</summary>
    public PaceState Keep(string lane)
    {
        IsDirty = false;
        (keptConnections, keptPerHour) = (connections, perHour);
        return new PaceState(lane, connections, perHour, perConnection, strikes, until, Reason, changed);
    }

    public void Restore(PaceState state)
    {
        (connections, perHour, perConnection, strikes, until, Reason, changed) =
        (Math.Clamp(state.Connections, 1, Math.Max(1, limits.Connections)), state.PerHour, Math.Max(1, state.PerConnection), state.Strikes, state.Until, state.Reason, state.Changed);
        (keptConnections, keptPerHour) = (connections, perHour);
    }
}
