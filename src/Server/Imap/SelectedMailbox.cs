using System.Buffers.Text;
using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>
/// What the client believes of the mailbox it has selected: UIDs in order (the sequence number is the index plus one), flags and
/// modification sequences in compact arrays, and what it has not been told yet. Messages that others expunge stay here,
/// and keep their numbers, until it may be told (RFC 9051 7.5.1).
/// </summary>
internal sealed partial class SelectedMailbox : IDisposable
{
    /// <summary>Expunges told in one go, between two flushes.</summary>
    const int Piece = 1000;

    readonly IDisposable subscription;
    readonly KeywordSets keywordSets = new();
    uint[] uids = [];
    byte[] flags = [];
    NumberColumn keywords = new();
    NumberColumn modseqs = new();
    int noticed;
    long heard; // the highest modification sequence that was told of with a notice
    int told;
    int toldKeywords;
    long beforeVanished; // the modification sequence up to which all has been told, while expunges wait
    long toldModSeq;
    long learnt;
    bool isLowered;
    int? news;
    List<uint> changed = [];
    readonly HashSet<uint> vanished = [];
    TaskCompletionSource? waiter;

    public SelectedMailbox(Mailbox mailbox, bool readOnly, Notifier notifier)
    {
        (Id, Name, IsExamined, UidValidity) = (mailbox.Id, mailbox.Name, readOnly, mailbox.UidValidity);
        subscription = notifier.Subscribe(mailbox.Id, Notice);
    }

    /// <summary>None, and no message in it.</summary>
    public static SelectedMailbox Nothing(Notifier notifier) => new(new Mailbox(0, 0, "", null, false, 1, 1, 1, 1, 0, 0, 0, 0), readOnly: true, notifier);

    public long Id { get; }
    public string Name { get; }
    /// <summary>Opened for reading only.</summary>
    public bool IsExamined { get; }
    /// <summary>What the session may do here (RFC 4314); kept up to date by <see cref="SessionView"/>.</summary>
    public Rights Rights { get; set; } = Rights.All;
    /// <summary>Of whom and of when <see cref="Rights"/> are.</summary>
    public (Directory.Account? Viewer, int Version) RightsOf { get; set; }
    /// <summary>Nothing can be changed.</summary>
    public bool ReadOnly => IsExamined || (Rights & Rights.Changing) == 0;
    /// <summary>What SELECT says of it: without a change that others would see it is read-only, also where \Seen can be set (RFC 4314 5.2).</summary>
    public bool IsShownReadOnly => IsExamined || (Rights & Rights.Shared) == 0;
    /// <summary>Whose \Seen counts (<see cref="Mailbox.ReaderOf"/>).</summary>
    public long Reader { get; init; }
    public bool Can(Rights right) => !IsExamined && (Rights & right) == right;
    public uint UidValidity { get; }
    /// <summary>Where the last range of a decoded part ended.</summary>
    public Commands.BinaryPlace? Place { get; set; }
    public uint UidNext { get; private set; }
    /// <summary>HIGHESTMODSEQ of the last snapshot that was taken in.</summary>
    public long ModSeq { get; private set; }
    /// <summary>A row has been seen that is newer than that snapshot: what happened before it may not be known yet.</summary>
    public bool IsBehind => learnt > ModSeq;
    public int Count { get; private set; }
    public uint LastUid => Count == 0 ? 0 : uids[Count - 1];

    /// <summary>UIDs of the messages that "$" stands for, rising; those that have gone since are passed over (RFC 5182 2.1).</summary>
    public uint[] Saved { get; set; } = [];
    /// <summary>Searches of which the client hears how they change (RFC 5267).</summary>
    public SearchContexts Contexts { get; } = new();
    /// <summary>UIDs of messages that are gone, and of which the client has not been told.</summary>
    public IReadOnlySet<uint> Vanished => vanished;

    public uint Uid(int index) => uids[index];
    public MessageFlags Flags(int index) => (MessageFlags)(flags[index] & ~ImapFlags.Recent);
    public bool IsRecent(int index) => (flags[index] & ImapFlags.Recent) != 0;
    public long ModSeqOf(int index) => modseqs[index];
    public bool HasKeyword(int index, string keyword) => keywords[index] != 0 && keywordSets.Has((int)keywords[index], keyword);

