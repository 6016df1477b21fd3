namespace CbaMail.Text.Stemming;

/// <summary>The stem of a word in Russian or English: what its forms have in common. Words are folded (<see cref="SearchFold"/>).</summary>
public static class Stems
{
    /// <summary>Longer words are codes and addresses, not language.</summary>
    const int Longest = 40;

    /// <summary>The stem, or the word itself where it has none.</summary>
    public static string Of(string word)
    {
        if (word.Length is < 3 or > Longest) return word;
        var (cyrillic, latin) = (0, 0);
        foreach (var c in word)
        {
            if (c is >= 'а' and <= 'я') cyrillic++;
            else if (c is >= 'a' and <= 'z') latin++;
        }
        return cyrillic == word.Length ? RussianStemmer.Stem(word) : latin == word.Length ? EnglishStemmer.Stem(word) : word;
    }

    /// <summary>What every form of a word begins with: its stem, less a last letter that forms change (happy, happiness).</summary>
    public static string Root(string word)
    {
        var stem = Of(word);
        var common = 0;
        while (common < stem.Length && common < word.Length && stem[common] == word[common]) common++;
        if (common > 3 && word[common - 1] is 'i' or 'y' or 'e') common--;
        return word[..Math.Max(1, common)];
    }
}
