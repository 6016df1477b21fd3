namespace CbaMail.Storage.Search;

/// <summary>
/// The place of every content among the documents of an index: twelve bytes each, quick where contents are asked for in their order. Each segment
/// begins at a multiple of 64, so that its answers are whole words of the answers of all.
/// </summary>
public sealed class ContentMap
{
    readonly long[] contents; // rising
    readonly int[] places;
    int last;

    internal ContentMap(IReadOnlyList<SegmentReader> segments)
    {
        contents = new long[segments.Sum(segment => segment.Documents)];
        places = new int[contents.Length];
        var (number, isRising) = (0, true);
        foreach (var segment in segments)
        {
            var place = Size;
            foreach (var id in segment.Ids)
            {
                isRising &= number == 0 || contents[number - 1] < id.Content;
                (contents[number], places[number++]) = (id.Content, place++);
            }
            Size += SizeOf(segment);
        }
        if (!isRising) Array.Sort(contents, places);
    }

    /// <summary>Places, some of them empty.</summary>
    public int Size { get; }

    /// <summary>Places of one segment.</summary>
    internal static int SizeOf(SegmentReader segment) => (segment.Documents + 63) & ~63;

    /// <summary>The place of a content, or -1 where it is not here.</summary>
    public int Of(long content)
    {
        var next = last; // whoever else asks meanwhile costs the next one a search
        if (next < contents.Length && contents[next] == content) return places[next];
        if (++next < contents.Length && contents[next] == content)
        {
            last = next;
            return places[next];
        }
        var index = Array.BinarySearch(contents, content);
        if (index < 0) return -1;
        last = index;
        return places[index];
    }
}
