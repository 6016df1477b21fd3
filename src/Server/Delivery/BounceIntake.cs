using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailings;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>
/// What comes to our return addresses, and to those that a reader writes to who wants no more. A bounce ends here: the ledger's row says bounced with the reason, and an address that is dead is counted so.
/// Who writes there himself, or is away, is passed on to the mailing's sender: no letter is lost for having gone to the wrong address.
/// </summary>
public sealed class BounceIntake(Store store, MailQueue queue, UserDirectory directory, PressRoom press, TimeProvider time, ILogger<BounceIntake> log, ListDoor? lists = null)
{
    /// <summary>A bounce that was read.</summary>
    /// <param name="Told">Null: it came to where a reader writes who wants no more.</param>
    /// <param name="IsWish">And he wrote it: a notice or an automatic reply says nothing (RFC 3834 2).</param>
    internal sealed record News(MailAddress Address, BounceTicket Ticket, LedgerOwner? Owner, BouncedRecipient? Told, bool IsWish = false);

    /// <summary>Reads the message for those recipients that are return addresses.</summary>
    /// <returns>The order for the others, those to be passed on among them, and what was read.</returns>
    internal (IReadOnlyList<DeliveryRecipient> Others, IReadOnlyList<News> News) Read(DeliveryOrder order)
    {
        var report = BounceReader.Read(order.Message.Span, fromNobody: order.ReversePath is null);
        var others = new List<DeliveryRecipient>();
        var news = new List<News>();
        using var read = store.Read();
        foreach (var recipient in order.Recipients)
        {
            if (recipient.Bounce is not { } ticket)
            {
                others.Add(recipient);
                continue;
            }
            if (ticket.Kind is BounceKind.ListMember or BounceKind.ListProbe)
            {
                if (report.Form is BounceForm.Report or BounceForm.Words) news.Add(new News(recipient.Address, ticket, null, Ours(report, null)));
                else if (PassOn(recipient, lists?.OwnerOf(ticket.Id)?.ToString()) is { } toOwner) others.Add(toOwner);
                continue;
            }
            var owner = Ledger.Owner(read, ticket.Id);
            if (ticket.Kind == BounceKind.Unsubscribe)
            {
                news.Add(new News(recipient.Address, ticket, owner, null, report.Form == BounceForm.None && order.ReversePath is not null));
                continue;
            }
            if (report.Form is BounceForm.Report or BounceForm.Words)
                news.Add(new News(recipient.Address, ticket, owner, Ours(report, owner)));
            else if (PassOn(recipient, owner?.Sender) is { } passed)
                others.Add(passed);
        }
        return (others, news);
    }

    // the address tells whose copy it was; of several that a report tells of it is the one with that name, or the worst of them
    static BouncedRecipient Ours(BounceReport report, LedgerOwner? owner) =>
        report.Recipients.FirstOrDefault(told => owner is not null && told.Address.Equals(owner.Address, StringComparison.OrdinalIgnoreCase))
            ?? report.Recipients.FirstOrDefault(told => told.Action == "failed") ?? report.Recipients[0];

    DeliveryRecipient? PassOn(DeliveryRecipient recipient, string? sender)
    {
        foreach (var text in (string?[])[sender, "postmaster@" + recipient.Address.Domain])
            if (text is not null && MailAddress.TryParse(text, out var address) && directory.Resolve(address) is { Ok: true, Value: var targets })
                return new DeliveryRecipient(recipient.Address, targets, "NEVER");
        return null;
    }

    /// <summary>Records what was read.</summary>
    internal void Record(WriteTransaction transaction, DeliveryOrder order, IReadOnlyList<News> news)
    {
        var lines = new List<string>();
        foreach (var (address, ticket, owner, told, isWish) in news)
        {
            if (told is null)
            {
                lines.Add($"{address}\t{Leave(transaction, ticket.Id, owner, isWish)}");
                continue;
            }
            if (ticket.Kind is BounceKind.ListMember or BounceKind.ListProbe)
            {
                lines.Add($"{address}\tread for a member of a list: {told.Action}{(told.Action == "failed" ? ", " + told.Verdict.Word : "")}");
                if (told.Action == "failed") lists?.Bounced(transaction, ticket, told.Verdict.Cause, told.Reply, order.Id);
                continue;
            }
            var counted = false;
            if (told.Action == "failed")
            {
                counted = Ledger.RecordLate(transaction, ticket.Id, told.Reply, told.Verdict.Word, time.GetUtcNow());
                if (counted && owner is not null && told.Verdict.Cause == BounceCause.Dead && MailAddress.TryParse(owner.Address, out var whose))
                    queue.Suppressions.RecordDead(transaction, whose, $"mailing {owner.Mailing}", told.Verdict.OfDomain, told.Reply);
            }
            lines.Add($"{address}\tcounted {(owner is null ? "for a mailing that is gone" : $"for <{owner.Address}> of mailing {owner.Mailing}")}: {told.Action}{(told.Action == "failed" ? ", " + told.Verdict.Word : "")}");
            transaction.OnCommitted(() => LocalDeliveryTelemetry.BounceRead(log, order.Id, owner?.Address ?? "", owner?.Mailing ?? 0, told.Action, told.Verdict.Word, counted, told.Reply));
        }
        queue.Trail.Add(transaction, new TrailEntry(TrailKind.Bounce, order.Id, null, order.ReversePath?.ToString() ?? "", string.Join('\n', lines), order.Message.Length, null, order.Door, ""));
    }

    // nothing is answered: the ledger and the trace say it
    string Leave(WriteTransaction transaction, long ledgerId, LedgerOwner? owner, bool isWish)
    {
        if (owner is null || press.Consents.Find(ledgerId) is not { } reader) return "a wish to leave a mailing that is gone";
        if (!isWish) return $"no wish of <{owner.Address}>: nobody wrote it";
        return press.Consents.Set(transaction, reader, wanted: false, "mail") ? $"<{owner.Address}> leaves what mailing {owner.Mailing} is of" : $"<{owner.Address}> cannot leave what mailing {owner.Mailing} is of";
    }
}
