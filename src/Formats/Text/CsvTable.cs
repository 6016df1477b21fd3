using System.Text;

namespace CbaMail.Text;

/// <summary>A row of a table.</summary>
/// <param name="Line">1-based line of the file at which the row begins.</param>
/// <param name="Fields">As many as the header has, without the white space around them.</param>
public sealed record CsvRow(int Line, string[] Fields);

/// <summary>A line that is no row of the table, and why.</summary>
public sealed record CsvError(int Line, string Message);

/// <summary>
/// A table as spreadsheets export it (RFC 4180 and its common departures): "," or ";" or tab, with or without a byte order mark,
/// quoted or not, any line ends. A bad row becomes an error of its own line and the rest is read: an unclosed quote costs its line,
/// not the file. Linear time; never throws on input.
/// </summary>
public sealed class CsvTable
{
    /// <summary>A quoted field that goes on for longer has lost its closing quote.</summary>
    const int MaxQuotedLength = 32 * 1024;
    /// <summary>A quoted field that spans more lines has lost its closing quote.</summary>
    const int MaxQuotedLines = 50;

    /// <summary>Names of the columns, as written.</summary>
    public IReadOnlyList<string> Header { get; private init; } = [];
    public IReadOnlyList<CsvRow> Rows { get; private init; } = [];
    /// <summary>By rising line.</summary>
    public IReadOnlyList<CsvError> Errors { get; private init; } = [];

    /// <summary>A table that was read from something else, as from a spreadsheet.</summary>
    public static CsvTable Of(IReadOnlyList<string> header, IReadOnlyList<CsvRow> rows, IReadOnlyList<CsvError> errors) => new() { Header = header, Rows = rows, Errors = errors };

