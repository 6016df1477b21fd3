using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Deeds that were in one batch, and how the vault looked when they had been acknowledged.</summary>
sealed record Step(string What, int Begun)
{
    public int Begun { get; set; } = Begun;
    /// <summary>How much of the log there was when the callers had been told; never, where the disk ended before.</summary>
    public int Told { get; set; } = int.MaxValue;
    public VaultState? After { get; set; }
    /// <summary>Some of it asked for its bodies first: then none may be missing.</summary>
    public bool Firm { get; set; }
    /// <summary>It failed, and was told so; numbers of letters that may yet come back.</summary>
    public bool Failed { get; set; }
    public List<int> Letters { get; } = [];
    /// <summary>What readers saw while the flush was still under way.</summary>
    public List<Seen> Seen { get; } = [];
}

/// <summary>What a reader saw of a mailbox when there was so much of the log.</summary>
sealed record Seen(int At, long Mailbox, long ModSeq, IReadOnlyList<uint> Uids);

/// <summary>A recorded run.</summary>
sealed record Recording(int Seed, SimulatedDisk Disk, List<Step> Steps, Dictionary<long, int> Bodies, Settings Settings)
{
    public List<SnapshotMark> Snapshots { get; } = [];
    public RestoreMark? Restore { get; set; }
    /// <summary>Commits that ran on their caller's own thread.</summary>
    public int Led { get; set; }
    public IReadOnlyList<DiskEvent> Log => Disk.Log;
}

/// <summary>Random deeds on a vault that lies on a simulated disk. The same seed gives the same log.</summary>
sealed partial class Workload
{
    const int Accounts = 3;

    readonly int seed;
    readonly Random random;
    readonly Recording recording;
    readonly SimulatedDisk disk;
    readonly Settings settings;
    readonly ManualTime time = new();
    readonly List<(Task Task, Action<bool> Settle)> batch = [];
    readonly List<long> accounts = [];
    readonly List<long> bases = [];
    readonly Dictionary<(long Mailbox, uint Uid), int> letters = []; // what must be where
    Store store = null!;
    MailStore mail = null!;
    MailQueue queue = null!;
    PackRewriting rewriting = null!;
    Step step = null!;
    int number;
    int participants;
    int mailboxNames;

    readonly bool faults;
    readonly bool backups;

    Workload(int seed, SimulatedDisk disk, bool faults)
    {
        backups = HasBackups(seed);
        disk.IsBesideAtOnce = new Random(seed ^ 0xf111).Next(4) == 0;
        (this.seed, this.disk, this.faults) = (seed, disk, faults);
        random = new Random(seed);
        settings = Shape(seed, disk);
        number = random.Next(1000);
        recording = new Recording(seed, disk, [], [], settings);
    }

    /// <summary>Whether backups are made in the run of the seed.</summary>
    public static bool HasBackups(int seed) => new Random(seed ^ 0xbac).Next(5) < 2;

    public static Settings Shape(int seed, SimulatedDisk disk)
    {
        var random = new Random(seed ^ 0x5eed);
        return new Settings
        {
            Data = disk.Data,
            Storage = new StorageSettings
            {
                PackBytes = random.Next(3) switch { 0 => 24 * 1024, 1 => 64 * 1024, _ => 256 * 1024 },
                PackAheadBytes = random.Next(3) switch { 0 => 0, 1 => 8 * 1024, _ => 32 * 1024 },
                SharedPartBytes = 4096,
                CollectDeadPercent = 20,
                CollectPieceBytes = 16 * 1024,
                GatherMilliseconds = 0,
                LeadMilliseconds = random.Next(3) == 0 ? 0 : 1_000_000, // never, or whenever nobody else has the writer
                CheckpointPages = 0, // a checkpoint is a deed of its own
                PendingFlagsAtLeast = 1,
                PendingFlagsMilliseconds = 0, // the same seed gives the same log
                OpenPacks = 3,
                WriterCacheKib = random.Next(4) == 0 ? 64 : 4096, // little room: pages go to the log before the commit
                ReaderCacheKib = 512,
            },
        };
    }

