using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>account import</c>: sends the file to the server and shows how it gets on.</summary>
static class AccountImport
{
    public static readonly Option Print = new("--print", "FILE.html", "write a page with a card for each new password, to be printed");
    public static readonly Option Language = new("--language", "ru|en", "of the printed page (default: that of LANG)");

    public static async Task<int> RunAsync(Invocation invocation)
    {
        var path = invocation.Arguments[0];
        Stream file;
        try { file = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refused($"The file {path} cannot be read: {e.Message}");
        }
        await using var _ = file;
        await using var page = Open(invocation); // before anything is made: a page that cannot be written would lose the passwords
        JsonElement summary = default;
        using var progress = new ProgressBar(invocation, "accounts");
        var type = path.EndsWith(".xlsx", StringComparison.OrdinalIgnoreCase) ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" : "text/csv";
        await foreach (var line in invocation.Server.StreamAsync(HttpMethod.Post, "accounts/import" + Query(invocation), ControlClient.Content(file, type)))
        {
            if (line.TryGetProperty("error", out var error)) { progress.Dispose(); throw new Refused(error.GetString() ?? ""); }
            if (line.TryGetProperty("done", out var done)) progress.Show(done.GetInt32(), (int)line.Number("of"));
            else summary = line;
        }
        progress.Dispose();
        if (summary.ValueKind == JsonValueKind.Undefined) throw new Refused("The server stopped before the import was done; run the same command again: what is done stays done");
        if (page is not null) await WriteAsync(page, summary.Text("page"));
        foreach (var error in summary.Items("errors"))
            await invocation.Error.WriteLineAsync($"{Path.GetFileName(path)}, line {error.Text("line")}{((error.Text("header") is { Length: > 0 } header ? header : error.Text("column")) is { Length: > 0 } column ? $", {column}" : "")}: {error.Text("error")}");
        if (invocation.Has("--dry-run")) Differences(invocation, summary);
        else invocation.Print(summary, one => Sentence(one) + (page is null ? "" : $"\nPage to print: {page.Name}"));
        // rows that were bad are reported; only an import of which nothing could be taken is a failure
        return summary.Number("failed") > 0 && summary.Number("added") + summary.Number("changed") + summary.Number("unchanged") == 0 ? 1 : 0;
    }

    static string Query(Invocation invocation)
    {
        var query = new List<string>();
        if (invocation.Has("--dry-run")) query.Add("dry-run=true");
        if (invocation.Value("--sheet") is { } sheet) query.Add("sheet=" + Uri.EscapeDataString(sheet));
        if (invocation.Has("--must-change-password")) query.Add("must-change=true");
        if (invocation.Value(Print.Name) is not null) query.Add("print=" + LanguageOf(invocation));
        return query.Count == 0 ? "" : "?" + string.Join('&', query);
    }

    static void Differences(Invocation invocation, JsonElement summary)
    {
        if (invocation.Json) { invocation.Print(summary.GetRawText()); return; }
        foreach (var row in summary.Items("rows"))
        {
            if (row.Text("outcome") == "unchanged") continue;
            var changes = row.Items("columns").Select(column => $"{column.Text("column")}: {(column.Text("before") is { Length: > 0 } before ? before + " -> " : "+ ")}{column.Text("after")}");
            invocation.Print($"{row.Text("line"),6}  {row.Text("outcome"),-8} {Readable.Address(row.Text("address"))}  {string.Join("; ", changes)}".TrimEnd());
        }
        invocation.Print("Nothing is done. It would be: " + Sentence(summary));
    }

    static string Sentence(JsonElement summary)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{summary.Number("added")} added, {summary.Number("changed")} changed, {summary.Number("unchanged")} unchanged, {summary.Number("failed")} refused.");
        return summary.Text("report") is { Length: > 0 } report ? $"{text}\nGenerated passwords: {report}" : text;
    }

    // ---- the page

    /// <summary>The new file that --print names, for its owner alone; null: none was asked for.</summary>
    internal static FileStream? Open(Invocation invocation)
    {
        if (invocation.Value(Print.Name) is not { } path) return null;
        try { return new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }); }
        catch (IOException) when (System.IO.File.Exists(path))
        {
            throw new Refused($"{path} is there already, and passwords on such a page stand nowhere else; name another file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new Refused($"The file {path} cannot be written: {e.Message}");
        }
    }

    internal static async Task WriteAsync(FileStream page, string html)
    {
        await page.WriteAsync(Encoding.UTF8.GetBytes(html));
        page.Flush(flushToDisk: true);
    }

    internal static string LanguageOf(Invocation invocation) => invocation.Value(Language.Name) switch
    {
        null => (Environment.GetEnvironmentVariable("LC_ALL") ?? Environment.GetEnvironmentVariable("LANG") ?? "").StartsWith("ru", StringComparison.Ordinal) ? "ru" : "en",
        "ru" => "ru",
        "en" => "en",
        var other => throw new Refused($"\"{other}\" is neither ru nor en", 2),
    };
}
