namespace CbaMail.Storage.Search;

/// <summary>How many documents, bytes and segments.</summary>
public readonly record struct IndexSize(int Documents, long Live, long Bytes, int Segments);

/// <summary>
/// The search index of one account: segments in one file. Whoever reads sees the segments as they are at that moment; one writer at a time
/// adds, merges and makes the file anew. See <see cref="IndexFile"/> for what a crash leaves.
/// </summary>
public sealed class AccountIndex : IDisposable
{
    const int Version = 2;

    sealed record State(IndexFile File, SegmentReader[] Segments, IReadOnlyDictionary<long, uint> Watermarks, IReadOnlySet<long> Varied);

    sealed record Placed(State Of, ContentMap Map);

    readonly Disk disk;
    readonly string path;
    State state;
    volatile bool isDiscarded;
    Placed? places;
    int hurried;

    AccountIndex(Disk disk, string path, State state) => (this.disk, this.path, this.state) = (disk, path, state);

    /// <summary>Opens it; a damaged one begins anew.</summary>
    public static AccountIndex Open(Disk disk, string path)
    {
        var file = IndexFile.Open(disk, path, out var manifest);
        State? state = null;
        try
        {
            if (manifest.Length > 0) state = Read(file, manifest);
        }
        catch (IndexDamage) { state = null; } // begins anew below
        if (state is null && file.Length > 0)
        {
            file.Dispose();
            disk.Delete(path);
            file = IndexFile.Open(disk, path, out _);
        }
        return new AccountIndex(disk, path, state ?? new State(file, [], new Dictionary<long, uint>(), new HashSet<long>()));
    }

    /// <summary>Taken by the one that writes.</summary>
    public SemaphoreSlim Writing { get; } = new(1, 1);

    /// <summary>Whether somebody waits for the one that writes.</summary>
    public bool IsHurried => Volatile.Read(ref hurried) > 0;

    /// <summary>Takes <see cref="Writing"/> where that does not last.</summary>
    public async ValueTask<bool> HurryAsync(TimeSpan patience, CancellationToken cancel)
    {
        Interlocked.Increment(ref hurried);
        try { return await Writing.WaitAsync(patience, cancel); }
        finally { Interlocked.Decrement(ref hurried); }
    }

    /// <summary>Up to which UID of a mailbox everything is in the index: the first that is not.</summary>
    public uint Watermark(long mailboxId) => state.Watermarks.GetValueOrDefault(mailboxId, 1u);

    public IReadOnlyDictionary<long, uint> Watermarks => state.Watermarks;

    public IndexSize Size
    {
        get
        {
            var now = state;
            return new(now.Segments.Sum(segment => segment.Documents), Live(now), now.File.Length, now.Segments.Length);
        }
    }

    static long Live(State state) => state.Segments.Sum(segment => segment.Segment.Bytes);

    /// <summary>The checksum of the prefix that a content was indexed with, or null where it is not here.</summary>
    public uint? PrefixOf(long content)
    {
        var now = state;
        var place = Places(now).Of(content);
        if (place < 0) return null;
        foreach (var segment in now.Segments)
        {
            if (place < ContentMap.SizeOf(segment)) return segment.Ids[place].Prefix;
            place -= ContentMap.SizeOf(segment);
        }
        return null;
    }

    // ---- writing

    /// <summary>Adds a segment; the documents are no longer gathered then.</summary>
    /// <param name="watermarks">How far each mailbox is in the index now.</param>
    /// <param name="varied">Contents that stand behind different prefixes: they have to be looked at.</param>
    public void Add(SegmentBuilder documents, IEnumerable<KeyValuePair<long, uint>> watermarks, IEnumerable<long> varied)
    {
        var now = state;
        var segments = documents.Documents == 0 ? now.Segments : [.. now.Segments, new SegmentReader(now.File, documents.Write(now.File))];
        var marks = new Dictionary<long, uint>(now.Watermarks);
        foreach (var (mailbox, uid) in watermarks) marks[mailbox] = uid;
        var differing = now.Varied;
        foreach (var id in varied)
            if (!differing.Contains(id)) differing = new HashSet<long>(differing) { id };
        Commit(new State(now.File, segments, marks, differing));
    }

    void Commit(State next)
    {
        var manifest = new ByteWriter().Number(Version).Number(next.Watermarks.Count);
        foreach (var (mailbox, uid) in next.Watermarks) manifest.Number(mailbox).Number(uid);
        manifest.Number(next.Varied.Count);
        foreach (var id in next.Varied) manifest.Number(id);
        manifest.Number(next.Segments.Length);
        foreach (var segment in next.Segments) segment.Segment.Write(manifest);
        next.File.Commit(manifest.Written);
        state = next;
    }

    static State? Read(IndexFile file, byte[] manifest)
    {
        var input = new ByteReader(manifest);
        if (input.Number() != Version) return null;
        var marks = new Dictionary<long, uint>();
        for (var left = input.Count(1 << 24); left > 0; left--) marks[input.Number()] = (uint)input.Number();
        var varied = new HashSet<long>();
        for (var left = input.Count(1 << 24); left > 0; left--) varied.Add(input.Number());
        var segments = new SegmentReader[input.Count(1 << 16)];
        for (var i = 0; i < segments.Length; i++) segments[i] = new SegmentReader(file, Segment.Read(ref input));
        return new State(file, segments, marks, varied);
    }

