using System.Globalization;
using System.Text;
using CbaMail.Imap.Commands;
using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>Events that a client can ask for (RFC 5465 5).</summary>
[Flags]
internal enum WatchEvents { None = 0, MessageNew = 1, MessageExpunge = 2, FlagChange = 4, MailboxName = 8, SubscriptionChange = 16, Metadata = 32, OfMessages = 7 }

/// <summary>Which mailboxes a group of events is about (RFC 5465 6).</summary>
internal enum WatchScope { Personal, Subscribed, Subtree, Mailboxes }

/// <param name="Names">Of a subtree or of mailboxes.</param>
internal sealed record WatchGroup(WatchScope Scope, IReadOnlyList<string> Names, WatchEvents Events)
{
    public bool Covers(string name, bool subscribed, bool isOwn) => Scope switch
    {
        WatchScope.Personal => isOwn, // RFC 5465 6.2
        WatchScope.Subscribed => subscribed,
        WatchScope.Mailboxes => Names.Contains(name),
        _ => Names.Any(top => MailboxName.Below(name, top, isOwn) is not null),
    };
}

/// <summary>What NOTIFY SET has asked for; empty after NOTIFY NONE.</summary>
internal sealed record WatchRequest
{
    public bool Status { get; set; }
    public bool HasSelected { get; set; }
    /// <summary>Expunges of the selected mailbox wait for a command (RFC 5465 6.1.2).</summary>
    public bool IsDelayed { get; set; }
    public WatchEvents Selected { get; set; }
    /// <summary>What is fetched of new messages in the selected mailbox, or null.</summary>
    public FetchItems? Items { get; set; }
    public List<WatchGroup> Groups { get; } = [];
    /// <summary>Annotations of the server (RFC 5465 5.7); which mailboxes it stands with does not matter.</summary>
    public bool Server { get; set; }
    public bool HasUnknown { get; set; }
    public bool IsTooMuch { get; set; }
}

/// <summary>
/// Keeps what NOTIFY has asked for (RFC 5465) and the state of the account's mailboxes as the client last heard of it. A notice only sets
/// a flag: what is told is the difference between two looks at the table of mailboxes. So however much happens, memory stays what it is,
/// and a client that reads slowly hears of the end, not of each step. It watches all that the session can list; a mailbox that is newly shared
/// with it is found with the next event or command.
/// </summary>
internal sealed class Watch(ImapSession session, WatchRequest request) : IDisposable
{
    /// <summary>Mailboxes that one session watches at most: some 300 KB.</summary>
    const int MaxMailboxes = 2000;

    /// <summary>A mailbox as the client last heard of it.</summary>
    sealed record Seen(Access Access, bool Subscribed)
    {
        public Mailbox Mailbox => Access.Mailbox;
        public string Name => Access.Name;
    }

    /// <summary>One look at all that can be listed.</summary>
    sealed record View(List<Seen> All, Dictionary<string, ListEntry> Names);

    readonly Dictionary<long, Seen> known = [];
    readonly Dictionary<long, IDisposable> subscriptions = []; // by owner
    readonly HashSet<string> own = [];
    readonly Dictionary<uint, SequenceSet> added = [];
    int noticed;
    int rights;
    TaskCompletionSource? waiter;

    public WatchRequest Request => request;

    /// <summary>Whether something may be told while no command runs.</summary>
    public bool Pushes => request.Selected != WatchEvents.None || request.Groups.Count > 0 || request.Server;

    /// <summary>Whether an expunge of the selected mailbox may be told between commands.</summary>
    public bool PushesExpunges => !request.IsDelayed;

    /// <returns>False where these are too many.</returns>
    public bool Begin()
    {
        if (request.Groups.Count == 0) return true;
        Listen(session.Account.Id); // first, then look
        var view = Look();
        foreach (var seen in view.All) known[seen.Mailbox.Id] = seen;
        return known.Count <= MaxMailboxes;
    }

    void Listen(long ownerId)
    {
        if (!subscriptions.ContainsKey(ownerId)) subscriptions[ownerId] = session.Mail.Notifier.SubscribeAccount(ownerId, Notice);
    }

    View Look()
    {
        rights = session.Mail.RightsVersion;
        using var reader = session.Mail.Read();
        var all = session.Context.Access.All(reader, session.Viewer());
        var names = ListEntry.Of(all, reader.LostSubscriptions(session.Account.Id)).ToDictionary(entry => entry.Name);
        foreach (var access in all)
            if (!access.IsOwn) Listen(access.Mailbox.AccountId);
        return new View([.. all.Select(access => new Seen(access, names[access.Name].Subscribed))], names);
    }

