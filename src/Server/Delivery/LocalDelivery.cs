using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mailings.Tracking;
using CbaMail.Queue;
using CbaMail.Reports;
using CbaMail.Resources;
using CbaMail.Storage;
using CbaMail.Submission;

namespace CbaMail.Delivery;

/// <summary>
/// Places a message: turns recipients into effects (mailbox rows, queue rows) and commits all that the answer promises.
/// The body is stored once; what differs a recipient is a row's prefix. When the task completes, it is durable.
/// </summary>
public sealed class LocalDelivery
{
    /// <summary>Rows of one commit: more would keep others waiting (measured.md 3).</summary>
    internal const int PieceRows = 250;

    readonly Store store;
    readonly MailStore mail;
    readonly MailQueue queue;
    readonly UserDirectory directory;
    readonly TimeProvider time;
    readonly ILogger<LocalDelivery> log;
    readonly string hostname;
    readonly BounceIntake? bounces;
    readonly SendLimits? limits;
    readonly ReportIntake? reports;
    readonly OwnSignatures? signatures;
    readonly Vacations? vacations;
    readonly Bookings? bookings;
    readonly ListDoor? lists;
    readonly Replies? replies;
    readonly Likeness likeness = new();

    public LocalDelivery(Store store, MailStore mail, MailQueue queue, UserDirectory directory, TimeProvider time, ILogger<LocalDelivery> log, Settings? settings = null,
        BounceIntake? bounces = null, SendLimits? limits = null, ReportIntake? reports = null, OwnSignatures? signatures = null, Vacations? vacations = null, Bookings? bookings = null, ListDoor? lists = null, Replies? replies = null)
    {
        hostname = settings?.Hostname ?? "localhost";
        (this.reports, this.replies) = (reports, replies);
        (this.store, this.mail, this.queue, this.directory, this.time, this.log) = (store, mail, queue, directory, time, log);
        (this.bounces, this.limits, this.signatures, this.vacations, this.bookings, this.lists) = (bounces, limits, signatures, vacations, bookings, lists);
    }

    /// <summary>Places a message for one address, as the directory resolves it; a remote address is refused.</summary>
    public async ValueTask<Refusal?> DeliverAsync(MailAddress? reversePath, MailAddress recipient, ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        var targets = directory.Resolve(recipient);
        if (!targets.Ok) return targets.Refusal;
        var order = new DeliveryOrder { ReversePath = reversePath, Recipients = [new(recipient, targets.Value)], Message = message };
        return (await DeliverAsync(order, cancel))[0];
    }

    /// <summary>The same for a message that the server itself writes in the name of a domain here.</summary>
    public async ValueTask<Refusal?> DeliverOwnAsync(MailAddress from, MailAddress recipient, ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        var targets = directory.Resolve(recipient);
        if (!targets.Ok) return targets.Refusal;
        var order = new DeliveryOrder { ReversePath = from, Recipients = [new(recipient, targets.Value, "NEVER")], Message = message, Proven = new ProvenSender(from.DomainKey, Signed: true) };
        return (await DeliverAsync(order, cancel))[0];
    }

