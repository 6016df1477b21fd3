using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>tls list | reload</c>.</summary>
static class TlsVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("tls list", "", "list the certificates that are in use", Verb.Client, invocation => ListAsync(invocation, invocation.Server.GetAsync("tls")),
            "The first one is for clients that ask for no name, or for one that no certificate has."),
        new("tls reload", "", "read the certificate files again, now", Verb.Client, invocation => ListAsync(invocation, invocation.Server.PostAsync("tls/reload")),
            "Files that have changed are also taken by themselves within a minute. No session is dropped."),
    ];

    static async Task<int> ListAsync(Invocation invocation, Task<JsonElement> rows) =>
        invocation.Print(await rows, ["NAMES", "ISSUER", "KEY", "EXPIRES", "DAYS LEFT", "SOURCE", "PROBLEM"], row =>
        [
            string.Join(",", row.Items("names").Select(name => name.GetString())), row.Text("issuer"), row.Text("key"), row.Time("expires"), row.Text("daysLeft"),
            row.Text("source") + (row.Text("source") == "file" ? " " + row.Text("origin") : ""), row.Text("problem"),
        ]);
}
