using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>
/// What comes back from members. Bounces are counted, one a day and member: a dead address 2, what may come right again 1, what is about the message
/// nothing. Who has too many is paused and asked by a letter of his own whether he can be reached; if that does not come back he gets mail again, and
/// if it comes back too often he is off the list. Owners are told, all cases of an hour in one letter.
/// </summary>
public sealed class ListBounces
{
    internal const int UsualScore = 5, UsualDays = 7, UsualProbes = 3;

    /// <summary>A bounce may come some days after the other server took the letter (RFC 5321 4.5.4.1).</summary>
    static readonly TimeSpan Settles = TimeSpan.FromDays(5);

    static readonly TimeSpan BetweenProbes = TimeSpan.FromDays(7), Day = TimeSpan.FromHours(20);

    const int Piece = 200;

    readonly Store store;
    readonly ListBook book;
    readonly ListLetters letters;
    readonly ListTokens tokens;
    readonly MailQueue queue;
    readonly ILogger<ListBounces> log;

    public ListBounces(Store store, ListBook book, ListLetters letters, ListTokens tokens, MailQueue queue, ILogger<ListBounces> log)
    {
        (this.store, this.book, this.letters, this.tokens, this.queue, this.log) = (store, book, letters, tokens, queue, log);
        queue.Settled += Settled;
    }

    /// <summary>What another server says at the door never comes back as a letter: copies ask for no notices.</summary>
    void Settled(WriteTransaction write, QueuedMessage message, RecipientOutcome outcome, string word)
    {
        if (message.Mailing is not null || outcome.State == OutcomeState.Deferred || message.ReversePath is not { } path || !path.LocalPart.StartsWith(BounceAddresses.Prefix, StringComparison.OrdinalIgnoreCase)) return;
        if (queue.Bounces.Read(path) is not { Kind: BounceKind.ListMember or BounceKind.ListProbe } ticket) return;
        if (outcome.State == OutcomeState.Bounced) Bounced(write, ticket, outcome.Verdict.Cause, outcome.Reply, "");
        else if (ticket.Kind == BounceKind.ListProbe && ListTable.FindMember(write.Prepare, ticket.Id) is { Probe: "sent" } member) ListTable.SetBounces(write, member with { Probe = "arrived", Probed = book.Now });
    }

    /// <summary>Counts what came back.</summary>
    /// <param name="reply">What the other server said.</param>
    /// <param name="arrival">Of the notice, or empty.</param>
    internal void Bounced(WriteTransaction write, BounceTicket ticket, BounceCause cause, string reply, string arrival)
    {
        if (ListTable.FindMember(write.Prepare, ticket.Id) is not { } member || ListTable.Find(write.Prepare, member.ListId) is not { } list) return;
        write.OnCommitted(() => ListsTelemetry.Bounced(log, arrival, member.Address, list.Address.ToString(), ticket.Kind == BounceKind.ListProbe ? "the probe came back" : "failed", cause.ToString().ToLowerInvariant()));
        var text = reply.Length > 300 ? reply[..300] : reply;
        if (ticket.Kind == BounceKind.ListProbe)
        {
            if (member is { Paused: not null, Probe: "sent" or "arrived" }) ListTable.SetBounces(write, member with { Probe = "returned", Probed = book.Now, Bounce = text });
            return;
        }
        var most = 2 * (list.Profile.BounceScore ?? UsualScore);
        if (most == 0 || member.Paused is not null || cause == BounceCause.Content) return;
        if (member.Bounced is { } last && book.Now - last < Day) return;
        var old = member.Bounced is { } before && book.Now - before <= TimeSpan.FromDays(list.Profile.BounceDays ?? UsualDays) ? member.Score : 0;
        var next = member with { Score = old + (cause == BounceCause.Dead ? 2 : 1), Bounced = book.Now, Bounce = text };
        if (next.Score >= most)
        {
            next = next with { Paused = book.Now, Probes = 0, Probe = "", Probed = null };
            write.OnCommitted(() => ListsTelemetry.Membership(log, list.Address.ToString(), member.Address, "is paused, for mail comes back"));
        }
        ListTable.SetBounces(write, next);
    }

