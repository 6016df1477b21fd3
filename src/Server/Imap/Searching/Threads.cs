namespace CbaMail.Imap.Searching;

/// <summary>A message as threading sees it.</summary>
/// <param name="Index">Its place in the mailbox.</param>
/// <param name="Id">The number of its Message-ID (<see cref="Mime.Lineage"/>), or 0.</param>
/// <param name="References">The numbers of its ancestors, the eldest first.</param>
internal sealed record ThreadMessage(int Index, long Id, ReadOnlyMemory<long> References, string Subject, bool IsReply, long Sent, long Received);

/// <summary>A message in its thread, or a place that is kept for one that is not there.</summary>
internal sealed class ThreadNode(ThreadMessage? message)
{
    public ThreadMessage? Message { get; set; } = message;
    public ThreadNode? Parent { get; set; }
    public List<ThreadNode> Children { get; set; } = None;
    /// <summary>How many have it as parent while threads are linked.</summary>
    public int Links { get; set; }
    public bool IsDummy => Message is null;
    /// <summary>What it is sorted by.</summary>
    public long Date { get; set; }
    public int Index { get; set; }
    /// <summary>The newest arrival in its thread.</summary>
    public long Newest { get; set; }

    static readonly List<ThreadNode> None = []; // most have no children

    public void Add(ThreadNode child)
    {
        if (Children == None) Children = new(2);
        Children.Add(child);
    }
}

/// <summary>The threading algorithms (RFC 5256 4; REFS: draft-ietf-morg-inthread). All loops are flat: a thread may be as deep as the mailbox is long.</summary>
internal static class Threads
{
    // how far up a loop is looked for; what is deeper is not linked
    const int MostAncestors = 2000;
    // places that are kept for messages that are not there; who is only named beyond that joins nothing
    const int MostPlaces = 20_000, MostPlacesAMessage = 3;

    /// <summary>RFC 5256 4, ORDEREDSUBJECT: one thread a subject, all later messages children of the first.</summary>
    public static List<ThreadNode> OrderedSubject(List<ThreadMessage> messages)
    {
        var roots = new Dictionary<string, ThreadNode>(StringComparer.Ordinal);
        var threads = new List<ThreadNode>();
        foreach (var message in messages.OrderBy(m => m.Sent).ThenBy(m => m.Index))
        {
            var node = new ThreadNode(message);
            if (roots.TryAdd(message.Subject, node)) threads.Add(node);
            else roots[message.Subject].Add(node);
        }
        return threads;
    }

    /// <summary>RFC 5256 4, REFERENCES.</summary>
    public static List<ThreadNode> References(List<ThreadMessage> messages)
    {
        var roots = Linked(messages);
        SortRoots(roots, m => m.Sent);
        roots = BySubject(roots);
        SortAll(roots, m => m.Sent);
        return roots;
    }

    /// <summary>As REFERENCES, without looking at subjects; threads by the newest arrival in them.</summary>
    public static List<ThreadNode> Refs(List<ThreadMessage> messages)
    {
        var roots = Linked(messages);
        var order = SortAll(roots, m => m.Received);
        for (var i = order.Count - 1; i >= 0; i--)
        {
            var node = order[i];
            node.Newest = node.Message?.Received ?? long.MinValue;
            foreach (var child in node.Children) node.Newest = Math.Max(node.Newest, child.Newest);
        }
        roots.Sort((a, b) => a.Newest != b.Newest ? a.Newest.CompareTo(b.Newest) : a.Index.CompareTo(b.Index));
        return roots;
    }

    // steps (1) to (3)
    static List<ThreadNode> Linked(List<ThreadMessage> messages)
    {
        var nodes = new Dictionary<long, ThreadNode>(messages.Count);
        var all = new List<ThreadNode>(messages.Count);
        var places = MostPlaces + MostPlacesAMessage * messages.Count;
        ThreadNode? Of(long id)
        {
            if (nodes.TryGetValue(id, out var known)) return known;
            if (places-- <= 0) return null;
            all.Add(known = new ThreadNode(null));
            return nodes[id] = known;
        }
        // RFC 5256 4 (1): of several with one Message-ID the first has it
        var owns = new List<ThreadNode>(messages.Count);
        foreach (var message in messages)
        {
            var own = new ThreadNode(message);
            all.Add(own);
            owns.Add(own);
            if (message.Id != 0) nodes.TryAdd(message.Id, own);
        }
        foreach (var own in owns)
        {
            // (1)(A): what is linked already stays
            ThreadNode? parent = null;
            foreach (var reference in own.Message!.References.Span)
            {
                if (Of(reference) is not { } node) continue;
                if (parent is not null && node.Parent is null && node != own) Link(parent, node);
                parent = node;
            }
            // (1)(B): its own field is the better word
            if (parent is null || parent == own)
            {
                if (own.Parent is not null) Unlink(own);
                continue;
            }
            if (own.Parent == parent) continue;
            if (own.Parent is not null) Unlink(own);
            Link(parent, own);
        }
        // (2)
        foreach (var node in all) node.Parent?.Add(node);
        return Pruned([.. all.Where(n => n.Parent is null)]);
    }

