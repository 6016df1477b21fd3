using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

public sealed class MailQueueTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();
    readonly ManualTime time = new();
    MailQueue queue;

    public MailQueueTests() => queue = Open();

    MailQueue Open() => new(vault.Store, vault.Mail, time, new Settings { Queue = new QueueSettings { RecipientsPerTransaction = 3 } });

    public ValueTask DisposeAsync() => vault.DisposeAsync();

    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    ValueTask<long> EnqueueAsync(string[] to, bool bulk = false, string? from = "anna@example.test", long? ledger = null) => vault.Store.CommitAsync(transaction =>
    {
        using var staged = vault.Mail.Stage(VaultFixture.Message(1));
        return queue.Enqueue(transaction, new NewQueueEntry(from is null ? null : Address(from), vault.Mail.AddContent(transaction, staged),
            [.. to.Select(text => new QueueRecipient(Address(text), LedgerId: ledger))], Class: bulk ? MailClass.Bulk : MailClass.Interactive));
    });

    QueueClaim? Claim(string destination) => queue.Claim(destination, fresh: false);

    RecipientOutcome[] All(QueueClaim claim, OutcomeState state, DateTimeOffset? next = null) =>
        [.. claim.Recipients.Select(recipient => new RecipientOutcome(recipient, state, "250 2.0.0 ok", "2.0.0", "mx.test", null, time.GetUtcNow(), next))];

    ValueTask<int> SettleAsync(QueueClaim claim, params RecipientOutcome[] outcomes) => vault.Store.CommitAsync(transaction => queue.Settle(transaction, claim, outcomes));

    bool HasContent(long id)
    {
        using var reader = vault.Mail.Read();
        return reader.Content(id) is not null;
    }

    [Fact]
    public async Task What_is_queued_is_claimed_and_gone_when_it_is_done()
    {
        var id = await EnqueueAsync(["a@one.test", "b@one.test", "c@two.test"]);
        var one = Claim("one.test")!;
        Assert.Equal((id, 2), (one.Message.Id, one.Recipients.Count));
        Assert.Null(Claim("one.test"));
        var two = Claim("two.test")!;
        Assert.True(HasContent(one.Message.ContentId));
        await SettleAsync(one, All(one, OutcomeState.Delivered));
        Assert.True(HasContent(one.Message.ContentId));
        await SettleAsync(two, All(two, OutcomeState.Bounced));
        Assert.False(HasContent(one.Message.ContentId));
        Assert.Equal(new QueueCounts(0, 0, 0, 0, 0, null), queue.Counts());
    }

    [Fact]
    public async Task Nothing_is_queued_when_the_transaction_fails()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await vault.Store.CommitAsync<int>(transaction =>
        {
            using var staged = vault.Mail.Stage(VaultFixture.Message(1));
            queue.Enqueue(transaction, new NewQueueEntry(null, vault.Mail.AddContent(transaction, staged), [new QueueRecipient(Address("a@one.test"))]));
            throw new InvalidOperationException();
        }));
        Assert.Null(Claim("one.test"));
        Assert.Empty(queue.List());
    }

    [Fact]
    public async Task After_a_restart_all_is_there_also_what_was_under_way()
    {
        await EnqueueAsync(["a@one.test"]);
        await EnqueueAsync(["b@one.test"]);
        var claim = Claim("one.test")!;
        await SettleAsync(claim, All(claim, OutcomeState.Deferred, time.GetUtcNow().AddMinutes(5)));
        Assert.NotNull(Claim("one.test"));
        await vault.RestartAsync();
        queue = Open();
        Assert.Equal("b@one.test", Claim("one.test")!.Recipients[0].Address.ToString());
        Assert.Null(Claim("one.test"));
        time.Advance(TimeSpan.FromMinutes(5));
        queue.Schedule.Promote(time.GetUtcNow());
        var deferred = Claim("one.test")!.Recipients[0];
        Assert.Equal(("a@one.test", 1), (deferred.Address.ToString(), deferred.Attempts));
    }

    [Fact]
    public async Task Many_recipients_go_in_several_claims_and_a_part_may_be_deferred()
    {
        await EnqueueAsync(["a@one.test", "b@one.test", "c@one.test", "d@one.test"]);
        var claim = Claim("one.test")!;
        Assert.Equal(3, claim.Recipients.Count);
        Assert.Equal("d@one.test", Assert.Single(Claim("one.test")!.Recipients).Address.ToString());
        var outcomes = All(claim, OutcomeState.Delivered);
        outcomes[1] = outcomes[1] with { State = OutcomeState.Deferred, NextAttempt = time.GetUtcNow().AddMinutes(1), Reply = "450 4.2.0 busy" };
        await SettleAsync(claim, outcomes);
        var entry = Assert.Single(queue.List());
        Assert.Equal(["b@one.test deferred 450 4.2.0 busy mx.test", "d@one.test active  "], entry.Recipients.Select(r => $"{r.Address} {r.State} {r.LastReply} {r.LastHost}"));
    }

    [Fact]
    public async Task A_claim_that_is_given_up_comes_again()
    {
        await EnqueueAsync(["a@one.test"]);
        queue.Abandon(Claim("one.test")!);
        Assert.Null(Claim("one.test"));
        time.Advance(TimeSpan.FromSeconds(30));
        queue.Schedule.Promote(time.GetUtcNow());
        Assert.NotNull(Claim("one.test"));
    }

    [Fact]
    public async Task Held_mail_waits_for_its_release()
    {
        var id = await EnqueueAsync(["a@one.test"]);
        Assert.Equal(1, (await queue.HoldAsync(id)).Value);
        Assert.Null(Claim("one.test"));
        Assert.Equal("held", queue.Show(id).Value!.Recipients[0].State);
        Assert.Equal(409, (await queue.RetryAsync(id)).Refusal!.HttpStatus);
        await vault.RestartAsync();
        queue = Open();
        Assert.Null(Claim("one.test"));
        Assert.Equal(1, queue.Counts().Held);
        Assert.Equal(1, (await queue.ReleaseAsync(id)).Value);
        Assert.NotNull(Claim("one.test"));
    }

    [Fact]
    public async Task Hold_and_release_in_haste_give_it_to_one_worker_only()
    {
        var id = await EnqueueAsync(["a@one.test"]);
        await queue.HoldAsync(id);
        await queue.ReleaseAsync(id);
        await queue.RetryAsync(id);
        var claim = Claim("one.test")!;
        Assert.Null(Claim("one.test"));
        await SettleAsync(claim, All(claim, OutcomeState.Delivered));
        Assert.Null(Claim("one.test"));
    }

    [Fact]
    public async Task A_retry_makes_it_due_now()
    {
        var id = await EnqueueAsync(["a@one.test"]);
        var claim = Claim("one.test")!;
        await SettleAsync(claim, All(claim, OutcomeState.Deferred, time.GetUtcNow().AddHours(4)));
        Assert.Null(Claim("one.test"));
        Assert.Equal(1, queue.Counts().Deferred);
        Assert.Equal(1, (await queue.RetryAsync(null)).Value);
        Assert.Equal(1, Claim("one.test")!.Recipients[0].Attempts);
        Assert.Equal(0, (await queue.RetryAsync(id)).Value); // it is under way
    }

    [Fact]
    public async Task Dropped_mail_is_gone_also_from_a_worker_that_has_it()
    {
        var id = await EnqueueAsync(["a@one.test"], ledger: 7);
        var heard = new List<RemoteOutcome>();
        queue.Outcome += (_, outcome) => heard.Add(outcome);
        var claim = Claim("one.test")!;
        Assert.Equal(1, (await queue.DropAsync(id)).Value);
        Assert.Equal((7L, "bounced"), (Assert.Single(heard).LedgerId, heard[0].State));
        Assert.Equal(0, await SettleAsync(claim, All(claim, OutcomeState.Delivered)));
        Assert.Single(heard);
        Assert.Empty(queue.List());
    }

    [Fact]
    public async Task What_is_not_there_is_said_so()
    {
        Assert.Equal(404, queue.Show(9).Refusal!.HttpStatus);
        foreach (var refused in new[] { await queue.RetryAsync(9), await queue.HoldAsync(9), await queue.ReleaseAsync(9), await queue.DropAsync(9) })
            Assert.Equal("There is no message 9 in the queue", refused.Refusal!.Sentence);
        Assert.Equal(0, (await queue.RetryAsync(null)).Value);
    }

    [Fact]
    public async Task The_list_goes_on_where_it_ended()
    {
        for (var i = 0; i < 5; i++) await EnqueueAsync([$"a{i}@one.test", "b@two.test"], bulk: i == 1, from: i == 2 ? null : "anna@example.test");
        var first = queue.List(limit: 3);
        Assert.Equal(3, first.Count);
        Assert.Equal(("", 2), (first[2].Sender, first[2].Recipients.Count));
        Assert.Equal(2, queue.List(after: first[2].Id).Count);
        Assert.Equal((5, 10), (queue.Counts().Messages, queue.Counts().Recipients));
    }

    [Fact]
    public async Task The_ledger_hears_of_each_outcome_in_its_transaction()
    {
        await EnqueueAsync(["a@one.test"], bulk: true, ledger: 42);
        var heard = new List<string>();
        queue.Outcome += (_, outcome) => heard.Add($"{outcome.LedgerId} {outcome.State} {outcome.Reply} {outcome.Host}");
        var claim = Claim("one.test")!;
        await SettleAsync(claim, All(claim, OutcomeState.Deferred, time.GetUtcNow()));
        claim = Claim("one.test")!;
        await SettleAsync(claim, All(claim, OutcomeState.Delivered));
        Assert.Equal(["42 deferred 250 2.0.0 ok mx.test", "42 delivered 250 2.0.0 ok mx.test"], heard);
    }

    [Fact]
    public async Task A_clock_that_is_set_back_loses_nothing()
    {
        await EnqueueAsync(["a@one.test"]);
        time.Set(time.GetUtcNow().AddHours(-2));
        Assert.NotNull(Claim("one.test"));
    }
}
