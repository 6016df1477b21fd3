namespace CbaMail.Net;

/// <summary>What is remembered under one key. The meaning of <paramref name="Since"/>, <paramref name="Last"/> and <paramref name="Count"/> is the owner's.</summary>
/// <param name="Until">Forgotten from then on.</param>
public readonly record struct Memo(DateTimeOffset Since, DateTimeOffset Last, DateTimeOffset Until, int Count = 0, string Note = "");

/// <summary>
/// One kind of memory of strangers: bounded, each entry with its end, all of it in memory. What changes is collected for whoever writes it to the
/// disk, now and then and in one piece: nothing that a stranger does costs a commit. When it is full, what counts least and is oldest gives way.
/// </summary>
/// <param name="longest">No entry lives longer: one that would was written before the clock was set back, and is forgotten.</param>
/// <param name="worth">What counts least gives way first; the count where nothing is said.</param>
public sealed class Remembered(string kind, int most, TimeSpan longest, TimeProvider time, Func<Memo, int>? worth = null)
{
    readonly Dictionary<string, Memo> memos = [];
    readonly HashSet<string> changed = [];
    readonly Lock gate = new();

    /// <summary>How the kind is called on the disk.</summary>
    public string Kind => kind;

    public int Count { get { lock (gate) return memos.Count; } }

    public bool TryFind(string key, out Memo memo)
    {
        lock (gate) return memos.TryGetValue(key, out memo) && IsAlive(memo, time.GetUtcNow());
    }

    bool IsAlive(in Memo memo, DateTimeOffset now) => memo.Until > now && memo.Until - now <= longest;

    /// <summary>Changes what stands under the key, in one step; null in and out means: nothing.</summary>
    public Memo? Change(string key, Func<Memo?, DateTimeOffset, Memo?> how)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            Memo? before = memos.TryGetValue(key, out var memo) && IsAlive(memo, now) ? memo : null;
            var after = how(before, now);
            if (after == before) return after;
            if (after is { } kept)
            {
                if (memos.Count >= most && !memos.ContainsKey(key)) MakeRoom(now);
                memos[key] = kept;
            }
            else memos.Remove(key);
            // between two writings a flood does not grow it either; what is missed is lost with a crash only
            if (changed.Count < 2L * most) changed.Add(key);
            return after;
        }
    }

    public void Set(string key, Memo memo) => Change(key, (_, _) => memo);

    /// <returns>Whether there was something.</returns>
    public bool Remove(string key)
    {
        var was = false;
        Change(key, (before, _) =>
        {
            was = before is not null;
            return null;
        });
        return was;
    }

    /// <summary>All that is alive.</summary>
    public List<(string Key, Memo Memo)> All()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            return [.. memos.Where(pair => IsAlive(pair.Value, now)).Select(pair => (pair.Key, pair.Value))];
        }
    }

    // an eighth at a time: who sends a stream of new keys pays for the sorting once in many
    void MakeRoom(DateTimeOffset now)
    {
        var gone = memos.Where(pair => !IsAlive(pair.Value, now)).Select(pair => pair.Key).ToList();
        if (gone.Count < most / 8)
            gone.AddRange(memos.Where(pair => IsAlive(pair.Value, now)).OrderBy(pair => worth?.Invoke(pair.Value) ?? pair.Value.Count).ThenBy(pair => pair.Value.Last).Take(Math.Max(1, most / 8)).Select(pair => pair.Key));
        foreach (var key in gone)
        {
            memos.Remove(key);
            if (changed.Count < 2L * most) changed.Add(key);
        }
    }

    internal int Waiting { get { lock (gate) return changed.Count; } }

    /// <summary>At the start: what was written before.</summary>
    public void Load(string key, Memo memo)
    {
        lock (gate)
        {
            if (memos.Count < most && IsAlive(memo, time.GetUtcNow())) memos.TryAdd(key, memo);
        }
    }

    /// <summary>Takes some of what has changed since the last time; null: it is gone.</summary>
    public List<(string Key, Memo? Memo)> TakeChanges(int limit)
    {
        lock (gate)
        {
            if (changed.Count == 0) return [];
            var taken = changed.Take(limit).Select(key => (key, memos.TryGetValue(key, out var memo) ? memo : (Memo?)null)).ToList();
            foreach (var (key, _) in taken) changed.Remove(key);
            // a crowd of first attempts does not make the disk its own: what is beyond is lost in a crash
            if (changed.Count > 4 * limit) changed.Clear();
            return taken;
        }
    }

    /// <summary>What could not be written is written the next time.</summary>
    public void PutBack(IEnumerable<(string Key, Memo? Memo)> changes)
    {
        lock (gate)
        {
            foreach (var (key, _) in changes) changed.Add(key);
        }
    }

    /// <summary>Drops what is over.</summary>
    public void Expire()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            foreach (var (key, memo) in memos)
            {
                if (IsAlive(memo, now)) continue;
                memos.Remove(key);
                changed.Add(key);
            }
        }
    }
}