    /// <summary>Reads a whole file; null, with a sentence, where it has no header to go by.</summary>
    public static CsvTable? Parse(ReadOnlySpan<byte> file, out string? refusal)
    {
        refusal = null;
        if (file.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) file = file[3..];
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || file.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            refusal = "The file is UTF-16; save it as \"CSV UTF-8\"";
            return null;
        }
        // What is not UTF-8 becomes U+FFFD and is an error of its row only.
        var text = Encoding.UTF8.GetString(file);
        if (text.StartsWith("PK\x03\x04", StringComparison.Ordinal))
        {
            refusal = "The file is a spreadsheet (.xlsx or .ods), not CSV; save it as \"CSV UTF-8\"";
            return null;
        }
        return new Reader(text).Read(out refusal);
    }

    sealed class Reader(string text)
    {
        readonly List<CsvRow> rows = [];
        readonly List<CsvError> errors = [];
        readonly List<string> fields = [];
        int position;
        int line = 1;
        char separator = ',';

        public CsvTable? Read(out string? refusal)
        {
            refusal = null;
            SkipSeparatorHint();
            SkipEmptyLines();
            if (position >= text.Length) { refusal = "The file is empty: its first line must name the columns"; return null; }
            separator = Separator();
            if (!Row(out var problem)) { refusal = $"Line {line}: {problem}"; return null; }
            var header = fields.ToArray();
            if (header.Any(name => name.Contains('�', StringComparison.Ordinal))) { refusal = "The first line is not UTF-8; save the file as \"CSV UTF-8\""; return null; }
            while (header.Length > 1 && header[^1].Length == 0) header = header[..^1];
            for (SkipEmptyLines(); position < text.Length; SkipEmptyLines())
            {
                var start = (Position: position, Line: line);
                if (Row(out problem)) Add(start.Line, header.Length);
                else
                {
                    errors.Add(new(start.Line, problem!));
                    (position, line) = start;
                    SkipLine();
                }
            }
            return new() { Header = header, Rows = rows, Errors = errors };
        }

        void Add(int at, int columns)
        {
            // spreadsheets pad rows with empty columns, and lines of nothing but separators are no rows
            while (fields.Count > columns && fields[^1].Length == 0) fields.RemoveAt(fields.Count - 1);
            if (fields.All(field => field.Length == 0)) return;
            if (fields.Count != columns) errors.Add(new(at, $"{Count(fields.Count)} where the header has {columns}"));
            else if (fields.Any(field => field.Contains('�', StringComparison.Ordinal))) errors.Add(new(at, "not UTF-8: save the file as \"CSV UTF-8\""));
            else if (fields.Any(field => field.Contains('\0', StringComparison.Ordinal))) errors.Add(new(at, "a NUL character stands in it"));
            else rows.Add(new(at, [.. fields]));
        }

        static string Count(int columns) => columns == 1 ? "1 column" : $"{columns} columns";

        /// <summary>Reads one row into <see cref="fields"/> and goes to the next line.</summary>
        bool Row(out string? problem)
        {
            fields.Clear();
            problem = null;
            while (true)
            {
                while (position < text.Length && text[position] is (' ' or '\t') && text[position] != separator) position++;
                if (position < text.Length && text[position] == '"')
                {
                    if (!Quoted(out problem)) return false;
                }
                else
                {
                    var rest = text.AsSpan(position);
                    var length = rest.IndexOfAny(separator, '\r', '\n');
                    if (length < 0) length = rest.Length;
                    fields.Add(rest[..length].Trim().ToString());
                    position += length;
                }
                if (position < text.Length && text[position] == separator) { position++; continue; }
                EndLine();
                return true;
            }
        }

        // RFC 4180 2.5-2.7
        bool Quoted(out string? problem)
        {
            problem = null;
            var value = new StringBuilder();
            var lines = 0;
            var limit = Math.Min(text.Length, position + MaxQuotedLength);
            for (position++; position < limit; position++)
            {
                var c = text[position];
                if (c == '"')
                {
                    if (position + 1 < text.Length && text[position + 1] == '"') position++;
                    else { position++; line += lines; return AfterQuote(value, out problem); }
                }
                else if (c == '\n' && ++lines > MaxQuotedLines) break;
                value.Append(c);
            }
            problem = "a quote is opened and never closed";
            return false;
        }

        bool AfterQuote(StringBuilder value, out string? problem)
        {
            problem = null;
            while (position < text.Length && text[position] is (' ' or '\t') && text[position] != separator) position++;
            if (position < text.Length && text[position] != separator && text[position] is not ('\r' or '\n'))
            {
                problem = "text stands behind a closing quote";
                return false;
            }
            fields.Add(value.ToString().Trim());
            return true;
        }

        void EndLine()
        {
            if (position >= text.Length) return;
            if (text[position] == '\r' && position + 1 < text.Length && text[position + 1] == '\n') position++;
            position++;
            line++;
        }

        void SkipLine()
        {
            var length = text.AsSpan(position).IndexOfAny('\r', '\n');
            position = length < 0 ? text.Length : position + length;
            EndLine();
        }

        void SkipEmptyLines()
        {
            while (position < text.Length)
            {
                var end = text.AsSpan(position).IndexOfAny('\r', '\n');
                if (!text.AsSpan(position, end < 0 ? text.Length - position : end).IsWhiteSpace()) return;
                SkipLine();
            }
        }

        /// <summary>Excel's "sep=;" line is a hint for Excel, no header.</summary>
        void SkipSeparatorHint()
        {
            if (text.StartsWith("sep=", StringComparison.OrdinalIgnoreCase)) SkipLine();
        }

        /// <summary>Whichever stands most often in the header, outside of quotes.</summary>
        char Separator()
        {
            Span<int> counts = stackalloc int[3];
            var quoted = false;
            for (var i = position; i < text.Length && (quoted || text[i] is not ('\r' or '\n')); i++)
            {
                switch (text[i])
                {
                    case '"': quoted = !quoted; break;
                    case ',' when !quoted: counts[0]++; break;
                    case ';' when !quoted: counts[1]++; break;
                    case '\t' when !quoted: counts[2]++; break;
                }
            }
            return counts[1] > counts[0] && counts[1] >= counts[2] ? ';' : counts[2] > counts[0] ? '\t' : ',';
        }
    }
}