    /// <summary>Places a message.</summary>
    /// <returns>For each recipient null, or why it was refused; unless the order is <see cref="DeliveryOrder.Separate"/>, all or none.</returns>
    public async ValueTask<IReadOnlyList<Refusal?>> DeliverAsync(DeliveryOrder order, CancellationToken cancel)
    {
        // the reserve is for reading and removing: what could still be written is refused all the same
        if (store.Condition.RefusalFor(order.Message.Length) is { } full) return [.. order.Recipients.Select(_ => full)];
        if (replies?.Find(order.Message.Span, order.ReversePath is null) is { } answer)
        {
            var before = order.Alongside;
            order = order with { Alongside = write => { before?.Invoke(write); replies.Record(write, answer); } };
        }
        if (bounces is not null && order.Recipients.Any(recipient => recipient.Bounce is not null)) return await TakeBouncesAsync(order, cancel);
        if (lists is not null && !(order.ReleaseAt > time.GetUtcNow()) && order.Recipients.Any(recipient => recipient.Targets.Any(lists.Serves))) return await TakePostsAsync(order, cancel);
        if (bookings is not null && !(order.ReleaseAt > time.GetUtcNow()) && order.Recipients.Any(recipient => recipient.Targets.Any(target => target.Served is not null))) return await TakeInvitationsAsync(order, cancel);
        var effects = order.ReleaseAt > time.GetUtcNow() ? Effects.Later(order) : Effects.Of(order, directory);
        try
        {
            var signed = order.Author is not null && order.ReleaseAt is null && effects.Remote.Exists(recipient => queue.Waits(recipient.Address.DomainKey)) ? signatures?.Ahead(order.Message) ?? [] : [];
            using var turn = await mail.StagingRoom.EnterAsync(order.Message.Length);
            using var staged = Stage(order);
            var placing = new Placing(order, effects, staged, signed, time.GetUtcNow());
            do
            {
                try { await store.CommitAsync(transaction => Place(transaction, placing), cancel); }
                catch (InvalidOperationException) when (placing.Next == 0 && staged.Record.BaseId is not null && order.Author is { } author)
                {
                    likeness.Forget(author); // the message that this one was to hang on has just been removed
                    turn?.Dispose(); // or it would wait for itself
                    return await DeliverAsync(order, cancel);
                }
            }
            while (placing.Next < effects.Rows.Count);
            if (order.Author is { } self && staged.Record.BaseId is null && placing.Content is { } content) likeness.Remember(self, content);
            LocalDeliveryTelemetry.Delivered(
                log, order.Id, staged.MessageId, MailPath.Write(order.ReversePath), order.Origin, effects.Rows.Count, effects.Remote.Count + effects.Forwarded.Sum(copy => copy.Recipients.Count), order.Message.Length);
            var outcome = placing.Outcome();
            if (order.ReversePath is not null && order.Recipients.Any(r => r.Notify is not null))
            {
                // the mail is in its mailbox: no trouble with a notice may make the client send it again
                try { await TellSuccessAsync(order, outcome, cancel); }
                catch (Exception e) { LocalDeliveryTelemetry.NotTold(log, e, order.Id, MailPath.Write(order.ReversePath)); }
            }
            if (vacations is not null && order.ReversePath is not null)
            {
                try { await vacations.AnswerAsync(order, effects, async answer => await DeliverAsync(answer, cancel)); }
                catch (Exception e) { LocalDeliveryTelemetry.NotAnswered(log, e, order.Id, MailPath.Write(order.ReversePath)); }
            }
            return outcome;
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            LocalDeliveryTelemetry.Refused(log, order.Id, e.Message); // the store has told the log once
            return [.. order.Recipients.Select(_ => trouble)];
        }
    }

    /// <summary>Bounces to our return addresses end here; what else there is of the order goes its way.</summary>
    async ValueTask<IReadOnlyList<Refusal?>> TakeBouncesAsync(DeliveryOrder order, CancellationToken cancel)
    {
        var (others, news) = bounces!.Read(order);
        try
        {
            if (news.Count > 0)
                await store.CommitAsync(transaction =>
                {
                    bounces.Record(transaction, order, news);
                    return true;
                }, cancel);
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            LocalDeliveryTelemetry.Refused(log, order.Id, e.Message);
            return [.. order.Recipients.Select(_ => trouble)];
        }
        var outcome = others.Count > 0 ? await DeliverAsync(order with { Recipients = others }, cancel) : [];
        var addresses = others.Select(other => other.Address).ToList();
        return [.. order.Recipients.Select(recipient => addresses.IndexOf(recipient.Address) is >= 0 and var at ? outcome[at] : null)];
    }

