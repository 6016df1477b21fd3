using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CbaMail.Text;

namespace CbaMail.Cli;

/// <summary>Somebody whom listmonk writes to.</summary>
/// <param name="Fields">His attributes, in their order.</param>
/// <param name="Lists">Numbers of those whose letters he gets.</param>
sealed record ListmonkPerson(string Address, string Name, IReadOnlyDictionary<string, string> Fields, string Status, IReadOnlyList<long> Lists);

sealed record ListmonkText(string Name, string Subject, string Body, bool IsPlain);

/// <summary>What is in a listmonk, read and not changed: its database by way of psql, or a file that it has exported.</summary>
sealed class ListmonkSource
{
    const int MostFields = 60, LongestValue = 1000, LargestFile = 256 << 20;

    public SortedDictionary<long, string> Lists { get; } = [];
    public List<ListmonkPerson> People { get; } = [];
    public List<ListmonkText> Texts { get; } = [];
    /// <summary>Who is left out where, and why.</summary>
    public SortedDictionary<string, int> Left { get; } = new(StringComparer.Ordinal);

    readonly Dictionary<long, (string Body, bool IsUsed, string Name, string Subject)> templates = [];

    /// <param name="database">As psql names it: a name, or postgresql://user@host/name. A password is taken from PGPASSWORD or .pgpass.</param>
    public static async Task<ListmonkSource> OfDatabaseAsync(string database)
    {
        var start = new ProcessStartInfo("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-w", "-d", database, "-c", ListmonkTable.Query]) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8 };
        start.Environment["PGOPTIONS"] = "-c default_transaction_read_only=on";
        start.Environment["PGCLIENTENCODING"] = "UTF8";
        using var psql = Start(start);
        var said = psql.StandardError.ReadToEndAsync();
        var rows = new List<JsonElement>();
        while (await psql.StandardOutput.ReadLineAsync() is { } line)
        {
            using var row = JsonDocument.Parse(line);
            rows.Add(row.RootElement.Clone());
        }
        await psql.WaitForExitAsync();
        if (psql.ExitCode != 0) throw new Refused($"listmonk's database cannot be read: {(await said).Trim()}");
        var source = new ListmonkSource();
        var doubly = rows.Where(row => row.Text("kind") == "list" && row.Text("optin") == "double").Select(row => row.Number("id")).ToHashSet();
        foreach (var row in rows) source.Take(row, doubly);
        foreach (var (body, _, name, subject) in source.templates.Values.Where(one => !one.IsUsed)) source.Texts.Add(new(name, subject, GoTemplate.Within(body, ""), IsPlain: false));
        return source;
    }

    static Process Start(ProcessStartInfo start)
    {
        try { return Process.Start(start)!; }
        catch (System.ComponentModel.Win32Exception) { throw new Refused("psql is not here; install PostgreSQL's client (Debian: postgresql-client)"); }
    }

    void Take(JsonElement row, HashSet<long> doubly)
    {
        switch (row.Text("kind"))
        {
            case "list": Lists[row.Number("id")] = row.Text("name"); break;
            case "template": templates[row.Number("id")] = (row.Text("body"), false, row.Text("name"), row.Text("subject")); break;
            case "campaign":
                var (body, plain) = (row.Text("body"), row.Text("content") is "plain" or "markdown");
                if (!plain && templates.TryGetValue(row.Number("template"), out var template))
                {
                    templates[row.Number("template")] = template with { IsUsed = true };
                    body = GoTemplate.Within(template.Body, body);
                }
                Texts.Add(new(row.Text("name"), row.Text("subject"), body, plain));
                break;
            default:
                var lists = new List<long>();
                foreach (var one in row.Items("lists"))
                    // a list without confirmation writes to who has not confirmed
                    if (one.Text("status") == "unsubscribed") Leave("have unsubscribed from a list");
                    else if (one.Text("status") == "unconfirmed" && doubly.Contains(one.Number("id"))) Leave("have not confirmed that they want a list");
                    else lists.Add(one.Number("id"));
                Add(row.Text("email"), row.Text("name"), row.TryGetProperty("attribs", out var attributes) ? attributes : default, row.Text("status"), lists);
                break;
        }
    }

    void Leave(string why) => Left[why] = Left.GetValueOrDefault(why) + 1;

    void Add(string address, string name, JsonElement attributes, string status, IReadOnlyList<long> lists)
    {
        if (status == "disabled") Leave("are disabled");
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        Flatten(attributes, "", fields);
        People.Add(new(address, name, fields, status, status == "enabled" ? lists : []));
    }

    void Flatten(JsonElement value, string name, Dictionary<string, string> fields)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (var one in value.EnumerateObject()) Flatten(one.Value, name.Length == 0 ? one.Name : $"{name}.{one.Name}", fields);
            return;
        }
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Array => string.Join("; ", value.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString() : one.GetRawText())),
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            _ => value.GetRawText(),
        };
        if (name.Length == 0) return;
        if (fields.Count >= MostFields || text.Length > LongestValue) Leave("attributes are too long or too many");
        else fields[GoTemplate.Field(name)] = text;
    }

    /// <summary>A list as listmonk exports it: email, name, attributes, status.</summary>
    public static ListmonkSource OfFile(string path, string course)
    {
        using var file = CourseVerbs.Open(path);
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        if (bytes.Length > LargestFile) throw new Refused($"The file {path} has more than {LargestFile} bytes");
        var table = CsvTable.Parse(bytes.ToArray(), out var refusal) ?? throw new Refused(refusal!);
        int Column(string name) => table.Header.ToList().FindIndex(one => one.Equals(name, StringComparison.OrdinalIgnoreCase));
        var (email, called, attributes, status) = (Column("email"), Column("name"), Column("attributes"), Column("status"));
        if (email < 0) throw new Refused($"{path} is no export of listmonk: it has no column \"email\"");
        var source = new ListmonkSource();
        source.Lists[1] = course;
        foreach (var row in table.Rows)
        {
            JsonDocument? json = null;
            try { json = attributes >= 0 && row.Fields[attributes].Length > 0 ? JsonDocument.Parse(row.Fields[attributes]) : null; }
            catch (JsonException) { source.Leave("have attributes that are not JSON"); }
            using (json) source.Add(row.Fields[email], called < 0 ? "" : row.Fields[called], json?.RootElement ?? default, status < 0 ? "enabled" : row.Fields[status], [1]);
        }
        foreach (var _ in table.Errors) source.Leave("stand on a line that cannot be read");
        return source;
    }
}
