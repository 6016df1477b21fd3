using System.Text;

namespace CbaMail.Storage.Search;

/// <summary>A message's content, and a checksum of what stands before it in its mailbox (Return-Path, Delivered-To).</summary>
public readonly record struct DocumentId(long Content, uint Prefix);

/// <summary>Gathers documents in memory until they are written as a segment.</summary>
public sealed class SegmentBuilder
{
    /// <summary>Documents of one segment as it is first written.</summary>
    const int MostDocuments = 4096;
    /// <summary>Words and places of words, which is what takes memory: about 15 MB.</summary>
    const int MostWords = 80_000, MostPlaces = 1_000_000;

    readonly Dictionary<string, List<int>>[] sections = [.. Enumerable.Range(0, Sections.Count).Select(_ => new Dictionary<string, List<int>>())];
    readonly List<DocumentId> ids = [];
    int words;
    int places;

    /// <summary>Documents gathered.</summary>
    public int Documents => ids.Count;

    /// <summary>Whether it is time to write it.</summary>
    public bool IsFull => ids.Count >= MostDocuments || words >= MostWords || places >= MostPlaces;

    /// <summary>Whether nothing more of the document at hand can be taken.</summary>
    public bool IsOverfull => words >= 2 * MostWords || places >= 2 * MostPlaces;

    /// <summary>What is added from now on belongs to this document.</summary>
    public void Begin(DocumentId id) => ids.Add(id);

    /// <param name="word">In the form of <see cref="CbaMail.Text.Casemap"/>, without a line end.</param>
    public void Add(Section section, ReadOnlySpan<char> word)
    {
        var document = ids.Count - 1;
        var known = sections[(int)section].GetAlternateLookup<ReadOnlySpan<char>>();
        if (!known.TryGetValue(word, out var documents))
        {
            words++;
            sections[(int)section][word.ToString()] = documents = new List<int>(1);
        }
        else if (documents[^1] == document) return;
        places++;
        documents.Add(document);
    }

    internal Segment Write(IndexFile file)
    {
        var writer = new SegmentWriter(file);
        for (var i = 0; i < sections.Length; i++)
        {
            var sorted = sections[i].Select(pair => (Word: Encoding.UTF8.GetBytes(pair.Key), Documents: pair.Value)).ToArray();
            Array.Sort(sorted, (one, other) => one.Word.AsSpan().SequenceCompareTo(other.Word));
            foreach (var (word, documents) in sorted) writer.Add((Section)i, word, documents);
        }
        return writer.Finish(ids);
    }
}
