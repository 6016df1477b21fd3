using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Backup;

/// <summary>Mail that arrives, moves and goes while everything is verified raises no alarm.</summary>
public sealed class ConcurrencyTests
{
    [Fact]
    public async Task Mail_in_motion_raises_no_alarm()
    {
        await using var vault = await BackupFixture.NewAsync();
        var boxes = new List<long> { vault.Inbox };
        for (var i = 0; i < 3; i++) boxes.Add(await vault.InboxAsync($"person{i}@example.test"));
        long archive;
        using (var read = vault.Mail.Read()) archive = read.Find(read.Mailbox(vault.Inbox)!.AccountId, "Archive")!.Id;
        for (var i = 0; i < 200; i++) await vault.AppendAsync(BackupFixture.Message(i), boxes[i % boxes.Count]);

        using var stop = new CancellationTokenSource();
        var commits = 0;
        var busy = Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            var first = 1;
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var box = boxes[random.Next(boxes.Count)];
                switch (random.Next(6))
                {
                    case 0 or 1 or 2:
                        await vault.AppendAsync(BackupFixture.Message(worker * 100_000 + i), box);
                        break;
                    case 3:
                        await vault.Mail.MoveAsync(vault.Inbox, [(uint)random.Next(first, first + 200)], archive, default);
                        break;
                    case 4:
                        await vault.Mail.CopyAsync(vault.Inbox, [(uint)random.Next(first, first + 200)], archive, 0, default);
                        break;
                    default:
                        var gone = Enumerable.Range(0, 3).Select(n => (uint)random.Next(first, first + 300)).Distinct().Order().ToList();
                        await vault.Mail.StoreAsync(box, gone, new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
                        await vault.Mail.ExpungeAsync(box, gone, default);
                        break;
                }
                Interlocked.Increment(ref commits);
            }
        })).ToList();
        try
        {
            for (var met = 0; met < 5;)
            {
                Assert.DoesNotContain(busy, worker => worker.IsCompleted);
                var before = Volatile.Read(ref commits);
                var (_, findings) = await vault.VerifyAsync();
                Assert.Empty(findings.Select(finding => finding.Text));
                if (Volatile.Read(ref commits) > before) met++;
                else await Task.Yield();
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(busy);
        }
        Assert.Empty((await vault.VerifyAsync()).Findings);
    }
}
