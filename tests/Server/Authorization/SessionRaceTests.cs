using System.Net;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Authorization;

/// <summary>A new password ends every session of the old one, however close together they come; and what is kept for one caller is bounded.</summary>
public sealed class SessionRaceTests : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-session").FullName;
    readonly Store store;
    readonly Sessions sessions;
    readonly Account anna = new(7, 1, new MailAddress("anna", "example.test"), "Anna", Role.User, 0, "", true, DateTimeOffset.UnixEpoch);

    public SessionRaceTests()
    {
        store = new Store(new Settings { Data = directory }, NullLogger<Store>.Instance);
        sessions = new Sessions(store, TimeProvider.System);
    }

    [Fact]
    public async Task A_session_that_begins_in_the_same_batch_as_the_end_of_all_is_ended_with_them()
    {
        // both wait while the committer is busy, and are one batch then
        using var busy = new ManualResetEventSlim();
        var entered = new TaskCompletionSource();
        var first = Task.Run(() => store.CommitAsync(_ => { entered.SetResult(); return busy.Wait(TimeSpan.FromSeconds(20)); }).AsTask());
        await entered.Task;
        var begun = sessions.BeginAsync(anna, null, IPAddress.Loopback, "", TestContext.Current.CancellationToken).AsTask();
        var ended = store.CommitAsync(write => { sessions.EndAll(write, anna.Id); return true; }).AsTask();
        busy.Set();
        await Task.WhenAll(first, begun, ended);
        Assert.Null(sessions.Check((await begun)!.Value.Secret));
        Assert.Empty(new Sessions(store, TimeProvider.System).List(anna.Id)); // nor after a restart
    }

    [Fact]
    public async Task Whoever_showed_a_password_that_is_none_any_more_begins_no_session()
    {
        var judged = sessions.EndsOf(anna);
        await store.CommitAsync(write => { sessions.EndAll(write, anna.Id); return true; });
        Assert.Null(await sessions.BeginAsync(anna, null, null, "", TestContext.Current.CancellationToken, judged));
        Assert.NotNull(await sessions.BeginAsync(anna, null, null, "", TestContext.Current.CancellationToken, sessions.EndsOf(anna)));
    }

    [Fact]
    public async Task Of_one_caller_the_newest_answers_are_kept()
    {
        var time = new Wire.ManualTime();
        var kept = new Idempotency(store, time);
        byte[] request = [1];
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(await kept.BeginAsync("account 7", $"{i}", request, most: 3, TestContext.Current.CancellationToken));
            await kept.FinishAsync("account 7", $"{i}", new(request, 200, "", [2]));
            time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Null(await kept.BeginAsync("account 8", "0", request, most: 3, TestContext.Current.CancellationToken));
        Assert.Equal(200, (await kept.BeginAsync("account 7", "4", request, most: 3, TestContext.Current.CancellationToken))?.Status);
        Assert.Equal(200, (await kept.BeginAsync("account 7", "2", request, most: 3, TestContext.Current.CancellationToken))?.Status);
        Assert.Null(await kept.BeginAsync("account 7", "0", request, most: 3, TestContext.Current.CancellationToken)); // forgotten: it would be done again
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
