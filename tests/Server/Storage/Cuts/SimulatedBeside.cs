namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>
/// Work that goes on beside the writer (<see cref="CbaMail.Storage.Disk.Beside"/>), on a simulated disk: it has a thread of its own, which rests
/// before each of its deeds until whoever drives the disk lets it happen. So its deeds fall between those of others where the seed says.
/// </summary>
sealed class SimulatedBeside(SimulatedDisk owner, Action work) : IDisposable
{
    [ThreadStatic]
    static SimulatedBeside? mine;

    readonly SemaphoreSlim go = new(0), resting = new(0);
    readonly TaskCompletionSource done = new();
    Action? next;
    Exception? failure;
    bool over, isStepping;

    /// <summary>The work of this disk that runs on the current thread.</summary>
    public static SimulatedBeside? On(SimulatedDisk disk) => mine is { } beside && beside.Owner == disk ? beside : null;

    SimulatedDisk Owner => owner;

    public Task Task => done.Task;
    public bool IsOver => done.Task.IsCompleted;

    /// <summary>Goes on to its first deed.</summary>
    public void Start()
    {
        new Thread(Run) { Name = "beside", IsBackground = true }.Start();
        resting.Wait();
        if (over) done.TrySetResult();
    }

    void Run()
    {
        mine = this;
        try { work(); }
        catch (IOException) { over = true; }
        over = true;
        resting.Release();
    }

    /// <summary>On its own thread: wants to do this, and waits until it has happened.</summary>
    public void Do(Action deed)
    {
        next = deed;
        resting.Release();
        go.Wait();
        if (failure is not { } error) return;
        failure = null;
        throw error;
    }

    /// <summary>On the driver's thread: its next deed happens, and it goes on to the one after.</summary>
    public void Step()
    {
        if (IsOver || isStepping) return;
        isStepping = true;
        try { next!(); }
        catch (IOException error) { failure = error; }
        next = null;
        go.Release();
        resting.Wait();
        isStepping = false;
        if (over) done.TrySetResult();
    }

    public void Dispose()
    {
        go.Dispose();
        resting.Dispose();
    }
}
