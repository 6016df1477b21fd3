using CbaMail.Imap.Commands;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Searching;

/// <summary>
/// The searches of which a client hears how their results change: RETURN (UPDATE), ADDTO, REMOVEFROM (RFC 5267 4.3).
/// They end with the selection of their mailbox.
/// </summary>
internal sealed class SearchContexts
{
    /// <summary>Searches that are kept up to date; each costs every change of a message a look (RFC 5267 4.3.1).</summary>
    public const int Most = 10;
    /// <summary>Results of one that has an order.</summary>
    public const int MostSorted = 50_000;
    /// <summary>Octets that a connection's results may take, of which the first search may have more.</summary>
    const int MostMemory = 1 << 20;
    /// <summary>Reads of rows and bodies before the snapshot is renewed, as in a search.</summary>
    const int ReadsASnapshot = 400;

    sealed class Context(string tag, bool byUid, SearchKey key, SortOrder? order, List<uint> uids, FetchItems? items)
    {
        public string Tag => tag;
        public FetchItems? Items => items;
        public bool ByUid => byUid;
        public SearchKey Key => key;
        public SortOrder? Order => order;
        /// <summary>The results as the client has them: rising, or in their order.</summary>
        public List<uint> Uids => uids;
        public long Memory => SearchContexts.Memory(order, uids);
        readonly HashSet<uint>? members = order is null ? null : [.. uids];
        public List<(bool Add, int Position, uint Uid)> News { get; } = [];

        public bool Has(uint uid) => members?.Contains(uid) ?? uids.BinarySearch(uid) >= 0;

        public void Insert(int at, uint uid)
        {
            uids.Insert(at, uid);
            members?.Add(uid);
            News.Add((true, order is null ? 0 : at + 1, uid));
        }

        public void Remove(uint uid)
        {
            var at = order is null ? uids.BinarySearch(uid) : uids.IndexOf(uid);
            uids.RemoveAt(at);
            members?.Remove(uid);
            News.Add((false, order is null ? 0 : at + 1, uid));
        }
    }

    readonly List<Context> contexts = [];

    static long Memory(SortOrder? order, List<uint> uids) => uids.Count * (order is null ? 4L : 24L);

    public bool IsEmpty => contexts.Count == 0;

    public bool Has(string tag) => contexts.Exists(c => c.Tag == tag);

    /// <returns>False where there are too many: NOUPDATE.</returns>
    public bool Add(string tag, bool byUid, SearchKey key, SortOrder? order, List<uint> uids, FetchItems? items)
    {
        if (contexts.Count >= Most || order is not null && uids.Count > MostSorted) return false;
        if (contexts.Count > 0 && contexts.Sum(c => c.Memory) + Memory(order, uids) > MostMemory) return false; // RFC 5267 4.3.1: one at least
        contexts.Add(new Context(tag, byUid, key, order, uids, items));
        return true;
    }

    public bool Cancel(string tag) => contexts.RemoveAll(c => c.Tag == tag) > 0;

    /// <summary>REMOVEFROM for messages of which the EXPUNGE comes next, or later: their numbers are still valid (RFC 5267 4.3.4, A.3).</summary>
    public void TellExpunged(ImapWriter writer, SelectedMailbox mailbox)
    {
        if (mailbox.Vanished.Count == 0) return;
        foreach (var context in contexts)
        {
            foreach (var uid in mailbox.Vanished.Where(context.Has).Order().ToList()) context.Remove(uid);
            Write(writer, mailbox, context);
        }
    }

    /// <summary>Judges messages that are new or have changed; EXISTS and FETCH have told of them (RFC 5267 4.3.3).</summary>
    /// <param name="news">Indexes of the messages that are new.</param>
    public async ValueTask TellChangedAsync(ImapSession session, SelectedMailbox mailbox, IReadOnlyList<uint> touched, (int First, int Last)? news)
    {
        var candidate = new SearchCandidate(mailbox);
        for (var next = 0; next < touched.Count;)
        {
            session.Cancel.ThrowIfCancellationRequested();
            using (var reader = session.Mail.Read())
                for (candidate.Reads = 0; next < touched.Count && candidate.Reads < ReadsASnapshot; next++) Judge(candidate, reader, mailbox, touched[next]);
            if (next < touched.Count) await Task.Yield();
        }
        foreach (var context in contexts)
        {
            // RFC 5465 7: FETCH comes before ESEARCH, and only of messages that are new
            if (context.Items is { } items && news is { } range)
                await FetchCommand.TellAsync(session, mailbox, items, [.. context.News.Where(n => n.Add).Select(n => mailbox.IndexOf(n.Uid)).Where(i => i >= range.First && i <= range.Last).Order()]);
            Write(session.Writer, mailbox, context);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }

    void Judge(SearchCandidate candidate, MailReader reader, SelectedMailbox mailbox, uint uid)
    {
        var index = mailbox.IndexOf(uid);
        if (index < 0 || mailbox.Vanished.Contains(uid)) return;
        candidate.MoveTo(index, reader);
        foreach (var context in contexts)
        {
            var matches = context.Key.Matches(candidate);
            if (matches == context.Has(uid)) continue;
            if (!matches) context.Remove(uid);
            else
            {
                context.Insert(Place(context, reader, mailbox, uid), uid);
                if (context.Order is not null) candidate.Reads += 16;
            }
        }
    }

    static int Place(Context context, MailReader reader, SelectedMailbox mailbox, uint uid)
    {
        if (context.Order is not { } order) return ~context.Uids.BinarySearch(uid);
        var keys = order.KeysOf(reader, mailbox.Id, uid);
        var (low, high) = (0, context.Uids.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var other = context.Uids[middle];
            var difference = order.Compare(order.KeysOf(reader, mailbox.Id, other), keys);
            if (difference < 0 || difference == 0 && other < uid) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    static void Write(ImapWriter writer, SelectedMailbox mailbox, Context context)
    {
        if (context.News.Count == 0) return;
        writer.Write("* ESEARCH (TAG "u8).String(context.Tag).Write(context.ByUid ? ") UID"u8 : ")"u8);
        if (context.Order is null)
        {
            Set(writer, mailbox, context, " REMOVEFROM (0 ", add: false);
            Set(writer, mailbox, context, " ADDTO (0 ", add: true);
        }
        else
            foreach (var (add, position, uid) in context.News)
                writer.Write(add ? " ADDTO ("u8 : " REMOVEFROM ("u8).Write(position).Space().Write(Number(mailbox, context, uid)).Write(")"u8);
        writer.EndLine();
        context.News.Clear();
    }

    static void Set(ImapWriter writer, SelectedMailbox mailbox, Context context, string head, bool add)
    {
        var numbers = context.News.Where(n => n.Add == add).Select(n => Number(mailbox, context, n.Uid)).Order().ToList();
        if (numbers.Count > 0) writer.Write(head).Write(ImapWriter.Set(numbers)).Write(")"u8);
    }

    static uint Number(SelectedMailbox mailbox, Context context, uint uid) => context.ByUid ? uid : (uint)mailbox.IndexOf(uid) + 1;
}
