using CbaMail.Mailboxes;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Commits of callers who are alone: where the settings let them, they commit on their own thread.</summary>
sealed partial class Workload
{
    /// <summary>Some, one after the other, each told before the next begins.</summary>
    async Task AloneAsync()
    {
        for (var count = 1 + random.Next(4); count > 0; count--)
        {
            recording.Steps.Add(step = new Step("alone", disk.Note("begin", recording.Steps.Count)));
            batch.Clear();
            Do(random.Next(10) switch { <= 3 => 0, 4 => 4, 5 => 7, 6 => 9, 7 => 11, 8 => 12, _ => 17 });
            await SettleAsync(batch);
            step.Told = disk.Note("told", recording.Steps.Count - 1);
            Compare();
        }
    }

    /// <summary>One who leads, and others who come while he has the writer: they wait for the committer's thread.</summary>
    async Task LeadAsync()
    {
        var leader = step = new Step("leader", disk.Note("begin", recording.Steps.Count)) { Firm = random.Next(3) == 0 };
        recording.Steps.Add(leader);
        var caller = Environment.CurrentManagedThreadId;
        var (mailbox, letter) = (AnyMailbox(), NextLetter());
        var staged = mail.Stage(Cuts.Letters.Bytes(letter));
        var followers = new Step("batch", 0);
        Task told = Task.CompletedTask;
        batch.Clear();
        var uid = await store.CommitAsync(t =>
        {
            if (leader.Firm) t.BodiesFirst();
            if (Environment.CurrentManagedThreadId == caller) recording.Led++;
            var content = mail.AddContent(t, staged);
            var added = mail.AddMessage(t, mailbox, new NewMessage(content, default, MessageFlags.None, [], time.GetUtcNow()), 0);
            t.OnCommitted(() =>
            {
                leader.Told = disk.Note("told", recording.Steps.Count - 1);
                leader.After = VaultState.Of(store);
                recording.Bodies[content.Id] = letter;
                followers.Begun = disk.Note("begin", recording.Steps.Count);
                recording.Steps.Add(followers);
            });
            step = followers;
            for (var count = 1 + random.Next(3); count > 0; count--) Do(random.Next(5) switch { 0 or 1 => 0, 2 => 4, 3 => 9, _ => 17 });
            told = store.StartCommit(last =>
            {
                last.OnCommitted(() => followers.Told = disk.Note("told", recording.Steps.Count - 1));
                return 0;
            });
            return added.Value.Uid;
        });
        letters[(mailbox, uid)] = letter;
        await SettleAsync(batch.Append((told, _ => { }
        )));
        Compare();
    }
}
