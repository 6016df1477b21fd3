using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Imap;

namespace CbaMail.Warmup;

/// <summary>Builds the second house when the first one serves, and lets somebody live in it for a moment.</summary>
sealed class WarmUp(Settings settings, Func<Settings, WebApplication> build, TimeProvider time, ILogger<WarmUp> log) : IHostedLifecycleService
{
    const string Memory = "/dev/shm", Name = "cbamail-warm-up-"; // a file system in memory, for everybody: hence a name that cannot be guessed
    const string CompiledAhead = "CbaMail.CompiledAhead"; // Server.csproj; a program that is compiled as it runs would take seconds
    const string Domain = "warm-up.invalid", Password = "as warm as toast";
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    static int begun; // types are loaded for the process, not for a server

    readonly CancellationTokenSource stopping = new();
    Task running = Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (settings.Limits.WarmUp && AppContext.TryGetSwitch(CompiledAhead, out var ahead) && ahead && System.IO.Directory.Exists(Memory) && Interlocked.Exchange(ref begun, 1) == 0) running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        await running;
    }

    internal async Task RunAsync()
    {
        var since = time.GetTimestamp();
        var folder = Path.Combine(Memory, Name + Guid.NewGuid().ToString("n"));
        try
        {
            stopping.CancelAfter(Longest);
            RemoveForgotten();
            System.IO.Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await LiveAsync(folder, stopping.Token);
            WarmupTelemetry.Done(log, time.GetElapsedTime(since).TotalMilliseconds);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            WarmupTelemetry.Failed(log, e.Message);
        }
        finally
        {
            Remove(folder);
        }
    }

    internal async Task LiveAsync(string folder, CancellationToken cancel)
    {
        var own = new Settings
        {
            Data = folder,
            Evaluation = true, // a sign-in in clear text
            Log = LogLevel.None,
            SignIn = new() { PasswordCost = 1, ScramIterations = 4096 },
            Storage = settings.Storage,
        };
        await using var house = build(own);
        var people = house.Services.GetRequiredService<UserDirectory>();
        await people.AddDomainAsync(Domain, cancel: cancel);
        await people.AddAccountAsync(new NewAccount("first@" + Domain, Password: Password), cancel);
        await ImapDialogue.PlayAsync(house.Services.GetRequiredService<ImapHandler>(), "first@" + Domain, Password, cancel);
    }

    // of processes that were killed at it
    void RemoveForgotten()
    {
        foreach (var old in new DirectoryInfo(Memory).EnumerateDirectories(Name + "*"))
            if (time.GetUtcNow() - old.CreationTimeUtc > 6 * Longest) Remove(old.FullName);
    }

    static void Remove(string folder)
    {
        try { System.IO.Directory.Delete(folder, recursive: true); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { } // it was never made, or is somebody else's
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
