using System.Text;

namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>FETCH, SEARCH and the reselection of a mailbox that the client has known (RFC 7162 3.2.5).</summary>
sealed partial class ModelSteps
{
    public async Task FetchAsync()
    {
        var view = peer.View!;
        var byUid = DrawByUid(view);
        var (set, entries) = AnySet(view, byUid);
        var items = One(["(UID FLAGS)", "(FLAGS)", "(UID RFC822.SIZE FLAGS)", "(UID FLAGS MODSEQ)", "(UID BODY[TEXT]<0.5>)", "RFC822.SIZE"]);
        if (peer.Manner == Manner.QResync) items = items.Replace("(FLAGS)", "(UID FLAGS)", StringComparison.Ordinal).Replace("RFC822.SIZE", items[0] == '(' ? "RFC822.SIZE" : "(UID)", StringComparison.Ordinal);
        var since = items.Contains("FLAGS", StringComparison.Ordinal) && Chance(25) ? Since(view) : null;
        var earlier = since is not null && byUid && peer.Manner == Manner.QResync && Chance(50);
        if (since is not null || items.Contains("MODSEQ", StringComparison.Ordinal)) peer.CondStore = true;
        var known = entries.ToDictionary(e => e, e => e.Known);
        var targets = There(view, entries);
        if (items.Contains("BODY[", StringComparison.Ordinal) && !view.IsReadOnly) ModelWorld.Store(view.Box, targets, "+", ModelFlags.Seen, null); // RFC 9051 6.4.5
        var command = $"{(byUid ? "UID " : "")}FETCH {set} {items}{(since is null ? "" : $" (CHANGEDSINCE {since}{(earlier ? " VANISHED" : "")})")}";
        var answer = await peer.SendAsync(command, holds: !byUid);
        world.Demand(answer.Kind == "OK" || answer.Code == "EXPUNGEISSUED" && targets.Count < entries.Count, $"FETCH was answered {answer.Kind} [{answer.Code}]");
        foreach (var letter in targets)
        {
            var entry = entries.Find(e => e.Uid == letter.Uid)!;
            var wanted = since is null || known[entry] > since;
            world.Demand(!wanted || answer.Fetched.Exists(f => f.Entry == entry), $"UID {letter.Uid} was asked for, and nothing said of it");
        }
        if (since is not null)
            foreach (var fetched in answer.Fetched)
                world.Demand(view.LetterOf(fetched.Entry) is null or { IsGone: true } || fetched.Entry.Known > since, $"UID {fetched.Entry.Uid} has not changed since {since}");
        if (earlier) CheckEarlier(view.Box, answer.Earlier, []);
        else world.Demand(answer.Earlier.Count == 0, "VANISHED (EARLIER) was not asked for");
        Done(answer, holds: !byUid);
    }

    long? Since(ModelView view) => view.Entries.Count == 0 ? 1 : Math.Max(1, One(view.Entries).Known - random.Next(2));

    // ---- SEARCH

    sealed record Seen(int Number, uint Uid, int Flags, long ModSeq, long Size);

    (string Text, Func<Seen, bool> Holds) AnyKey(ModelView view, int depth)
    {
        var bit = random.Next(ModelFlags.Names.Length);
        var word = ModelFlags.Names[bit];
        var isSystem = word[0] == '\\';
        switch (random.Next(depth > 2 ? 6 : 9))
        {
            case 0: return ("ALL", _ => true);
            case 1: return (isSystem ? word[1..].ToUpperInvariant() : "KEYWORD " + word, s => (s.Flags & (1 << bit)) != 0);
            case 2: return (isSystem ? "UN" + word[1..].ToUpperInvariant() : "UNKEYWORD " + word, s => (s.Flags & (1 << bit)) == 0);
            case 3:
                var (uids, among) = AnySet(view, byUid: true);
                var named = among.Select(e => e.Uid).ToHashSet();
                return ("UID " + uids, s => named.Contains(s.Uid));
            case 4 when !peer.IsUidOnly && view.Entries.Count > 0:
                var (numbers, these) = AnySet(view, byUid: false);
                var chosen = these.Select(e => e.Uid).ToHashSet();
                return (numbers, s => chosen.Contains(s.Uid));
            case 5 when peer.CondStore:
                var since = Since(view)!.Value;
                return ($"MODSEQ {since}", s => s.ModSeq >= since);
            case 4 or 5:
                var size = 150 + random.Next(400);
                return ($"LARGER {size}", s => s.Size > size);
            case 6:
                var not = AnyKey(view, depth + 1);
                return ("NOT " + not.Text, s => !not.Holds(s));
            case 7:
                var (one, two) = (AnyKey(view, depth + 1), AnyKey(view, depth + 1));
                return ($"OR {one.Text} {two.Text}", s => one.Holds(s) || two.Holds(s));
            default:
                var (left, right) = (AnyKey(view, depth + 1), AnyKey(view, depth + 1));
                return ($"({left.Text} {right.Text})", s => left.Holds(s) && right.Holds(s));
        }
    }

