namespace CbaMail.Tests.House;

/// <summary>The order of rooms, read from docs/layers.txt: top first, rooms on one line beside each other.</summary>
internal sealed class RoomOrder
{
    public const string FormatsLine = "--- Formats ---";
    private readonly Dictionary<string, int> level = [];
    private readonly int formatsLevel = int.MaxValue;
    private readonly string root;

    public RoomOrder(IEnumerable<string> lines, string root)
    {
        this.root = root;
        var depth = 0;
        foreach (var line in lines.Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#'))
        {
            if (line == FormatsLine) formatsLevel = depth;
            else
            {
                foreach (var room in line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) level.Add(room, depth);
                depth++;
            }
        }
    }

    public IEnumerable<string> Rooms => level.Keys;

    public bool IsFormats(string room) => level[room] >= formatsLevel;

    /// <summary>The room of a namespace of ours: the longest listed name that begins it. Null: it is no room of the list.</summary>
    public string? RoomOf(string ns)
    {
        if (ns == root) return "Program";
        var rest = ns.StartsWith(root + ".", StringComparison.Ordinal) ? ns[(root.Length + 1)..] : null;
        while (rest is { Length: > 0 })
        {
            if (level.ContainsKey(rest)) return rest;
            var dot = rest.LastIndexOf('.');
            rest = dot < 0 ? null : rest[..dot];
        }
        return null;
    }

    public bool IsOurs(string ns) => ns == root || ns.StartsWith(root + ".", StringComparison.Ordinal);

    public bool MayUse(string from, string to) => from == to || level[from] < level[to];

    /// <summary>One sentence for every use that goes up or sideways and every namespace that is no room.</summary>
    public IEnumerable<string> Breaches(IEnumerable<Use> uses)
    {
        foreach (var use in uses)
        {
            if (!IsOurs(use.FromNamespace) || !IsOurs(use.ToNamespace)) continue;
            var (from, to) = (RoomOf(use.FromNamespace), RoomOf(use.ToNamespace));
            if (from is null) yield return $"{use.FromNamespace} is no room of docs/layers.txt";
            else if (to is null) yield return $"{use.ToNamespace} is no room of docs/layers.txt";
            else if (!MayUse(from, to))
                yield return $"{use}: {from} stands {(level[from] == level[to] ? "beside" : "below")} {to} and may not use it";
        }
    }
}