    /// <summary>Merges small segments into larger ones, each document as often as the logarithm of their number, and takes the room of old ones back.</summary>
    /// <param name="keep">Which documents are still wanted, where that is worth a merge of all; or null.</param>
    /// <param name="rest">Asked now and then; where the work rests.</param>
    public async Task TidyAsync(Func<long, bool>? keep, Func<CancellationToken, ValueTask> rest, CancellationToken cancel)
    {
        var now = state;
        var first = now.Segments.Length;
        if (keep is not null) first = 0;
        else
        {
            var behind = 0L;
            for (var i = now.Segments.Length - 1; i >= 0; i--)
            {
                if (i < now.Segments.Length - 1 && now.Segments[i].Documents <= behind) first = i;
                behind += now.Segments[i].Documents;
            }
        }
        if (first < now.Segments.Length)
        {
            var merged = await new Merge(now.Segments[first..], now.File, keep).RunAsync(rest, cancel);
            Commit(now with { Segments = merged is null ? now.Segments[..first] : [.. now.Segments[..first], new SegmentReader(now.File, merged)] });
        }
        if (Wasted() > Math.Max(16 << 10, Live(state) / 5)) await RewriteAsync(rest, cancel);
    }

    long Wasted() => state.File.Length - Live(state);

    async Task RewriteAsync(Func<CancellationToken, ValueTask> rest, CancellationToken cancel)
    {
        var now = state;
        var fresh = path + ".new";
        if (disk.Exists(fresh)) disk.Delete(fresh);
        var file = IndexFile.Open(disk, fresh, out _);
        try
        {
            var segments = new List<SegmentReader>();
            foreach (var reader in now.Segments)
            {
                Extent Copy(Extent extent) => file.Append(now.File.Read(extent));
                var old = reader.Segment;
                var sections = new List<Block[]>();
                foreach (var section in old.Sections)
                {
                    var blocks = new List<Block>();
                    foreach (var block in section)
                    {
                        blocks.Add(new Block(Copy(block.Words), Copy(block.Lists)));
                        await rest(cancel);
                    }
                    sections.Add([.. blocks]);
                }
                segments.Add(new SegmentReader(file, old with { Ids = Copy(old.Ids), Sections = [.. sections] }));
            }
            if (isDiscarded) throw new OperationCanceledException(); // another stands at the path
            Commit(now with { File = file, Segments = [.. segments] });
            disk.Move(fresh, path); // whoever still reads the old one has it open
        }
        catch
        {
            state = now;
            file.Dispose();
            throw;
        }
    }

    // ---- reading

    ContentMap Places(State of)
    {
        if (places is { } known && known.Of == of) return known.Map;
        var map = new ContentMap(of.Segments);
        places = new Placed(of, map);
        return map;
    }

    /// <summary>Answers questions for documents as they are now in the index.</summary>
    /// <exception cref="IndexDamage"/>
    public Verdicts Ask(IReadOnlyList<TextQuestion> questions, CancellationToken cancel)
    {
        var now = state;
        var map = Places(now);
        var answers = new (DocumentSet Yes, DocumentSet Maybe)[questions.Count];
        for (var i = 0; i < questions.Count; i++)
        {
            var (yes, maybe) = answers[i] = (new DocumentSet(map.Size), new DocumentSet(map.Size));
            var first = 0;
            foreach (var segment in now.Segments)
            {
                cancel.ThrowIfCancellationRequested();
                var (some, more) = Answer.To(segment, questions[i]);
                yes.Put(some, first);
                maybe.Put(more, first);
                first += ContentMap.SizeOf(segment);
            }
            if (questions[i].Place == TextPlace.Body) continue;
            foreach (var id in now.Varied)
            {
                if (map.Of(id) is not (>= 0 and var place)) continue;
                yes.Remove(place);
                maybe.Add(place);
            }
        }
        return new Verdicts(map, answers);
    }

    /// <summary>Scores of fuzzy matches by place; below zero where the message has to be looked at (<see cref="FuzzyAnswer"/>).</summary>
    /// <exception cref="IndexDamage"/>
    public (ContentMap Places, float[] Scores) AskFuzzy(TextPlace place, string? field, IReadOnlyList<FuzzyWord> words, CancellationToken cancel)
    {
        var now = state;
        var map = Places(now);
        var scores = new float[map.Size];
        FuzzyAnswer.Score(now.Segments, place, field, words, scores, cancel);
        if (FuzzyAnswer.IsShared(place, field))
            for (var i = 0; i < scores.Length; i++) scores[i] = -scores[i];
        else if (place != TextPlace.Body)
            foreach (var id in now.Varied)
                if (map.Of(id) is >= 0 and var at) scores[at] = -scores[at];
        return (map, scores);
    }

    /// <summary>The file is gone; whoever still has this one comes to an end with it.</summary>
    public void Discard() => isDiscarded = true;

    public void Dispose()
    {
        state.File.Dispose();
        Writing.Dispose();
    }
}

/// <summary>What the index says of one message.</summary>
public enum Verdict : byte { No, Yes, Unknown }

/// <summary>The answers to several questions, by the content of a message: two bits each.</summary>
public sealed class Verdicts
{
    readonly ContentMap places;
    readonly (DocumentSet Yes, DocumentSet Maybe)[] answers;

    internal Verdicts(ContentMap places, (DocumentSet Yes, DocumentSet Maybe)[] answers) => (this.places, this.answers) = (places, answers);

    /// <summary>The number of a content here, or -1 where the index does not have it.</summary>
    public int Place(long id) => places.Of(id);

    public Verdict Of(int question, int place)
    {
        if (place < 0) return Verdict.Unknown;
        var (yes, maybe) = answers[question];
        return yes[place] ? Verdict.Yes : maybe[place] ? Verdict.Unknown : Verdict.No;
    }
}
