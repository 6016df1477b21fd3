using System.Text;

namespace CbaMail.Storage.Search;

/// <summary>
/// Scores the documents that hold every word in some form: a word counts the more the rarer it is, and more in the subject or among the people
/// than in the text.
/// </summary>
static class FuzzyAnswer
{
    public static void Score(SegmentReader[] segments, TextPlace place, string? field, IReadOnlyList<FuzzyWord> words, float[] scores, CancellationToken cancel)
    {
        float[]? sum = null;
        foreach (var word in words)
        {
            var best = new float[scores.Length];
            var first = 0;
            foreach (var segment in segments)
            {
                cancel.ThrowIfCancellationRequested();
                foreach (var (section, weight) in Places(place, field)) Score(segment, section, weight, word, best.AsSpan(first, segment.Documents));
                first += ContentMap.SizeOf(segment);
            }
            var hits = best.Count(value => value > 0);
            if (hits == 0) return;
            var rarity = MathF.Log(1 + (float)scores.Length / hits);
            if (sum is null) sum = [.. best.Select(value => value * rarity)];
            else for (var i = 0; i < sum.Length; i++) sum[i] = sum[i] > 0 && best[i] > 0 ? sum[i] + best[i] * rarity : 0;
        }
        sum?.CopyTo(scores, 0);
    }

    /// <summary>Whether the words of a field stand among those of others: who has them has to be looked at.</summary>
    public static bool IsShared(TextPlace place, string? field) => place == TextPlace.Field && Sections.OfField(field!) is null;

    static IEnumerable<(Section Section, float Weight)> Places(TextPlace place, string? field) => place switch
    {
        TextPlace.Body => [(Section.Body, 1f)],
        TextPlace.Field => [(Sections.OfField(field!) ?? Section.Header, 1f)],
        _ =>
        [
            (Section.Subject, 3f), (Section.From, 2f), (Section.To, 1.5f), (Section.Cc, 1.2f), (Section.Bcc, 1.2f), (Section.ReplyTo, 1f),
            (Section.MessageId, 0.3f), (Section.Body, 1f), (Section.Header, 0.5f),
        ],
    };

    static void Score(SegmentReader segment, Section section, float weight, FuzzyWord word, Span<float> best)
    {
        var sets = new Dictionary<float, DocumentSet>(); // by how well their words fit
        // where a word stands alone the first letter finds it
        var pattern = Encoding.UTF8.GetBytes("\n" + word.First);
        var isValue = Array.IndexOf(Sections.Values, section) >= 0;
        foreach (var block in segment.Blocks(section))
        {
            if (isValue)
                for (var index = 0; index < block.Count; index++) Add(index);
            else
                for (var from = 0; from < block.Words.Length;)
                {
                    var at = block.Words[from..].IndexOf(pattern);
                    if (at < 0) break;
                    var index = block.At(from + at + 1);
                    from = block.EndOf(index) - 1;
                    Add(index);
                }

            void Add(int index)
            {
                var text = Encoding.UTF8.GetString(block.Word(index));
                var fit = isValue ? word.BestFit(text) : word.Fit(text);
                if (fit <= 0) return;
                if (!sets.TryGetValue(fit, out var set)) sets[fit] = set = new DocumentSet(segment.Documents);
                block.AddTo(set, index);
            }
        }
        foreach (var (fit, set) in sets)
            for (var i = 0; i < best.Length; i++)
                if (set[i]) best[i] = Math.Max(best[i], fit * weight);
    }
}
