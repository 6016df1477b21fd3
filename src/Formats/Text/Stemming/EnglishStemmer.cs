namespace CbaMail.Text.Stemming;

/// <summary>Porter's second English stemmer ("Porter2", Snowball's "english"), from its published description.</summary>
public static class EnglishStemmer
{
    static readonly Dictionary<string, string> Exceptions = new()
    {
        ["skis"] = "ski",
        ["skies"] = "sky",
        ["dying"] = "die",
        ["lying"] = "lie",
        ["tying"] = "tie",
        ["idly"] = "idl",
        ["gently"] = "gentl",
        ["ugly"] = "ugli",
        ["early"] = "earli",
        ["only"] = "onli",
        ["singly"] = "singl",
        ["sky"] = "sky",
        ["news"] = "news",
        ["howe"] = "howe",
        ["atlas"] = "atlas",
        ["cosmos"] = "cosmos",
        ["bias"] = "bias",
        ["andes"] = "andes",
    };
    static readonly HashSet<string> Done = ["inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"];

    static readonly (string Ending, string By)[] Second =
    [
        ("ization", "ize"), ("ational", "ate"), ("fulness", "ful"), ("ousness", "ous"), ("iveness", "ive"), ("tional", "tion"), ("biliti", "ble"),
        ("lessli", "less"), ("entli", "ent"), ("ation", "ate"), ("alism", "al"), ("aliti", "al"), ("ousli", "ous"), ("iviti", "ive"), ("fulli", "ful"),
        ("enci", "ence"), ("anci", "ance"), ("abli", "able"), ("izer", "ize"), ("ator", "ate"), ("alli", "al"), ("bli", "ble"), ("ogi", "og"), ("li", ""),
    ];
    static readonly (string Ending, string By)[] Third =
        [("ational", "ate"), ("tional", "tion"), ("alize", "al"), ("icate", "ic"), ("iciti", "ic"), ("ative", ""), ("ical", "ic"), ("ness", ""), ("ful", "")];
    static readonly string[] Fourth =
        ["ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion", "al", "er", "ic"];

    /// <summary>The stem of a word in lower-case ASCII letters.</summary>
    public static string Stem(string word)
    {
        if (word.Length <= 2) return word;
        if (Exceptions.TryGetValue(word, out var exception)) return exception;
        var letters = word.ToCharArray();
        for (var i = 0; i < letters.Length; i++)
            if (letters[i] == 'y' && (i == 0 || IsVowel(letters[i - 1]))) letters[i] = 'Y';
        var stem = new string(letters);
        var first = FirstRegion(stem);
        var second = Behind(stem, first);
        stem = Step1a(stem);
        if (Done.Contains(stem)) return stem;
        stem = Step1c(Step1b(stem, first));
        stem = Step2(stem, first);
        stem = Step3(stem, first, second);
        stem = Step4(stem, second);
        return Step5(stem, first, second).Replace('Y', 'y');
    }

    static bool IsVowel(char c) => c is 'a' or 'e' or 'i' or 'o' or 'u' or 'y';

    static int FirstRegion(string word)
    {
        foreach (var start in (ReadOnlySpan<string>)["gener", "commun", "arsen"])
            if (word.StartsWith(start, StringComparison.Ordinal)) return start.Length;
        return Behind(word, 0);
    }

    // behind the first consonant that follows a vowel
    static int Behind(string word, int from)
    {
        for (var i = from + 1; i < word.Length; i++)
            if (!IsVowel(word[i]) && IsVowel(word[i - 1])) return i + 1;
        return word.Length;
    }

    static bool Ends(string word, string ending) => word.EndsWith(ending, StringComparison.Ordinal);

    static bool HasVowel(string word, int length)
    {
        for (var i = 0; i < length; i++)
            if (IsVowel(word[i])) return true;
        return false;
    }

    static bool EndsShort(string word) => word.Length switch
    {
        < 2 => false,
        2 => IsVowel(word[0]) && !IsVowel(word[1]),
        _ => !IsVowel(word[^3]) && IsVowel(word[^2]) && !IsVowel(word[^1]) && word[^1] is not ('w' or 'x' or 'Y'),
    };

    static string Step1a(string word)
    {
        if (Ends(word, "sses")) return word[..^2];
        if (Ends(word, "ied") || Ends(word, "ies")) return word.Length > 4 ? word[..^2] : word[..^1];
        if (Ends(word, "us") || Ends(word, "ss")) return word;
        return Ends(word, "s") && HasVowel(word, word.Length - 2) ? word[..^1] : word;
    }

    static string Step1b(string word, int first)
    {
        foreach (var ending in (ReadOnlySpan<string>)["eedly", "eed"])
            if (Ends(word, ending)) return word.Length - ending.Length >= first ? word[..^ending.Length] + "ee" : word;
        foreach (var ending in (ReadOnlySpan<string>)["ingly", "edly", "ing", "ed"])
        {
            if (!Ends(word, ending)) continue;
            if (!HasVowel(word, word.Length - ending.Length)) return word;
            word = word[..^ending.Length];
            if (Ends(word, "at") || Ends(word, "bl") || Ends(word, "iz")) return word + "e";
            if (word.Length >= 2 && word[^1] == word[^2] && word[^1] is 'b' or 'd' or 'f' or 'g' or 'm' or 'n' or 'p' or 'r' or 't') return word[..^1];
            return first >= word.Length && EndsShort(word) ? word + "e" : word;
        }
        return word;
    }

    static string Step1c(string word) => word.Length > 2 && word[^1] is 'y' or 'Y' && !IsVowel(word[^2]) ? word[..^1] + "i" : word;

    static string Step2(string word, int first)
    {
        foreach (var (ending, by) in Second)
        {
            if (!Ends(word, ending)) continue;
            var at = word.Length - ending.Length;
            if (at < first) return word;
            if (ending == "ogi" && (at == 0 || word[at - 1] != 'l')) return word;
            if (ending == "li" && (at == 0 || word[at - 1] is not ('c' or 'd' or 'e' or 'g' or 'h' or 'k' or 'm' or 'n' or 'r' or 't'))) return word;
            return word[..at] + by;
        }
        return word;
    }

    static string Step3(string word, int first, int second)
    {
        foreach (var (ending, by) in Third)
        {
            if (!Ends(word, ending)) continue;
            var at = word.Length - ending.Length;
            return at < first || (ending == "ative" && at < second) ? word : word[..at] + by;
        }
        return word;
    }

    static string Step4(string word, int second)
    {
        foreach (var ending in Fourth)
        {
            if (!Ends(word, ending)) continue;
            var at = word.Length - ending.Length;
            if (at < second || (ending == "ion" && (at == 0 || word[at - 1] is not ('s' or 't')))) return word;
            return word[..at];
        }
        return word;
    }

    static string Step5(string word, int first, int second)
    {
        var at = word.Length - 1;
        if (word[^1] == 'e') return at >= second || (at >= first && !EndsShort(word[..at])) ? word[..at] : word;
        return word[^1] == 'l' && at >= second && word.Length > 1 && word[^2] == 'l' ? word[..at] : word;
    }
}