    /// <summary>
    /// Lists take it first, then the others get it: who hears that it was refused sends it again, and a list knows what it has had. One that refuses
    /// it for good has nobody get it, so that its sender hears why, unless each recipient is answered for itself.
    /// </summary>
    async ValueTask<IReadOnlyList<Refusal?>> TakePostsAsync(DeliveryOrder order, CancellationToken cancel)
    {
        var others = new List<DeliveryRecipient>();
        var refused = new Dictionary<string, Refusal>();
        var taken = new List<DeliveryRecipient>();
        try
        {
            foreach (var recipient in order.Recipients)
            {
                var left = recipient with { Targets = [.. recipient.Targets.Where(target => !lists!.Serves(target)), .. recipient.Targets.SelectMany(lists!.PassedOn)] };
                if (left.Targets.Count > 0) others.Add(left);
                foreach (var target in recipient.Targets)
                {
                    if (!lists!.Serves(target)) continue;
                    if (await lists.TakeAsync(target, order, cancel) is { } refusal) refused[recipient.Address.Key] = refusal;
                    else if (left.Targets.Count == 0) taken.Add(recipient);
                }
            }
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            LocalDeliveryTelemetry.Refused(log, order.Id, e.Message);
            return [.. order.Recipients.Select(_ => trouble)];
        }
        if (!order.Separate && refused.Count > 0) return [.. order.Recipients.Select(_ => refused.Values.First())];
        if (taken.Count > 0)
            await store.CommitAsync(write =>
            {
                if (order.Author is { } author && limits is not null) limits.Record(write, author, taken.Select(recipient => recipient.Address));
                directory.Count(write, taken.Where(recipient => !recipient.IsCopy).Select(recipient => recipient.Address));
                if (others.Count == 0) order.Alongside?.Invoke(write);
                return true;
            }, cancel);
        var outcome = others.Count > 0 ? await DeliverAsync(order with { Recipients = others }, cancel) : [];
        var addresses = others.ConvertAll(other => other.Address);
        return [.. order.Recipients.Select(recipient => refused.GetValueOrDefault(recipient.Address.Key) ?? (addresses.IndexOf(recipient.Address) is >= 0 and var at ? outcome[at] : null))];
    }

    /// <summary>
    /// Resources answer first, then the others get it: who hears that it was refused sends it again, and a resource answers the same again the same.
    /// What is no invitation is refused only where nobody else is to have it.
    /// </summary>
    async ValueTask<IReadOnlyList<Refusal?>> TakeInvitationsAsync(DeliveryOrder order, CancellationToken cancel)
    {
        var others = order.Recipients.Select(recipient => recipient with { Targets = [.. recipient.Targets.Where(target => target.Served is null)] }).Where(recipient => recipient.Targets.Count > 0).ToList();
        var refused = new Dictionary<string, Refusal>();
        var booker = Booker.Of(order.Message.Span, (order.Author ?? order.Poster) is { } author ? directory.GetAccount(author) : null, order.Proven?.Author, order.Signatures, bookings!.CalendarServices);
        try
        {
            foreach (var recipient in order.Recipients)
                foreach (var target in recipient.Targets)
                    if (target.Served is { } address && (order.Junk || order.ReversePath is null ? Bookings.OnlyInvitations : await bookings.TakeAsync(address, recipient.Address, order.Message, booker, letter => SendLetterAsync(letter, cancel), cancel)) is { } refusal)
                        refused[recipient.Address.Key] = refusal;
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            LocalDeliveryTelemetry.Refused(log, order.Id, e.Message);
            return [.. order.Recipients.Select(_ => trouble)];
        }
        // one answer for all: what has to be sent again is sent again to all of them, and who has answered answers the same
        if (!order.Separate && refused.Values.FirstOrDefault(refusal => refusal.IsTemporary) is { } later) return [.. order.Recipients.Select(_ => later)];
        var answered = order.Recipients.Where(recipient => !refused.ContainsKey(recipient.Address.Key) && !others.Exists(other => other.Address == recipient.Address)).ToList();
        if (answered.Count > 0)
            await store.CommitAsync(write =>
            {
                if (order.Author is { } author && limits is not null) limits.Record(write, author, answered.Select(recipient => recipient.Address));
                directory.Count(write, answered.Where(recipient => !recipient.IsCopy).Select(recipient => recipient.Address));
                queue.Trail.Add(write, TrailLines.OfAnswered(order, answered));
                if (others.Count == 0) order.Alongside?.Invoke(write);
                return true;
            }, cancel);
        if (others.Count == 0) return [.. order.Recipients.Select(recipient => refused.GetValueOrDefault(recipient.Address.Key))];
        var outcome = await DeliverAsync(order with { Recipients = others }, cancel);
        var addresses = others.ConvertAll(other => other.Address);
        return [.. order.Recipients.Select(recipient => addresses.IndexOf(recipient.Address) is >= 0 and var at ? outcome[at] : order.Separate ? refused.GetValueOrDefault(recipient.Address.Key) : null)];
    }