    public async Task SearchAsync()
    {
        var view = peer.View!;
        var byUid = peer.IsUidOnly || Chance(50);
        var key = AnyKey(view, 0);
        var before = view.Entries.Select((e, i) => (Entry: e, State: new Seen(i + 1, e.Uid, e.Flags, e.Known, view.LetterOf(e)?.Size ?? 0))).ToList();
        var answer = await peer.OkAsync($"{(byUid ? "UID " : "")}SEARCH {key.Text}", holds: !byUid);
        var found = (answer.Found ?? throw world.Wrong("SEARCH has found nothing, and not even said so")).ToHashSet();
        foreach (var (entry, old) in before)
        {
            // one that others have removed may be found or not; one that they have changed may be judged by either state
            if (view.LetterOf(entry) is not { IsGone: false } letter) { found.Remove(byUid ? old.Uid : (uint)old.Number); continue; }
            var now = old with { Flags = letter.Flags, ModSeq = letter.ModSeq };
            var isFound = found.Remove(byUid ? old.Uid : (uint)old.Number);
            world.Demand(isFound == key.Holds(old) || isFound == key.Holds(now), $"UID {old.Uid}, number {old.Number}, is {(isFound ? "" : "not ")}found; it has ({ModelFlags.Text(letter.Flags)}), MODSEQ {letter.ModSeq}, {letter.Size} octets");
        }
        world.Demand(found.Count == 0, $"{NumberSets.Write(found)} found, which do not exist");
        world.Demand(answer.FoundModSeq is not null == (answer.Found!.Count > 0 && key.Text.Contains("MODSEQ", StringComparison.Ordinal)), "MODSEQ goes with a SEARCH for it, and with no other"); // RFC 7162 3.1.5
        Done(answer, holds: !byUid);
    }

    // ---- QRESYNC

    /// <summary>The UIDs that the client says it knows, or null where it leaves them out.</summary>
    List<uint>? Known(Keepsake kept) => Chance(40) || kept.Flags.Count == 0 ? null : Chance(50) ? [.. kept.Flags.Keys] : [.. kept.Flags.Keys.Where(_ => Chance(60)).DefaultIfEmpty(kept.Flags.Keys[0])];

    string Parameter(Keepsake kept, List<uint>? known)
    {
        var text = new StringBuilder($" (QRESYNC ({kept.Validity} {kept.ModSeq}");
        if (known is not null) text.Append(' ').Append(NumberSets.Write(known));
        if (kept.Flags.Count > 0 && Chance(40))
        {
            // RFC 7162 3.2.5.2: some numbers, and the UIDs that they had
            var picked = Enumerable.Range(0, kept.Flags.Count).Where(i => i == kept.Flags.Count / 2 || Chance(30)).ToList();
            text.Append(" (").AppendJoin(',', picked.Select(i => i + 1)).Append(' ').AppendJoin(',', picked.Select(i => kept.Flags.Keys[i])).Append(')');
        }
        return text.Append("))").ToString();
    }

    /// <summary>Before the answer the client believes what it believed then.</summary>
    static void Remember(ModelView view, Keepsake kept, List<uint>? known)
    {
        foreach (var entry in view.Entries)
        {
            var isKnown = kept.Flags.TryGetValue(entry.Uid, out var flags) && known?.Contains(entry.Uid) != false;
            (entry.Flags, entry.Known) = isKnown ? (flags, 0) : (ModelFlags.Unknown, 0);
        }
    }

    void CheckResync(ModelView view, Keepsake kept, List<uint>? known, Answer answer)
    {
        var expected = kept.Flags.Keys.Where(uid => known?.Contains(uid) != false && !view.Box.Letters.ContainsKey(uid)).ToList();
        CheckEarlier(view.Box, answer.Earlier, expected);
        if (known is not null) world.Demand(answer.Earlier.TrueForAll(known.Contains), $"VANISHED (EARLIER) {NumberSets.Write(answer.Earlier)} for who knows {NumberSets.Write(known)}");
        foreach (var letter in view.Box.Letters.Values)
        {
            var isTold = answer.Fetched.Exists(f => f.Entry.Uid == letter.Uid && f.Flags is not null);
            world.Demand(isTold == (letter.ModSeq > kept.ModSeq && known?.Contains(letter.Uid) != false), $"UID {letter.Uid} of MODSEQ {letter.ModSeq} is {(isTold ? "" : "not ")}told to who knows {kept.ModSeq}");
        }
    }

    void CheckEarlier(Box box, List<uint> told, List<uint> expected)
    {
        world.Demand(expected.TrueForAll(told.Contains), $"{box}: VANISHED (EARLIER) {NumberSets.Write(told)}, expected at least {NumberSets.Write(expected)}");
        world.Demand(!told.Exists(box.Letters.ContainsKey), $"{box}: VANISHED (EARLIER) {NumberSets.Write(told)}, and of these some are there");
        world.Demand(told.TrueForAll(uid => uid < box.UidNext), $"{box}: VANISHED (EARLIER) {NumberSets.Write(told)} is above UIDNEXT {box.UidNext}");
    }
}