    void Notice()
    {
        Volatile.Write(ref noticed, 1);
        Volatile.Read(ref waiter)?.TrySetResult();
    }

    /// <summary>Completes when something happens.</summary>
    public Task NoticeAsync()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref waiter, source);
        Thread.MemoryBarrier();
        if (Volatile.Read(ref noticed) == 1) source.TrySetResult();
        return source.Task;
    }

    /// <summary>This client changes this name itself and need not be told (RFC 5465 5).</summary>
    public void Own(string name) => own.Add(name);

    /// <summary>Takes note of the messages that this client has just added: APPENDUID and COPYUID name mailbox and messages (RFC 5465 5.2).</summary>
    public void Added(string? code)
    {
        if (code is null || !code.StartsWith("APPENDUID ", StringComparison.Ordinal) && !code.StartsWith("COPYUID ", StringComparison.Ordinal)) return;
        var words = code.Split(' ');
        var set = new ImapReader(Encoding.ASCII.GetBytes(words[^1])).Set();
        added[uint.Parse(words[1], CultureInfo.InvariantCulture)] = set; // no two mailboxes have the same UIDVALIDITY
    }

    /// <summary>Whether the client has just made this message itself.</summary>
    public bool IsOwn(uint uidValidity, uint uid) => added.TryGetValue(uidValidity, out var set) && set.Contains(uid, uint.MaxValue);

    WatchEvents EventsOf(Seen seen) => EventsOf(seen.Name, seen.Subscribed, seen.Access.IsOwn);

    /// <summary>Whether one of these events of a mailbox has been asked for.</summary>
    public bool Wants(MailReader reader, Access access, WatchEvents events)
    {
        if (!request.Groups.Exists(group => (group.Events & events) != 0)) return false;
        var subscribed = access.IsOwn ? access.Mailbox.Subscribed : reader.LostSubscriptions(session.Account.Id).Contains(access.Name);
        return (EventsOf(access.Name, subscribed, access.IsOwn) & events) != 0;
    }

    // RFC 5465 6: several groups can be about one mailbox
    WatchEvents EventsOf(string name, bool subscribed, bool isOwn)
    {
        var events = WatchEvents.None;
        foreach (var group in request.Groups)
            if (group.Covers(name, subscribed, isOwn)) events |= group.Events;
        return events;
    }

    /// <summary>The STATUS responses that come before NOTIFY's tagged OK (RFC 5465 3.1).</summary>
    public async ValueTask StatusAsync()
    {
        foreach (var seen in known.Values.OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            var events = EventsOf(seen) & WatchEvents.OfMessages;
            if (events == 0 || session.Selected?.Id == seen.Mailbox.Id || !seen.Access.Has(Rights.Read)) continue;
            var items = StatusItems.Messages | StatusItems.UidNext | StatusItems.UidValidity;
            if ((events & WatchEvents.FlagChange) != 0) items |= StatusItems.Unseen | StatusItems.HighestModSeq;
            StatusCommand.Write(session, seen.Access, items, default);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }

    /// <summary>RFC 5465 3.1: what can be listed and not be read is said to be so.</summary>
    public void RefuseUnreadable()
    {
        foreach (var seen in known.Values.OrderBy(m => m.Name, StringComparer.Ordinal))
            if (!seen.Access.Has(Rights.Read) && (EventsOf(seen) & WatchEvents.OfMessages) != 0) ListLine.Write(session.Writer, "\\NoAccess", seen.Name);
    }

    /// <summary>Tells what has happened since the last time.</summary>
    /// <returns>False where it has become too much (RFC 5465 5.8).</returns>
    public async ValueTask<bool> TellAsync()
    {
        var isNoticed = Interlocked.Exchange(ref noticed, 0) == 1 || request.Groups.Count > 0 && rights != session.Mail.RightsVersion;
        if (isNoticed && request.Groups.Count > 0)
        {
            var now = Look();
            if (now.All.Count > MaxMailboxes) return false;
            await TellNamesAsync(now);
            foreach (var seen in now.All)
            {
                if (known.TryGetValue(seen.Mailbox.Id, out var before) && session.Selected?.Id != seen.Mailbox.Id) TellMessages(before, seen);
                known[seen.Mailbox.Id] = seen;
                if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
            }
        }
        own.Clear();
        added.Clear();
        return true;
    }

    // RFC 5465 5.4, 5.5; a right to list that is given or taken is as good as a name that comes or goes
    async ValueTask TellNamesAsync(View now)
    {
        var ids = now.All.Select(seen => seen.Mailbox.Id).ToHashSet();
        var parents = new Dictionary<string, bool>();
        var renamed = new List<(string From, string To)>();
        foreach (var gone in known.Values.Where(seen => !ids.Contains(seen.Mailbox.Id)).OrderBy(seen => seen.Name, StringComparer.Ordinal).ToList())
        {
            known.Remove(gone.Mailbox.Id);
            if (own.Contains(gone.Name) || (EventsOf(gone) & WatchEvents.MailboxName) == 0) continue;
            if (now.Names.GetValueOrDefault(gone.Name)?.Mailbox is null) ListLine.Write(session.Writer, Nonexistent(gone.Name, now), gone.Name);
            parents.TryAdd(Parent(gone.Name), gone.Access.IsOwn);
        }
        foreach (var seen in now.All)
        {
            var before = known.GetValueOrDefault(seen.Mailbox.Id);
            if (before is not null && before.Name == seen.Name && before.Subscribed == seen.Subscribed || own.Contains(seen.Name)) continue;
            var events = EventsOf(seen) | (before is null ? WatchEvents.None : EventsOf(before));
            var isRenamed = before is not null && before.Name != seen.Name;
            if (isRenamed)
            {
                // RFC 5465 5.4: the names below go along without being told
                if (renamed.Exists(r => before!.Name.StartsWith(r.From + "/", StringComparison.Ordinal) && seen.Name == r.To + before.Name[r.From.Length..])) continue;
                renamed.Add((before!.Name, seen.Name));
            }
            var isNamed = before is null || isRenamed;
            if ((events & (isNamed ? WatchEvents.MailboxName : WatchEvents.SubscriptionChange)) == 0) continue;
            ListLine.Write(session.Writer, ListLine.Attributes(now.Names[seen.Name]), seen.Name, isRenamed ? before!.Name : null);
            if (before is null) parents.TryAdd(Parent(seen.Name), seen.Access.IsOwn);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
        foreach (var (name, isOwn) in parents.OrderBy(p => p.Key, StringComparer.Ordinal)) TellParent(name, isOwn, now);
    }

    // RFC 5465 5.4: the parent of what has come or gone is affected too, whether it is a mailbox or not
    void TellParent(string name, bool isOwn, View now)
    {
        if (name.Length == 0 || own.Contains(name)) return;
        var entry = now.Names.GetValueOrDefault(name);
        if ((EventsOf(name, entry?.Subscribed == true, isOwn) & WatchEvents.MailboxName) == 0) return;
        var seen = now.All.Find(one => one.Name == name);
        if (seen is not null && !known.ContainsKey(seen.Mailbox.Id)) return; // told as new
        ListLine.Write(session.Writer, seen is null ? Nonexistent(name, now) : ListLine.Attributes(entry), name);
    }

    static string Nonexistent(string name, View now) => now.Names.GetValueOrDefault(name) is { HasChildren: true } ? "\\NonExistent \\HasChildren" : "\\NonExistent";

    static string Parent(string name) => name.LastIndexOf('/') is > 0 and var end ? name[..end] : "";

    // RFC 5465 5.1-5.3: of a mailbox that is not selected, by STATUS; 5.9: as long as it may be read
    void TellMessages(Seen old, Seen seen)
    {
        var (before, now) = (old.Mailbox, seen.Mailbox);
        if (before.ModSeq == now.ModSeq && before.UidNext == now.UidNext && before.Messages == now.Messages) return;
        var events = EventsOf(seen) & WatchEvents.OfMessages;
        if (events == 0 || !seen.Access.Has(Rights.Read)) return;
        // nothing but what this client has added itself
        if (added.TryGetValue(now.UidValidity, out var set) && set.Ranges.Sum(r => r.To - r.From + 1L) is var count
            && now.UidNext == before.UidNext + count && now.Messages == before.Messages + count) return;
        var modseq = session.CondStore ? StatusItems.HighestModSeq : StatusItems.None;
        var unseen = (events & WatchEvents.FlagChange) != 0 && before.Unseen != now.Unseen ? StatusItems.Unseen : StatusItems.None;
        if (before.UidNext != now.UidNext || before.Messages != now.Messages)
            StatusCommand.Write(session, seen.Access, StatusItems.Messages | StatusItems.UidNext | StatusItems.UidValidity | unseen | modseq, default);
        else if ((events & WatchEvents.FlagChange) != 0 && (unseen | modseq) != 0)
            StatusCommand.Write(session, seen.Access, StatusItems.UidValidity | unseen | modseq, default);
    }

    public void Dispose()
    {
        foreach (var subscription in subscriptions.Values) subscription.Dispose();
        subscriptions.Clear();
        Volatile.Read(ref waiter)?.TrySetResult();
    }
}
