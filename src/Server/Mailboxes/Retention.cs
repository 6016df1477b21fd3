using CbaMail.Config;

namespace CbaMail.Mailboxes;

/// <summary>
/// Removes what has been in a mailbox for longer than it keeps: each has a number of days of its own, or that of the settings for its special use.
/// What is flagged (\Flagged) stays. Days count from when the message came into this mailbox (SAVEDATE, RFC 8514), not from its date.
/// </summary>
public sealed class Retention(MailStore mail, Settings settings, TimeProvider time)
{
    /// <summary>The most that can be asked for: 100 years.</summary>
    public const int MostDays = 36_500;

    const int RowsAtOnce = 2500;

    /// <summary>How many days this mailbox keeps a message; null: for ever.</summary>
    public int? Of(Mailbox mailbox) => mailbox.KeepDays switch
    {
        0 => null,
        { } days => days,
        _ => mailbox.SpecialUse switch
        {
            "\\Junk" => Days(settings.Accounts.KeepJunk),
            "\\Trash" => Days(settings.Accounts.KeepTrash),
            _ => null,
        },
    };

    static int? Days(TimeSpan kept) => kept > TimeSpan.Zero ? Math.Max(1, (int)kept.TotalDays) : null;

    /// <summary>One look at all mailboxes: some milliseconds where nothing is too old.</summary>
    /// <returns>How many messages were removed.</returns>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        List<Mailbox> mailboxes;
        using (var read = mail.Store.Read()) mailboxes = MailboxTable.Keeping(read);
        var gone = 0;
        foreach (var mailbox in mailboxes)
            if (Of(mailbox) is { } days) gone += await RunAsync(mailbox.Id, time.GetUtcNow().AddDays(-days), cancel);
        return gone;
    }

    async Task<int> RunAsync(long mailboxId, DateTimeOffset before, CancellationToken cancel)
    {
        var gone = 0;
        for (uint after = 0; ;)
        {
            List<uint> old;
            // UIDs and these dates rise together, so the first that is younger ends the walk
            using (var read = mail.Store.Read()) old = MessageTable.SavedBefore(read, mailboxId, after, before, RowsAtOnce);
            if (old.Count > 0) gone += await mail.RemoveAsync(mailboxId, old, cancel, row => row.Saved < before && !row.Flags.HasFlag(MessageFlags.Flagged));
            if (old.Count < RowsAtOnce) return gone;
            after = old[^1];
        }
    }
}

/// <summary>Looks every hour.</summary>
sealed class RetentionUpkeep(Retention retention, TimeProvider time, ILogger<RetentionUpkeep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await retention.RunAsync(stoppingToken) is > 0 and var gone) MailboxesTelemetry.Expired(log, gone);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                MailboxesTelemetry.UpkeepFailed(log, error); // a full disk, say: another time
            }
        }
    }
}