    /// <summary>Runs and writes down.</summary>
    /// <param name="prepare">Plants faults before the first event.</param>
    /// <param name="faults">The disk fails now and then, is full, or the process is killed.</param>
    public static async Task<Recording> RecordAsync(int seed, int steps = 24, Action<SimulatedDisk>? prepare = null, bool faults = false)
    {
        var disk = new SimulatedDisk(seed);
        var workload = new Workload(seed, disk, faults);
        prepare?.Invoke(disk);
        disk.BeforeFlushed = workload.See;
        try
        {
            await workload.RunAsync(steps);
        }
        finally
        {
            disk.Detach();
        }
        return workload.recording;
    }

    // what clients see of a commit whose bodies are still being flushed
    void See()
    {
        if (disk.Halted is not null || store is null) return;
        using var read = mail.Read();
        foreach (var account in accounts)
            foreach (var mailbox in read.Mailboxes(account))
                recording.Steps[^1].Seen.Add(new Seen(disk.Log.Count, mailbox.Id, mailbox.ModSeq, [.. read.Messages(mailbox.Id).Select(row => row.Uid)]));
    }

    public static (Store Store, MailStore Mail) Open(Settings settings, SimulatedDisk disk, TimeProvider time)
    {
        var store = new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged, disk);
        return (store, new MailStore(store, settings, new Notifier(), time) { KeepsExpunged = true });
    }

    public static PackRewriting Rewriting(Store store, Settings settings, TimeProvider time) => new(store, settings, time, NullLogger<PackRewriting>.Instance);

    void Open()
    {
        (store, mail) = Open(settings, disk, time);
        queue = new MailQueue(store, mail, time);
        rewriting = Rewriting(store, settings, time);
    }

    async Task RunAsync(int steps)
    {
        recording.Steps.Add(step = new Step("open", disk.Note("begin", 0)));
        Open();
        Told();
        await StepAsync("accounts", Setup);
        for (var i = 0; i < steps; i++)
        {
            time.Advance(TimeSpan.FromSeconds(random.Next(100)));
            if (faults && random.Next(3) == 0)
            {
                await FaultyStepAsync();
                if (disk.Halted is not null) return; // the end of the process, and of the log
                continue;
            }
            if (backups && i % 8 == 7) await BackUpAsync();
            await AnyStepAsync(mayRestart: true);
        }
        recording.Steps.Add(step = new Step("close", disk.Note("begin", recording.Steps.Count)));
        var last = VaultState.Of(store);
        await store.DisposeAsync();
        (step.After, step.Told) = (last, disk.Note("told", recording.Steps.Count - 1));
        if (backups) await RestoreAsync();
    }

    async Task AnyStepAsync(bool mayRestart)
    {
        switch (random.Next(20))
        {
            case 0 when mayRestart: await RestartAsync(); break;
            case 3 or 4: await RewriteAsync(); break;
            case 1 or 2: Checkpoint(cut: random.Next(3) > 0); break;
            case 5 or 6 or 7: await AloneAsync(); break;
            case 8 or 9: await LeadAsync(); break;
            default: await StepAsync("batch", Deeds); break;
        }
    }

    void Told()
    {
        step.Told = disk.Note("told", recording.Steps.Count - 1);
        step.After = VaultState.Of(store);
    }

    /// <summary>One batch: the committer is held by a first work until the others are in the queue.</summary>
    async Task StepAsync(string what, Action deeds, bool alone = false)
    {
        if (alone)
        {
            recording.Steps.Add(step = new Step(what, disk.Note("begin", recording.Steps.Count)));
            batch.Clear();
            deeds();
            await SettleAsync(batch);
            return;
        }
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gate = new ManualResetEventSlim();
        var hold = store.StartCommit(_ =>
        {
            entered.SetResult();
            gate.Wait();
            return 0;
        });
        await entered.Task;
        recording.Steps.Add(step = new Step(what, disk.Note("begin", recording.Steps.Count)));
        batch.Clear();
        deeds();
        var told = store.CommitAsync(t =>
        {
            t.OnCommitted(() => step.Told = disk.Note("told", recording.Steps.Count - 1));
            return 0;
        });
        gate.Set();
        await SettleAsync(batch.Prepend((hold, _ => { }
        )).Append((told.AsTask(), _ => { }
        )));
        if (disk.Fault is null) Compare();
    }

    async Task SettleAsync(IEnumerable<(Task Task, Action<bool> Settle)> tasks)
    {
        foreach (var (task, settle) in tasks)
        {
            try
            {
                await task;
                settle(true);
            }
            catch (PlannedFailure)
            {
                settle(false);
            }
            catch (Exception error) when (disk.Fault is not null && error is IOException or SqliteError)
            {
                step.Failed = true;
            }
        }
    }

    /// <summary>A batch during which the disk fails: who is told of an error has nothing, everybody else has everything, and mail goes on afterwards.</summary>
    async Task FaultyStepAsync()
    {
        var (left, kind, alone) = (random.Next(40) % 12, random.Next(9), random.Next(3) == 0);
        void One() => Do(random.Next(3) switch { 0 => 0, 1 => 4, _ => 17 });
        void Arm() =>
            disk.Fault = (what, _) =>
            {
                var pack = what.Path.EndsWith(".pack", StringComparison.Ordinal);
                var hit = kind switch
                {
                    0 => what.Deed == Deed.Write && pack,                       // full, for packs
                    1 => what.Deed is Deed.Write or Deed.Create,                // full
                    2 => what.Deed == Deed.Write && !pack,                      // full, for the database
                    3 => what.Deed is Deed.Flush or Deed.HandOver && pack,
                    4 => what.Deed == Deed.Flush && !pack,
                    5 => what.Deed is Deed.FlushDirectory or Deed.Length,
                    6 => what.Deed == Deed.Write,
                    7 => true,                                                  // the process is killed
                    _ => what.Deed == Deed.Flush,
                };
                if (!hit || left-- > 0) return null;
                if (kind == 7) disk.Kill();
                if (kind > 2 && left < -random.Next(3)) left = int.MaxValue;   // an error passes, a full disk stays full
                return new IOException(kind < 3 ? "No space left on device" : "Input/output error", kind < 3 ? 28 : 5);
            };
        await StepAsync("fault", () =>
        {
            if (alone) Arm();
            for (var count = alone ? 1 : 1 + random.Next(4); count > 0; count--) One();
            if (!alone) Arm();
        }, alone);
        disk.EndBeside();
        if (!await AfterFaultAsync(kind == 7)) return;
        // whoever has the file open is told once that a flush beside him has failed
        disk.Fault = (_, _) => null;
        await StepAsync("after a fault", One, alone: true);
        await AfterFaultAsync(isKilled: false);
    }

    /// <returns>Whether the process goes on.</returns>
    async Task<bool> AfterFaultAsync(bool isKilled)
    {
        disk.Fault = null;
        if (disk.Halted is null)
        {
            if (step.Told == int.MaxValue) step.Told = disk.Note("told", recording.Steps.Count - 1);
            Compare();
            return true;
        }
        await EndProcessAsync();
        if (!isKilled) return false;
        disk.Revive();
        Open();
        await AdoptAsync();
        return true;
    }

    async Task EndProcessAsync()
    {
        step.Failed = true;
        try
        {
            await store.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or SqliteError)
        {
            disk.Note("ended: " + error.GetType().Name);
        }
    }

    // the process was killed: what it had begun is there or is not
    async Task AdoptAsync()
    {
        await Task.CompletedTask;
        var before = recording.Steps[^2].After!;
        step.After = VaultState.Of(store);
        letters.Clear();
        foreach (var (where, content) in step.After.Contents())
        {
            if (!before["content"].ContainsKey(content.ToString(System.Globalization.CultureInfo.InvariantCulture))) recording.Bodies[content] = Recognise(content);
            letters[where] = recording.Bodies[content];
        }
        foreach (var row in step.After["queue_message"].Values)
            if (VaultState.Number(row, "content_id") is var content && !before["content"].ContainsKey(content.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                recording.Bodies[content] = Recognise(content);
        RecogniseKept();
        step.Told = disk.Note("told", recording.Steps.Count - 1);
    }

    // what came and went in one batch was in no mailbox that could be looked into
    void RecogniseKept()
    {
        foreach (var row in step.After!["kept_message"].Values)
            if (VaultState.Number(row, "content_id") is var content && !recording.Bodies.ContainsKey(content)) recording.Bodies[content] = Recognise(content);
    }

    int Recognise(long content)
    {
        using var read = mail.Read();
        var body = read.Content(content)!;
        var bytes = body.Read(0, (int)body.Size);
        return step.Letters.First(letter => bytes.AsSpan().SequenceEqual(Cuts.Letters.Bytes(letter)));
    }

    /// <summary>The vault shows exactly what the deeds should have made of it.</summary>
    void Compare()
    {
        step.After = VaultState.Of(store);
        var rows = step.After.Contents();
        foreach (var (where, content) in rows)
            if (letters.TryGetValue(where, out var letter)) recording.Bodies[content] = letter;
        RecogniseKept();
        var wrong = rows.Keys.Except(letters.Keys).Select(key => $"+{key}").Concat(letters.Keys.Except(rows.Keys).Select(key => $"-{key}")).ToList();
        if (wrong.Count > 0) throw new InvalidOperationException($"seed {seed} step {recording.Steps.Count - 1}: without any cut, the vault differs: {string.Join(", ", wrong)}");
        foreach (var row in step.After["queue_message"].Values)
            if (!recording.Bodies.ContainsKey(VaultState.Number(row, "content_id"))) throw new InvalidOperationException($"seed {seed}: an unknown body is in the queue");
    }

    async Task RestartAsync()
    {
        recording.Steps.Add(step = new Step("restart", disk.Note("begin", recording.Steps.Count)));
        await store.DisposeAsync();
        Open();
        Told();
    }

    // packs of which much is dead are copied together, and their files removed: nobody sees a difference
    async Task RewriteAsync(int most = 20)
    {
        recording.Steps.Add(step = new Step("rewrite", disk.Note("begin", recording.Steps.Count)) { Firm = true });
        var before = recording.Steps[^2].After!;
        for (var left = 1 + random.Next(most); left > 0 && (await rewriting.StepAsync(default)).Deed != RewriteDeed.Nothing; left--) { }
        Told();
        if (step.After!.Unlike(before) is { Count: > 0 } differences) throw new InvalidOperationException("rewriting changed something: " + differences[0]);
    }

    void Checkpoint(bool cut)
    {
        recording.Steps.Add(step = new Step("checkpoint", disk.Note("begin", recording.Steps.Count)));
        store.Checkpoint();
        if (cut)
        {
            using var connection = new SqliteConnection(Path.Combine(disk.Data, "cbamail.db"), readOnly: false, disk.SqliteVfs);
            connection.Execute($"PRAGMA busy_timeout=0; PRAGMA wal_checkpoint({(random.Next(2) == 0 ? "TRUNCATE" : "RESTART")})");
        }
        Told();
    }

    sealed class PlannedFailure() : Exception("planned");

    void Add<T>(ValueTask<T> task, Action<T> settle)
    {
        var running = task.AsTask();
        batch.Add((running, done => { if (done) settle(running.Result); }));
    }
}
