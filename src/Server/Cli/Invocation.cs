using System.Text.Json;
using CbaMail.Text;

namespace CbaMail.Cli;

/// <summary>A verb as somebody typed it.</summary>
public sealed class Invocation : IDisposable
{
    readonly Dictionary<string, List<string>> options;
    ControlClient? client;

    internal Invocation(IReadOnlyList<string> arguments, Dictionary<string, List<string>> options, TextReader input, TextWriter output, TextWriter error)
    {
        Arguments = arguments;
        this.options = options;
        (Input, Output, Error) = (input, output, error);
    }

    /// <summary>What stands behind the verb and is no option.</summary>
    public IReadOnlyList<string> Arguments { get; }
    public TextReader Input { get; }
    public TextWriter Output { get; }
    public TextWriter Error { get; }

    public bool Has(string option) => options.ContainsKey(option);
    public string? Value(string option) => options.TryGetValue(option, out var values) ? values[^1] : null;
    public IReadOnlyList<string> Values(string option) => options.TryGetValue(option, out var values) ? values : [];
    public bool Json => Has("--json");
    bool Csv => Has("--csv");
    public string Data => Value("--data") ?? DataPlace.Standard();

    /// <summary>The running server.</summary>
    public ControlClient Server => client ??= new ControlClient(Data);

    /// <summary>Whether a person reads what is printed.</summary>
    public bool IsTerminal => ReferenceEquals(Output, Console.Out) && !Console.IsOutputRedirected;

    // much of it strangers wrote: addresses, subjects, replies
    public void Print(string line) => Output.WriteLine(PlainText.Lines(line));

    /// <summary>With --json or --csv the answer as it came, else the sentence.</summary>
    public int Print(JsonElement answer, Func<JsonElement, string> sentence)
    {
        if (Csv) { PrintCsv(answer); return 0; }
        Print(Json ? answer.GetRawText() : sentence(answer));
        return 0;
    }

    /// <summary>With --json or --csv the array as it came, else a table: the header only on a terminal, so that scripts get rows.</summary>
    /// <param name="under">Lines that stand below a row.</param>
    public int Print(JsonElement rows, IReadOnlyList<string> header, Func<JsonElement, string[]> columns, Func<JsonElement, IEnumerable<string>>? under = null)
    {
        if (Json) { Print(rows.GetRawText()); return 0; }
        if (Csv) { PrintCsv(rows); return 0; }
        PrintTable([.. rows.EnumerateArray()], header, columns, under);
        return 0;
    }

    /// <summary>The same for rows that are no answer of their own.</summary>
    public void PrintTable(IReadOnlyList<JsonElement> rows, IReadOnlyList<string> header, Func<JsonElement, string[]> columns, Func<JsonElement, IEnumerable<string>>? under = null)
    {
        var lines = rows.Select(row => (Fields: Array.ConvertAll(columns(row), field => PlainText.Line(field)), Under: under?.Invoke(row) ?? [])).ToList();
        if (IsTerminal && lines.Count == 0) { Print("(none)"); return; }
        if (IsTerminal) lines.Insert(0, ([.. header], []));
        var widths = new int[header.Count];
        foreach (var (line, _) in lines)
            for (var i = 0; i < line.Length; i++) widths[i] = Math.Max(widths[i], line[i].Length);
        foreach (var (line, below) in lines)
        {
            Print(string.Join("  ", line.Select((field, i) => i == line.Length - 1 ? field : field.PadRight(widths[i]))).TrimEnd());
            foreach (var text in below) Print(PlainText.Line(text));
        }
    }

    /// <summary>Every field that a row has; the names first, so that nobody has to know their order. RFC 4180 2.6, 2.7.</summary>
    public void PrintCsv(JsonElement answer)
    {
        var rows = RowsOf(answer);
        var names = NamesOf(rows);
        Print(string.Join(',', names.Select(Quoted)));
        foreach (var row in rows) Print(string.Join(',', names.Select(name => Quoted(FieldOf(row, name)))));
    }

    /// <summary>An array's items, those of a page, or the one thing itself.</summary>
    internal static IReadOnlyList<JsonElement> RowsOf(JsonElement answer) =>
        answer.ValueKind == JsonValueKind.Array ? [.. answer.EnumerateArray()]
        : answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array ? [.. items.EnumerateArray()] : [answer];

    internal static IReadOnlyList<string> NamesOf(IReadOnlyList<JsonElement> rows) =>
        [.. rows.Where(row => row.ValueKind == JsonValueKind.Object).SelectMany(row => row.EnumerateObject()).Select(field => field.Name).Distinct()];

    internal static string FieldOf(JsonElement row, string name) =>
        row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? ""
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    // a spreadsheet runs what it takes for a formula, and subjects and names are strangers': an apostrophe keeps it text
    static bool IsFormula(string text) => text.Length > 1 && (text[0] is '=' or '\t' or '\r' || (text[0] is '+' or '-' or '@' && text.AsSpan().IndexOfAny("(|!") >= 0));

    static string Quoted(string text) => Plain(IsFormula(text) ? "'" + text : text);

    static string Plain(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    public void Dispose() => client?.Dispose();
}
