namespace CbaMail.Text.Stemming;

/// <summary>The Russian stemmer of Snowball, from its published description: endings taken off in four steps, in regions that begin behind vowels.</summary>
public static class RussianStemmer
{
    static readonly string[] GerundAfterA = ["вшись", "вши", "в"];
    static readonly string[] Gerund = ["ывшись", "ившись", "ывши", "ивши", "ыв", "ив"];
    static readonly string[] Adjective =
        ["ими", "ыми", "его", "ого", "ему", "ому", "ее", "ие", "ые", "ое", "ей", "ий", "ый", "ой", "ем", "им", "ым", "ом", "их", "ых", "ую", "юю", "ая", "яя", "ою", "ею"];
    static readonly string[] ParticipleAfterA = ["ем", "нн", "вш", "ющ", "щ"];
    static readonly string[] Participle = ["ивш", "ывш", "ующ"];
    static readonly string[] Reflexive = ["ся", "сь"];
    static readonly string[] VerbAfterA = ["ете", "йте", "ешь", "нно", "ла", "на", "ли", "ем", "ло", "но", "ет", "ют", "ны", "ть", "й", "л", "н"];
    static readonly string[] Verb =
    [
        "ейте", "уйте", "ила", "ыла", "ена", "ите", "или", "ыли", "ило", "ыло", "ено", "ует", "уют", "ены", "ить", "ыть", "ишь",
        "ей", "уй", "ил", "ыл", "им", "ым", "ен", "ят", "ит", "ыт", "ую", "ю",
    ];
    static readonly string[] Noun =
    [
        "иями", "ями", "ами", "ией", "иям", "ием", "иях", "ев", "ов", "ие", "ье", "еи", "ии", "ей", "ой", "ий", "ям", "ем", "ам", "ом", "ах", "ях",
        "ию", "ью", "ия", "ья", "а", "е", "и", "й", "о", "у", "ы", "ь", "ю", "я",
    ];
    static readonly string[] Superlative = ["ейше", "ейш"];
    static readonly string[] Derivational = ["ость", "ост"];

    /// <summary>The stem of a word in lower case, ё written as е.</summary>
    public static string Stem(string word)
    {
        var start = AfterVowel(word, 0);
        if (start < 0) return word;
        var second = SecondRegion(word);
        var stem = word;
        Step1(ref stem, start);
        Take(ref stem, start, ["и"]);
        Take(ref stem, second, Derivational);
        if (Take(ref stem, start, Superlative)) TakeOne(ref stem, start, "нн");
        else if (!TakeOne(ref stem, start, "нн")) Take(ref stem, start, ["ь"]);
        return stem;
    }

    static void Step1(ref string stem, int start)
    {
        if (TakeBehindA(ref stem, start, GerundAfterA, Gerund)) return;
        Take(ref stem, start, Reflexive);
        if (Take(ref stem, start, Adjective))
        {
            TakeBehindA(ref stem, start, ParticipleAfterA, Participle);
            return;
        }
        if (!TakeBehindA(ref stem, start, VerbAfterA, Verb)) Take(ref stem, start, Noun);
    }

    static bool IsVowel(char c) => c is 'а' or 'е' or 'и' or 'о' or 'у' or 'ы' or 'э' or 'ю' or 'я';

    // the place behind the first vowel, or -1
    static int AfterVowel(string word, int from)
    {
        for (var i = from; i < word.Length; i++)
            if (IsVowel(word[i])) return i + 1;
        return -1;
    }

    // behind the first consonant that follows a vowel, and that twice
    static int SecondRegion(string word)
    {
        var at = 0;
        for (var times = 0; times < 2; times++)
        {
            at = AfterVowel(word, at);
            if (at < 0) return word.Length;
            while (at < word.Length && IsVowel(word[at])) at++;
            if (at++ >= word.Length) return word.Length;
        }
        return at;
    }

    static bool Take(ref string stem, int region, string[] endings)
    {
        foreach (var ending in endings)
        {
            if (stem.Length - ending.Length < region || !stem.EndsWith(ending, StringComparison.Ordinal)) continue;
            stem = stem[..^ending.Length];
            return true;
        }
        return false;
    }

    // the longest ending of both groups decides; those of the first need an а or я before them
    static bool TakeBehindA(ref string stem, int region, string[] behindA, string[] free)
    {
        string? longest = null;
        var needsA = false;
        foreach (var ending in free)
            if (Fits(stem, region, ending) && ending.Length > (longest?.Length ?? 0)) (longest, needsA) = (ending, false);
        foreach (var ending in behindA)
            if (Fits(stem, region, ending) && ending.Length > (longest?.Length ?? 0)) (longest, needsA) = (ending, true);
        if (longest is null) return false;
        var before = stem.Length - longest.Length - 1;
        if (needsA && (before < region || stem[before] is not ('а' or 'я'))) return false;
        stem = stem[..^longest.Length];
        return true;
    }

    static bool Fits(string stem, int region, string ending) => stem.Length - ending.Length >= region && stem.EndsWith(ending, StringComparison.Ordinal);

    // of a doubled letter one stays
    static bool TakeOne(ref string stem, int region, string pair)
    {
        if (!Fits(stem, region, pair)) return false;
        stem = stem[..^1];
        return true;
    }
}
