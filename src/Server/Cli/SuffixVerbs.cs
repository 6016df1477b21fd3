using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>public-suffixes show | update | reload | remove</c>.</summary>
static class SuffixVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("public-suffixes show", "", "which public suffix list is in use, and of which day", Verb.Client, async invocation => Print(invocation, await invocation.Server.GetAsync("public-suffixes")),
            "By it DMARC finds out which domains are of one organization. Exit code 1 where the file in the data directory is not used."),
        new("public-suffixes update", "FILE", "go by a newer public suffix list from now on", Verb.Client, UpdateAsync, """
            FILE is public_suffix_list.dat as https://publicsuffix.org/list/ has it; - reads standard input. A list that was cut off or that is
            older than the one of this release is refused. It is kept as DATA/public-suffix-list.dat.
            """),
        new("public-suffixes reload", "", "read DATA/public-suffix-list.dat again, now", Verb.Client, async invocation => Print(invocation, await invocation.Server.PostAsync("public-suffixes/reload")),
            "It is also taken by itself within a minute, and at once with SIGHUP."),
        new("public-suffixes remove", "", "go by the list that came with this release again", Verb.Client, async invocation => Print(invocation, await invocation.Server.DeleteAsync("public-suffixes"))),
    ];

    static async Task<int> UpdateAsync(Invocation invocation)
    {
        var path = invocation.Arguments[0];
        Stream file;
        try { file = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refused($"The file {path} cannot be read: {e.Message}");
        }
        await using var _ = file;
        return Print(invocation, await invocation.Server.PostAsync("public-suffixes", file, "text/plain; charset=utf-8"));
    }

    static int Print(Invocation invocation, JsonElement report)
    {
        invocation.Print(report, list =>
        {
            var day = list.Text("date") is { Length: > 0 } date ? "of " + date : "of an unknown day";
            var origin = list.Text("source") == "data" ? list.Text("file") : "the one of this release";
            var refused = list.Text("problem") is { Length: > 0 } problem ? $"\n{list.Text("file")} is not used: {problem}." : "";
            return $"Public suffix list {day}, {list.Text("rules")} rules: {origin}.{refused}";
        });
        return report.Text("problem").Length > 0 ? 1 : 0;
    }
}
