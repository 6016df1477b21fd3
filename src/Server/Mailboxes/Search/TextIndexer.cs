using System.Collections.Concurrent;
using CbaMail.Config;

namespace CbaMail.Mailboxes.Search;

/// <summary>
/// Fills the indexes behind the delivery: one account after the other, a hundred messages at a time, with long rests while others write, and where
/// commits follow each other (a mailing, a storm) once in ten seconds. Mail that a search has had to read goes in a second later.
/// It knows of changes by the feed; what came while it did not run, it finds at its start.
/// </summary>
public sealed class TextIndexer(TextIndex index, MailStore mail, Settings settings, TimeProvider time, ILogger<TextIndexer> log) : BackgroundService
{
    const int ManyCommits = 100; // a second
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<long, bool> changed = new(); // accounts
    readonly SemaphoreSlim news = new(1, 1); // to begin with, what is there
    readonly SemaphoreSlim missed = new(0, 1);
    long lastCommits;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!index.IsOn) return;
        using var subscription = mail.Notifier.SubscribeAll(change => Note(change.AccountId));
        index.Missed = Miss;
        await Task.Yield();
        using (var read = mail.Read())
            foreach (var account in MailboxTable.Accounts(read.Transaction)) changed.TryAdd(account, true);
        foreach (var account in index.Files()) changed.TryAdd(account, true); // of those removed meanwhile too
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await news.WaitAsync(stoppingToken);
                await GatherAsync(stoppingToken); // more will come
                await FillAllAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
            catch (Exception error)
            {
                MailboxesTelemetry.IndexingFailed(log, error);
            }
        }
    }

    void Note(long account)
    {
        changed.TryAdd(account, true);
        Wake();
    }

    void Miss(long account)
    {
        Note(account);
        Release(missed);
    }

    void Wake() => Release(news);

    static void Release(SemaphoreSlim signal)
    {
        if (signal.CurrentCount > 0) return;
        try { signal.Release(); }
        catch (SemaphoreFullException) { return; } // another was faster
    }

    // who has searched once often searches again, but first he has his answer
    async Task GatherAsync(CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var miss = missed.WaitAsync(either.Token);
        await Task.WhenAny(miss, CalmAsync(settings.Search.After, either.Token));
        if (miss.IsCompletedSuccessfully) await Task.Delay(Look, time, cancel);
        await either.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }

    async Task FillAllAsync(CancellationToken cancel)
    {
        foreach (var account in changed.Keys)
        {
            // mail comes first
            if (!index.MustWait)
            {
                changed.TryRemove(account, out _);
                await index.FillAsync(account, RestAsync, cancel);
            }
            if (!index.MustWait) continue;
            Note(account);
            return;
        }
    }

    // while others commit, a piece is followed by a rest many times as long
    async Task RestAsync(TimeSpan worked, CancellationToken cancel)
    {
        var share = Math.Clamp(settings.Search.BusyShare, 1, 100);
        var commits = mail.Store.Commits;
        await Task.Yield();
        if (commits == lastCommits) return;
        lastCommits = commits;
        await CalmAsync(worked * ((100.0 - share) / share), cancel);
    }

    // a lone session is answered by a thread that looks out for it: whoever works beside it takes more from it than the time of his work
    async Task CalmAsync(TimeSpan pause, CancellationToken cancel)
    {
        for (var waited = TimeSpan.Zero; ; pause = Look)
        {
            var before = mail.Store.Commits;
            await Task.Delay(pause, time, cancel);
            waited += pause;
            if (mail.Store.Commits - before <= ManyCommits * pause.TotalSeconds || waited >= LongestWait) return;
        }
    }
}
