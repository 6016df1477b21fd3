using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>tls list | reload | renew | rotate</c>.</summary>
static class TlsVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("tls list", "", "list the certificates that are in use", Verb.Client, invocation => ListAsync(invocation, invocation.Server.GetAsync("certificates")),
            "The first one is for clients that ask for no name, or for one that no certificate has."),
        new("tls reload", "", "read the certificate files again, now", Verb.Client, invocation => ListAsync(invocation, invocation.Server.PostAsync("certificates/reload")),
            "Files that have changed are also taken by themselves within a minute. No session is dropped."),
        new("tls renew", "[NAME]", "get certificates from the authority again, now", Verb.Client, invocation => RenewAsync(invocation, rotate: false), """
            NAME is the host name or a mail domain; without it all are renewed. They are renewed by themselves in time, with the same key.
            """),
        new("tls rotate", "NAME", "get a certificate for the next key, now", Verb.Client, invocation => RenewAsync(invocation, rotate: true), """
            Where TLSA records are published, both the present and the next key must have stood in DNS for as long as their TTL
            ("cbamail check dns DOMAIN" looks). Afterwards there is a new next key to publish.
            """),
    ];

    static Task<int> RenewAsync(Invocation invocation, bool rotate) =>
        ListAsync(invocation, invocation.Server.PostAsync("certificates/renew", new JsonBody().Add("name", invocation.Arguments.Count > 0 ? invocation.Arguments[0] : null).Add("rotate", rotate)));

    static async Task<int> ListAsync(Invocation invocation, Task<JsonElement> rows) =>
        invocation.Print(await rows, ["NAMES", "ISSUER", "KEY", "EXPIRES", "DAYS LEFT", "SOURCE", "RENEWS", "PROBLEM"], row =>
        [
            string.Join(",", row.Items("names").Select(name => name.GetString())), row.Text("issuer"), row.Text("key"), row.Time("expires"), row.Text("daysLeft"),
            row.Text("source") + (row.Text("source") == "file" ? " " + row.Text("origin") : ""), row.Time("renews"), row.Text("problem"),
        ]);
}
