using CbaMail.Config;
using CbaMail.Net;

namespace CbaMail.Inbound;

/// <summary>
/// What a session of SMTP asks about the stranger at its other end, from the connection on. On the submission ports and on LMTP nobody is a
/// stranger: people sign in there, from lines that every list names, and programs of this machine bring mail.
/// </summary>
public sealed class Edge(Settings settings, AllowList allowed, Bans bans, Acquaintances acquaintances, ClientLookups lookups, TimeProvider time, ILogger<Edge> log)
{
    static readonly TimeSpan SlowestAnswer = TimeSpan.FromSeconds(30);

    readonly InboundSettings inbound = settings.Inbound;
    readonly TimeSpan greeting = settings.Inbound.Greeting(settings.Evaluation);
    // of senders only where somebody asks
    readonly bool remembers = settings.Inbound.Greylist.IsOn(settings.Evaluation) || settings.Inbound.FirstSender(settings.Evaluation) > TimeSpan.Zero;
    readonly bool strict = settings.Inbound.IsStrict(settings.Evaluation), hides = settings.Inbound.Hides(settings.Evaluation);

    public Acquaintances Acquaintances => acquaintances;
    public ClientLookups Lookups => lookups;

    /// <summary>Begins to look at a client of the SMTP port; null on the others.</summary>
    public Standing? Meet(Connection connection)
    {
        if (connection.Listener.Protocol != Protocol.Smtp) return null;
        var standing = new Standing(connection.Id, connection.Remote.Address, time.GetTimestamp()) { IsAllowed = allowed.Holds(connection.Remote.Address) };
        if (lookups.IsOn) lookups.Begin(standing);
        return standing;
    }

    /// <summary>How long to hold the greeting back.</summary>
    public TimeSpan GreetingDelay(Standing standing) =>
        greeting <= TimeSpan.Zero || standing.IsAllowed || bans.Spares(standing.Address) || acquaintances.Greeted.TryFind(Household(standing), out _) ? TimeSpan.Zero : greeting;

    static string Household(Standing standing) => ConnectionLimits.Household(standing.Address).ToString();

    /// <summary>The client has waited for its greeting.</summary>
    public void Waited(Standing standing) =>
        acquaintances.Greeted.Change(Household(standing), (before, now) => new Memo(before?.Since ?? now, now, now + inbound.GreetingMemory, 1));

    public void SpokeFirst(Standing standing)
    {
        InboundTelemetry.SpokeFirst(log, standing.Session, standing.Address);
        if (standing.IsAllowed) return; // by a name, which Bans do not see
        bans.Offend(standing.Address, "talk before the greeting");
    }

    /// <summary>Whether the client may not send on before an answer (RFC 2920 3.1).</summary>
    public bool IsStrict(Standing? standing) => strict && standing is { IsAllowed: false };

    public void SpokeOn(Standing standing, string verb)
    {
        InboundTelemetry.SpokeOn(log, standing.Session, standing.Address, verb);
        acquaintances.Greeted.Remove(Household(standing)); // he has to wait again
        if (!standing.IsAllowed) bans.Offend(standing.Address, "talk before an answer");
    }

    /// <summary>A session that did nothing but harm.</summary>
    public void Misbehaved(Standing standing, string what)
    {
        if (standing.IsAllowed || bans.Spares(standing.Address)) return;
        InboundTelemetry.BadSession(log, standing.Session, standing.Address, what);
        bans.Offend(standing.Address, what);
    }

    /// <summary>How long to hold the answer to RCPT back after so many unknown recipients in the session.</summary>
    public TimeSpan Slowness(Standing? standing, int unknown)
    {
        if (!hides || standing is not { IsAllowed: false } || unknown < inbound.UnknownBeforeSlow) return TimeSpan.Zero;
        var seconds = Math.Pow(2, Math.Min(unknown - inbound.UnknownBeforeSlow, 10));
        return seconds < SlowestAnswer.TotalSeconds ? TimeSpan.FromSeconds(seconds) : SlowestAnswer;
    }

    /// <summary>A message was taken.</summary>
    public void Took(Arrival arrival)
    {
        if (remembers && arrival.Visit.Standing is { } standing && arrival.SignedIn is null && arrival.Disposition == Disposition.Accept)
            acquaintances.Took(standing.Pool, arrival.Sender?.DomainKey ?? "<>");
    }
}
