using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>A destination as people see it: an operator of mail servers with the domains that are his, or a route.</summary>
/// <param name="Domains">Those that mail went to since the start.</param>
/// <param name="Waiting">Recipients that are ready now; those that are due later stand in the queue.</param>
/// <param name="Active">Connections that are open.</param>
/// <param name="Connections">How many there may be now.</param>
/// <param name="PerHour">Messages an hour; null: no bound.</param>
/// <param name="PerConnection">Messages over one connection; null: no bound of the operator's.</param>
/// <param name="RestsUntil">Nothing is sent before, or null.</param>
/// <param name="Reason">What it last said that slowed us down; empty where nothing did.</param>
public sealed record QueueDestination(
    string Name, IReadOnlyList<string> Domains, int Waiting, int Active, int Connections, int? PerHour, int? PerConnection, DateTimeOffset? RestsUntil, string Reason);

/// <summary>The part of the queue that paces destinations.</summary>
public sealed partial class MailQueue
{
    readonly Dictionary<string, PaceState> kept = new(StringComparer.Ordinal);

    /// <summary>What the last run had learnt; the rows' clock becomes the one that paces are asked with.</summary>
    void RestorePaces(ReadTransaction read)
    {
        var apart = clock.Steady - clock.Now;
        foreach (var state in PaceTable.All(read))
            if (clock.Now - state.Changed < TimeSpan.FromDays(1))
            {
                kept[state.Lane] = Moved(state, apart);
                schedule.Know(state.Lane); // people see it before it has mail
            }
    }

    static PaceState Moved(PaceState state, TimeSpan by) =>
        state with { Until = state.Until == default ? default : state.Until + by, Changed = state.Changed == default ? default : state.Changed + by };

    Pace MakePace(string lane)
    {
        var pace = new Pace(LimitsOf(lane));
        if (kept.Remove(lane, out var state)) pace.Restore(state);
        return pace;
    }

    PaceLimits LimitsOf(string lane)
    {
        var entry = settings.Pace.Where(entry => Destination.Fits(entry.Destination, lane) >= 0).MaxBy(entry => Destination.Fits(entry.Destination, lane));
        int Or(int? given, int otherwise) => given is { } number and > 0 ? number : otherwise;
        return new PaceLimits(Or(entry?.Connections, settings.ConnectionsPerDestination), Or(entry?.MessagesPerConnection, settings.MessagesPerConnection), entry?.MessagesPerHour ?? 0)
        {
            Learns = settings.LearnPace,
        };
    }

    /// <summary>Whose servers a destination has. One that the settings pace by its own name stays by itself, and so do routes.</summary>
    /// <returns>Whether its mail belongs to another lane than the worker's.</returns>
    internal bool Learn(string destination, string @operator, string lane) =>
        schedule.Learn(destination, settings.Pace.Any(entry => Destination.Fits(entry.Destination, destination) == int.MaxValue) ? destination : @operator, lane);

    /// <summary>Tells a lane's pace what a server said.</summary>
    internal void Observe(string lane, PaceSignal signal, string reason, int messages) => schedule.Observe(lane, signal, reason, messages, clock.Steady);

    /// <summary>Gives a claim back untried: its destination is another lane's, which takes it at once.</summary>
    internal void Return(QueueClaim claim)
    {
        schedule.Release(claim.Recipients.Select(Item));
        foreach (var recipient in claim.Recipients) Add(Item(recipient), claim.Destination, claim.Message.Standing, clock.Now);
    }

    /// <summary>Keeps what a lane has learnt, with a commit that is made anyway.</summary>
    internal void SavePace(WriteTransaction write, string lane)
    {
        if (schedule.News(lane) is { } state) PaceTable.Save(write, Moved(state, clock.Now - clock.Steady));
    }

    /// <summary>Where mail goes now or has been slowed down.</summary>
    public IReadOnlyList<QueueDestination> Destinations()
    {
        var (now, apart) = (clock.Steady, clock.Now - clock.Steady);
        return
        [
            .. schedule.Lanes().OrderBy(lane => lane.Name, StringComparer.Ordinal).Select(lane => new QueueDestination(
                lane.Name, lane.Domains, lane.Waiting, lane.Workers, lane.Pace.Connections, lane.Pace.PerHour > 0 ? (int)lane.Pace.PerHour : null,
                lane.Pace.PerConnection < settings.MessagesPerConnection ? lane.Pace.PerConnection : null, lane.Pace.RestsUntil(now) + apart, lane.Pace.Reason)),
        ];
    }
}
