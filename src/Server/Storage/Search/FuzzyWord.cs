using CbaMail.Text;
using CbaMail.Text.Stemming;

namespace CbaMail.Storage.Search;

/// <summary>A word that people look for, in any of its forms (RFC 6203 3).</summary>
/// <param name="Word">Folded (<see cref="SearchFold"/>).</param>
public sealed record FuzzyWord(string Word)
{
    /// <summary>Words of one text; further ones are not asked for.</summary>
    const int Most = 32;
    /// <summary>Shorter words are only found whole.</summary>
    const int LeastPrefix = 3;

    readonly string stem = Stems.Of(Word);
    readonly string root = Stems.Root(Word);

    /// <summary>What every word that fits begins with, in the form of <see cref="Casemap"/>: the first letter without its marks.</summary>
    public string First { get; } = FirstOf(Casemap.Key(Word));

    static string FirstOf(string key)
    {
        var rest = key.AsSpan();
        return SearchWords.Take(ref rest, char.IsHighSurrogate(key[0]) ? 2 : 1).ToString();
    }

    /// <summary>The words of a text in the form of <see cref="Casemap"/>.</summary>
    public static IReadOnlyList<FuzzyWord> All(string key)
    {
        var found = new List<FuzzyWord>();
        var words = new SearchWords(key);
        while (found.Count < Most && words.Next(out var word))
        {
            var folded = SearchFold.Fold(SearchWords.Take(ref word, Sections.Piece).ToString());
            if (folded.Length > 0 && !found.Exists(known => known.Word == folded)) found.Add(new FuzzyWord(folded));
        }
        return found;
    }

    /// <summary>How well a word fits: itself 1, another form 0.8, its beginning 0.6, not at all 0.</summary>
    /// <param name="key">In the form of <see cref="Casemap"/>.</param>
    public float Fit(ReadOnlySpan<char> key)
    {
        if (!key.StartsWith(First, StringComparison.Ordinal)) return 0f;
        var other = SearchFold.Fold(key.ToString());
        return !other.StartsWith(root, StringComparison.Ordinal) ? 0f
            : other == Word ? 1f
            : Stems.Of(other) == stem ? 0.8f
            : Word.Length >= LeastPrefix && other.StartsWith(Word, StringComparison.Ordinal) ? 0.6f
            : 0f;
    }

    /// <summary>How well the best word of a text fits.</summary>
    /// <param name="key">In the form of <see cref="Casemap"/>.</param>
    public float BestFit(string key)
    {
        var best = 0f;
        var words = new SearchWords(key);
        while (best < 1f && words.Next(out var word))
            while (!word.IsEmpty) best = Math.Max(best, Fit(SearchWords.Take(ref word, Sections.Piece)));
        return best;
    }
}
