using CbaMail.Queue;

namespace CbaMail.Delivery;

/// <summary>The notice that a message has come into mailboxes (RFC 3464, action "delivered").</summary>
static class SuccessNotice
{
    public static byte[] Write(DeliveryOrder order, IReadOnlyList<DeliveryRecipient> recipients, string hostname, DateTimeOffset now)
    {
        var message = new QueuedMessage(
            0, order.ReversePath, 0, order.Message.Length, order.Return, order.EnvelopeId, order.SmtpUtf8, EightBit: false, MailClass.Transactional, now, now)
        { By = order.By, HoldRequest = order.HoldRequest };
        var outcomes = new List<RecipientOutcome>(recipients.Count);
        for (var i = 0; i < recipients.Count; i++)
        {
            var recipient = recipients[i];
            outcomes.Add(new RecipientOutcome(
                new QueuedRecipient(0, i, recipient.Address, recipient.Address.DomainKey, recipient.Notify, recipient.OriginalRecipient, null, 1, false),
                OutcomeState.Delivered, "250 2.1.5 Delivered to the mailbox", "2.1.5", "", null, now));
        }
        // RFC 3461 4.3: RET is about failures; a notice of success has the header fields only
        return Bounce.Write(new Notice(
            NoticeKind.Delivered, message, outcomes, hostname, Guid.NewGuid().ToString("N"), now, Bounce.Header(order.Message), Whole: false));
    }
}