    static bool Link(ThreadNode parent, ThreadNode child)
    {
        if (parent == child) return false;
        // one without children is nobody's ancestor
        if (child.Links > 0)
        {
            var steps = 0;
            for (var above = parent.Parent; above is not null; above = above.Parent)
                if (above == child || ++steps > MostAncestors) return false;
        }
        child.Parent = parent;
        parent.Links++;
        return true;
    }

    static void Unlink(ThreadNode child)
    {
        child.Parent!.Links--;
        child.Parent = null;
    }

    // (3): places without a message go, their children go up to the next that stays; at the top they stay while they hold several together
    static List<ThreadNode> Pruned(List<ThreadNode> roots)
    {
        var order = Flat(roots);
        foreach (var node in order)
            if (node.Children.Count > 0) node.Children = new(2);
        // parents come first: each has found its own by then
        foreach (var node in order)
        {
            if (node.Parent is not { } parent) continue;
            if (parent is { IsDummy: true, Parent: { } above }) node.Parent = parent = above;
            if (!node.IsDummy) parent.Add(node);
        }
        return [.. roots.SelectMany(r => !r.IsDummy || r.Children.Count > 1 ? [r] : r.Children)];
    }

    /// <summary>The nodes, parents before their children.</summary>
    static List<ThreadNode> Flat(List<ThreadNode> roots)
    {
        var order = new List<ThreadNode>(roots);
        for (var i = 0; i < order.Count; i++) order.AddRange(order[i].Children);
        return order;
    }

    // (4), and (5)(C) where the date of a place is needed: that of its first child
    static void SortRoots(List<ThreadNode> roots, Func<ThreadMessage, long> date)
    {
        foreach (var root in roots.Where(r => r.IsDummy))
        {
            foreach (var child in root.Children) (child.Date, child.Index) = (date(child.Message!), child.Message!.Index);
            Sort(root.Children);
        }
        foreach (var root in roots) Value(root, date);
        Sort(roots);
    }

    // (6): all siblings, the deepest first
    static List<ThreadNode> SortAll(List<ThreadNode> roots, Func<ThreadMessage, long> date)
    {
        var order = Flat(roots);
        for (var i = order.Count - 1; i >= 0; i--)
        {
            Sort(order[i].Children);
            Value(order[i], date);
        }
        Sort(roots);
        return order;
    }

    static void Value(ThreadNode node, Func<ThreadMessage, long> date) =>
        (node.Date, node.Index) = node.Message is { } message ? (date(message), message.Index) : (node.Children[0].Date, node.Children[0].Index);

    static void Sort(List<ThreadNode> nodes)
    {
        if (nodes.Count > 1) nodes.Sort((a, b) => a.Date != b.Date ? a.Date.CompareTo(b.Date) : a.Index.CompareTo(b.Index));
    }

    // (5): threads of one subject become one
    static List<ThreadNode> BySubject(List<ThreadNode> roots)
    {
        static ThreadMessage First(ThreadNode node) => node.Message ?? node.Children[0].Message!;
        var table = new Dictionary<string, ThreadNode>(StringComparer.Ordinal);
        foreach (var root in roots)
        {
            // (5)(B)
            var (subject, isReply) = (First(root).Subject, First(root).IsReply);
            if (subject.Length == 0 || table.TryAdd(subject, root)) continue;
            var other = table[subject];
            if (!other.IsDummy && (root.IsDummy || First(other).IsReply && !isReply)) table[subject] = root;
        }
        // a thread that two were put together in stands where the one from the table stood
        var places = new Dictionary<ThreadNode, ThreadNode>();
        var gone = new HashSet<ThreadNode>();
        foreach (var root in roots)
        {
            // (5)(C)
            var subject = First(root).Subject;
            if (subject.Length == 0 || table[subject] is var other && other == root) continue;
            gone.Add(root);
            if (root.IsDummy && other.IsDummy) other.Children.AddRange(root.Children); // both have some
            else if (other.IsDummy || First(root).IsReply && !First(other).IsReply) other.Add(root);
            else
            {
                var together = new ThreadNode(null) { Children = [other, root] };
                places[other] = together;
                table[subject] = together;
            }
        }
        return [.. roots.Where(r => !gone.Contains(r)).Select(r => places.GetValueOrDefault(r, r))];
    }
}