    /// <summary>Who is paused gets mail again: he says so himself, or an owner does.</summary>
    public async ValueTask<bool> ResumeAsync(long member, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        if (ListTable.FindMember(write.Prepare, member) is not { Paused: not null } paused) return false;
        Resume(write, paused);
        return true;
    }, cancel);

    void Resume(WriteTransaction write, ListMember member)
    {
        ListTable.SetBounces(write, member with { Score = 0, Bounced = null, Bounce = "", Paused = null, Probes = 0, Probe = "", Probed = null });
        write.OnCommitted(() => ListsTelemetry.Membership(log, book.Find(member.ListId)?.Address.ToString() ?? "", member.Address, "gets mail again"));
    }

    /// <summary>Asks, takes back and takes off those whose time it is, and tells the owners.</summary>
    internal async Task UpkeepAsync(CancellationToken cancel)
    {
        for (long after = 0; ;)
        {
            List<ListMember> paused;
            using (var read = store.Read()) paused = ListTable.Paused(read.Prepare, after, Piece);
            foreach (var member in paused)
                if (book.Find(member.ListId) is { } list) await LookAsync(list, member, cancel);
            if (paused.Count < Piece) break;
            after = paused[^1].Id;
        }
        await TellOwnersAsync(cancel);
    }

    async ValueTask LookAsync(MailList list, ListMember member, CancellationToken cancel)
    {
        var since = book.Now - (member.Probed ?? DateTimeOffset.MinValue);
        if (member.Probe == "arrived" && since >= Settles) await store.CommitAsync(write => Same(write, member, () => Resume(write, member)), cancel);
        else if (member.Probe == "returned" && member.Probes >= (list.Profile.BounceProbes ?? UsualProbes)) await RemoveAsync(list, member, cancel);
        // one that was neither delivered nor returned is lost, with a list's queue that was emptied for instance
        else if (member.Probe.Length == 0 || since >= (member.Probe == "returned" ? BetweenProbes : 2 * BetweenProbes)) await ProbeAsync(list, member, cancel);
    }

    static bool Same(WriteTransaction write, ListMember member, Action deed)
    {
        if (ListTable.FindMember(write.Prepare, member.Id) is not { } now || now.Probe != member.Probe || now.Paused != member.Paused) return false;
        deed();
        return true;
    }

    async ValueTask ProbeAsync(MailList list, ListMember member, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(member.Address, out var address)) return;
        using var letter = letters.Stage(letters.Probe(list, address, tokens.OfMember(member.Id), member.Bounce));
        await store.CommitAsync(write => Same(write, member, () =>
        {
            ListTable.SetBounces(write, member with { Probe = "sent", Probed = book.Now, Probes = member.Probes + 1 });
            letters.Enqueue(write, letter, [address], queue.Bounces.IsOn ? queue.Bounces.Make(write, BounceKind.ListProbe, member.Id, list.Address.Domain) : list.For(ListCommand.Owner));
        }), cancel);
    }

    async ValueTask RemoveAsync(MailList list, ListMember member, CancellationToken cancel)
    {
        using var letter = letters.Stage(letters.TakenOff(list, member));
        await store.CommitAsync(write => Same(write, member, () =>
        {
            ListTable.RemoveMember(write, member.Id);
            letters.Enqueue(write, letter, book.OwnersOf(list));
            write.OnCommitted(() => ListsTelemetry.Membership(log, list.Address.ToString(), member.Address, "is off the list: its mail comes back"));
        }), cancel);
    }

    async ValueTask TellOwnersAsync(CancellationToken cancel)
    {
        List<ListMember> untold;
        using (var read = store.Read()) untold = ListTable.Untold(read.Prepare, Piece);
        foreach (var group in untold.GroupBy(member => member.ListId))
        {
            if (book.Find(group.Key) is not { } list) continue;
            using var letter = letters.Stage(letters.Paused(list, [.. group]));
            await store.CommitAsync(write =>
            {
                foreach (var member in group) ListTable.SetTold(write, member.Id);
                letters.Enqueue(write, letter, book.OwnersOf(list));
                return true;
            }, cancel);
        }
    }
}
