using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

/// <summary>The queue for people: searching, and doing something to all that fits.</summary>
public sealed class QueueDeedsTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();
    readonly ManualTime time = new();
    readonly MailQueue queue;

    public QueueDeedsTests() => queue = Open();

    MailQueue Open() => new(vault.Store, vault.Mail, time, new Settings());

    public ValueTask DisposeAsync() => vault.DisposeAsync();

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    ValueTask<long> EnqueueAsync(string to, string from = "anna@example.test", Func<NewQueueEntry, NewQueueEntry>? with = null) => vault.Store.CommitAsync(transaction =>
    {
        using var staged = vault.Mail.Stage(VaultFixture.Message(1));
        var entry = new NewQueueEntry(from == "<>" ? null : Address(from), vault.Mail.AddContent(transaction, staged), [.. to.Split(' ').Select(text => new QueueRecipient(Address(text)))]);
        return queue.Enqueue(transaction, with is null ? entry : with(entry));
    });

    QueueFilter Filter(string text)
    {
        var fields = text.Split("; ").Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        var filter = QueueFilter.Parse(name => fields.GetValueOrDefault(name), time.GetUtcNow());
        return filter.Ok ? filter.Value : throw new ArgumentException(filter.Refusal.Sentence);
    }

    string Found(string filter) => string.Join(' ', queue.Find(Filter(filter)).SelectMany(entry => entry.Recipients.Select(recipient => $"{entry.Id}:{recipient.Address}")));

    async Task DeferAsync(string destination, string reply)
    {
        var claim = queue.Claim(destination, fresh: false)!;
        await vault.Store.CommitAsync(transaction => queue.Settle(transaction, claim,
            [.. claim.Recipients.Select(recipient => new RecipientOutcome(recipient, OutcomeState.Deferred, reply, "4.0.0", "mx." + destination, "TLS 1.3", time.GetUtcNow(), time.GetUtcNow().AddMinutes(30)))]));
    }

    [Theory]
    [InlineData("from=anna@example.test", "1:a@one.test 1:b@two.test 3:d@one.test")]
    [InlineData("from=ANNA@example.test; to=a@one.test", "1:a@one.test")]
    [InlineData("from=<>", "2:c@one.test")]
    [InlineData("from=@example.test", "1:a@one.test 1:b@two.test 3:d@one.test")]
    [InlineData("to=*@one.test", "1:a@one.test 2:c@one.test 3:d@one.test")]
    [InlineData("to=one", "1:a@one.test 2:c@one.test 3:d@one.test")]
    [InlineData("domain=TWO.test", "1:b@two.test")]
    [InlineData("id=2", "2:c@one.test")]
    [InlineData("subject=exam", "3:d@one.test")]
    [InlineData("message-id=<m3@example.test>", "3:d@one.test")]
    [InlineData("mailing=9", "3:d@one.test")]
    [InlineData("class=bulk", "3:d@one.test")]
    [InlineData("class=transactional", "2:c@one.test")]
    [InlineData("older=1h", "1:a@one.test 1:b@two.test")]
    [InlineData("newer=1h", "2:c@one.test 3:d@one.test")]
    [InlineData("size=<1", "")]
    [InlineData("size=1", "1:a@one.test 1:b@two.test 2:c@one.test 3:d@one.test")]
    [InlineData("reply=greylisted; state=deferred", "1:b@two.test")]
    [InlineData("state=scheduled", "")]
    [InlineData("state=waiting", "1:a@one.test 2:c@one.test 3:d@one.test")]
    [InlineData("to=100%_*", "")]
    public async Task MailIsFoundByWhatItHas(string filter, string found)
    {
        await EnqueueAsync("a@one.test b@two.test");
        await DeferAsync("two.test", "450 4.2.0 Greylisted, come again");
        time.Advance(TimeSpan.FromHours(2));
        await EnqueueAsync("c@one.test", "<>", entry => entry with { Class = MailClass.Transactional });
        await EnqueueAsync("d@one.test", with: entry => entry with { Class = MailClass.Bulk, Mailing = 9, Subject = "The exam is near", MessageId = "m3@example.test" });
        Assert.Equal(found, Found(filter));
    }

    [Theory]
    [InlineData("state=lost")]
    [InlineData("size=big")]
    [InlineData("id=x")]
    [InlineData("older=yesterday")]
    [InlineData("class=3")]
    [InlineData("from=")]
    public void AFieldThatIsNotRightIsRefusedWithASentence(string text)
    {
        var part = text.Split('=', 2);
        Assert.False(QueueFilter.Parse(name => name == part[0] ? part[1] : null, time.GetUtcNow()).Ok);
    }

    [Fact]
    public async Task WhatIsTriedNowIsFoundAsActiveAndNotAsWaiting()
    {
        await EnqueueAsync("a@one.test");
        queue.Claim("one.test", fresh: false);
        Assert.Equal("1:a@one.test", Found("state=active"));
        Assert.Equal("", Found("state=waiting"));
    }

    [Fact]
    public async Task TheAttemptsOfARecipientAreShown()
    {
        var id = await EnqueueAsync("a@one.test b@two.test");
        await DeferAsync("one.test", "450 4.2.0 first");
        time.Advance(TimeSpan.FromMinutes(31));
        queue.Schedule.Promote(queue.SteadyNow);
        await DeferAsync("one.test", "450 4.2.0 second");
        var recipients = queue.Show(id).Value!.Recipients;
        Assert.Equal(["450 4.2.0 first", "450 4.2.0 second"], recipients[0].History!.Select(attempt => attempt.Reply));
        Assert.Equal(("mx.one.test", "TLS 1.3"), (recipients[0].History![0].Host, recipients[0].History![0].Tls));
        Assert.Empty(recipients[1].History!);
    }

    [Fact]
    public async Task ThousandsAreHeldReleasedAndDroppedPieceByPieceAndOnlyThoseThatFit()
    {
        for (var i = 0; i < 12; i++) await EnqueueAsync(string.Join(' ', Enumerable.Range(0, 100).Select(n => $"u{n}@{(n % 2 == 0 ? "one" : "two")}.test")));
        Assert.Equal(new QueueDeedReport(12, 600), await queue.ApplyAsync(QueueDeed.Hold, Filter("domain=one.test"), dry: true));
        Assert.Equal("", Found("state=held"));
        Assert.Equal(new QueueDeedReport(12, 600), await queue.ApplyAsync(QueueDeed.Hold, Filter("domain=one.test")));
        Assert.Equal(600, queue.Counts().Held);
        Assert.Equal(new QueueDeedReport(0, 0), await queue.ApplyAsync(QueueDeed.Hold, Filter("domain=one.test")));
        Assert.Null(queue.Claim("one.test", fresh: false));
        Assert.Equal(new QueueDeedReport(12, 600), await queue.ApplyAsync(QueueDeed.Release, Filter("state=held")));
        Assert.NotNull(queue.Claim("one.test", fresh: false));
        Assert.Equal(new QueueDeedReport(12, 600), await queue.ApplyAsync(QueueDeed.Drop, Filter("domain=two.test")));
        Assert.Equal(600, queue.Counts().Recipients);
        Assert.Equal(new QueueDeedReport(12, 600), await queue.ApplyAsync(QueueDeed.Drop, Filter("domain=one.test")));
        Assert.Equal(0, queue.Counts().Messages);
    }

    [Fact]
    public async Task AListGoesOnWhereItsLastPageEnded()
    {
        for (var i = 0; i < 5; i++) await EnqueueAsync("a@one.test");
        Assert.Equal([1, 2], queue.Find(new QueueFilter(), 0, 2).Select(entry => entry.Id));
        Assert.Equal([3, 4], queue.Find(new QueueFilter(), 2, 2).Select(entry => entry.Id));
        Assert.Equal([5], queue.Find(new QueueFilter(), 4, 2).Select(entry => entry.Id));
    }

    [Fact]
    public async Task ANextAttemptCanBePutToATimeFarAway()
    {
        var id = await EnqueueAsync("a@one.test");
        var then = time.GetUtcNow().AddDays(3);
        Assert.Equal(1, (await queue.RetryAsync(id, at: then)).Value);
        Assert.Equal(("scheduled", then), (queue.Show(id).Value!.Recipients[0].State, queue.Show(id).Value!.Recipients[0].NextAttempt));
        Assert.Null(queue.Claim("one.test", fresh: false));
        for (var i = 0; i < 71; i++)
        {
            time.Advance(TimeSpan.FromHours(1));
            queue.Schedule.Promote(queue.SteadyNow);
            Assert.Null(queue.Claim("one.test", fresh: false));
        }
        time.Advance(TimeSpan.FromHours(2));
        queue.Schedule.Promote(queue.SteadyNow);
        Assert.NotNull(queue.Claim("one.test", fresh: false));
    }

    [Fact]
    public async Task MailThatIsToWaitIsScheduledAlsoAfterARestartAndAHold()
    {
        var release = time.GetUtcNow().AddDays(40);
        var id = await EnqueueAsync("a@one.test", with: entry => entry with { ReleaseAt = release });
        Assert.Equal("1:a@one.test", Found("state=scheduled"));
        Assert.True(queue.Show(id).Value!.Expires >= release.AddDays(5));
        var again = Open();
        again.Schedule.Promote(again.SteadyNow);
        Assert.Null(again.Claim("one.test", fresh: false));
        await queue.HoldAsync(id);
        await queue.ReleaseAsync(id);
        Assert.Equal(release, queue.Show(id).Value!.Recipients[0].NextAttempt);
        Assert.Null(queue.Claim("one.test", fresh: false));
        Assert.Equal(1, (await queue.RetryAsync(id)).Value); // "now" is now
        Assert.NotNull(queue.Claim("one.test", fresh: false));
    }

    [Fact]
    public async Task WhenTheClockIsSetATimeOfReleaseStays()
    {
        var release = time.GetUtcNow().AddDays(2);
        var id = await EnqueueAsync("a@one.test", with: entry => entry with { ReleaseAt = release });
        time.Set(time.GetUtcNow().AddDays(1));
        await queue.FollowClockAsync();
        Assert.Equal(release, queue.Show(id).Value!.Recipients[0].NextAttempt);
        time.Advance(TimeSpan.FromDays(1.01));
        queue.Schedule.Promote(queue.SteadyNow);
        Assert.NotNull(queue.Claim("one.test", fresh: false));
    }

    [Fact]
    public async Task ARuleHoldsWhatComesAndIsNamed()
    {
        await EnqueueAsync("before@one.test");
        var rule = (await queue.Rules.AddAsync(Filter("domain=one.test; from=*@example.test"), "they are moving")).Value!;
        var id = await EnqueueAsync("a@one.test b@two.test");
        Assert.Equal(("held", (long?)rule.Id), (queue.Show(id).Value!.Recipients[0].State, queue.Show(id).Value!.Recipients[0].Rule));
        Assert.Equal("waiting", queue.Show(id).Value!.Recipients[1].State);
        Assert.Equal($"{id}:a@one.test", Found($"rule={rule.Id}"));
        Assert.Equal(1, Assert.Single(queue.Rules.List()).Hits);
        var after = Open();
        Assert.Equal("they are moving", Assert.Single(after.Rules.List()).Note);
        Assert.Null(await queue.Rules.RemoveAsync(rule.Id));
        Assert.Equal("waiting", queue.Show(await EnqueueAsync("c@one.test")).Value!.Recipients[0].State);
        await queue.ApplyAsync(QueueDeed.Release, Filter($"rule={rule.Id}"));
        Assert.Equal("waiting", queue.Show(id).Value!.Recipients[0].State);
        Assert.Equal("", Found($"rule={rule.Id}"));
    }

    [Fact]
    public async Task ARuleThatWouldHoldEverythingOrGoesByWhatComesLaterIsRefused()
    {
        Assert.False((await queue.Rules.AddAsync(new QueueFilter(), "")).Ok);
        Assert.False((await queue.Rules.AddAsync(Filter("state=deferred"), "")).Ok);
        Assert.NotNull(await queue.Rules.RemoveAsync(7));
    }

    [Theory]
    [InlineData("@example.test", "a@example.test", true)]
    [InlineData("a*@*.test", "anna@example.test", true)]
    [InlineData("a*@*.test", "bob@example.test", false)]
    [InlineData("*x*x", "x", false)]
    [InlineData("exam", "The EXAM", true)]
    [InlineData("a@b.test", "aa@b.test", false)]
    [InlineData("<>", "", true)]
    [InlineData("50%", "50% off", true)]
    [InlineData("50%", "500", false)]
    public async Task ARuleMeansWhatASearchShows(string pattern, string sender, bool fits)
    {
        Assert.Equal(fits, QueueFilter.Fits(pattern, sender));
        var like = await vault.Store.CommitAsync(transaction => transaction.Prepare(@"SELECT ?1 LIKE ?2 ESCAPE '\'").Bind(1, sender).Bind(2, QueueFilter.Like(pattern)).Scalar() == 1);
        Assert.Equal(fits, like);
    }
}
