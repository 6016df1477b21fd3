using CbaMail.Envelope;

namespace CbaMail.Admission;

/// <summary>What a column of a table of accounts holds.</summary>
enum ImportColumn { Address, Name, Password, Hash, Generate, Quota, Groups, Aliases, Courses, Recovery, MustChange, Template }

/// <summary>Which column stands where: headers are known by their names in English and Russian, whatever their case, hyphens and spaces.</summary>
sealed class ImportColumns
{
    static readonly (ImportColumn Column, string[] Names)[] known =
    [
        (ImportColumn.Address, ["address", "email", "emailaddress", "mail", "адрес", "почта", "электроннаяпочта", "элпочта", "адресэлектроннойпочты", "адреспочты"]),
        (ImportColumn.Name, ["name", "fullname", "displayname", "имя", "фио", "имяифамилия", "фамилияимя", "фамилияимяотчество", "полноеимя"]),
        (ImportColumn.Password, ["password", "пароль"]),
        (ImportColumn.Hash, ["hash", "passwordhash", "хеш", "хэш", "хешпароля"]),
        (ImportColumn.Generate, ["generate", "generatepassword", "создатьпароль", "сгенерировать", "сгенерироватьпароль"]),
        (ImportColumn.Quota, ["quota", "квота"]),
        (ImportColumn.Groups, ["groups", "group", "группы", "группа"]),
        (ImportColumn.Aliases, ["aliases", "alias", "псевдонимы", "псевдоним"]),
        (ImportColumn.Courses, ["courses", "course", "enrolment", "enrollment", "курсы", "курс"]),
        (ImportColumn.Recovery, ["recovery", "recoveryaddress", "recoveryemail", "резервныйадрес", "запаснойадрес", "резервнаяпочта", "запаснаяпочта", "адресдлявосстановления"]),
        (ImportColumn.MustChange, ["mustchange", "mustchangepassword", "сменитьпароль", "сменапароля", "долженсменитьпароль"]),
        (ImportColumn.Template, ["template", "шаблон"]),
    ];

    static readonly Dictionary<ImportColumn, string> russian = new()
    {
        [ImportColumn.Address] = "адрес",
        [ImportColumn.Name] = "имя",
        [ImportColumn.Password] = "пароль",
        [ImportColumn.Hash] = "хеш",
        [ImportColumn.Generate] = "создать пароль",
        [ImportColumn.Quota] = "квота",
        [ImportColumn.Groups] = "группы",
        [ImportColumn.Aliases] = "псевдонимы",
        [ImportColumn.Courses] = "курсы",
        [ImportColumn.Recovery] = "резервный адрес",
        [ImportColumn.MustChange] = "сменить пароль",
        [ImportColumn.Template] = "шаблон",
    };

    /// <summary>In English, and in Russian as the headers of a table have them.</summary>
    static readonly string names = string.Join(", ", known.Select(one => Both(one.Column)));

    /// <summary>For people, whichever of the two their table has.</summary>
    public static string Both(ImportColumn column) => $"{Word(column)} ({russian[column]})";

    readonly Dictionary<ImportColumn, int> places = [];
    readonly Dictionary<ImportColumn, string> headers = [];

    ImportColumns() { }

    /// <summary>As answers name it.</summary>
    public static string Word(ImportColumn column) => column == ImportColumn.MustChange ? "must-change" : column.ToString().ToLowerInvariant();

    public static Result<ImportColumns> Read(IReadOnlyList<string> header)
    {
        var columns = new ImportColumns();
        for (var i = 0; i < header.Count; i++)
        {
            if (header[i].Length == 0) continue; // a spreadsheet may have a gap
            if (Of(header[i]) is not { } column)
                return Refusal.Invalid.Because($"Line 1 names a column \"{Shown(header[i])}\" that is not known; the columns are {names}");
            if (!columns.places.TryAdd(column, i)) return Refusal.Invalid.Because($"Line 1 names the column \"{Shown(header[i])}\" twice");
            columns.headers[column] = Shown(header[i].Trim());
        }
        return columns.places.ContainsKey(ImportColumn.Address) ? columns
            : Refusal.Invalid.Because($"Line 1 must name the columns, \"address\" among them; the columns are {names}");
    }

    /// <summary>As the table calls it.</summary>
    public string? Header(ImportColumn column) => headers.GetValueOrDefault(column);

    static ImportColumn? Of(string header)
    {
        var plain = new string([.. header.ToLowerInvariant().Replace('ё', 'е').Where(char.IsLetterOrDigit)]);
        foreach (var (column, words) in known)
            if (words.Contains(plain, StringComparer.Ordinal)) return column;
        return null;
    }

    static string Shown(string text) => new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);

    public string Field(IReadOnlyList<string> fields, ImportColumn column) => places.TryGetValue(column, out var i) && i < fields.Count ? fields[i].Trim() : "";

    /// <summary>Yes, no, or null where the field is empty; false where it is neither.</summary>
    public static bool TryTruth(string text, out bool? truth)
    {
        truth = text.ToLowerInvariant() switch { "yes" or "y" or "true" or "1" or "x" or "да" or "+" => true, "no" or "n" or "false" or "0" or "нет" or "-" => false, _ => null };
        return truth is not null || text.Length == 0;
    }
}
