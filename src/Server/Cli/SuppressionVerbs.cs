using System.Text;

namespace CbaMail.Cli;

/// <summary><c>suppression list | add | remove | import | export</c>: who is left out of mailings.</summary>
static class SuppressionVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("suppression list", "", "list the addresses that mailings leave out",
            [new("--reason", "REASON", "dead, complaint, unsubscribed or manual"), .. Verb.Client], ListAsync),
        new("suppression add", "ADDRESS", "leave an address out of mailings",
            [new("--reason", "REASON", "default manual"), new("--detail", "TEXT", "why, for others"), new("--for", "TIME", "for how long, such as 90d; default for ever"), .. Verb.Client], AddAsync),
        new("suppression remove", "ADDRESS", "write to an address again", Verb.Client, RemoveAsync),
        new("suppression import", "FILE", "add the addresses of a file: address[,reason[,detail[,expires]]] a line", Verb.Client, ImportAsync),
        new("suppression export", "", "print all of them as import reads them", [new("--data", "DIR", "data directory of the server (default ./data)")], ExportAsync),
    ];

    static string Query(Invocation invocation) => invocation.Value("--reason") is { } reason ? "suppressions?reason=" + Uri.EscapeDataString(reason) : "suppressions";

    static async Task<int> ListAsync(Invocation invocation)
    {
        var count = 0;
        await foreach (var entry in invocation.Server.StreamAsync(HttpMethod.Get, Query(invocation)))
        {
            if (count++ == 0 && invocation.IsTerminal && !invocation.Json) invocation.Print($"{"REASON",-12}  {"SINCE",-19}  {"UNTIL",-19}  ADDRESS  DETAIL");
            invocation.Print(invocation.Json ? entry.GetRawText()
                : $"{entry.Text("reason"),-12}  {entry.Time("since")}  {(entry.Time("expires") is { Length: > 0 } end ? end : "never ends"),-19}  {Readable.Address(entry.Text("address"))}  {entry.Text("detail")}".TrimEnd());
        }
        if (count == 0 && invocation.IsTerminal && !invocation.Json) invocation.Print("(none)");
        return 0;
    }

    static async Task<int> AddAsync(Invocation invocation) => invocation.Print(
        await invocation.Server.PostAsync("suppressions", new JsonBody().Add("address", invocation.Arguments[0]).Add("reason", invocation.Value("--reason"))
            .Add("detail", invocation.Value("--detail")).Add("for", invocation.Value("--for"))),
        entry => $"{Readable.Address(entry.Text("address"))} is left out of mailings{(entry.Time("expires") is { Length: > 0 } end ? $" until {end} UTC" : "")}.");

    static async Task<int> RemoveAsync(Invocation invocation) => invocation.Print(
        await invocation.Server.DeleteAsync("suppressions/" + Uri.EscapeDataString(invocation.Arguments[0])), _ => $"{invocation.Arguments[0]} gets mailings again.");

    static async Task<int> ImportAsync(Invocation invocation)
    {
        Stream file;
        try { file = File.OpenRead(invocation.Arguments[0]); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new Refused($"{invocation.Arguments[0]} cannot be read: {e.Message}"); }
        await using (file)
        {
            var answer = await invocation.Server.PostAsync("suppressions/import", file, "text/csv");
            foreach (var problem in answer.Items("problems")) await invocation.Error.WriteLineAsync($"line {problem.Text("line")}: {problem.Text("error")}");
            return invocation.Print(answer, done => $"{done.Text("added")} addresses added.");
        }
    }

    static async Task<int> ExportAsync(Invocation invocation)
    {
        invocation.Print("address,reason,detail,expires");
        await foreach (var entry in invocation.Server.StreamAsync(HttpMethod.Get, "suppressions"))
            invocation.Print($"{entry.Text("address")},{entry.Text("reason")},{Quoted(entry.Text("detail"))},{Quoted(entry.Text("expires"))}");
        return 0;
    }

    static string Quoted(string text) => text.AsSpan().IndexOfAny(",;\"") < 0 ? text : new StringBuilder().Append('"').Append(text.Replace("\"", "'")).Append('"').ToString();
}
