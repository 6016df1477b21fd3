using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Courses;

/// <summary>
/// A file of participants, CSV or XLSX: header <c>address,name</c> and any further columns, which become merge fields. Columns for role, groups,
/// language, zone, first and last day and wards are understood besides; where they say something else, they are merge fields and no more, with a note.
/// </summary>
sealed class ParticipantFile
{
    static readonly string[] AddressNames = ["address", "email", "e-mail", "mail", "адрес", "почта", "эл. почта", "электронная почта"];
    static readonly string[] NameNames = ["name", "full name", "fullname", "фио", "ф.и.о.", "имя и фамилия"];

    public IReadOnlyList<string> Columns { get; private init; } = [];
    public IReadOnlyList<RosterRow> People { get; private init; } = [];
    public IReadOnlyList<ImportError> Errors { get; private init; } = [];
    /// <summary>What was not understood, and is a merge field only.</summary>
    public IReadOnlyList<ImportError> Notes { get; private init; } = [];

    /// <param name="sheet">Of a spreadsheet: its name or its number from 1; null: the first that is shown.</param>
    public static Result<ParticipantFile> Parse(ReadOnlyMemory<byte> file, MailingSettings limits, string? sheet = null, CancellationToken cancel = default)
    {
        if (file.Length > limits.ImportBytes) return Refusal.TooLarge.Because($"The file has {file.Length} bytes; at most {limits.ImportBytes} are read. Import it in parts");
        CsvTable? table;
        if (Workbook.Is(file.Span))
        {
            var read = Workbook.Read(file, sheet, cancel);
            if (!read.Ok) return read.Refusal;
            table = Rectangular(read.Value);
        }
        else
        {
            table = CsvTable.Parse(file.Span, out var refusal);
            if (table is null) return Refusal.Invalid.Because(refusal!);
        }
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
        var people = new List<RosterRow>(table.Rows.Count);
        var notes = new List<ImportError>();
        var columns = new RosterColumns(header);
        var seen = new Dictionary<string, int>(table.Rows.Count);
        var further = Enumerable.Range(0, header.Count).Where(i => i != address && i != name).ToArray();
        foreach (var row in table.Rows)
        {
            var written = row.Fields[address];
            if (written.Length == 0) errors.Add(new(row.Line, "", "the address is missing"));
            else if (!MailAddress.TryParse(written, out var parsed)) errors.Add(new(row.Line, Shown(written), $"\"{Shown(written)}\" is not a valid address"));
            else if (!seen.TryAdd(parsed.Key, row.Line)) errors.Add(new(row.Line, written, $"{written} stands already on line {seen[parsed.Key]}, which is kept"));
            else
                people.Add(new(row.Line, parsed.Key, written, columns.Wish(row, note => notes.Add(new(row.Line, written, note))) with
                {
                    Name = name < 0 || OneLine(row.Fields[name]) is not { Length: > 0 } called ? null : called,
                    Status = "active",
                    Fields = further.ToDictionary(i => header[i], i => row.Fields[i]),
                }));
        }
        return new ParticipantFile { Columns = [.. further.Select(i => header[i])], People = people, Errors = [.. errors.OrderBy(error => error.Line)], Notes = notes };
    }

    // rows of a spreadsheet end with their last cell
    static CsvTable Rectangular(CsvTable table) =>
        CsvTable.Of(table.Header, [.. table.Rows.Select(row => row.Fields.Length == table.Header.Count ? row : row with { Fields = [.. row.Fields, .. Enumerable.Repeat("", table.Header.Count - row.Fields.Length)] })], table.Errors);

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

    internal static string Shown(string text) => OneLine(text.Length > 100 ? text[..100] + "…" : text);
}
