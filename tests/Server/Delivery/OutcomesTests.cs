using CbaMail.Config;
using CbaMail.Delivery.Remote;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Smtp.Client;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

public class OutcomesTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly QueueSettings Settings = new() { RetryJitter = 0 };

    static QueueClaim Claim(double ageHours, params string?[] notify) => new("peer.test",
        new QueuedMessage(1, new MailAddress("anna", "example.test"), 1, 1, null, null, false, false, MailClass.Interactive, Now.AddHours(-ageHours), Now.AddHours(-ageHours).AddDays(5)),
        [.. notify.Select((word, i) => new QueuedRecipient(1, i, new MailAddress($"r{i}", "peer.test"), "peer.test", word, null, null, 0, false))]);

    static IReadOnlyList<RecipientOutcome> Of(QueueClaim claim, params ClientReply[] replies) => Outcomes.Of(claim, replies, "mx", null, Now, Settings, () => 0.5);

    static readonly ClientReply Taken = new(250, "2.0.0", "ok"), Later = new(450, "4.2.0", "busy"), Never = new(550, "5.1.1", "no"), TooMany = new(452, "4.5.3", "too many");

    [Fact]
    public void Each_recipient_has_an_outcome_of_its_own()
    {
        var outcomes = Of(Claim(0, null, null, null), Taken, Later, Never);
        Assert.Equal([OutcomeState.Delivered, OutcomeState.Deferred, OutcomeState.Bounced], outcomes.Select(outcome => outcome.State));
        Assert.Equal(Now.AddMinutes(1), outcomes[1].NextAttempt);
        Assert.False(outcomes[1].TellDelay);
    }

    [Fact]
    public void Too_many_recipients_go_with_the_next_transaction_as_long_as_it_helps()
    {
        var outcomes = Of(Claim(0, null, null), Taken, TooMany);
        Assert.Equal((OutcomeState.Deferred, Now, false), (outcomes[1].State, outcomes[1].NextAttempt!.Value, outcomes[1].Counts));
        outcomes = Of(Claim(0, null, null), Later, TooMany);
        Assert.Equal((Now.AddMinutes(1), true), (outcomes[1].NextAttempt!.Value, outcomes[1].Counts));
    }

    [Fact]
    public void After_the_time_is_over_it_is_returned()
    {
        var claim = Claim(5 * 24, (string?)null);
        Assert.Equal(OutcomeState.Deferred, Of(claim, Later)[0].State); // not after one attempt: the clock may have been set
        var outcome = Of(claim with { Recipients = [claim.Recipients[0] with { Attempts = 30 }] }, Later)[0];
        Assert.Equal((OutcomeState.Bounced, "5.4.7"), (outcome.State, outcome.Status));
        Assert.Equal("Given up after 5 days; last: 450 4.2.0 busy", outcome.Reply);
    }

    [Theory]
    [InlineData(null, true, true, false)]
    [InlineData("NEVER", false, false, false)]
    [InlineData("FAILURE", true, false, false)]
    [InlineData("success,delay", false, true, true)]
    public void NOTIFY_says_what_is_told(string? notify, bool failure, bool delay, bool success)
    {
        var claim = Claim(6, notify);
        Assert.Equal(failure, Outcomes.Tell(claim.Message, Of(claim, Never), false).Failed.Count > 0);
        Assert.Equal(delay, Outcomes.Tell(claim.Message, Of(claim, Later), false).Delayed.Count > 0);
        Assert.Equal(success, Outcomes.Tell(claim.Message, Of(claim, Taken), passedOn: false).Relayed.Count > 0);
        Assert.Empty(Outcomes.Tell(claim.Message, Of(claim, Taken), passedOn: true).Relayed);
    }

    [Fact]
    public void A_delay_is_told_once()
    {
        var claim = Claim(6, (string?)null);
        var told = claim with { Recipients = [claim.Recipients[0] with { DelayTold = true }] };
        Assert.True(Of(claim, Later)[0].TellDelay);
        Assert.False(Of(told, Later)[0].TellDelay);
    }

    [Fact]
    public void Mail_from_the_null_reverse_path_is_never_answered()
    {
        var claim = Claim(200, "SUCCESS,FAILURE,DELAY");
        var message = claim.Message with { ReversePath = null };
        foreach (var reply in new[] { Taken, Later, Never })
            Assert.Equal((0, 0, 0), Outcomes.Tell(message, Of(claim with { Message = message }, reply), false) is var t ? (t.Failed.Count, t.Delayed.Count, t.Relayed.Count) : default);
    }
}
