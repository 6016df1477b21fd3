namespace CbaMail.Storage.Search;

/// <summary>A message's content, and a checksum of what stands before it in its mailbox (Return-Path, Delivered-To).</summary>
public readonly record struct DocumentId(long Content, uint Prefix);

/// <summary>
/// Gathers documents in memory until they are written as a segment. Everything stands in a few arrays that grow and are used again for the
/// next segment: a million lists and words of their own, dead after each, would be most of the memory that an index takes while it is filled.
/// </summary>
public sealed class SegmentBuilder
{
    /// <summary>Documents of one segment as it is first written.</summary>
    const int MostDocuments = 4096;
    /// <summary>Words, their bytes and places of words, which is what takes memory: about 15 MB.</summary>
    const int MostWords = 80_000, MostPlaces = 1_000_000, MostText = 4 << 20;
    const int Least = 256;

    /// <param name="Text">Where its UTF-8 begins.</param>
    /// <param name="Next">The next of the same bucket, or -1.</param>
    /// <param name="Last">The last of its places.</param>
    record struct Word(int Text, int Length, Section Section, int Hash, int Next, int Last);

    /// <param name="Before">The place before it of the same word, or -1.</param>
    readonly record struct Place(int Document, int Before);

    readonly List<DocumentId> ids = [];
    readonly ByteWriter text = new();
    Word[] words = []; // nothing is taken for the many accounts that have nothing new
    int[] buckets = []; // the last word of each, or -1
    Place[] places = [];
    int wordCount, placeCount;
    (int Words, int Places, int Text) begun;

    /// <summary>Documents gathered.</summary>
    public int Documents => ids.Count;

    /// <summary>Whether it is time to write it.</summary>
    public bool IsFull => ids.Count >= MostDocuments || wordCount >= MostWords || placeCount >= MostPlaces || text.Length >= MostText;

    /// <summary>Whether nothing more of the document at hand can be taken.</summary>
    public bool IsOverfull => wordCount >= 2 * MostWords || placeCount >= 2 * MostPlaces || text.Length >= 2 * MostText;

    /// <summary>What is added from now on belongs to this document.</summary>
    public void Begin(DocumentId id)
    {
        ids.Add(id);
        begun = (wordCount, placeCount, text.Length);
    }

    /// <summary>Takes the last document out again.</summary>
    public void Cancel()
    {
        ids.RemoveAt(ids.Count - 1);
        while (wordCount > begun.Words)
        {
            ref var word = ref words[--wordCount];
            buckets[word.Hash & (buckets.Length - 1)] = word.Next; // the newest of a bucket is its first
        }
        for (var i = 0; i < wordCount; i++)
            if (words[i].Last >= begun.Places) words[i].Last = places[words[i].Last].Before;
        placeCount = begun.Places;
        text.Cut(begun.Text);
    }

    /// <param name="word">In the form of <see cref="CbaMail.Text.Casemap"/>, without a line end.</param>
    public void Add(Section section, ReadOnlySpan<char> word)
    {
        var document = ids.Count - 1;
        var start = text.Length;
        text.Text(word);
        var index = Find(section, text.Written[start..], string.GetHashCode(word) + (int)section);
        ref var known = ref words[index];
        if (known.Text != start) text.Cut(start);
        if (known.Last >= 0 && places[known.Last].Document == document) return;
        if (placeCount == places.Length) Array.Resize(ref places, Math.Max(Least, 2 * placeCount));
        places[placeCount] = new(document, known.Last);
        known.Last = placeCount++;
    }

    /// <summary>The word, a new one where it has not been yet.</summary>
    int Find(Section section, ReadOnlySpan<byte> word, int hash)
    {
        if (wordCount == words.Length) Grow();
        for (var index = buckets[hash & (buckets.Length - 1)]; index >= 0; index = words[index].Next)
        {
            ref var known = ref words[index];
            if (known.Hash == hash && known.Section == section && TextOf(known).SequenceEqual(word)) return index;
        }
        ref var first = ref buckets[hash & (buckets.Length - 1)];
        words[wordCount] = new(text.Length - word.Length, word.Length, section, hash, first, -1);
        return first = wordCount++;
    }

    ReadOnlySpan<byte> TextOf(in Word word) => text.Written.Slice(word.Text, word.Length);

    void Grow()
    {
        Array.Resize(ref words, Math.Max(Least, 2 * wordCount));
        buckets = new int[2 * words.Length];
        buckets.AsSpan().Fill(-1);
        for (var i = 0; i < wordCount; i++)
        {
            ref var bucket = ref buckets[words[i].Hash & (buckets.Length - 1)];
            words[i].Next = bucket;
            bucket = i;
        }
    }

    /// <summary>Writes what has been gathered, and begins anew.</summary>
    internal Segment Write(IndexFile file)
    {
        var sorted = words.AsSpan(0, wordCount); // the buckets do not hold from here on
        sorted.Sort((one, other) => one.Section != other.Section ? one.Section - other.Section : TextOf(one).SequenceCompareTo(TextOf(other)));
        var writer = new SegmentWriter(file);
        var documents = new List<int>();
        foreach (var word in sorted)
        {
            documents.Clear();
            for (var place = word.Last; place >= 0; place = places[place].Before) documents.Add(places[place].Document);
            documents.Reverse();
            writer.Add(word.Section, TextOf(word), documents);
        }
        var segment = writer.Finish(ids);
        ids.Clear();
        text.Clear();
        (wordCount, placeCount) = (0, 0);
        buckets.AsSpan().Fill(-1);
        return segment;
    }
}
