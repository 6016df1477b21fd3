using System.Collections.Concurrent;
using CbaMail.Config;
using CbaMail.Milter;

namespace CbaMail.Inbound.Milters;

/// <summary>
/// One milter of the settings: opens connections to it, keeps those that can be used again, and leaves a dead one alone for a while,
/// so that it costs each message a moment and not the whole time limit.
/// </summary>
sealed class Milter(MilterSettings settings, TimeProvider time, ILogger log)
{
    static readonly TimeSpan MostIdle = TimeSpan.FromSeconds(30);
    const int MostKept = 32;

    readonly System.Net.EndPoint address = settings.EndPoint() ?? throw new InvalidOperationException(settings.Problem());
    readonly ConcurrentStack<(MilterConnection Connection, long Since)> kept = new();
    readonly FilterPause pause = new(time,
        (times, reason, seconds) => MilterTelemetry.LeftAlone(log, settings.Title, times, reason, seconds), () => MilterTelemetry.Back(log, settings.Title));

    public MilterSettings Settings => settings;
    public string Name => settings.Title;
    public ILogger Log => log;

    /// <inheritdoc cref="FilterPause.Problem"/>
    public string? Problem => pause.Problem;

    /// <summary>Whether it sees mail that comes in by the protocol.</summary>
    public bool IsFor(Protocol protocol) => settings.For.Contains(protocol switch
    {
        Protocol.Lmtp => FilteredMail.Lmtp,
        Protocol.Submission or Protocol.Submissions => FilteredMail.Submission,
        _ => FilteredMail.Smtp,
    });

    /// <exception cref="MilterTrouble">It is not there, or is left alone just now.</exception>
    public async ValueTask<MilterConnection> OpenAsync(CancellationToken cancel)
    {
        while (kept.TryPop(out var one))
        {
            if (time.GetElapsedTime(one.Since) < MostIdle && one.Connection.IsStillOpen) return one.Connection;
            one.Connection.Dispose();
        }
        if (!pause.MayTry()) throw new MilterTrouble("it is left alone after failures") { IsOld = true };
        var connection = await MilterConnection.OpenAsync(address, settings, time, cancel);
        MilterTelemetry.Agreed(log, Name, connection.Terms.Version, (uint)connection.Terms.Actions, (uint)connection.Terms.Steps);
        return connection;
    }

    /// <summary>The client has gone: the connection is closed, or kept for the next one.</summary>
    public async ValueTask CloseAsync(MilterConnection connection)
    {
        var again = settings.KeepConnections && connection.Terms.Version >= 6 && kept.Count < MostKept;
        try
        {
            connection.Writer.Write(again ? MilterCommand.QuitNewConnection : MilterCommand.Quit);
            await connection.FlushAsync(TimeSpan.FromSeconds(1), CancellationToken.None);
        }
        catch (MilterTrouble)
        {
            again = false; // nobody waits for it any more
        }
        if (again) kept.Push((connection, time.GetTimestamp()));
        else connection.Dispose();
    }

    public void Succeeded() => pause.Succeeded();

    public void Failed(string reason) => pause.Failed(reason);
}
