using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Brings expunged messages back, and forgets them when their time is over, when an account has more of them than its share, and all of them
/// when the disk is short.
/// </summary>
public sealed class Undelete(MailStore mail, UserDirectory directory, Settings settings, TimeProvider time)
{
    const int RowsPerCommit = 250;

    readonly Store store = mail.Store;

    /// <summary>From now on what is expunged is kept, where the settings ask for it.</summary>
    public void Begin() => mail.KeepsExpunged = settings.Accounts.KeepExpunged > TimeSpan.Zero;

    /// <summary>Of an account, the last that went first, read a page at a time.</summary>
    /// <param name="below">Only those with a lower id.</param>
    public IEnumerable<KeptMessage> List(long accountId, long below = long.MaxValue)
    {
        while (true)
        {
            List<KeptMessage> page;
            using (var read = store.Read()) page = KeptTable.Of(read, accountId, below, RowsPerCommit);
            foreach (var one in page) yield return one;
            if (page.Count < RowsPerCommit) yield break;
            below = page[^1].Id;
        }
    }

    /// <summary>Puts messages back to where they were, or into a named mailbox, which is made where it is missing; those that are gone are passed over.</summary>
    /// <returns>How many are back; over quota none of a piece, what came before stays.</returns>
    public async ValueTask<Result<int>> RestoreAsync(Account account, IReadOnlyList<long> ids, string? to, CancellationToken cancel)
    {
        if (to is not null)
        {
            var normal = MailboxName.Normalize(to);
            if (!normal.Ok) return normal.Refusal;
            to = normal.Value;
        }
        var back = 0;
        // each once: one that is named twice has one reference to its body to give back, not two
        foreach (var piece in ids.Distinct().Chunk(RowsPerCommit))
        {
            var restored = await store.CommitAsync<Result<int>>(write => Restore(write, account, piece, to), cancel);
            if (!restored.Ok) return restored.Refusal;
            back += restored.Value;
        }
        return back;
    }

    Result<int> Restore(WriteTransaction write, Account account, long[] ids, string? to)
    {
        var rows = ids.Order().Select(id => KeptTable.Find(write, account.Id, id)).OfType<KeptMessage>().ToList();
        if (account.Quota > 0 && rows.Sum(row => row.Size) + MailboxTable.Usage(write, account.Id).Bytes > account.Quota) return Refusal.OverQuota;
        foreach (var row in rows)
        {
            var mailbox = to is not null || !row.HasMailbox ? mail.EnsureMailbox(write, account.Id, to ?? (row.Mailbox.Length > 0 ? row.Mailbox : "INBOX")) : row.MailboxId;
            var keywords = row.Keywords?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            var added = mail.AddMessage(write, account.Id, mailbox, new NewMessage(new ContentRef(row.ContentId, row.Size - row.Prefix.Length) { Sent = row.Sent }, row.Prefix, row.Flags & ~MessageFlags.Deleted, keywords, row.Received), quota: 0);
            if (!added.Ok) return added.Refusal;
            KeptTable.Remove(write, row.Id);
            mail.DropReference(write, row.ContentId);
        }
        return rows.Count;
    }

    /// <summary>Forgets these for good.</summary>
    public async ValueTask<int> ForgetAsync(IReadOnlyList<(long Id, long ContentId)> messages, CancellationToken cancel)
    {
        var gone = 0;
        foreach (var piece in messages.Chunk(RowsPerCommit))
            gone += await store.CommitAsync(write => piece.Count(one =>
            {
                if (!KeptTable.Remove(write, one.Id)) return false;
                mail.DropReference(write, one.ContentId);
                return true;
            }), cancel);
        return gone;
    }

    /// <summary>One look: what is too old, what is too much, and all of it where the disk is short.</summary>
    /// <returns>How many were forgotten.</returns>
    public async Task<int> PruneAsync(CancellationToken cancel)
    {
        var gone = 0;
        var before = time.GetUtcNow() - settings.Accounts.KeepExpunged;
        while (Take(null) is { Count: > 0 } oldest)
        {
            var old = oldest.TakeWhile(one => one.Expunged <= before || !store.Condition.IsAmple).Select(one => (one.Id, one.ContentId)).ToList();
            gone += await ForgetAsync(old, cancel);
            if (old.Count < oldest.Count) break;
        }
        List<(long AccountId, long Bytes)> sums;
        using (var read = store.Read()) sums = KeptTable.Sums(read);
        foreach (var (id, bytes) in sums)
        {
            // counted beside the quota, not within it
            var (left, quota) = (bytes, directory.GetAccount(id)?.Quota ?? 0);
            var share = quota > 0 ? (long)(quota * (settings.Accounts.KeepExpungedPercent / 100.0)) : long.MaxValue;
            while (left > share && Take(id) is { Count: > 0 } oldest)
            {
                var over = new List<(long, long)>();
                foreach (var one in oldest)
                {
                    if (left <= share) break;
                    over.Add((one.Id, one.ContentId));
                    left -= one.Size;
                }
                gone += await ForgetAsync(over, cancel);
            }
        }
        if (gone > 0) await ForgetNamesAsync(cancel);
        return gone;
    }

    // a mailbox that is removed gets its name and what is kept of it in one commit, and no more after it
    async ValueTask ForgetNamesAsync(CancellationToken cancel)
    {
        List<long> empty;
        using (var read = store.Read()) empty = KeptTable.EmptyNames(read);
        foreach (var piece in empty.Chunk(RowsPerCommit))
            await store.CommitAsync(write =>
            {
                foreach (var mailbox in piece) KeptTable.ForgetName(write, mailbox);
                return true;
            }, cancel);
    }

    List<(long Id, long ContentId, long Size, DateTimeOffset Expunged)> Take(long? account)
    {
        using var read = store.Read();
        return KeptTable.Oldest(read, account, RowsPerCommit);
    }
}

/// <summary>Looks every ten minutes.</summary>
sealed class UndeleteUpkeep(Undelete undelete, TimeProvider time, ILogger<UndeleteUpkeep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(10), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try { await undelete.PruneAsync(stoppingToken); }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                MailboxesTelemetry.UpkeepFailed(log, error); // a full disk, say: another time
            }
        }
    }
}
