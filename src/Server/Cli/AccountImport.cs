using System.Globalization;
using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>account import</c>: sends the file to the server and shows how it gets on.</summary>
static class AccountImport
{
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
        JsonElement summary = default;
        using var progress = new ProgressBar(invocation, "accounts");
        await foreach (var line in invocation.Server.StreamAsync(HttpMethod.Post, "accounts/import", ControlClient.Content(file, "text/csv")))
        {
            if (line.TryGetProperty("error", out var error)) { progress.Dispose(); throw new Refused(error.GetString() ?? ""); }
            if (line.TryGetProperty("done", out var done)) progress.Show(done.GetInt32(), (int)line.Number("of"));
            else summary = line;
        }
        progress.Dispose();
        if (summary.ValueKind == JsonValueKind.Undefined) throw new Refused("The server stopped before the import was done; run the same command again: what is done stays done");
        foreach (var error in summary.Items("errors"))
            await invocation.Error.WriteLineAsync($"{Path.GetFileName(path)}, line {error.Text("line")}: {error.Text("error")}");
        invocation.Print(summary, Sentence);
        // rows that were bad are reported; only an import of which nothing could be taken is a failure
        return summary.Number("failed") > 0 && summary.Number("added") + summary.Number("changed") + summary.Number("unchanged") == 0 ? 1 : 0;
    }

    static string Sentence(JsonElement summary)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{summary.Number("added")} added, {summary.Number("changed")} changed, {summary.Number("unchanged")} unchanged, {summary.Number("failed")} refused.");
        return summary.Text("report") is { Length: > 0 } report ? $"{text}\nGenerated passwords: {report}" : text;
    }
}
