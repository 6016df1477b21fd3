using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>search status | rebuild</c>: the full-text indexes.</summary>
static class SearchVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("search status", "[ADDRESS]", "show how much of the mail is in the search indexes", Verb.Client,
            invocation => PrintAsync(invocation, invocation.Server.GetAsync("search" + Query(invocation)))),
        new("search rebuild", "[ADDRESS]", "make the search index of an account, or of all, anew", Verb.Client,
            invocation => PrintAsync(invocation, invocation.Server.PostAsync("search/rebuild" + Query(invocation))),
            "Nothing is lost without an index: searches then read the messages. A damaged one is made anew by itself."),
    ];

    static string Query(Invocation invocation) => invocation.Arguments is [var address] ? "?account=" + Uri.EscapeDataString(address) : "";

    static async Task<int> PrintAsync(Invocation invocation, Task<System.Text.Json.JsonElement> answer) => invocation.Print(
        await answer, ["ADDRESS", "MESSAGES", "PENDING", "SIZE"],
        row => [Readable.Address(row.Text("address")), row.Text("messages"), row.Text("pending"), Sizes.Show(row.Number("bytes"))]);
}
