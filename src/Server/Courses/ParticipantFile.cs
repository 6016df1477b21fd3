using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Courses;

/// <summary>A person as a file names them.</summary>
/// <param name="Key">The address as it is compared.</param>
/// <param name="Fields">Further columns in the file's order.</param>
sealed record PersonRow(int Line, string Key, string Address, string Name, IReadOnlyList<KeyValuePair<string, string>> Fields);

/// <summary>
/// A file of participants: header <c>address,name</c> and any further columns, which become merge fields (contract.md).
/// </summary>
sealed class ParticipantFile
{
    static readonly string[] AddressNames = ["address", "email", "e-mail", "mail", "адрес", "почта", "эл. почта", "электронная почта"];
    static readonly string[] NameNames = ["name", "full name", "fullname", "фио", "ф.и.о.", "имя и фамилия"];

    public IReadOnlyList<string> Columns { get; private init; } = [];
    public IReadOnlyList<PersonRow> People { get; private init; } = [];
    public IReadOnlyList<ImportError> Errors { get; private init; } = [];

    public static Result<ParticipantFile> Parse(ReadOnlySpan<byte> file, MailingSettings limits)
    {
        if (file.Length > limits.ImportBytes) return Refusal.TooLarge.Because($"The file has {file.Length} bytes; at most {limits.ImportBytes} are read. Import it in parts");
        if (CsvTable.Parse(file, out var refusal) is not { } table) return Refusal.Invalid.Because(refusal!);
        var header = table.Header;
        var address = Column(header, AddressNames);
        if (address < 0) return Refusal.Invalid.Because($"The first line must name the columns, \"address\" among them; it says \"{Shown(string.Join(",", header))}\"");
        var name = Column(header, NameNames);
        for (var i = 0; i < header.Count; i++)
        {
            if (header[i].Length == 0) return Refusal.Invalid.Because($"Column {i + 1} has no name in the first line");
            for (var j = 0; j < i; j++)
                if (string.Equals(header[i], header[j], StringComparison.OrdinalIgnoreCase)) return Refusal.Invalid.Because($"Two columns are called \"{Shown(header[i])}\"");
        }
        if (header.Count > limits.Columns + 2) return Refusal.TooMany.Because($"The file has {header.Count} columns; at most {limits.Columns + 2} are read");
        if (table.Rows.Count > limits.Participants) return Refusal.TooMany.Because($"The file has {table.Rows.Count} rows; a course has at most {limits.Participants} participants");

        var errors = table.Errors.Select(error => new ImportError(error.Line, "", error.Message)).ToList();
        var people = new List<PersonRow>(table.Rows.Count);
        var seen = new Dictionary<string, int>(table.Rows.Count);
        var further = Enumerable.Range(0, header.Count).Where(i => i != address && i != name).ToArray();
        foreach (var row in table.Rows)
        {
            var written = row.Fields[address];
            if (written.Length == 0) errors.Add(new(row.Line, "", "the address is missing"));
            else if (!MailAddress.TryParse(written, out var parsed)) errors.Add(new(row.Line, Shown(written), $"\"{Shown(written)}\" is not a valid address"));
            else if (!seen.TryAdd(parsed.Key, row.Line)) errors.Add(new(row.Line, written, $"{written} stands already on line {seen[parsed.Key]}, which is kept"));
            else
                people.Add(new(row.Line, parsed.Key, written, name < 0 ? "" : OneLine(row.Fields[name]), [.. further.Select(i => KeyValuePair.Create(header[i], row.Fields[i]))]));
        }
        return new ParticipantFile { Columns = [.. further.Select(i => header[i])], People = people, Errors = [.. errors.OrderBy(error => error.Line)] };
    }

    static int Column(IReadOnlyList<string> header, string[] names)
    {
        foreach (var name in names)
            for (var i = 0; i < header.Count; i++)
                if (string.Equals(header[i], name, StringComparison.OrdinalIgnoreCase)) return i;
        return -1;
    }

    /// <summary>White space and control characters as single spaces: names go into header fields.</summary>
    internal static string OneLine(string text) =>
        text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029')
            ? string.Join(' ', string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            : text.Trim();

    static string Shown(string text) => OneLine(text.Length > 100 ? text[..100] + "…" : text);
}
