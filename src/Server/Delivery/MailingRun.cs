using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>
/// Sends the mailings that are under way: renders a piece outside of the committer while the piece before it is committed,
/// puts local copies straight into their mailboxes and the others into the queue, and moves the ledger in the same commit.
/// Goes on after a restart where the ledger stands. Personal mail and readers get in between pieces.
/// </summary>
public sealed class MailingRun(
    PressRoom press, MailStore mail, MailQueue queue, UserDirectory directory, Settings settings, TimeProvider time, ILogger<MailingRun> log) : BackgroundService
{
    static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5), LongestWait = TimeSpan.FromMinutes(5);

    readonly SemaphoreSlim look = new(1, 1);

    Store Store => mail.Store;
    int Piece => Math.Clamp(settings.Mailings.Piece, 1, 250);
    int Renderers => Math.Clamp(settings.Mailings.Renderers, 1, Environment.ProcessorCount);

    /// <summary>Tests throw from here: the number of the piece that is about to be committed.</summary>
    internal Action<int>? BeforeCommit { get; set; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        press.Changed += Wake;
        await RecoverAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        press.Changed -= Wake;
        look.Dispose();
        base.Dispose();
    }

    void Wake()
    {
        // on the committer's thread: never waits, and one wake-up is as good as two
        try { if (look.CurrentCount == 0) look.Release(); }
        catch (SemaphoreFullException) { return; }
        catch (ObjectDisposedException) { return; }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await WaitAsync(stoppingToken);
            while (await RunAllAsync(stoppingToken)) await Task.Delay(AfterFailure, time, stoppingToken);
        }
    }

    /// <summary>Until something is to be sent: somebody says so, or an hour has come for which copies wait.</summary>
    async Task WaitAsync(CancellationToken cancel)
    {
        DateTimeOffset? next;
        var now = time.GetUtcNow();
        using (var read = Store.Read()) next = LedgerTable.Next(read, now);
        // the clock may be set meanwhile
        using var alarm = next is { } due ? time.CreateTimer(_ => Wake(), null, due - now < LongestWait ? due - now : LongestWait, Timeout.InfiniteTimeSpan) : null;
        await look.WaitAsync(cancel);
    }

    /// <summary>Runs whatever is to be sent, the oldest first; true when one failed and should be tried again.</summary>
    internal async Task<bool> RunAllAsync(CancellationToken cancel)
    {
        var failed = new HashSet<long>();
        while (true)
        {
            List<long> sending;
            using (var read = Store.Read()) sending = MailingTable.Sending(read, time.GetUtcNow());
            sending.RemoveAll(failed.Contains);
            if (sending.Count == 0) return failed.Count > 0;
            try
            {
                await RunAsync(sending[0], cancel);
            }
            catch (Exception e) when (StoreTrouble.Of(e) is not null)
            {
                failed.Add(sending[0]); // the piece was undone; the store has told the log, and the run goes on where the ledger stands
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
            {
                log.RunFailed(sending[0], e);
                failed.Add(sending[0]);
            }
        }
    }

    /// <summary>Brings entries of paused and cancelled mailings in the queue to their state, where a crash came between.</summary>
    internal async Task RecoverAsync(CancellationToken cancel)
    {
        press.SweepFiles();
        List<long> stopped;
        using (var read = Store.Read()) stopped = MailingTable.Stopped(read);
        foreach (var id in stopped) await press.SettleQueueAsync(id, cancel);
    }

    /// <summary>Sends one mailing to its end, or until it is paused or cancelled.</summary>
    internal async Task RunAsync(long id, CancellationToken cancel)
    {
        var made = press.ComposerOf(id);
        if (!made.Ok) throw new InvalidOperationException(made.Refusal.Sentence);
        var began = time.GetTimestamp();
        log.RunStarted(id, press.Status(id).Value!.Counts.Rendered);
        if (press.Hours.Apply(made.Value.Mailing.Class)) await PostponeAsync(made.Value, cancel);
        using var shop = new RenderShop(made.Value, mail, directory, Renderers, settings.Mailings.PieceBytes, time);
        var state = await PiecesAsync(id, made.Value, shop, cancel);
        if (state != MailingState.Sent) { log.RunStopped(id, state is { } known ? known == MailingState.Sending ? "sending: who is left waits for his hour" : MailingTable.Word(known) : "gone"); return; }
        var counts = press.Status(id).Value!.Counts;
        log.RunEnded(id, time.GetElapsedTime(began).TotalSeconds, counts.Delivered, counts.Queued, counts.Bounced, counts.Skipped);
    }

    /// <summary>Lets those wait whose hour it is not, before anything is rendered for them; each copy is asked about again when it leaves.</summary>
    async Task PostponeAsync(Composer composer, CancellationToken cancel)
    {
        for (long after = 0; ;)
        {
            List<LedgerWork> work;
            using (var read = Store.Read()) work = LedgerTable.Waiting(read, composer.Mailing.Id, after, Piece, time.GetUtcNow());
            if (work.Count == 0) return;
            after = work[^1].Id;
            await Store.CommitAsync(write =>
            {
                foreach (var one in work)
                    if (press.Hours.Wait(write, composer.Mailing, composer.Course, one, time.GetUtcNow()) is { } wait) LedgerTable.Postpone(write, one.Id, wait.Until, wait.Why);
                return true;
            }, cancel);
        }
    }

    async Task<MailingState?> PiecesAsync(long id, Composer composer, RenderShop shop, CancellationToken cancel)
    {
        var like = Held(composer.Mailing.BaseContent);
        while (true)
        {
            // The first copy goes alone: the others are compressed against it.
            var current = await shop.PrepareAsync(id, 0, like is null ? 1 : Piece, like, cancel);
            while (current.Count > 0)
            {
                var ahead = like is null ? null : shop.PrepareAsync(id, current[^1].Work.Id, Piece, like, cancel);
                MailingState? state;
                try
                {
                    await RoomAsync(cancel);
                    (state, var stored) = await CommitAsync(composer, current, like is null, cancel);
                    like ??= stored;
                }
                catch
                {
                    if (ahead is not null) RenderShop.Release(await ahead);
                    throw;
                }
                finally
                {
                    RenderShop.Release(current);
                }
                if (state != MailingState.Sending)
                {
                    if (ahead is not null) RenderShop.Release(await ahead);
                    return state;
                }
                current = await (ahead ?? shop.PrepareAsync(id, current[^1].Work.Id, like is null ? 1 : Piece, like, cancel));
            }
            if (await FinishAsync(id, cancel) is { } end) return end;
        }
    }

    long? Held(long? content)
    {
        if (content is null) return null;
        using var reader = mail.Read();
        return reader.Content(content.Value) is null ? null : content;
    }

    // a full disk: the mailing waits, and goes on by itself when there is room
    async Task RoomAsync(CancellationToken cancel)
    {
        while (Store.Condition.Refusal is not null) await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
    }

    int committed;

    /// <summary>One piece in one commit: bodies, mailbox rows, queue rows, ledger. Nothing at all when the mailing is no longer being sent.</summary>
    async Task<(MailingState? State, long? First)> CommitAsync(Composer composer, IReadOnlyList<PreparedCopy> copies, bool wantsBase, CancellationToken cancel)
    {
        var id = composer.Mailing.Id;
        BeforeCommit?.Invoke(committed++);
        var now = time.GetUtcNow();
        return await Store.CommitAsync<(MailingState?, long?)>(transaction =>
        {
            var state = MailingTable.State(transaction, id);
            if (state != MailingState.Sending) return (state, null);
            transaction.BodiesFirst(); // the ledger must not say more than the vault holds after a power cut
            long? first = null;
            foreach (var copy in copies)
                if (LedgerTable.IsWaiting(transaction, copy.Work.Id)) first = Place(transaction, composer, copy, now) ?? first;
            if (!wantsBase || first is not { } content) return (state, null);
            mail.AddReference(transaction, content);
            MailingTable.SetBase(transaction, id, content);
            return (state, content);
        }, cancel);
    }

    /// <summary>One copy to its mailboxes and the queue.</summary>
    /// <returns>Its content, or null when it was refused.</returns>
    long? Place(WriteTransaction transaction, Composer composer, PreparedCopy copy, DateTimeOffset now)
    {
        var id = composer.Mailing.Id;
        if (copy.Staged is null)
        {
            LedgerTable.Settle(transaction, copy.Work.Id, LedgerState.Bounced, copy.Refusal!.ToString(), null, now);
            log.CopyRefused(id, copy.Work.Address, copy.Refusal.ToString());
            return null;
        }
        // asked again: who leaves while a mailing is on its way gets no more of it
        if ((press.Consents.LeftOut(transaction, composer.Mailing, composer.Course, copy.Work.Address) ?? Suppressed(transaction, composer.Mailing.Class, copy)?.Sentence) is { } reason)
        {
            LedgerTable.Settle(transaction, copy.Work.Id, LedgerState.Skipped, reason, null, now);
            return null;
        }
        if (press.Hours.Wait(transaction, composer.Mailing, composer.Course, copy.Work, now) is { } wait)
        {
            LedgerTable.Postpone(transaction, copy.Work.Id, wait.Until, wait.Why);
            return null;
        }
        var content = mail.AddContent(transaction, copy.Staged);
        var remote = new List<QueueRecipient>();
        Refusal? refusal = null;
        var local = 0;
        foreach (var target in copy.Targets)
        {
            if (target.Account is { } account)
            {
                var inbox = mail.EnsureMailbox(transaction, account.Id, "INBOX");
                var stored = mail.AddMessage(transaction, inbox, new NewMessage(content, Prefix(copy, account), MessageFlags.None, [], now), account.Quota);
                if (stored.Ok) local++; else refusal = stored.Refusal;
            }
            else if (target.Remote is { } address) remote.Add(new(address, LedgerId: copy.Work.Id));
        }
        long? entry = null;
        if (remote.Count > 0)
            entry = queue.Enqueue(transaction, new(ReversePath(transaction, copy), content, remote, SmtpUtf8: copy.NeedsUtf8, Class: MailClass.Bulk)
            {
                Mailing = id,
                MessageId = copy.Work.MessageId,
            });
        var (state, reply) = entry is not null ? (LedgerState.Queued, "")
            : local > 0 ? (LedgerState.Delivered, "250 2.0.0 Stored in the mailbox")
            : (LedgerState.Bounced, (refusal ?? Refusal.NoSuchUser).ToString());
        LedgerTable.Settle(transaction, copy.Work.Id, state, reply, entry, now);
        if (state != LedgerState.Bounced) return content.Id;
        mail.DropReference(transaction, content.Id, 0); // nobody holds it
        log.CopyRefused(id, copy.Work.Address, reply);
        return null;
    }

    /// <summary>Why somebody is left out, or null: for an address elsewhere that his copy goes to, or for his own, under which he complained.</summary>
    Suppression? Suppressed(WriteTransaction transaction, MailingClass kind, PreparedCopy copy)
    {
        var counts = ClassRules.Of(kind).Suppressions;
        if (MailAddress.TryParse(copy.Work.Address, out var own) && queue.Suppressions.Find(transaction, own) is { } his && counts.Contains(his.Reason)
            // an address that leads elsewhere besides is not dead where a mailbox here has it
            && (his.Reason != "dead" || copy.Targets.All(target => target.Account is null))) return his;
        foreach (var target in copy.Targets)
            if (target.Remote is { } address && queue.Suppressions.Find(transaction, address) is { } found && counts.Contains(found.Reason)) return found;
        return null;
    }

    /// <summary>What comes back tells whose copy it was.</summary>
    MailAddress ReversePath(WriteTransaction transaction, PreparedCopy copy) =>
        queue.Bounces.IsOn ? queue.Bounces.Make(transaction, BounceKind.Ledger, copy.Work.Id, copy.ReversePath.Domain) : copy.ReversePath;

    // RFC 5321 4.4: the delivering server adds Return-Path
    static byte[] Prefix(PreparedCopy copy, Account account) =>
        Encoding.UTF8.GetBytes($"Return-Path: <{copy.ReversePath}>\r\nDelivered-To: {account.Address}\r\n");

    /// <summary>The end, when nobody waits any more; null when somebody still does.</summary>
    ValueTask<MailingState?> FinishAsync(long id, CancellationToken cancel)
    {
        BeforeCommit?.Invoke(committed++);
        var now = time.GetUtcNow();
        return Store.CommitAsync<MailingState?>(transaction =>
        {
            var state = MailingTable.State(transaction, id);
            if (state != MailingState.Sending) return state ?? MailingState.Cancelled;
            if (LedgerTable.AnyDue(transaction, id, now)) return null;
            if (LedgerTable.AnyWaiting(transaction, id)) return state; // for an hour
            return press.Finish(transaction, id, now);
        }, cancel);
    }
}
