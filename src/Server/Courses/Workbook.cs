using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;
using CbaMail.Envelope;
using CbaMail.Text;
using ExcelDataReader;
using ExcelDataReader.Exceptions;

namespace CbaMail.Courses;

/// <summary>
/// A table out of a spreadsheet file (XLSX, ISO/IEC 29500): the values of one sheet, those of formulas as they were computed last. Whoever made the
/// file may wish us ill: it is unpacked once, only to be counted, before anything reads it.
/// </summary>
static class Workbook
{
    internal const int MostRows = 50_000;
    internal const int MostColumns = 100;
    internal const long MostUnpacked = 96L << 20;
    const int MostEntries = 2000;
    const int LongestCell = 4000;

    // the reader asks for the encoding of old files before it sees a new one
    static Workbook() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Whether the file begins as spreadsheets do, so that it is no CSV.</summary>
    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith("PK\x03\x04"u8) || file.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]);

    /// <param name="sheet">Its name or its number from 1; null: the first that is shown.</param>
    public static Result<CsvTable> Read(ReadOnlyMemory<byte> file, string? sheet, CancellationToken cancel)
    {
        if (!file.Span.StartsWith("PK\x03\x04"u8)) return Refusal.Invalid.Because("The file is a spreadsheet of an old format (.xls); save it as .xlsx");
        try
        {
            using var bytes = new MemoryStream(file.ToArray(), writable: false);
            if (Measure(bytes, cancel) is { } refusal) return refusal;
            bytes.Position = 0;
            using var reader = ExcelReaderFactory.CreateOpenXmlReader(bytes);
            return Choose(reader, sheet) is { } none ? none : Rows(reader, cancel);
        }
        catch (Exception e) when (e is InvalidDataException or ExcelReaderException or XmlException or FormatException or OverflowException or ArgumentException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException or KeyNotFoundException or IOException)
        {
            return Refusal.Invalid.Because("The file is damaged, or no spreadsheet (.xlsx); save it again as .xlsx or as \"CSV UTF-8\"");
        }
    }

    /// <summary>A few kilobytes can unpack to gigabytes; and what the directory of the archive says of sizes need not be so.</summary>
    static Refusal? Measure(Stream file, CancellationToken cancel)
    {
        using var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
        var tooLarge = Refusal.Invalid.Because($"The file unpacks to more than {MostUnpacked >> 20} MB; split it, or save it as \"CSV UTF-8\"");
        if (archive.Entries.Count > MostEntries) return tooLarge;
        if (archive.GetEntry("xl/workbook.xml") is null)
            return Refusal.Invalid.Because("The file is no spreadsheet of the format .xlsx; save it as .xlsx or as \"CSV UTF-8\"");
        long total = 0;
        var buffer = new byte[64 * 1024];
        foreach (var entry in archive.Entries)
        {
            using var content = entry.Open();
            while (content.Read(buffer) is > 0 and var count)
            {
                cancel.ThrowIfCancellationRequested();
                if ((total += count) > MostUnpacked) return tooLarge;
            }
        }
        return null;
    }

    /// <summary>Goes to the sheet.</summary>
    static Refusal? Choose(IExcelDataReader reader, string? wanted)
    {
        var sheets = new List<string>();
        do
        {
            sheets.Add(reader.Name ?? "");
            if (wanted is null ? reader.VisibleState == "visible" : wanted == reader.Name || (int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number == sheets.Count)) return null;
        }
        while (reader.NextResult());
        return wanted is null ? Refusal.Invalid.Because("The file has no sheet that is shown")
            : Refusal.Invalid.Because($"There is no sheet \"{Shown(wanted)}\"; there are: {string.Join(", ", sheets.Take(20).Select(Shown))}").At("sheet");
    }

    static Result<CsvTable> Rows(IExcelDataReader reader, CancellationToken cancel)
    {
        string[]? header = null;
        List<CsvRow> rows = [];
        List<CsvError> errors = [];
        for (var line = 1; reader.Read(); line++)
        {
            cancel.ThrowIfCancellationRequested();
            if (line > MostRows) return Refusal.Invalid.Because($"The sheet has more than {MostRows} rows; split it");
            var fields = new string[Math.Min(reader.FieldCount, MostColumns)];
            string? wrong = null;
            for (var i = 0; i < fields.Length; i++)
            {
                fields[i] = Text(reader.GetValue(i)); // nothing, where a formula has failed
                if (fields[i].Length > LongestCell) wrong ??= $"the cell in column {i + 1} has more than {LongestCell} characters";
                else if (fields[i].Contains('\0', StringComparison.Ordinal)) wrong ??= "a NUL character stands in it";
            }
            if (fields.All(field => field.Length == 0) && wrong is null) continue;
            if (header is null)
            {
                if (reader.FieldCount > MostColumns) return Refusal.Invalid.Because($"The sheet has more than {MostColumns} columns");
                header = fields;
                while (header.Length > 1 && header[^1].Length == 0) header = header[..^1];
            }
            else if (wrong is not null) errors.Add(new(line, wrong));
            else rows.Add(new(line, fields.Length > header.Length ? fields[..header.Length] : fields));
        }
        return header is null ? Refusal.Invalid.Because("The sheet is empty: its first line must name the columns") : CsvTable.Of(header, rows, errors);
    }

    // as the person sees it: a number without an exponent, a date as ISO 8601 writes it
    static string Text(object? value) => value switch
    {
        null => "",
        string text => text.Trim(),
        double number when Math.Abs(number) < 1e15 && number == Math.Floor(number) => number.ToString("F0", CultureInfo.InvariantCulture),
        bool truth => truth ? "yes" : "no",
        DateTime date => date.ToString(date.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    static string Shown(string text) => new([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);
}
