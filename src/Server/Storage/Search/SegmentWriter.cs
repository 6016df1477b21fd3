namespace CbaMail.Storage.Search;

/// <param name="Words">Sorted, each behind a line end, and one at the end; compressed.</param>
/// <param name="Lists">Their lists of documents, and in front the length of each.</param>
readonly record struct Block(Extent Words, Extent Lists);

/// <summary>A part of an index that does not change: documents, and for each section the words with the documents that they stand in.</summary>
sealed record Segment(int Documents, Extent Ids, Block[][] Sections, long Bytes)
{
    public void Write(ByteWriter output)
    {
        output.Number(Documents).Place(Ids).Number(Bytes);
        foreach (var section in Sections)
        {
            output.Number(section.Length);
            foreach (var block in section) output.Place(block.Words).Place(block.Lists);
        }
    }

    public static Segment Read(ref ByteReader input)
    {
        var (documents, ids, bytes) = (input.Count(1 << 28), input.Place(), input.Number());
        var sections = new Block[Search.Sections.Count][];
        for (var i = 0; i < sections.Length; i++)
        {
            var list = new List<Block>();
            for (var left = input.Count(1 << 24); left > 0; left--) list.Add(new Block(input.Place(), input.Place()));
            sections[i] = [.. list];
        }
        return new Segment(documents, ids, sections, bytes);
    }
}

/// <summary>Writes a segment section after section, words in order; keeps a block in memory.</summary>
sealed class SegmentWriter(IndexFile file)
{
    // with what follows before the next look, pieces that are rented by 64 KB: a merge holds some of each segment
    const int MostWords = 56 << 10, MostLists = 56 << 10;
    const byte End = (byte)'\n';

    readonly ByteWriter words = new(), lengths = new(), lists = new(), whole = new(), packed = new();
    readonly List<Block>[] blocks = [.. Enumerable.Range(0, Sections.Count).Select(_ => new List<Block>())];
    Section current;
    long bytes;

    /// <param name="word">UTF-8 without a line end, behind the last of its section.</param>
    /// <param name="documents">Rising.</param>
    public void Add(Section section, ReadOnlySpan<byte> word, List<int> documents)
    {
        if (section != current) Flush();
        current = section;
        if (words.Length == 0) words.Byte(End);
        words.Raw(word).Byte(End);
        var before = lists.Length;
        var isBitmap = Postings.Write(lists, documents);
        lengths.Number(((long)(lists.Length - before) << 1) | (isBitmap ? 1L : 0L));
        if (words.Length >= MostWords || lists.Length >= MostLists) Flush();
    }

    void Flush()
    {
        if (words.Length == 0) return;
        whole.Clear();
        whole.Number(lengths.Length).Raw(lengths.Written).Raw(lists.Written);
        var block = new Block(Put(words), Put(whole));
        blocks[(int)current].Add(block);
        words.Clear();
        lengths.Clear();
        lists.Clear();
    }

    Extent Put(ByteWriter raw)
    {
        packed.Clear();
        Packed.Pack(raw.Written, packed);
        bytes += packed.Length;
        return file.Append(packed.Written);
    }

    /// <param name="ids">Of the documents, by number.</param>
    public Segment Finish(IReadOnlyList<DocumentId> ids)
    {
        Flush();
        var list = new ByteWriter();
        var last = 0L;
        foreach (var id in ids)
        {
            list.Number((ulong)(((id.Content - last) << 1) ^ ((id.Content - last) >> 63))).Number(id.Prefix);
            last = id.Content;
        }
        var place = Put(list);
        return new Segment(ids.Count, place, [.. blocks.Select(section => section.ToArray())], bytes);
    }
}
