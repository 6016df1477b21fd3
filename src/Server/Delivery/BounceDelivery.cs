using CbaMail.Config;
using CbaMail.Delivery.Remote;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>
/// Brings notices to the sender in the transaction that settles the recipients they speak of: none is lost and none told twice.
/// To a local sender the notice goes into the inbox (whatever its quota: the sender must hear), to others into the queue, from &lt;&gt;.
/// </summary>
public sealed class BounceDelivery(MailStore mail, MailQueue queue, UserDirectory directory, Settings settings, TimeProvider time, Reports.ReportIntake? reports = null)
{
    readonly NoticeRate rate = new(settings.Bounces.MostPerHour(settings.Evaluation), time);

    // RET=FULL of more than this is answered with the header fields (RFC 3461 4.3 lets us)
    const int MaxReturned = 1024 * 1024;
    const int MaxHeader = 64 * 1024;

    /// <summary>Writes and stages the notices; call it outside the committer.</summary>
    internal IReadOnlyList<PreparedNotice> Prepare(QueuedMessage message, Tidings tidings, MessageContent content)
    {
        if (message.ReversePath is { } path) message = message with { ReversePath = Author(path) };
        var prepared = new List<PreparedNotice>();
        foreach (var (kind, outcomes) in (ReadOnlySpan<(NoticeKind, IReadOnlyList<RecipientOutcome>)>)
            [(NoticeKind.Failed, tidings.Failed), (NoticeKind.Delayed, tidings.Delayed), (NoticeKind.Relayed, tidings.Relayed)])
        {
            if (outcomes.Count == 0 || !rate.Allows(message.ReversePath!.Key)) continue;
            // RFC 3461 4.3: RET is about failures; a notice of delay or success has the header fields only
            // RFC 8689 5: what must not travel in clear text is not put into a notice that may
            var whole = kind == NoticeKind.Failed && !message.RequireTls && "FULL".Equals(message.Return, StringComparison.OrdinalIgnoreCase) && content.Size <= MaxReturned;
            ReadOnlyMemory<byte> original = content.Read(0, (int)Math.Min(content.Size, whole ? MaxReturned : MaxHeader));
            var notice = new Notice(kind, message, outcomes, settings.Hostname, Guid.NewGuid().ToString("N"), time.GetUtcNow(), whole ? original : Bounce.Header(original), whole);
            var bytes = Bounce.Write(notice);
            prepared.Add(new PreparedNotice(mail.Stage(bytes), EightBit: !System.Text.Ascii.IsValid(bytes), message.RequireTls) { Priority = message.Priority });
        }
        return prepared;
    }

    internal void Deliver(WriteTransaction transaction, QueuedMessage message, IReadOnlyList<PreparedNotice> notices)
    {
        if (notices.Count > 0) transaction.BodiesFirst(); // the queue's row goes with this commit: its notice must not be lost after it
        foreach (var notice in notices) Deliver(transaction, Author(message.ReversePath!), notice);
    }

    // forwarded mail left under an address of ours that nobody has: who wrote it stands behind it
    MailAddress Author(MailAddress path) => directory.IsLocal(path) ? directory.SenderBehind(path) ?? path : path;

    void Deliver(WriteTransaction transaction, MailAddress to, PreparedNotice notice)
    {
        var content = mail.AddContent(transaction, notice.Staged);
        if (!directory.IsLocal(to))
        {
            queue.Enqueue(transaction, new NewQueueEntry(null, content, [new QueueRecipient(to, Notify: "NEVER")], EightBit: notice.EightBit, Class: MailClass.Transactional) { RequireTls = notice.RequireTls, Priority = notice.Priority });
            return;
        }
        var targets = directory.Resolve(to);
        if (!targets.Ok) return; // the sender is gone: nobody is left to tell (RFC 5321 4.5.5)
        var prefix = System.Text.Encoding.UTF8.GetBytes($"Return-Path: <>\r\nDelivered-To: {to}\r\n");
        reports?.Take(transaction, null, [to], content, null);
        foreach (var target in targets.Value)
        {
            if (target.Account is { } account)
                mail.AddMessage(transaction, mail.EnsureMailbox(transaction, account.Id, "INBOX"),
                    new NewMessage(content, prefix, MessageFlags.None, [], time.GetUtcNow()), quota: 0);
            else if (target.Remote is { } remote)
                queue.Enqueue(transaction, new NewQueueEntry(null, content, [new QueueRecipient(remote, Notify: "NEVER")], EightBit: notice.EightBit, Class: MailClass.Transactional) { RequireTls = notice.RequireTls, Priority = notice.Priority });
        }
    }
}

/// <summary>A notice that waits for its transaction.</summary>
/// <param name="EightBit">It returns 8-bit text: the next server must hear of it (RFC 6152 3).</param>
/// <param name="RequireTls">The message came with REQUIRETLS, and so goes the notice (RFC 8689 5).</param>
internal sealed record PreparedNotice(StagedMessage Staged, bool EightBit, bool RequireTls) : IDisposable
{
    /// <summary>The message's own (RFC 6710 4.6).</summary>
    public int Priority { get; init; }

    public void Dispose() => Staged.Dispose();
}
