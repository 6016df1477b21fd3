using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Directory;

namespace CbaMail.Federation.Ldap;

/// <summary>One step of a trial: what was tried, and what came of it.</summary>
public sealed record LdapTrialStep(string Step, bool Ok, string Detail);

/// <summary>The directories of the settings.</summary>
sealed class LdapSources : IAsyncDisposable
{
    static readonly TimeSpan FailsTooLong = TimeSpan.FromHours(1);

    readonly TimeProvider time;

    public LdapSources(Settings settings, UserDirectory directory, TimeProvider time, ILogger<LdapSource> log)
    {
        this.time = time;
        All = [.. settings.Directory.Ldap.Select(one => new LdapSource(one, directory, time, log))];
    }

    public IReadOnlyList<LdapSource> All { get; }

    public LdapSource? Find(string name) => All.FirstOrDefault(source => source.Name == name);

    /// <summary>What an administrator must hear of: a directory that was not read for an hour, or that a sync stopped before.</summary>
    public IReadOnlyList<(string Name, string? Problem)> Troubles =>
        [.. All.Select(source => (source.Name, source.Standing is { Failing: { } since, Problem: var problem, Last: var last } && (last?.Stopped == true || time.GetUtcNow() - since >= FailsTooLong) ? problem : null))];

    /// <summary>Connects, reads some people, and checks one's password where it is given.</summary>
    public async Task<IReadOnlyList<LdapTrialStep>> TryAsync(LdapSource source, string? user, string? password, CancellationToken cancel)
    {
        var steps = new List<LdapTrialStep>();
        var step = "connect";
        try
        {
            await using var connection = await source.OpenAsync(cancel);
            steps.Add(new(step, true, connection.Server.ToString() + (connection.Server.Tls ? " by TLS" : source.Settings.StartTls ? " by StartTLS" : " in clear text")));
            step = "bind";
            await source.BindAsReaderAsync(connection, cancel);
            steps.Add(new(step, true, source.Settings.BindDn.Length > 0 ? source.Settings.BindDn : "nobody (anonymously)"));
            step = "search";
            var began = Stopwatch.GetTimestamp();
            var found = await connection.SearchAsync(new(source.Settings.Base, source.Mapping.Scope, source.Mapping.Filter, source.Mapping.Attributes, SizeLimit: 10), 10, cancel);
            var took = (int)Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            steps.Add(new(step, found.Count > 0, found.Count > 0 ? $"people are found ({took} ms)" : $"nobody is found below {source.Settings.Base} by {source.Mapping.Filter}"));
            foreach (var entry in found.Take(5))
            {
                var (person, leftOut) = source.Mapping.Read(entry, null);
                steps.Add(new("person", person is not null, person is null ? leftOut! : $"{person.Address}, \"{person.Display}\"{(person.Enabled ? "" : ", disabled")}, from {person.Name}"));
            }
            if (user is null) return steps;
            step = "user";
            if (!Names.TryAddress(user, out var address) || await source.FindAsync(connection, address, cancel) is not { } who) { steps.Add(new(step, false, "nobody has this address, or more than one")); return steps; }
            steps.Add(new(step, true, $"{who.Name}{(who.Groups is { Count: > 0 } groups ? ", in " + string.Join(", ", groups) : "")}{(who.Enabled ? "" : ", disabled")}"));
            if (password is null) return steps;
            step = "sign-in";
            var result = await connection.BindAsync(who.Name, password, cancel);
            steps.Add(new(step, result.Ok, result.Ok ? "the password is right" : result.ToString()));
        }
        catch (LdapTrouble e)
        {
            steps.Add(new(step, false, e.Message));
        }
        return steps;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in All) await source.DisposeAsync();
    }
}

/// <summary>Reads each directory at its interval, the first time soon after the start.</summary>
sealed class LdapUpkeep(LdapSources sources, LdapSync sync, TimeProvider time, ILogger<LdapUpkeep> log) : BackgroundService
{
    // while one does not answer it is tried sooner than its interval says
    static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        Task.WhenAll(sources.All.Where(source => source.Settings.Interval > TimeSpan.Zero).Select(source => KeepAsync(source, stopping)));

    async Task KeepAsync(LdapSource source, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var read = false;
            try
            {
                read = (await sync.RunAsync(source, tryOnly: false, force: false, stopping)).Ok;
            }
            catch (Exception e) when (Storage.StoreTrouble.Of(e) is not null)
            {
                // the store has told the log
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LdapTelemetry.Surprise(log, source.Name, e);
            }
            var wait = read || source.Settings.Interval < Again ? source.Settings.Interval : Again;
            await Task.Delay(wait, time, stopping);
        }
    }
}
