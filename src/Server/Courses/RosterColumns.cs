using CbaMail.Calendar;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Courses;

/// <summary>Which columns of a table say what somebody is in a run; known by their names in English and Russian, whatever their case, hyphens and spaces.</summary>
sealed class RosterColumns
{
    enum Column { Role, Groups, Language, Zone, From, Until, GuardianOf }

    static readonly (Column Column, string[] Names)[] known =
    [
        (Column.Role, ["role", "роль", "статусвкурсе"]),
        (Column.Groups, ["group", "groups", "группа", "группы"]),
        (Column.Language, ["language", "lang", "язык"]),
        (Column.Zone, ["zone", "timezone", "часовойпояс", "пояс"]),
        (Column.From, ["from", "since", "enrolledfrom", "startdate", "с", "датаначала", "датазачисления", "зачислен"]),
        (Column.Until, ["until", "till", "enrolleduntil", "enddate", "по", "до", "датаокончания", "датаотчисления", "отчислен"]),
        (Column.GuardianOf, ["guardianof", "ward", "wards", "parentof", "подопечный", "подопечные", "опекает", "родителького", "чейродитель"]),
    ];

    static readonly char[] between = [';', ',', '|', '\n'];

    readonly Dictionary<Column, int> places = [];

    public RosterColumns(IReadOnlyList<string> header)
    {
        for (var i = 0; i < header.Count; i++)
        {
            var plain = new string([.. header[i].ToLowerInvariant().Replace('ё', 'е').Where(char.IsLetterOrDigit)]);
            foreach (var (column, names) in known)
                if (names.Contains(plain, StringComparer.Ordinal)) places.TryAdd(column, i);
        }
    }

    /// <summary>What a row asks for; an empty cell leaves role, language and zone as they are, and takes the rest away.</summary>
    /// <param name="note">Told what was not understood.</param>
    public EnrolmentWish Wish(CsvRow row, Action<string> note)
    {
        string? Text(Column column) => places.TryGetValue(column, out var place) ? row.Fields[place].Trim() : null;
        string? Known(Column column, string what, Func<string, string?> read)
        {
            if (Text(column) is not { Length: > 0 } text) return null;
            var found = read(text);
            if (found is null) note($"\"{ParticipantFile.Shown(text)}\" is no {what}; it is a merge field only");
            return found;
        }
        string? Day(Column column) => Text(column) is "" ? "" : Known(column, "date", text => IsoDate.TryParseTable(text, out var date) ? IsoDate.Of(date) : null);
        var role = Known(Column.Role, "role", text => CourseWords.TryRole(text, out var found) ? CourseWords.Of(found) : null);
        var language = Known(Column.Language, "language (ru or en)", CourseWords.Language);
        var zone = Known(Column.Zone, "time zone", text => CalendarZones.Named(text) is null ? null : text);
        IReadOnlyList<string>? groups = null;
        if (Text(Column.Groups) is { } list)
        {
            groups = list.Split(between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (groups.Count > Enrolling.MostGroupsOfOne || groups.Any(name => name.Length > Enrolling.LongestName)) { note("these are too many groups, or too long a name; it is a merge field only"); groups = null; }
        }
        List<string>? wards = null;
        foreach (var word in Text(Column.GuardianOf)?.Split([.. between, ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
            if (MailAddress.TryParse(word, out var ward)) (wards ??= []).Add(ward.ToString());
            else note($"\"{ParticipantFile.Shown(word)}\" is no address; it is a merge field only");
        if (wards is null && Text(Column.GuardianOf) is "") wards = [];
        return new(Role: role, From: Day(Column.From), Until: Day(Column.Until), Groups: groups, Language: language, Zone: zone, GuardianOf: wards?[..Math.Min(wards.Count, Enrolling.MostWards)]);
    }
}
