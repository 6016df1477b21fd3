using CbaMail.Delivery.Remote;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Delivery;

/// <summary>
/// Takes from the queue what is for mailboxes here: mail that was to wait (RFC 4865), and mail for a domain that has become ours meanwhile.
/// The copies and the end of the queue's rows are one commit.
/// </summary>
internal sealed class LocalWorker(RemoteParts parts, LocalDelivery local, UserDirectory directory)
{
    public async Task RunAsync(CancellationToken stop)
    {
        for (var fresh = true; !stop.IsCancellationRequested && !parts.Mail.Store.Condition.IsFailing; fresh = false)
        {
            if (parts.Queue.Claim(MailQueue.Here, fresh) is not { } claim) return;
            try
            {
                await DeliverAsync(claim, stop);
            }
            catch
            {
                parts.Queue.Abandon(claim);
                throw;
            }
        }
    }

    async Task DeliverAsync(QueueClaim claim, CancellationToken cancel)
    {
        using var reader = parts.Mail.Read();
        if (reader.Content(claim.Message.ContentId) is not { } content)
        {
            RemoteTelemetry.ContentLost(parts.Log, claim.Message.Id, claim.Message.ContentId);
            parts.Queue.Abandon(claim);
            return;
        }
        var text = content.Read(0, (int)content.Size);
        var placed = new List<RecipientOutcome>();
        var late = Outcomes.TooLate(claim.Message, parts.Queue.Now);
        foreach (var recipient in claim.Recipients)
        {
            if (late is not null)
            {
                placed.Add(new RecipientOutcome(recipient, OutcomeState.Bounced, late.ToString(), late.Status, "", null, parts.Queue.Now));
                continue;
            }
            var targets = directory.Resolve(directory.Map(recipient.Address), new Poster(claim.Message.Account));
            var refusal = targets.Refusal;
            if (targets.Ok)
            {
                var order = new DeliveryOrder
                {
                    ReversePath = claim.Message.ReversePath,
                    Recipients = [new DeliveryRecipient(recipient.Address, targets.Value, recipient.Notify, recipient.OriginalRecipient)],
                    Message = text,
                    Return = claim.Message.Return,
                    EnvelopeId = claim.Message.EnvelopeId,
                    SmtpUtf8 = claim.Message.SmtpUtf8,
                    Class = claim.Message.Class,
                    Priority = claim.Message.Priority,
                    By = claim.Message.By,
                    HoldRequest = claim.Message.HoldRequest,
                    Poster = claim.Message.Account,
                    RequireTls = claim.Message.RequireTls,
                    Id = claim.Message.Arrival,
                    Origin = $"queue {claim.Message.Id}",
                    Alongside = transaction => parts.Queue.Settle(transaction, claim with { Recipients = [recipient] }, [Delivered(recipient)]),
                };
                refusal = (await local.DeliverAsync(order, cancel))[0];
            }
            if (refusal is not null) placed.Add(Refused(claim, recipient, refusal));
        }
        if (placed.Count > 0) await SettleAsync(claim, placed, content);
    }

    RecipientOutcome Delivered(QueuedRecipient recipient) =>
        new(recipient, OutcomeState.Delivered, "250 2.1.5 Delivered to the mailbox", "2.1.5", "", null, parts.Queue.Now);

    RecipientOutcome Refused(QueueClaim claim, QueuedRecipient recipient, Refusal refusal)
    {
        var now = parts.Queue.Now;
        var outcome = new RecipientOutcome(recipient, OutcomeState.Bounced, refusal.ToString(), refusal.Status, "", null, now);
        return refusal.IsTemporary && Retry.Next(recipient.Attempts + 1, now, claim.Message.Expires, parts.Settings.Queue, Random.Shared.NextDouble()) is { } next
            ? outcome with { State = OutcomeState.Deferred, NextAttempt = next } : outcome;
    }

    async Task SettleAsync(QueueClaim claim, List<RecipientOutcome> outcomes, Mailboxes.MessageContent content)
    {
        var notices = parts.Bounces.Prepare(claim.Message, Outcomes.Tell(claim.Message, outcomes, passedOn: false), content);
        try
        {
            await parts.Mail.Store.StartCommit(transaction =>
            {
                if (parts.Queue.Settle(transaction, claim with { Recipients = [.. outcomes.Select(outcome => outcome.Recipient)] }, outcomes) > 0)
                    parts.Bounces.Deliver(transaction, claim.Message, notices);
                return true;
            });
        }
        finally
        {
            foreach (var notice in notices) notice.Dispose();
        }
    }
}