    /// <summary>The index of a UID, or its complement of where it would stand.</summary>
    public int IndexOf(uint uid) => Array.BinarySearch(uids, 0, Count, uid);

    /// <summary>The same for who goes through many that mostly follow one another.</summary>
    /// <param name="guess">Where it would stand then.</param>
    public int IndexNear(uint uid, int guess) => (uint)guess < (uint)Count && uids[guess] == uid ? guess : IndexOf(uid);

    /// <summary>Makes room.</summary>
    public void Reserve(int messages) => Resize(messages);

    /// <summary>Takes in a piece of the first snapshot; nothing of it is news.</summary>
    public void Load(List<MessageRow> rows)
    {
        foreach (var row in rows) Add(row);
    }

    /// <summary>The first snapshot is complete.</summary>
    public void Loaded(uint uidNext, long modseq, uint? recentFrom)
    {
        if (recentFrom is { } from) MarkRecent(from);
        (UidNext, ModSeq, told, toldKeywords) = (uidNext, modseq, Count, keywordSets.Count);
    }

    // ---- news from the committer

    // one at a time: before the next commit can begin
    void Notice(Change change)
    {
        if (change.ModSeq > heard) Volatile.Write(ref heard, change.ModSeq);
        Volatile.Write(ref noticed, 1);
        Volatile.Read(ref waiter)?.TrySetResult();
    }

    /// <summary>Whether something may have happened since the last call that is not taken in: what the session does itself it mostly knows.</summary>
    public bool TakeNotice() => Interlocked.Exchange(ref noticed, 0) == 1 && (Reader != 0 || Volatile.Read(ref heard) > ModSeq);

