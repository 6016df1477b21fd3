namespace CbaMail.Storage.Search;

/// <summary>A block as it was written: its words in one piece for the processor's own search, and their lists.</summary>
sealed class OpenBlock(IndexFile file, Block block)
{
    const byte End = (byte)'\n';

    readonly byte[] words = Packed.Unpack(file.Read(block.Words));
    byte[]? lists;
    int[]? starts; // of words, behind the line end before each
    (int At, int Length, bool IsBitmap)[]? places;

    /// <summary>Every word behind a line end, and one at the end.</summary>
    public ReadOnlySpan<byte> Words => words;

    public int Count => Starts.Length;

    int[] Starts
    {
        get
        {
            if (starts is not null) return starts;
            var found = new List<int>(words.Length / 8);
            for (var at = 1; at < words.Length;)
            {
                found.Add(at);
                var end = words.AsSpan(at).IndexOf(End);
                if (end < 0) throw new IndexDamage("A word of a search index has no end.");
                at += end + 1;
            }
            return starts = [.. found];
        }
    }

    /// <summary>The number of the word that a place lies in.</summary>
    public int At(int position)
    {
        var index = Array.BinarySearch(Starts, position);
        return index >= 0 ? index : ~index - 1;
    }

    public ReadOnlySpan<byte> Word(int index)
    {
        var rest = words.AsSpan(Starts[index]);
        return rest[..rest.IndexOf(End)];
    }

    /// <summary>The place behind the end of a word.</summary>
    public int EndOf(int index) => index + 1 < Starts.Length ? Starts[index + 1] : words.Length;

    public ReadOnlySpan<byte> List(int index, out bool isBitmap)
    {
        if (places is null) ReadLists();
        var (at, length, map) = places![index];
        isBitmap = map;
        return lists.AsSpan(at, length);
    }

    public void AddTo(DocumentSet set, int index)
    {
        var list = List(index, out var isBitmap);
        Postings.AddTo(set, list, isBitmap);
    }

    void ReadLists()
    {
        lists = Packed.Unpack(file.Read(block.Lists));
        var head = new ByteReader(lists);
        var length = head.Count(lists.Length);
        var at = 1;
        for (var rest = length; rest >= 0x80; rest >>= 7) at++;
        var reader = new ByteReader(lists.AsSpan(at, Math.Min(length, lists.Length - at)));
        at += length;
        var found = new (int, int, bool)[Count];
        for (var i = 0; i < found.Length; i++)
        {
            var number = reader.Number();
            found[i] = (at, (int)(number >> 1), (number & 1) != 0);
            at += (int)(number >> 1);
            if (at < 0 || at > lists.Length) throw new IndexDamage("A list of a search index lies beyond its block.");
        }
        places = found;
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
            var input = new ByteReader(Packed.Unpack(file.Read(segment.Ids)));
            var list = new DocumentId[segment.Documents];
            var last = 0L;
            for (var i = 0; i < list.Length; i++)
            {
                var number = (ulong)input.Number();
                last += (long)(number >> 1) ^ -(long)(number & 1);
                list[i] = new(last, (uint)input.Number());
            }
            return ids = list;
        }
    }

    public bool Has(Section section) => segment.Sections[(int)section].Length > 0;

    public IEnumerable<OpenBlock> Blocks(Section section)
    {
        foreach (var block in segment.Sections[(int)section]) yield return new OpenBlock(file, block);
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
        foreach (var block in Blocks(section)) Find(block, pattern, match, set);
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
