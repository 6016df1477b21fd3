using System.Globalization;
using System.IO.Compression;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Courses.Sources;

/// <summary>A row of a OneRoster table, its values by the names of columns.</summary>
sealed record OneRosterRow(int Line, IReadOnlyDictionary<string, string> Values)
{
    public string this[string column] => Values.GetValueOrDefault(column) ?? "";
    public string Id => this["sourcedId"];
    /// <summary>Rows of a whole export have no status; those of a difference say what has become of them.</summary>
    public bool IsGone => this["status"].Equals("tobedeleted", StringComparison.OrdinalIgnoreCase);
    public IEnumerable<string> List(string column) => this[column].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>
/// A OneRoster 1.2 file: a ZIP of tables with a manifest that says of each whether it is whole (bulk), a difference (delta) or absent. Somebody else has
/// packed it: it is unpacked within bounds, whatever its directory says.
/// </summary>
sealed class OneRosterFiles
{
    const int MostEntries = 100;
    const long MostUnpacked = 256L << 20;
    static readonly string[] Read = ["academicSessions", "classes", "courses", "enrollments", "users"];

    readonly Dictionary<string, IReadOnlyList<OneRosterRow>> tables = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> modes = new(StringComparer.OrdinalIgnoreCase);

    public List<ImportError> Errors { get; } = [];

    public IReadOnlyList<OneRosterRow> this[string table] => tables.GetValueOrDefault(table) ?? [];

    public bool IsWhole(string table) => modes.GetValueOrDefault(table) == "bulk";

    public static Result<OneRosterFiles> Open(ReadOnlyMemory<byte> file, CancellationToken cancel)
    {
        var made = new OneRosterFiles();
        try
        {
            using var archive = new ZipArchive(new MemoryStream(file.ToArray(), writable: false), ZipArchiveMode.Read);
            if (archive.Entries.Count > MostEntries) return Refusal.Invalid.Because("The file is no OneRoster file: it has too many parts");
            var total = 0L;
            if (made.Table(archive, "manifest", ref total, cancel) is not { Ok: true } manifest) return Refusal.Invalid.Because("The file is no OneRoster file: it has no manifest.csv");
            foreach (var row in manifest.Value)
                if (row["propertyName"] is { } name && name.StartsWith("file.", StringComparison.Ordinal)) made.modes[name[5..]] = row["value"].ToLowerInvariant();
                else if (row["propertyName"] == "oneroster.version" && !row["value"].StartsWith("1.", StringComparison.Ordinal)) return Refusal.Invalid.Because($"OneRoster {ParticipantFile.Shown(row["value"])} is not understood; 1.1 and 1.2 are");
            foreach (var name in Read)
            {
                if (made.modes.GetValueOrDefault(name) is not ("bulk" or "delta")) continue;
                var table = made.Table(archive, name, ref total, cancel);
                if (!table.Ok) return table.Refusal;
                made.tables[name] = table.Value;
            }
            return made;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or OverflowException)
        {
            return Refusal.Invalid.Because("The file is damaged, or no ZIP of OneRoster tables");
        }
    }

    Result<IReadOnlyList<OneRosterRow>> Table(ZipArchive archive, string name, ref long total, CancellationToken cancel)
    {
        // some pack the folder and not what is in it
        if (archive.Entries.FirstOrDefault(entry => entry.Name.Equals(name + ".csv", StringComparison.OrdinalIgnoreCase)) is not { } entry) return Refusal.Invalid.Because($"The manifest names {name}.csv, and it is not in the file");
        using var bytes = new MemoryStream();
        using (var content = entry.Open())
        {
            var buffer = new byte[64 * 1024];
            while (content.Read(buffer) is > 0 and var count)
            {
                cancel.ThrowIfCancellationRequested();
                if ((total += count) > MostUnpacked) return Refusal.Invalid.Because($"The file unpacks to more than {MostUnpacked >> 20} MB");
                bytes.Write(buffer, 0, count);
            }
        }
        if (CsvTable.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), out var refusal) is not { } table) return Refusal.Invalid.Because($"The table {name}.csv cannot be read: {refusal}");
        Errors.AddRange(table.Errors.Select(error => new ImportError(error.Line, "", $"{name}.csv: {error.Message}")));
        return new Result<IReadOnlyList<OneRosterRow>>([.. table.Rows.Select(row =>
        {
            var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < row.Fields.Length; i++) values.TryAdd(table.Header[i], row.Fields[i]);
            return new OneRosterRow(row.Line, values);
        })], null);
    }

    /// <summary>A date of a table, in the form of ours.</summary>
    public static DateOnly? Date(string text) => DateOnly.TryParseExact(text.Length > 10 ? text[..10] : text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;
}