    /// <summary>Completes when something happens.</summary>
    public Task NoticeAsync()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref waiter, source);
        Thread.MemoryBarrier();
        if (Volatile.Read(ref noticed) == 1) source.TrySetResult();
        return source.Task;
    }

    /// <summary>Takes in what others, or this session, have changed.</summary>
    /// <returns>Whether there are new messages.</returns>
    public bool Apply(MailboxChanges changes)
    {
        var before = Count;
        if (vanished.Count == 0) beforeVanished = ModSeq;
        foreach (var row in changes.Changed)
        {
            var index = IndexOf(row.Uid);
            if (index >= 0) Learn(index, row, tell: true);
            else if (row.Uid > LastUid) Add(row);
        }
        foreach (var uid in changes.Vanished)
            if (IndexOf(uid) >= 0) vanished.Add(uid);
        (ModSeq, UidNext) = (Math.Max(ModSeq, changes.ModSeq), Math.Max(UidNext, changes.UidNext));
        return Count > before;
    }

    /// <summary>Takes in a row as it is now.</summary>
    /// <param name="tell">Whether the client is to be told when it differs from what it knows.</param>
    public void Learn(int index, in MessageRow row, bool tell) => Learn(index, row.State, tell);

    public void Learn(int index, in FlagState row, bool tell)
    {
        if (row.ModSeq < modseqs[index]) return; // an older snapshot
        learnt = Math.Max(learnt, row.ModSeq);
        var set = keywordSets.Intern(row.Keywords);
        var bits = (byte)((byte)row.Flags | (flags[index] & ImapFlags.Recent));
        if (bits == flags[index] && set == keywords[index] && row.ModSeq == modseqs[index]) return;
        (flags[index], keywords[index], modseqs[index]) = (bits, set, row.ModSeq);
        if (!tell) return;
        changed.Add(row.Uid);
        // nobody may have asked for them yet (RFC 5465 5): each is then told once
        if (changed.Count > 2 * Count + 1000) changed = [.. changed.Distinct()];
    }

    /// <summary>Whether who knows of this change and of nothing that others have done meanwhile believes the row to look so.</summary>
    public bool Foresees(int index, in FlagState row, FlagChange change) =>
        change.Apply(Flags(index), keywordSets.Text((int)keywords[index])) == (row.Flags, row.Keywords);

    void Add(in MessageRow row) => Add(row.Uid, row.Flags, row.Keywords, row.ModSeq);

    /// <summary>Takes in a message behind all others; in the first snapshot it is no news.</summary>
    public void Add(uint uid, MessageFlags bits, string? text, long modseq)
    {
        if (Count == uids.Length) Resize(Math.Max(16, Count + Count / 2)); // those that are shared are full
        uids[Count] = uid;
        flags[Count] = (byte)((byte)bits | (uid >= recent.From && uid < recent.To ? ImapFlags.Recent : 0));
        keywords[Count] = keywordSets.Intern(text);
        modseqs[Count] = modseq;
        Count++;
    }

    void Resize(int size)
    {
        OwnUids();
        Array.Resize(ref uids, size);
        Array.Resize(ref flags, size);
        keywords.Resize(size);
        modseqs.Resize(size);
    }

    // ---- what the client is told

    /// <summary>Writes a piece of what the client does not know yet; true while there is more.</summary>
    /// <param name="flags">Whether changes of flags may be told; else they wait.</param>
    public bool Report(ImapWriter writer, bool expunges, bool withUid, bool withModSeq, bool flags = true)
    {
        if (expunges && vanished.Count > 0)
        {
            if (writer.Dialect.Vanished) ReportVanished(writer);
            else ReportExpunges(writer);
            if (vanished.Count > 0) return true;
        }
        TellKeywords(writer);
        if (told != Count)
        {
            // RFC 9051 7.4.1; RFC 3501 7.3.2
            writer.Write("* "u8).Write(Count).Write(" EXISTS\r\n"u8);
            WriteRecent(writer);
            news ??= told;
            told = Count;
        }
        else if (IsChecked && RecentCount != toldRecent) WriteRecent(writer);
        IsChecked = false;
        if (changed.Count == 0 || !flags) return false;

        var done = 0;
        for (; done < changed.Count && !writer.IsFull; done++)
        {
            var index = IndexOf(changed[done]);
            if (index >= 0 && !vanished.Contains(changed[done])) WriteFlags(writer, index, withUid, withModSeq);
        }
        if (done == changed.Count) changed = [];
        else changed.RemoveRange(0, done);
        return changed.Count > 0;
    }

    /// <summary>
    /// RFC 7162 3.2, 6: a client takes the highest MODSEQ that it has been told for the state it knows. Where an expunge of before is still held back,
    /// it has to hear of a lower one, or it would never ask for that expunge again after the connection is lost.
    /// </summary>
    public void TellSafeModSeq(ImapWriter writer)
    {
        var safe = vanished.Count > 0 ? beforeVanished : ModSeq;
        var isAhead = toldModSeq > safe;
        if (isAhead || isLowered && vanished.Count == 0) writer.Ok($"HIGHESTMODSEQ {Math.Max(1, safe)}", isAhead ? "Expunges wait to be told" : "All has been told");
        (toldModSeq, isLowered) = (0, isAhead || isLowered && vanished.Count > 0);
    }

    /// <summary>The indexes of messages of which the client has heard only now that they exist.</summary>
    public (int First, int Last)? TakeNews()
    {
        var first = news;
        news = null;
        return first < Count ? (first.Value, Count - 1) : null;
    }

    // From the last to the first: numbers below stay what they are. One that the client has never heard of goes in silence.
    void ReportExpunges(ImapWriter writer)
    {
        var first = Count;
        var done = 0;
        for (var i = Count - 1; i >= 0 && done < Piece && done < vanished.Count; i--)
        {
            if (!vanished.Contains(uids[i])) continue;
            if (i < told) writer.Write("* "u8).Write(i + 1).Write(" EXPUNGE\r\n"u8);
            done++;
            first = i;
        }
        if (done == 0) vanished.Clear();
        else Forget(first, null);
    }

    // RFC 7162 3.2.10.2: by UID, many in one response
    void ReportVanished(ImapWriter writer)
    {
        var gone = new List<(uint, uint)>();
        if (!Forget(0, gone)) vanished.Clear();
        if (gone.Count > 0) writer.Write("* VANISHED "u8).Ranges(gone).EndLine();
    }

    /// <summary>Takes out what has vanished, from an index on; with ranges, as many as one line of VANISHED has.</summary>
    bool Forget(int first, List<(uint, uint)>? ranges)
    {
        OwnUids();
        var (to, known) = (first, told);
        for (var i = first; i < Count; i++)
        {
            var uid = uids[i];
            if (!(ranges?.Count >= ImapWriter.RangesALine) && vanished.Remove(uid))
            {
                if (i >= told) continue;
                if (ranges is not null) Resync.Add(ranges, uid, uid);
                known--;
                continue;
            }
            (uids[to], flags[to], keywords[to], modseqs[to]) = (uid, flags[i], keywords[i], modseqs[i]);
            to++;
        }
        var some = to < Count;
        (told, Count) = (known, to);
        return some;
    }

    /// <summary>Keywords that the mailbox did not have before are announced (RFC 9051 7.3.5).</summary>
    public void TellKeywords(ImapWriter writer)
    {
        if (toldKeywords == keywordSets.Count) return;
        toldKeywords = keywordSets.Count;
        WriteFlagNames(writer);
    }

    public void WriteFlagNames(ImapWriter writer)
    {
        writer.Write("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft"u8);
        foreach (var name in keywordSets.Names) writer.Space().Write(name);
        writer.Write(")\r\n"u8);
        var changeable = Access.FlagsOf(Rights);
        if (IsExamined || changeable == MessageFlags.None)
        {
            writer.Ok("PERMANENTFLAGS ()", "Nothing can be changed here");
            return;
        }
        // RFC 4314 5.1.1: those that this user may change
        List<string> names = [.. ImapFlags.Names.Where(known => (known.Flag & changeable) != 0).Select(known => known.Name)];
        // RFC 9051 7.1: "\*" says that clients may make keywords of their own
        if ((Rights & Rights.Write) != 0) names.AddRange([.. keywordSets.Names, "\\*"]);
        writer.Ok($"PERMANENTFLAGS ({string.Join(' ', names)})", "Flags and keywords are kept");
    }

    /// <summary>Room for <see cref="FormatHead"/>.</summary>
    public const int HeadLength = 40;

    /// <summary>"* n FETCH (", or "* uid UIDFETCH (" where messages have no numbers (RFC 9586 3.2).</summary>
    public int FormatHead(Span<byte> span, int index, Dialect dialect)
    {
        var at = 0;
        Put(span, "* "u8, ref at);
        Put(span, dialect.UidOnly ? uids[index] : index + 1, ref at);
        Put(span, dialect.UidOnly ? " UIDFETCH ("u8 : " FETCH ("u8, ref at);
        return at;
    }

    /// <summary>"* n FETCH (FLAGS (...))" with UID and MODSEQ as asked.</summary>
    public void WriteFlags(ImapWriter writer, int index, bool withUid, bool withModSeq)
    {
        var span = writer.Reserve(128 + FlagsLength(index));
        var at = FormatHead(span, index, writer.Dialect);
        if (withUid && !writer.Dialect.UidOnly) { Put(span, "UID "u8, ref at); Put(span, uids[index], ref at); Put(span, " "u8, ref at); }
        at += FormatFlags(span[at..], index);
        if (withModSeq) span[at++] = (byte)' ';
        if (withModSeq) at += FormatModSeq(span[at..], index);
        Put(span, ")\r\n"u8, ref at);
        writer.Advance(at);
    }

    /// <summary>"* n FETCH (UID u MODSEQ (m))", what a silent STORE tells (RFC 7162 3.1.3).</summary>
    public void WriteModSeq(ImapWriter writer, int index)
    {
        var span = writer.Reserve(128);
        var at = FormatHead(span, index, writer.Dialect);
        if (!writer.Dialect.UidOnly) { Put(span, "UID "u8, ref at); Put(span, uids[index], ref at); Put(span, " "u8, ref at); }
        at += FormatModSeq(span[at..], index);
        Put(span, ")\r\n"u8, ref at);
        writer.Advance(at);
    }

    /// <summary>Room that <see cref="FormatFlags"/> needs.</summary>
    public int FlagsLength(int index) => 80 + keywordSets.Wire((int)keywords[index]).Length;

    /// <summary>"FLAGS (\Seen $Forwarded)"</summary>
    public int FormatFlags(Span<byte> span, int index)
    {
        var at = 0;
        Put(span, "FLAGS "u8, ref at);
        var system = ImapFlags.Wire[flags[index]];
        Put(span, system, ref at);
        ReadOnlySpan<byte> words = keywordSets.Wire((int)keywords[index]);
        Put(span, system.Length == 1 && !words.IsEmpty ? words[1..] : words, ref at);
        span[at++] = (byte)')';
        return at;
    }

    /// <summary>"MODSEQ (123)" (RFC 7162 7)</summary>
    public int FormatModSeq(Span<byte> span, int index)
    {
        var at = 0;
        toldModSeq = Math.Max(toldModSeq, modseqs[index]);
        Put(span, "MODSEQ ("u8, ref at);
        Put(span, modseqs[index], ref at);
        span[at++] = (byte)')';
        return at;
    }

    static void Put(Span<byte> span, ReadOnlySpan<byte> bytes, ref int at)
    {
        bytes.CopyTo(span[at..]);
        at += bytes.Length;
    }

    static void Put(Span<byte> span, long number, ref int at)
    {
        Utf8Formatter.TryFormat(number, span[at..], out var count);
        at += count;
    }

    // ---- sets of the client

    /// <summary>The indexes that a set of sequence numbers names, rising; null when a number is beyond the last (RFC 9051 9, seq-number: BAD).</summary>
    public List<(int First, int Last)>? BySequence(SequenceSet set)
    {
        if (set.IsSaved) return BySaved();
        var found = new List<(int, int)>();
        foreach (var (from, to) in set.Ranges)
        {
            // "*" alone is wrong in an empty mailbox; "1:*" and "5:*" are what clients send without knowing how many there are
            var open = (from == SequenceSet.Star) != (to == SequenceSet.Star);
            if (open ? false : Math.Max(from, to) > Count || (from == SequenceSet.Star && Count == 0)) return null;
        }
        foreach (var (from, to) in set.Normalize((uint)Count))
        {
            var first = Math.Max(1, from);
            var last = Math.Min((uint)Count, to);
            if (first <= last) found.Add(((int)first - 1, (int)last - 1));
        }
        return found;
    }

    /// <summary>The indexes of those UIDs of a set that exist, rising; UIDs that do not are no error (RFC 9051 6.4.9).</summary>
    public List<(int First, int Last)> ByUid(SequenceSet set)
    {
        if (set.IsSaved) return BySaved();
        var found = new List<(int, int)>();
        if (Count == 0) return found;
        foreach (var (from, to) in set.Normalize(LastUid))
        {
            int first = IndexOf(from), last = IndexOf(to);
            if (first < 0) first = ~first;
            if (last < 0) last = ~last - 1;
            if (first <= last) found.Add((first, last));
        }
        return found;
    }

    // RFC 5182 2.1: expunged messages are no longer in it
    List<(int First, int Last)> BySaved()
    {
        var found = new List<(int First, int Last)>();
        foreach (var uid in Saved)
        {
            var index = IndexOf(uid);
            if (index < 0) continue;
            if (found.Count > 0 && found[^1].Last == index - 1) found[^1] = (found[^1].First, index);
            else found.Add((index, index));
        }
        return found;
    }

    public List<(int First, int Last)>? Find(SequenceSet set, bool byUid) => byUid ? ByUid(set) : BySequence(set);

    /// <summary>The UIDs of ranges of indexes.</summary>
    public List<uint> Uids(List<(int First, int Last)> ranges)
    {
        var list = new List<uint>();
        foreach (var (first, last) in ranges)
            for (var i = first; i <= last; i++) list.Add(uids[i]);
        return list;
    }

    public void Dispose()
    {
        subscription.Dispose();
        Volatile.Read(ref waiter)?.TrySetResult();
    }
}
