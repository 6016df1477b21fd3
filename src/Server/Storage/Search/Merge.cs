namespace CbaMail.Storage.Search;

/// <summary>Several segments as one, block by block: memory does not depend on their size.</summary>
/// <param name="keep">Which documents stay; null for all.</param>
sealed class Merge(IReadOnlyList<SegmentReader> from, IndexFile to, Func<long, bool>? keep)
{
    /// <summary>Words between two rests.</summary>
    const int WordsAPiece = 5000;

    readonly List<DocumentId> ids = [];
    readonly int[][] renumber = new int[from.Count][];
    readonly SegmentWriter writer = new(to);
    readonly List<int> documents = [];

    /// <param name="rest">Asked after every piece.</param>
    /// <returns>Null where no document stays.</returns>
    public async Task<Segment?> RunAsync(Func<CancellationToken, ValueTask> rest, CancellationToken cancel)
    {
        for (var i = 0; i < from.Count; i++)
        {
            var old = from[i].Ids;
            renumber[i] = new int[old.Length];
            for (var n = 0; n < old.Length; n++)
            {
                renumber[i][n] = keep?.Invoke(old[n].Content) == false ? -1 : ids.Count;
                if (renumber[i][n] >= 0) ids.Add(old[n]);
            }
        }
        if (ids.Count == 0) return null;
        for (var section = 0; section < Sections.Count; section++)
        {
            var walks = from.Select(segment => new Walk(segment.Blocks((Section)section).GetEnumerator())).ToArray();
            while (Step(walks, (Section)section)) await rest(cancel);
        }
        return writer.Finish(ids);
    }

    /// <returns>False at the end of the section.</returns>
    bool Step(Walk[] walks, Section section)
    {
        for (var words = 0; words < WordsAPiece; words++)
        {
            var least = -1;
            for (var i = 0; i < walks.Length; i++)
                if (!walks[i].AtEnd && (least < 0 || walks[i].Word.SequenceCompareTo(walks[least].Word) < 0)) least = i;
            if (least < 0) return false;
            var word = walks[least].Word;
            documents.Clear();
            for (var i = least; i < walks.Length; i++)
            {
                if (walks[i].AtEnd || !walks[i].Word.SequenceEqual(word)) continue;
                var list = walks[i].List(out var isBitmap);
                Postings.Translate(list, isBitmap, renumber[i], documents);
            }
            if (documents.Count > 0) writer.Add(section, word, documents);
            for (var i = walks.Length - 1; i >= least; i--)
                if (i != least && !walks[i].AtEnd && walks[i].Word.SequenceEqual(word)) walks[i].Next();
            walks[least].Next();
        }
        return true;
    }

    sealed class Walk
    {
        readonly IEnumerator<OpenBlock> blocks;
        OpenBlock? block;
        int index;

        public Walk(IEnumerator<OpenBlock> blocks)
        {
            this.blocks = blocks;
            Open();
        }

        public bool AtEnd => block is null;
        public ReadOnlySpan<byte> Word => block!.Word(index);
        public ReadOnlySpan<byte> List(out bool isBitmap) => block!.List(index, out isBitmap);

        public void Next()
        {
            if (++index >= block!.Count) Open();
        }

        void Open()
        {
            index = 0;
            do block = blocks.MoveNext() ? blocks.Current : null;
            while (block is { Count: 0 });
        }
    }
}