    /// <summary>Sends what a resource writes, and in the same commit makes true what it tells of. Where nobody is left to tell, that alone.</summary>
    public async ValueTask<Refusal?> SendLetterAsync(ResourceLetter letter, CancellationToken cancel)
    {
        var targets = directory.IsLocal(letter.To) ? directory.Resolve(letter.To) : new Result<IReadOnlyList<Target>>([new Target(null, null, letter.To)], null);
        var owners = letter.Owners.Select(owner => (owner.To, Staged: mail.Stage(owner.Message))).ToList();
        try
        {
            return await PlaceLetterAsync(letter, targets, write =>
            {
                letter.Alongside(write);
                foreach (var (to, staged) in owners)
                    queue.Enqueue(write, new NewQueueEntry(null, mail.AddContent(write, staged), [new QueueRecipient(to, "NEVER")], Class: MailClass.Transactional) { MessageId = staged.MessageId });
            }, cancel);
        }
        finally
        {
            foreach (var (_, staged) in owners) staged.Dispose();
        }
    }

    async ValueTask<Refusal?> PlaceLetterAsync(ResourceLetter letter, Result<IReadOnlyList<Target>> targets, Action<WriteTransaction> alongside, CancellationToken cancel)
    {
        if (!targets.Ok || targets.Value.Any(target => target.Served is not null))
        {
            await store.CommitAsync(write =>
            {
                alongside(write);
                return true;
            }, cancel);
            return null;
        }
        // RFC 3834 3.3: nothing comes back of it
        return (await DeliverAsync(new DeliveryOrder
        {
            ReversePath = null,
            Recipients = [new(letter.To, targets.Value, "NEVER")],
            Message = letter.Message,
            Origin = "resource " + letter.Resource.Address,
            Alongside = alongside,
        }, cancel))[0];
    }

    StagedMessage Stage(DeliveryOrder order)
    {
        if (order.Author is not { } author || likeness.Of(author, order.Message.Length) is not { } like) return mail.Stage(order.Message);
        var staged = mail.Stage(order.Message, like);
        if (staged.Record.BaseId is null) return staged; // it has gone meanwhile
        if (Likeness.Resembles(staged))
        {
            likeness.Hit(author);
            return staged;
        }
        staged.Dispose();
        likeness.Missed(author);
        return mail.Stage(order.Message);
    }

    /// <summary>RFC 3461 5.2.6: who asked for it is told of each delivery to a mailbox; for what leaves, the queue tells.</summary>
    async ValueTask TellSuccessAsync(DeliveryOrder order, IReadOnlyList<Refusal?> outcome, CancellationToken cancel)
    {
        var delivered = new List<DeliveryRecipient>();
        for (var i = 0; i < outcome.Count; i++)
        {
            var recipient = order.Recipients[i];
            if (outcome[i] is null && recipient.Notify is not null && recipient.Notify.Contains("SUCCESS", StringComparison.Ordinal) &&
                recipient.Targets.All(target => target.Account is not null)) delivered.Add(recipient);
        }
        if (delivered.Count == 0) return;
        var notice = SuccessNotice.Write(order, delivered, hostname, time.GetUtcNow());
        var targets = directory.IsLocal(order.ReversePath!)
            ? directory.Resolve(order.ReversePath!)
            : new Result<IReadOnlyList<Target>>([new Target(null, null, order.ReversePath)], null);
        if (!targets.Ok) return; // nobody is left to tell (RFC 5321 4.5.5)
        await DeliverAsync(new DeliveryOrder { Message = notice, Recipients = [new(order.ReversePath!, targets.Value, "NEVER")], Id = order.Id, Origin = "notice" }, cancel);
    }

