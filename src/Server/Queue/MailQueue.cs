using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>A recipient to be queued.</summary>
/// <param name="Notify">RFC 3461 4.1 NOTIFY: "NEVER", "SUCCESS,FAILURE,DELAY" in any mix, or null.</param>
/// <param name="OriginalRecipient">RFC 3461 4.2 ORCPT as written, or null.</param>
/// <param name="LedgerId">The mailing ledger's row that waits for the outcome, or null.</param>
public sealed record QueueRecipient(MailAddress Address, string? Notify = null, string? OriginalRecipient = null, long? LedgerId = null);

/// <summary>A message to be queued.</summary>
/// <param name="ReversePath">Null for the null reverse-path &lt;&gt;.</param>
/// <param name="Return">RFC 3461 4.3 RET: "FULL", "HDRS" or null.</param>
/// <param name="EnvelopeId">RFC 3461 4.4 ENVID or null.</param>
/// <param name="Bulk">Of a mailing: goes behind personal mail.</param>
public sealed record NewQueueEntry(
    MailAddress? ReversePath, ContentRef Content, IReadOnlyList<QueueRecipient> Recipients,
    string? Return = null, string? EnvelopeId = null, bool SmtpUtf8 = false, bool EightBit = false, bool Bulk = false);

/// <summary>The durable list of mail that leaves: enqueue, claim, reschedule, done. It calls nobody; the workers are in Delivery.</summary>
public sealed class MailQueue(Store store, MailStore mail, TimeProvider time)
{
    internal Store Store => store;
    internal MailStore Mail => mail;
    internal TimeProvider Time => time;

    /// <summary>Adds the entry in the caller's transaction, holds the content, and wakes the workers after the commit.</summary>
    /// <returns>The queue id, as shown to people.</returns>
    public long Enqueue(WriteTransaction transaction, NewQueueEntry entry) => throw new NotImplementedException();
}
