using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd.Directories;

/// <summary>A server of domain example.test whose people are in a slapd, as the source "school".</summary>
internal sealed class DirectorySite : IAsyncDisposable
{
    private DirectorySite(SlapdServer slapd, TestServer server) => (Slapd, Server, Control) = (slapd, server, server.Control());

    public SlapdServer Slapd { get; }
    public TestServer Server { get; }
    public HttpClient Control { get; }

    /// <param name="settings">Further lines of the source; "@" in them begins each of its keys.</param>
    /// <param name="servers">Other servers than slapd's by StartTLS.</param>
    public static async Task<DirectorySite> StartAsync(SlapdServer slapd, string settings = "", Func<SlapdServer, string>? servers = null, string? ca = null)
    {
        var server = await TestServer.StartAsync($"""
            sign-in: 
              password-cost: 1
              scram-iterations: 4096
            directory:
              ldap:
                - name: school
                  servers: [{servers?.Invoke(slapd) ?? slapd.Url}]
                  ca-file: {ca ?? slapd.CaFile}
                  bind-dn: {SlapdServer.Admin}
                  bind-password-file: {slapd.PasswordFile}
                  base: {SlapdServer.Suffix}
                  interval: 0
                  timeout: 2s
                  {settings.Replace("@", "\n      ", StringComparison.Ordinal)}
            """);
        var site = new DirectorySite(slapd, server);
        await ApiFixture.AskAsync(site.Control, HttpMethod.Post, "/api/v1/domains", new { name = "example.test" });
        return site;
    }

    public Task<JsonElement> SyncAsync(string query = "") => ApiFixture.AskAsync(Control, HttpMethod.Post, "/api/v1/directories/school/sync" + query);

    public Task<JsonElement> AccountAsync(string address) => ApiFixture.AskAsync(Control, HttpMethod.Get, "/api/v1/accounts/" + address);

    public async Task<JsonElement?> FindAsync(string address)
    {
        using var answer = await Control.GetAsync("/api/v1/accounts/" + address);
        return answer.IsSuccessStatusCode ? JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement : null;
    }

    public Task<JsonElement> StandingAsync() => ApiFixture.AskAsync(Control, HttpMethod.Get, "/api/v1/directories/school");

    public static string Numbers(JsonElement difference) => string.Create(CultureInfo.InvariantCulture,
        $"{difference.GetProperty("made").GetInt32()} made, {difference.GetProperty("changed").GetInt32()} changed, {difference.GetProperty("disabled").GetInt32()} disabled, {difference.GetProperty("removed").GetInt32()} removed, {difference.GetProperty("unchanged").GetInt32()} unchanged");

    /// <summary>What IMAP answers to a sign-in by PLAIN.</summary>
    public async Task<string> SignInAsync(string user, string password)
    {
        await using var client = await WireClient.ConnectAsync(Server.Imap);
        await client.ReadLineAsync();
        var proof = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));
        return (await client.ImapAsync($"AUTHENTICATE PLAIN {proof}"))[^1];
    }

    public async ValueTask DisposeAsync()
    {
        Control.Dispose();
        await Server.DisposeAsync();
        await Slapd.DisposeAsync();
    }
}