    /// <summary>One commit: the next piece of rows, and with the last of them the queue rows.</summary>
    bool Place(WriteTransaction transaction, Placing placing)
    {
        var effects = placing.Effects;
        var content = placing.Content ?? mail.AddContent(transaction, placing.Staged);
        var end = Math.Min(effects.Rows.Count, placing.Next + PieceRows);
        var named = Math.Clamp(effects.Copies, placing.Next, end);
        var refused = new List<(Effects.Row Row, Refusal Refusal)>();
        var placed = 0;
        for (var i = placing.Next; i < named; i++)
        {
            if (AddRow(transaction, effects.Rows[i], content, placing, effects.Rows[i].Account.Quota) is { } refusal) refused.Add((effects.Rows[i], refusal));
            else placed++;
        }

        // one answer for all, and others have it already: a mailbox that was not full goes over by this one message
        var others = placed > 0 || placing.IsTaken || effects.Remote.Count > 0 || effects.Forwarded.Count > 0;
        if (!placing.Order.Separate && others && refused.Count > 0)
            refused.RemoveAll(r => r.Refusal.Status == Refusal.OverQuota.Status && AddRow(transaction, r.Row, content, placing, quota: 0) is null);
        for (var i = named; i < end; i++)
            if ((others ? AddRow(transaction, effects.Rows[i], content, placing, quota: 0) : Refusal.NoSuchUser.Because("None of those whom the message is for has it")) is { } refusal)
                refused.Add((effects.Rows[i], refusal));

        List<Effects.Row> late = [];
        (long Id, List<QueueRecipient> Recipients)? first = null;
        if (end == effects.Rows.Count)
        {
            late = placing.RefusedLate(refused, others);
            first = Enqueue(transaction, placing, content, others ? effects.RemoteCopies : [], late.ConvertAll(placing.Again));
            if (placing.Order.Author is { } author) limits?.Record(transaction, author, placing.Order.Recipients.Select(recipient => recipient.Address));
            directory.Count(transaction, placing.Order.Recipients.Where(recipient => !recipient.IsCopy).Select(recipient => recipient.Address));
            // what is to be true with the message is not where nobody has it
            if (others || refused.Count == 0 || late.Count > 0) placing.Order.Alongside?.Invoke(transaction);
            reports?.Take(transaction, placing.Order.ReversePath, placing.Order.Recipients.Select(recipient => recipient.Address), content, placing.Order.Proven);
        }
        queue.Trail.Add(transaction, TrailLines.Of(placing.Order, effects, placing.Staged.MessageId, placing.Next, end, refused, late, first));
        transaction.OnCommitted(() => placing.Advance(content, end, refused, others));
        return true;
    }

