using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>course timeline</c>.</summary>
static class TimelineVerb
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("course timeline", "COURSE ADDRESS", "what was sent to somebody and what came of it: proof of notice", [
            new("--csv", "FILE", "write a table for spreadsheets"),
            new("--pdf", "FILE", "write a document"),
            new("--language", "ru|en", "of the document (default: that of the course)"),
            .. Verb.Client,
        ], RunAsync),
    ];

    static async Task<int> RunAsync(Invocation invocation)
    {
        var path = $"{CourseVerbs.Course(invocation)}/participants/{Uri.EscapeDataString(invocation.Arguments[1])}/timeline";
        if (invocation.Value("--csv") is { } csv) await WriteAsync(invocation, path + ".csv", csv);
        if (invocation.Value("--pdf") is { } pdf) await WriteAsync(invocation, path + ".pdf" + (invocation.Value("--language") is { } language ? "?language=" + Uri.EscapeDataString(language) : ""), pdf);
        if (invocation.Value("--csv") is not null || invocation.Value("--pdf") is not null) return 0;
        var found = await invocation.Server.GetAsync(path);
        if (invocation.Json) return invocation.Print(found, _ => "");
        foreach (var entry in found.Items("entries")) invocation.Print(Line(entry));
        return 0;
    }

    static string Line(JsonElement entry)
    {
        var times = entry.Number("times") > 1 ? string.Create(CultureInfo.InvariantCulture, $" ×{entry.Number("times")}") : "";
        var program = entry.Text("program") is { Length: > 0 } why ? $"  (likely a program: {why})" : "";
        return $"{entry.Time("at")}  {entry.Text("what") + times,-14}  {entry.Text("subject")}  {entry.Text("told")}{program}".TrimEnd();
    }

    static async Task WriteAsync(Invocation invocation, string path, string file)
    {
        using var response = await invocation.Server.AskAsync(HttpMethod.Get, path, null);
        try
        {
            await using var output = File.Create(file);
            await response.Content.CopyToAsync(output);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new Refused($"The file {file} cannot be written: {e.Message}"); }
        invocation.Print($"Written: {file}");
    }
}
