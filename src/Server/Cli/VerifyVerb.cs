using System.Text.Json;
using CbaMail.Backup;
using CbaMail.Http;

namespace CbaMail.Cli;

/// <summary><c>verify</c>: by the running server, or here where none runs.</summary>
static class VerifyVerb
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("verify", "[BACKUP]", "read everything that is kept and say what is damaged", [
            .. Verb.Client,
            new("--repair", null, "mend what can be mended"),
            new("--from", "DIR", "with --repair: a backup's directory that lost bodies are taken from"),
        ], RunAsync, """
            While the server runs it does the work itself, without stopping the mail; otherwise it is done here.
            With the directory of a backup that is read instead, and compared with its checksums; nothing is written to it.
            A line a problem, named by account, mailbox, UID, subject and date. Exit code 0 only when all is whole.
            """),
    ];

    static async Task<int> RunAsync(Invocation invocation)
    {
        var repair = invocation.Has("--repair");
        if (invocation.Arguments.Count > 0) return repair || invocation.Has("--from") ? throw new Refused("A backup is only read: leave --repair and --from away", 2) : Backup(invocation, invocation.Arguments[0]);
        var from = invocation.Value("--from") is { } directory ? Path.GetFullPath(directory) : null;
        if (from is not null && !repair) throw new Refused("--from names what to repair from: add --repair", 2);
        JsonElement summary = default;
        using var progress = new ProgressBar(invocation, "rows");
        var lines = OfflineVerify.IsServed(invocation.Data)
            ? invocation.Server.StreamAsync(HttpMethod.Post, "verify", JsonContent(repair, from))
            : OfflineVerify.RunAsync(invocation.Data, repair, from);
        await foreach (var line in lines)
        {
            if (line.TryGetProperty("error", out var error)) { progress.Dispose(); throw new Refused(error.GetString() ?? ""); }
            if (line.TryGetProperty("done", out var done)) progress.Show(done.GetInt64(), line.Number("of"));
            else
            {
                if (line.Text("kind") == "summary") summary = line;
                progress.Dispose();
                invocation.Print(invocation.Json ? line.GetRawText() : Sentence(line));
            }
        }
        if (summary.ValueKind == JsonValueKind.Undefined) throw new Refused("The server stopped before the verification was done; run the same command again");
        return summary.Number("problems") == 0 ? 0 : 1;
    }

    static int Backup(Invocation invocation, string directory)
    {
        using var progress = new ProgressBar(invocation, "MB");
        void Print(object line)
        {
            progress.Dispose();
            var element = JsonSerializer.SerializeToElement(line, line.GetType(), Reply.Json);
            invocation.Print(invocation.Json ? element.GetRawText() : Sentence(element));
        }
        var result = RepositoryCheck.Run(directory, Print, (done, of) => progress.Show(done >> 20, Math.Max(1, of >> 20)), TimeProvider.System, CancellationToken.None);
        if (!result.Ok) throw new Refused(result.Refusal.Sentence);
        Print(result.Value);
        return result.Value.Problems == 0 ? 0 : 1;
    }

    static string Sentence(JsonElement line) => line.Text("kind") switch
    {
        "summary" => line.Text("text"),
        "repaired" => "repaired: " + line.Text("text"),
        "note" => "note: " + line.Text("text"),
        _ => line.Text("text"),
    };

    static StringContent JsonContent(bool repair, string? from) =>
        new(JsonSerializer.Serialize(new { repair, from }, Reply.Json), System.Text.Encoding.UTF8, "application/json");
}
