using System.Text;

namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>The commands of a client: each is drawn, sent, done in the model, and its answer laid beside what the model says.</summary>
sealed partial class ModelSteps(ModelWorld world, ModelPeer peer, Random random)
{
    static readonly string[] Names = ["INBOX", "INBOX", "INBOX", "a", "a", "b", "a/x", "a/y", "b/x", "b/y", "INBOX/in"];
    const int MostLetters = 25;

    public ModelPeer Peer => peer;

    T One<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];
    bool Chance(int percent) => random.Next(100) < percent;
    string AnyName() => One(Names);

    /// <summary>A set of the client, and whom it means by its view.</summary>
    (string Text, List<Entry> Entries) AnySet(ModelView view, bool byUid)
    {
        var top = byUid ? (int)Math.Max(view.LastUid, 1) + 3 : view.Entries.Count;
        var last = byUid ? view.LastUid : (uint)view.Entries.Count;
        var (text, ranges) = (new StringBuilder(), new List<(uint, uint)>());
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var from = (uint)random.Next(1, top + 1);
            var to = Chance(50) ? from : (uint)Math.Min(top, from + random.Next(4));
            var (open, fall) = (Chance(8), Chance(10));
            if (text.Length > 0) text.Append(',');
            text.Append(open ? $"{from}:*" : from == to ? $"{from}" : fall ? $"{to}:{from}" : $"{from}:{to}");
            ranges.Add(open ? (Math.Min(from, last), Math.Max(from, last)) : (from, to));
        }
        var entries = view.Entries.Where((e, i) => ranges.Exists(r => (byUid ? e.Uid : (uint)i + 1) >= r.Item1 && (byUid ? e.Uid : (uint)i + 1) <= r.Item2)).ToList();
        return (text.ToString(), entries);
    }

    List<Letter> There(ModelView view, IEnumerable<Entry> entries) => [.. entries.Select(view.LetterOf).OfType<Letter>().Where(l => !l.IsGone)];

    bool DrawByUid(ModelView view) => peer.IsUidOnly || view.Entries.Count == 0 || Chance(50);

    int AnyFlags() => random.Next(1 << ModelFlags.Names.Length) & random.Next(1 << ModelFlags.Names.Length);

    /// <summary>The client must know now what the model says.</summary>
    void Done(Answer answer, bool holds = false)
    {
        if (peer.View is { Box.IsDeleted: false } view && answer.Kind != "BAD") view.Settle(expunges: !holds);
    }

    public async Task NoopAsync()
    {
        var knew = peer.View?.Entries.ToDictionary(e => e, e => e.Known);
        var answer = await peer.OkAsync(Chance(20) && peer.View is not null ? "CHECK" : "NOOP");
        foreach (var (entry, _, modseq) in answer.Fetched)
            world.Demand(knew!.GetValueOrDefault(entry) < (modseq ?? peer.View!.LetterOf(entry)?.ModSeq ?? long.MaxValue), $"UID {entry.Uid} is told again though nothing has changed");
        Done(answer);
        if (peer is { View: { } view, Manner: Manner.QResync } && Chance(30)) Keep(view);
    }

    void Keep(ModelView view)
    {
        if (peer.Keepsakes.Count > 8) peer.Keepsakes.RemoveAt(random.Next(8));
        peer.Keepsakes.Add(new Keepsake(view.Box.Name, view.Box.Validity, Math.Max(1, view.Box.ModSeq), new(view.Entries.ToDictionary(e => e.Uid, e => e.Flags))));
    }

    public async Task SelectAsync()
    {
        var name = AnyName();
        var readOnly = Chance(20);
        var had = peer.View is not null;
        world.Boxes.TryGetValue(name, out var box);
        var view = box is null ? null : new ModelView(world, box, readOnly, peer.Number);
        foreach (var letter in box?.Letters.Values ?? []) view!.Entries.Add(new Entry(letter.Uid, letter.Flags, letter.ModSeq));
        var kept = peer.Manner == Manner.QResync ? peer.Keepsakes.FindLast(k => k.Name == name && Chance(60)) : null;
        var known = kept is null ? null : Known(kept);
        var isSame = kept is not null && view is not null && kept.Validity == box!.Validity;
        if (isSame) Remember(view!, kept!, known);
        var parameter = kept is not null ? Parameter(kept, known) : Chance(10) ? " (CONDSTORE)" : "";
        if (parameter.Length > 0) peer.CondStore = true;
        peer.View = view;
        var answer = await peer.SendAsync($"{(readOnly ? "EXAMINE" : "SELECT")} {name}{parameter}");
        world.Demand(answer.Codes.Exists(c => c == "CLOSED") == had, "CLOSED is told when a mailbox was open, and only then"); // RFC 9051 7.1
        if (box is null)
        {
            world.Demand(answer.Kind == "NO", $"{name} does not exist, and was opened");
            return;
        }
        world.Demand(answer.Kind == "OK" && answer.Code == (readOnly ? "READ-ONLY" : "READ-WRITE"), $"{answer.Kind} [{answer.Code}] for {name}");
        CheckSelected(box, answer);
        if (isSame) CheckResync(view!, kept!, known, answer);
        else world.Demand(answer.Earlier.Count == 0 && answer.Fetched.Count == 0, "news of a mailbox that the client did not know");
        Done(answer);
    }

    void CheckSelected(Box box, Answer answer)
    {
        void Same(string code, long expected) =>
            world.Demand(answer.CodeOf(code) == $"{expected}", $"{box}: {code} is {answer.CodeOf(code) ?? "not told"}, expected {expected}");
        world.Demand(answer.Exists == box.Letters.Count, $"{box}: {answer.Exists} EXISTS");
        Same("UIDVALIDITY", box.Validity);
        Same("UIDNEXT", box.UidNext);
        Same("HIGHESTMODSEQ", Math.Max(1, box.ModSeq));
        var unseen = box.Letters.Values.ToList().FindIndex(l => (l.Flags & ModelFlags.Seen) == 0);
        // RFC 9051 appendix E 11
        if (unseen < 0 || peer.Manner is Manner.Rev2 or Manner.UidOnly) world.Demand(answer.CodeOf("UNSEEN") is null, "UNSEEN is told and there is none");
        else Same("UNSEEN", unseen + 1);
        foreach (var word in ModelFlags.Names.Where((_, i) => box.Letters.Values.Any(l => (l.Flags & (1 << i)) != 0)))
            world.Demand(answer.Flags?.Contains(word, StringComparison.Ordinal) == true, $"{box}: FLAGS does not name {word}");
    }

    public async Task StoreAsync(bool isAlone = true)
    {
        var view = peer.View!;
        var byUid = DrawByUid(view);
        var (set, entries) = AnySet(view, byUid);
        long? since = !Chance(25) ? null : entries.Count == 0 || Chance(10) ? 0 : Math.Max(0, One(entries).Known - (Chance(20) ? 1 : 0));
        if (since is not null) peer.CondStore = true;
        var (mode, silent, flags) = (One(["+", "-", ""]), Chance(40), AnyFlags());
        var command = $"{(byUid ? "UID " : "")}STORE {set} {(since is null ? "" : $"(UNCHANGEDSINCE {since}) ")}{mode}FLAGS{(silent ? ".SILENT" : "")} ({ModelFlags.Text(flags)})";
        var targets = There(view, entries);
        var before = view.Entries.Select(e => e.Uid).ToList();
        var (done, failed) = isAlone && !view.IsReadOnly ? ModelWorld.Store(view.Box, targets, mode, flags, since) : ([], []);
        if (isAlone && silent && !view.IsReadOnly)
            foreach (var letter in done) ModelView.Assume(view.Entries[view.IndexOf(letter.Uid)], mode, flags);
        var answer = await peer.SendAsync(command, holds: !byUid);
        if (!isAlone)
        {
            // what others have done meanwhile is not known: neither is what a silent one has led to
            if (silent && answer.Kind == "OK") view.Entries.ForEach(e => e.Flags = ModelFlags.Unknown);
            return;
        }
        if (view.IsReadOnly)
        {
            world.Demand(answer.Kind == "NO", "STORE in a mailbox that was examined");
            Done(answer, holds: !byUid);
            return;
        }
        world.Demand(answer.Kind == "OK" || answer.Code == "EXPUNGEISSUED" && targets.Count < entries.Count, $"STORE was answered {answer.Kind} [{answer.Code}]");
        CheckStored(view, answer, done, failed, before, (byUid, silent));
        Done(answer, holds: !byUid);
    }

    // RFC 7162 3.1.3
    void CheckStored(ModelView view, Answer answer, List<Letter> done, List<Letter> failed, List<uint> before, (bool ByUid, bool Silent) how)
    {
        var modified = answer.Code.StartsWith("MODIFIED ", StringComparison.Ordinal) ? NumberSets.Parse(answer.Code[9..]) : [];
        var expected = failed.Select(l => how.ByUid ? l.Uid : (uint)before.IndexOf(l.Uid) + 1).ToList();
        world.Demand(modified.Order().SequenceEqual(expected), $"MODIFIED is {NumberSets.Write(modified)}, expected {NumberSets.Write(expected)}");
        foreach (var letter in done)
        {
            var told = answer.Fetched.Exists(f => f.Entry.Uid == letter.Uid && (how.Silent ? f.ModSeq : f.Flags) is not null);
            world.Demand(told || (how.Silent && !peer.CondStore), $"nothing is told of UID {letter.Uid} that was changed");
        }
    }

    public async Task ExpungeAsync()
    {
        var view = peer.View!;
        var byUid = Chance(40);
        var (set, entries) = byUid ? AnySet(view, byUid: true) : ("", []);
        if (!view.IsReadOnly) ModelWorld.Expunge(view.Box, byUid ? There(view, entries) : view.Box.Letters.Values);
        var answer = await peer.SendAsync(byUid ? "UID EXPUNGE " + set : "EXPUNGE");
        world.Demand(answer.Kind == (view.IsReadOnly ? "NO" : "OK"), $"EXPUNGE was answered {answer.Kind}");
        Done(answer);
        // RFC 7162 3.2.7
        if (answer.Code.StartsWith("HIGHESTMODSEQ ", StringComparison.Ordinal)) world.Demand(answer.Code == $"HIGHESTMODSEQ {view.Box.ModSeq}", $"[{answer.Code}], expected {view.Box.ModSeq}");
    }

    public async Task CopyAsync()
    {
        var view = peer.View!;
        var move = Chance(45);
        var byUid = DrawByUid(view);
        var (set, entries) = AnySet(view, byUid);
        var targets = There(view, entries);
        var name = AnyName();
        world.Boxes.TryGetValue(name, out var to);
        if (to?.Letters.Count + targets.Count > MostLetters + 10) return;
        var validity = to?.Validity;
        var uids = to is null || move && view.IsReadOnly ? [] : move ? ModelWorld.Move(view.Box, targets, to) : ModelWorld.Copy(targets, to);
        var answer = await peer.SendAsync($"{(byUid ? "UID " : "")}{(move ? "MOVE" : "COPY")} {set} {name}");
        if (move && view.IsReadOnly) world.Demand(answer.Kind == "NO", "MOVE out of a mailbox that was examined");
        else if (to is null) world.Demand(answer is { Kind: "NO", Code: "TRYCREATE" }, $"{name} does not exist: {answer.Kind} [{answer.Code}]"); // RFC 9051 6.4.7
        else if (targets.Count == 0) world.Demand(answer.Kind == "OK" || answer.Code == "EXPUNGEISSUED", $"nothing to copy: {answer.Kind} [{answer.Code}]");
        else
        {
            world.Demand(answer.Kind == "OK", $"{answer.Kind} [{answer.Code}]");
            var words = (move ? answer.CodeOf("COPYUID") ?? "" : answer.Code.StartsWith("COPYUID ", StringComparison.Ordinal) ? answer.Code[8..] : "").Split(' ');
            // RFC 4315 3: from which to which
            world.Demand(words.Length == 3 && words[0] == $"{validity}" && NumberSets.Parse(words[1]).SequenceEqual(targets.Select(l => l.Uid)) && NumberSets.Parse(words[2]).SequenceEqual(uids),
                $"COPYUID {string.Join(' ', words)}, expected {validity} {NumberSets.Write(targets.Select(l => l.Uid))} {NumberSets.Write(uids)}");
        }
        Done(answer);
    }

    public async Task AppendAsync(bool isAlone = true)
    {
        var name = AnyName();
        world.Boxes.TryGetValue(name, out var box);
        if (box?.Letters.Count >= MostLetters) return;
        var message = world.NewMessage();
        var flags = AnyFlags();
        var uid = isAlone ? box?.Add(message.Length, flags).Uid : null;
        var answer = await peer.SendAsync($"APPEND {name} ({ModelFlags.Text(flags)}) {{{message.Length}+}}\r\n{message}");
        if (box is null) world.Demand(answer is { Kind: "NO", Code: "TRYCREATE" }, $"{name} does not exist: {answer.Kind} [{answer.Code}]"); // RFC 9051 6.3.12
        else if (isAlone) world.Demand(answer.Code == $"APPENDUID {box.Validity} {uid}", $"[{answer.Code}], expected UID {uid}");
        else world.Demand(answer.Kind == "OK", $"APPEND was answered {answer.Kind} [{answer.Code}]");
        if (isAlone) Done(answer);
    }

    public async Task NamesAsync()
    {
        var (name, other) = (AnyName(), AnyName());
        if (name == "INBOX/in" && Chance(80)) return; // rather let it be
        var (command, right) = random.Next(5) switch
        {
            0 or 1 => ("CREATE " + name, world.Create(name)),
            2 => ("DELETE " + name, world.Delete(name)),
            _ when name == "INBOX" && Chance(50) => ("CREATE a", world.Create("a")),
            _ => ($"RENAME {name} {other}", world.Rename(name, other)),
        };
        var mine = peer.IsDoomed;
        var answer = await peer.SendAsync(command);
        world.Demand(answer.Kind == (right ? "OK" : "NO"), $"{command} was answered {answer.Kind} [{answer.Code}]");
        if (mine)
        {
            world.Demand(answer.Codes.Contains("CLOSED"), "the mailbox that one deletes oneself is closed");
            peer.View = null;
        }
        Done(answer);
    }

    public async Task StatusAsync()
    {
        var name = AnyName();
        if (Chance(15)) peer.CondStore = true;
        var answer = await peer.SendAsync($"STATUS {name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE{(peer.CondStore ? " HIGHESTMODSEQ" : "")})");
        if (!world.Boxes.TryGetValue(name, out var box)) world.Demand(answer.Kind == "NO", $"{name} does not exist");
        else
        {
            var letters = box.Letters.Values;
            var expected = $"{name} (MESSAGES {letters.Count} UIDNEXT {box.UidNext} UIDVALIDITY {box.Validity} UNSEEN {letters.Count(l => (l.Flags & ModelFlags.Seen) == 0)} DELETED {letters.Count(l => (l.Flags & ModelFlags.Deleted) != 0)} SIZE {letters.Sum(l => l.Size)}"
                + (peer.CondStore ? $" HIGHESTMODSEQ {Math.Max(1, box.ModSeq)})" : ")");
            world.Demand(answer.Status == expected, $"STATUS {answer.Status}, expected {expected}");
        }
        Done(answer);
    }

    public async Task CloseAsync()
    {
        var view = peer.View!;
        var close = Chance(60);
        if (close && !view.IsReadOnly) ModelWorld.Expunge(view.Box, view.Box.Letters.Values);
        var answer = await peer.OkAsync(close ? "CLOSE" : "UNSELECT");
        world.Demand(answer.Fetched.Count == 0, "CLOSE tells nothing"); // RFC 9051 6.4.1
        peer.View = null;
        Done(answer);
    }

    public async Task IdleAsync()
    {
        if (!peer.IsIdle)
        {
            await peer.IdleAsync();
            return;
        }
        var answer = await peer.DoneAsync();
        world.Demand(answer.Kind == "OK", $"IDLE was answered {answer.Kind}");
        Done(answer);
    }

    /// <summary>Its mailbox has been deleted by another.</summary>
    public async Task DoomedAsync()
    {
        if (!peer.IsIdle && Chance(30))
        {
            await SelectAsync();
            return;
        }
        var answer = peer.IsIdle ? await peer.DoneAsync() : await peer.SendAsync("NOOP");
        world.Demand(answer.IsBye, $"its mailbox is gone, and it was told {answer.Kind}");
        await peer.LeaveAsync();
        await peer.ConnectAsync();
    }

    /// <summary>Whatever comes to its mind.</summary>
    public Task StepAsync()
    {
        if (peer.IsDoomed) return DoomedAsync();
        if (peer.IsIdle) return IdleAsync();
        if (Chance(3)) return IdleAsync();
        var turn = random.Next(100);
        if (turn < 12) return AppendAsync();
        if (turn < 16) return NamesAsync();
        if (turn < 20) return StatusAsync();
        if (turn == 20) return ReconnectAsync();
        if (turn < 30 || peer.View is null) return SelectAsync();
        if (turn < 40) return NoopAsync();
        if (turn < 60) return StoreAsync();
        if (turn < 68) return ExpungeAsync();
        if (turn < 78) return CopyAsync();
        if (turn < 88) return FetchAsync();
        return turn < 98 ? SearchAsync() : CloseAsync();
    }

    async Task ReconnectAsync()
    {
        await peer.LeaveAsync();
        await peer.ConnectAsync();
    }

    /// <summary>A few commands while others give theirs.</summary>
    public async Task RunWildAsync()
    {
        for (var i = random.Next(2, 7); i > 0; i--)
        {
            var byUid = peer.IsUidOnly || peer.View!.Entries.Count == 0 || Chance(50);
            var uid = byUid ? "UID " : "";
            var (set, _) = AnySet(peer.View!, byUid);
            switch (random.Next(8))
            {
                case 0: await AppendAsync(isAlone: false); break;
                case 1 or 2: await StoreAsync(isAlone: false); break;
                case 3: await peer.SendAsync("EXPUNGE"); break;
                case 4: await peer.SendAsync($"{uid}MOVE {set} INBOX"); break;
                case 5: await peer.SendAsync($"{uid}COPY {(byUid ? peer.View!.LastUid + 1 : (uint)peer.View!.Entries.Count)}:* INBOX"); break;
                case 6: await peer.SendAsync($"{uid}FETCH {set} (UID FLAGS)", holds: !byUid); break;
                default: await peer.SendAsync($"{uid}SEARCH UNDELETED", holds: !byUid); break;
            }
        }
    }

    /// <returns>The response code, empty for who has won; and the flags that it wanted.</returns>
    public async Task<(string Code, int Flagged)> DuelAsync(uint uid, long since, int flags)
    {
        peer.CondStore = true;
        var answer = await peer.OkAsync($"UID STORE {uid} (UNCHANGEDSINCE {since}) FLAGS.SILENT ({ModelFlags.Text(flags)})");
        foreach (var entry in peer.View!.Entries.Where(e => e.Uid == uid && answer.Code.Length == 0)) entry.Flags = ModelFlags.Unknown;
        return (answer.Code, flags);
    }
}
