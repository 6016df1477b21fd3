namespace CbaMail.Mailings;

/// <summary>A full name taken apart, so that a greeting can be "Здравствуйте, Анна" or "Dear John".</summary>
public sealed record PersonName(string First, string Patronymic, string Last)
{
    static readonly HashSet<string> Titles = new(StringComparer.OrdinalIgnoreCase)
    {
        "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "madam",
        "г-н", "г-жа", "господин", "госпожа", "д-р", "доктор", "проф", "профессор",
    };

    static readonly string[] PatronymicEndings = ["ович", "евич", "ьич", "овна", "евна", "ична", "инична", "оглы", "кызы"];
    static readonly string[] ShortPatronymics = ["ильич", "лукич", "кузьмич", "фомич", "никитич", "саввич"];

    static readonly string[] SurnameEndings =
        ["ов", "ев", "ёв", "ин", "ын", "ский", "цкий", "ской", "цкой", "ова", "ева", "ёва", "ина", "ына", "ская", "цкая", "енко", "ко", "чук", "юк", "ян", "дзе", "швили", "ых", "их", "ец", "вич"];

    /// <summary>
    /// "Фамилия Имя Отчество" and "Имя Отчество Фамилия" are told apart by where the patronymic stands, "Фамилия Имя" by known names
    /// and the endings of surnames, "Surname, Given" by its comma; else the first word is the given name. Titles are left out.
    /// </summary>
    public static PersonName Parse(string name)
    {
        var comma = name.IndexOf(',', StringComparison.Ordinal);
        if (comma > 0)
        {
            var given = Words(name[(comma + 1)..]);
            if (given.Count > 0) return new(given[0], given.Count > 1 && IsPatronymic(given[1]) ? given[1] : "", string.Join(' ', Words(name[..comma])));
        }
        var words = Words(name.Replace(',', ' '));
        switch (words.Count)
        {
            case 0: return new("", "", "");
            case 1: return new(words[0], "", "");
        }
        // "Магомедов Али Ахмед оглы"
        if (words.Count > 3 && words[^1].ToLowerInvariant() is "оглы" or "кызы" or "оглу" or "улы" or "гызы")
            return new(words[^3], $"{words[^2]} {words[^1]}", string.Join(' ', words[..^3]));
        for (var i = 1; i < words.Count; i++)
        {
            if (!IsPatronymic(words[i])) continue;
            // Иванов Иван Иванович; Иван Иванович Иванов; Иван Иванович
            if (i >= 2) return new(words[i - 1], words[i], string.Join(' ', words[..(i - 1)]));
            if (words.Count == 2 && LooksLikeSurname(words[1]) && !RussianNames.IsGiven(words[0])) break;
            return new(words[0], words[1], string.Join(' ', words[2..]));
        }
        if (words.Count == 2 && IsCyrillic(words[0]) && SurnameFirst(words[0], words[1])) return new(words[1], "", words[0]);
        return new(words[0], "", string.Join(' ', words[1..]));
    }

    static bool SurnameFirst(string first, string second)
    {
        if (RussianNames.IsGiven(first)) return false;
        return RussianNames.IsGiven(second) || LooksLikeSurname(first) && !LooksLikeSurname(second);
    }

    static bool LooksLikeSurname(string word) => SurnameEndings.Any(end => word.Length > end.Length + 1 && word.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    static bool IsPatronymic(string word) =>
        PatronymicEndings.Any(end => word.Length > end.Length + 1 && word.EndsWith(end, StringComparison.OrdinalIgnoreCase))
        || ShortPatronymics.Contains(word.ToLowerInvariant());

    static bool IsCyrillic(string word) => word.Any(c => c is >= 'Ѐ' and <= 'ӿ');

    static List<string> Words(string text) =>
        [.. text.Split((char[])[' ', '\t', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(word => !Titles.Contains(word.TrimEnd('.')))];
}