    /// <param name="late">Whom the queue is to tell that nobody has it.</param>
    /// <returns>The first queue id and who stands under it, or null where nothing is queued.</returns>
    (long Id, List<QueueRecipient> Recipients)? Enqueue(WriteTransaction transaction, Placing placing, ContentRef content, List<QueueRecipient> copies, List<QueueRecipient> late)
    {
        var (order, effects) = (placing.Order, placing.Effects);
        if (effects.Remote.Count == 0 && effects.Forwarded.Count == 0 && copies.Count == 0 && late.Count == 0) return null;
        var eightBit = !Ascii.IsValid(order.Message.Span);
        var subject = TrailLines.Subject(order.Message.Span);
        (long Id, List<QueueRecipient> Recipients)? first = null;
        // those whom mail to many leaves out are told of on their own (RemoteWorker), the others get it
        var leftOut = order.Class == MailClass.Bulk ? effects.Remote.FindAll(recipient => queue.Suppressions.Find(recipient.Address) is not null) : [];
        var remote = leftOut.Count > 0 ? effects.Remote.FindAll(recipient => !leftOut.Contains(recipient)) : effects.Remote;
        if (remote.Count > 0) Add(order.ReversePath, remote);
        if (leftOut.Count > 0) Add(order.ReversePath, leftOut);
        foreach (var group in effects.Forwarded) Add(group.Sender, group.Recipients, group.Sealer);
        if (copies.Count > 0) Add(order.ReversePath, copies);
        if (late.Count > 0) Add(order.ReversePath, late);
        return first;

        void Add(MailAddress? sender, List<QueueRecipient> recipients, string? sealer = null)
        {
            var id = 0L;
            // before a worker is told of it
            if (sealer is null && placing.Signed.Length > 0) transaction.OnCommitted(() => signatures!.Keep(id, placing.Signed));
            id = queue.Enqueue(transaction, new NewQueueEntry(sender, content, recipients, order.Return, order.EnvelopeId, order.SmtpUtf8, eightBit, order.Class)
            {
                Forwarded = sealer is not null,
                Sealer = sealer,
                RequireTls = order.RequireTls,
                Priority = order.Priority,
                ReleaseAt = order.ReleaseAt,
                HoldRequest = order.HoldRequest,
                By = order.By,
                MessageId = placing.Staged.MessageId,
                Subject = subject,
                Account = order.Author,
                Arrival = order.Id,
            });
            if (order.Junk) queue.Hold(transaction, id);
            if (first is not null) queue.Trail.Add(transaction, TrailLines.OfQueued(order, sender, recipients, placing.Staged.MessageId, id));
            first ??= (id, recipients);
        }
    }

    Refusal? AddRow(WriteTransaction transaction, Effects.Row row, ContentRef content, Placing placing, long quota)
    {
        if (placing.Order.Junk) return AddJunk(transaction, row, content, placing, quota);
        var message = new NewMessage(content, row.Prefix, MessageFlags.None, [], placing.Now);
        // RFC 4314 2.1, p: a mailbox that may be written to has an address
        if (row.Detail is { } detail && mail.FolderOf(transaction, directory, row.Account.Id, detail, placing.Order.Author ?? placing.Order.Poster) is { } folder)
        {
            var posted = mail.AddMessage(transaction, row.Account.Id, folder, message, quota);
            if (posted.Ok || posted.Refusal.Status != Refusal.NoSuchMailbox.Status) return posted.Refusal;
        }
        if (mail.InboxOf(row.Account.Id) is { } known)
        {
            var result = mail.AddMessage(transaction, row.Account.Id, known, message, quota);
            if (result.Ok) return null;
            if (result.Refusal.Status != Refusal.NoSuchMailbox.Status) return result.Refusal;
        }
        if (directory.GetAccount(row.Account.Id) is null) return Refusal.NoSuchUser; // removed since RCPT
        var inbox = mail.EnsureMailbox(transaction, row.Account.Id, "INBOX");
        var second = mail.AddMessage(transaction, row.Account.Id, inbox, message, quota);
        return second.Refusal;
    }

    Refusal? AddJunk(WriteTransaction transaction, Effects.Row row, ContentRef content, Placing placing, long quota)
    {
        if (row.Account.Id < 0) // a public folder has no other for it
            return mail.FolderOf(transaction, directory, row.Account.Id, row.Detail ?? "", placing.Order.Author ?? placing.Order.Poster) is { } folder
                ? mail.AddMessage(transaction, folder, new NewMessage(content, row.Prefix, MessageFlags.None, ["$Junk"], placing.Now), quota).Refusal : Refusal.NoSuchUser;
        if (directory.GetAccount(row.Account.Id) is null) return Refusal.NoSuchUser; // removed since RCPT
        var junk = mail.EnsureSpecial(transaction, row.Account.Id, "\\Junk", "Junk");
        return mail.AddMessage(transaction, junk, new NewMessage(content, row.Prefix, MessageFlags.None, ["$Junk"], placing.Now), quota).Refusal;
    }
}
