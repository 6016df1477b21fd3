using CbaMail.Storage.Blobs;

namespace CbaMail.Storage.Search;

/// <summary>
/// One block after the other as it was written: its words in one piece for the processor's own search, and their lists. The arrays are
/// rented and used for all: a search for a letter goes through the whole index.
/// </summary>
sealed class OpenBlock(IndexFile file) : IDisposable
{
    const byte End = (byte)'\n';

    Block block;
    byte[] words = [], lists = [];
    int length; // of the words
    int[] starts = []; // of words, behind the line end before each
    (int At, int Length, bool IsBitmap)[] places = [];
    int count = -1; // of words, where it is known
    int last;
    bool hasLists;

    public void Open(Block next)
    {
        Dispose();
        (block, count, last, hasLists) = (next, -1, 0, false);
        words = Unpack(block.Words, out length);
    }

    byte[] Unpack(Extent extent, out int unpacked)
    {
        var packed = file.Rent(extent);
        try { return Packed.Unpack(packed.AsSpan(0, extent.Length), out unpacked); }
        finally { Buffers.Return(packed); }
    }

    /// <summary>Every word behind a line end, and one at the end.</summary>
    public ReadOnlySpan<byte> Words => words.AsSpan(0, length);

    public int Count
    {
        get
        {
            if (count < 0) ReadStarts();
            return count;
        }
    }

    void ReadStarts()
    {
        var rest = Words;
        if (rest.IsEmpty || rest[0] != End || rest[^1] != End) throw new IndexDamage("A word of a search index has no end.");
        count = rest.Count(End) - 1;
        if (starts.Length < count) starts = new int[Math.Max(count, 2 * starts.Length)];
        for (int i = 0, at = 1; i < count; i++)
        {
            starts[i] = at;
            at += rest[at..].IndexOf(End) + 1;
        }
    }

    /// <summary>The number of the word that a place lies in; quick where places are asked for as they rise.</summary>
    public int At(int position)
    {
        if (count < 0) ReadStarts();
        var low = last < count && starts[last] <= position ? last : 0;
        var step = 1;
        for (; low + step < count && starts[low + step] <= position; step *= 2) low += step;
        for (var high = Math.Min(low + step, count); high - low > 1;)
        {
            var middle = (low + high) / 2;
            if (starts[middle] <= position) low = middle;
            else high = middle;
        }
        return last = low;
    }

    public ReadOnlySpan<byte> Word(int index)
    {
        var end = EndOf(index) - 1;
        return words.AsSpan(starts[index]..end);
    }

    /// <summary>The place behind the end of a word.</summary>
    public int EndOf(int index) => index + 1 < Count ? starts[index + 1] : length;

    public ReadOnlySpan<byte> List(int index, out bool isBitmap)
    {
        if (!hasLists) ReadLists();
        var (at, size, map) = places[index];
        isBitmap = map;
        return lists.AsSpan(at, size);
    }

    public void AddTo(DocumentSet set, int index)
    {
        var list = List(index, out var isBitmap);
        Postings.AddTo(set, list, isBitmap);
    }

    void ReadLists()
    {
        Buffers.Return(lists);
        lists = [];
        lists = Unpack(block.Lists, out var all);
        var head = new ByteReader(lists.AsSpan(0, all));
        var lengths = head.Count(all);
        var at = 1;
        for (var rest = lengths; rest >= 0x80; rest >>= 7) at++;
        var reader = new ByteReader(lists.AsSpan(at, Math.Min(lengths, all - at)));
        at += lengths;
        if (places.Length < Count) places = new (int, int, bool)[starts.Length];
        for (var i = 0; i < count; i++)
        {
            var number = reader.Number();
            places[i] = (at, (int)(number >> 1), (number & 1) != 0);
            at += (int)(number >> 1);
            if (number < 0 || at < 0 || at > all) throw new IndexDamage("A list of a search index lies beyond its block.");
        }
        hasLists = true;
    }

    /// <summary>Gives the rented arrays back.</summary>
    public void Dispose()
    {
        Buffers.Return(words);
        Buffers.Return(lists);
        (words, lists, length, count) = ([], [], 0, -1);
    }
}

/// <summary>How a word is meant.</summary>
enum WordMatch { Contains, Is, Starts, Ends }

/// <summary>Questions to one segment.</summary>
sealed class SegmentReader(IndexFile file, Segment segment)
{
    DocumentId[]? ids;

    public Segment Segment => segment;
    public int Documents => segment.Documents;

    /// <summary>The documents by number.</summary>
    public DocumentId[] Ids
    {
        get
        {
            if (ids is not null) return ids;
            var raw = Packed.Unpack(file.Read(segment.Ids), out var length);
            var input = new ByteReader(raw.AsSpan(0, length));
            var list = new DocumentId[segment.Documents];
            var last = 0L;
            for (var i = 0; i < list.Length; i++)
            {
                var number = (ulong)input.Number();
                last += (long)(number >> 1) ^ -(long)(number & 1);
                list[i] = new(last, (uint)input.Number());
            }
            Buffers.Return(raw);
            return ids = list;
        }
    }

    public bool Has(Section section) => segment.Sections[(int)section].Length > 0;

    /// <summary>One block after the other; each stands until the next is asked for.</summary>
    public IEnumerable<OpenBlock> Blocks(Section section)
    {
        using var open = new OpenBlock(file);
        foreach (var block in segment.Sections[(int)section])
        {
            open.Open(block);
            yield return open;
        }
    }

    /// <summary>The documents with a word of the section that holds, is, begins or ends with the needle.</summary>
    public DocumentSet Find(Section section, ReadOnlyMemory<byte> needle, WordMatch match)
    {
        var set = new DocumentSet(segment.Documents);
        var pattern = match switch
        {
            WordMatch.Is => [(byte)'\n', .. needle.Span, (byte)'\n'],
            WordMatch.Starts => [(byte)'\n', .. needle.Span],
            WordMatch.Ends => [.. needle.Span, (byte)'\n'],
            _ => needle.ToArray(),
        };
        foreach (var block in Blocks(section))
        {
            Find(block, pattern, match, set);
            if (set.Count == segment.Documents) break; // a letter or two
        }
        return set;
    }

    static void Find(OpenBlock block, byte[] pattern, WordMatch match, DocumentSet set)
    {
        if (pattern.Length == 0)
        {
            for (var i = 0; i < block.Count; i++) block.AddTo(set, i);
            return;
        }
        var words = block.Words;
        for (var from = 0; from < words.Length;)
        {
            var at = words[from..].IndexOf(pattern);
            if (at < 0) return;
            at += from;
            var index = block.At(match is WordMatch.Is or WordMatch.Starts ? at + 1 : at);
            block.AddTo(set, index);
            from = block.EndOf(index) - 1; // at the line end: the next word may begin with it
        }
    }
}
