using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Authorization;

/// <summary>No change is committed without a trace of who made it, wherever the server is stopped.</summary>
public sealed class AuditLogTests : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-audit").FullName;
    Store store;
    AuditLog log;

    public AuditLogTests() => (store, log) = Open();

    (Store, AuditLog) Open()
    {
        var opened = new Store(new Settings { Data = directory }, NullLogger<Store>.Instance);
        return (opened, new AuditLog(opened, TimeProvider.System));
    }

    static AuditEntry Begun(string subject) => new(DateTimeOffset.UnixEpoch.AddDays(20_000), "dean@example.org", "192.0.2.1", "PATCH /api/v1/domains/{domain}", subject, 0, null, null);

    Task ChangeAsync(string name) => store.CommitAsync(write =>
    {
        write.Prepare("INSERT INTO domain (name, default_quota, created) VALUES (?, 0, 0)").Bind(1, name).Run();
        return true;
    }).AsTask();

    IReadOnlyList<AuditEntry> Entries() => [.. log.Read().Select(row => row.Entry)];

    [Fact]
    public async Task A_change_that_was_cut_off_from_its_entry_is_told_of_after_the_next_start()
    {
        var never = new TaskCompletionSource();
        var committed = new TaskCompletionSource();
        var cut = log.RecordAsync(Begun("cut"), async () => { await ChangeAsync("one.example"); await ChangeAsync("two.example"); committed.SetResult(); await never.Task; }, _ => null);
        await committed.Task;
        Assert.Empty(Entries());
        await store.DisposeAsync(); // as good as a kill: nothing of the request is written any more

        (store, log) = Open();
        await log.StartAsync(default);
        Assert.Equal(Begun("cut"), Assert.Single(Entries()));
        Assert.Null(log.Verify(default).BrokenAt);

        await log.StartAsync(default); // told once
        Assert.Single(Entries());
        Assert.False(cut.IsCompleted);
    }

    [Fact]
    public async Task A_change_has_one_entry_however_many_commits_it_takes()
    {
        await log.RecordAsync(Begun("whole"), async () => { await ChangeAsync("one.example"); await Task.WhenAll(ChangeAsync("two.example"), ChangeAsync("three.example")); }, _ => Begun("whole") with { Status = 200 });
        Assert.Equal(200, Assert.Single(Entries()).Status);
        await log.StartAsync(default);
        Assert.Single(Entries());
    }

    [Fact]
    public async Task A_change_that_fails_after_its_first_commit_has_an_entry_and_one_that_commits_nothing_has_none()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => log.RecordAsync(Begun("half"), async () => { await ChangeAsync("one.example"); throw new TimeoutException(); }, _ => null));
        await Assert.ThrowsAsync<TimeoutException>(() => log.RecordAsync(Begun("nothing"), () => throw new TimeoutException(), _ => null));
        await log.RecordAsync(Begun("refused"), () => Task.CompletedTask, committed => committed ? Begun("refused") : null);
        Assert.Equal([("half", 500)], Entries().Select(entry => (entry.Subject, entry.Status)));
    }

    [Fact]
    public async Task A_commit_that_fails_leaves_the_note_to_the_next_one_and_work_that_goes_on_after_the_deed_has_none()
    {
        var (goOn, after) = (new TaskCompletionSource(), Task.CompletedTask);
        await log.RecordAsync(Begun("second"), async () =>
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CommitAsync<bool>(_ => throw new InvalidOperationException()));
            await ChangeAsync("one.example");
            after = Task.Run(async () => { await goOn.Task; await ChangeAsync("two.example"); });
        }, committed => committed ? Begun("second") with { Status = 200 } : null);
        goOn.SetResult();
        await after;
        await log.StartAsync(default);
        Assert.Equal(200, Assert.Single(Entries()).Status);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
