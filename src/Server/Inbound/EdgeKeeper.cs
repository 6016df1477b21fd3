using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Inbound;

/// <summary>
/// Keeps what is remembered of strangers over a restart: reads it before the first connection, writes what has changed in one commit a while and at
/// the end. However many strangers knock, that is one commit and a bounded number of rows each time; a crash forgets half a minute.
/// </summary>
public sealed class EdgeKeeper(
    Store store, AllowList allowed, Bans bans, Acquaintances acquaintances, Settings settings, TimeProvider time, ILogger<EdgeKeeper> log) : IHostedService
{
    const int MostRows = 2000; // of one kind in one commit
    static readonly TimeSpan ExpireEvery = TimeSpan.FromHours(1);

    readonly Remembered[] kinds = [allowed.Added, bans.Banned, bans.Offices, .. acquaintances.All];
    readonly SemaphoreSlim turn = new(1);
    readonly CancellationTokenSource stopping = new();
    Task? running;
    long expired = time.GetTimestamp();

    /// <summary>Before the ports are opened.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Load();
        running = RunAsync();
        return Task.CompletedTask;
    }

    internal void Load()
    {
        var byKind = kinds.ToDictionary(kind => kind.Kind);
        using (var read = store.Read())
            foreach (var (kind, key, memo) in EdgeTable.Alive(read, time.GetUtcNow()))
                if (byKind.TryGetValue(kind, out var remembered)) remembered.Load(key, memo);
        allowed.Renew();
        bans.Renew();
    }

    async Task RunAsync()
    {
        using var timer = new PeriodicTimer(settings.Inbound.WriteEvery > TimeSpan.Zero ? settings.Inbound.WriteEvery : TimeSpan.FromSeconds(30), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                try { await WriteAsync(); }
                catch (Exception e) when (e is not OperationCanceledException) { InboundTelemetry.NotKept(log, e); } // a full disk, say
            }
        }
        catch (OperationCanceledException)
        {
            return; // the server stops
        }
    }

    /// <summary>Writes what has changed; what an administrator did is written by this before he is answered.</summary>
    public async Task WriteAsync()
    {
        await turn.WaitAsync();
        try
        {
            var expire = time.GetElapsedTime(expired) > ExpireEvery;
            if (expire)
            {
                expired = time.GetTimestamp();
                foreach (var kind in kinds) kind.Expire();
            }
            var changes = kinds.Select(kind => (kind, rows: kind.TakeChanges(MostRows))).Where(change => change.rows.Count > 0).ToList();
            if (changes.Count == 0 && !expire) return;
            try
            {
                await store.CommitAsync(write => Write(write, changes, expire));
            }
            catch
            {
                foreach (var (kind, rows) in changes) kind.PutBack(rows);
                throw;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    bool Write(WriteTransaction write, List<(Remembered Kind, List<(string Key, Memo? Memo)> Rows)> changes, bool expire)
    {
        foreach (var (kind, rows) in changes)
        {
            foreach (var (key, memo) in rows)
            {
                if (memo is { } kept) EdgeTable.Set(write, kind.Kind, key, kept);
                else EdgeTable.Remove(write, kind.Kind, key);
            }
        }
        if (expire) EdgeTable.Expire(write, time.GetUtcNow());
        return true;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        if (running is not null) await running;
        try { await WriteAsync(); }
        catch (Exception e) { InboundTelemetry.NotKept(log, e); }
    }
}
