using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CbaMail.Dns;
using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Certificates from an authority, against Debian's pebble, which refuses nonces, delays and forgets on purpose.</summary>
public sealed class AcmeTests : IAsyncDisposable
{
    const string Host = "mail.example.test";

    readonly PebbleServer pebble = new();
    readonly DnsPeer dns;
    readonly HashSet<string> elsewhere = new(StringComparer.OrdinalIgnoreCase);
    readonly HashSet<string> missing = new(StringComparer.OrdinalIgnoreCase);
    TestServer? server;

    public AcmeTests() => dns = new DnsPeer((question, _) =>
    {
        var (name, type) = (question.Questions[0].Name.TrimEnd('.'), question.Questions[0].Type);
        if (missing.Contains(name)) return DnsPeer.Reply(question) with { Code = DnsCode.NoSuchName };
        return type != DnsType.A ? DnsPeer.Reply(question)
            : DnsPeer.Reply(question, new AddressRecord(question.Questions[0].Name, 1, IPAddress.Parse(elsewhere.Contains(name) ? "192.0.2.77" : "127.0.0.1")));
    });

    async Task<TestServer> StartAsync(string more = "", IReadOnlyDictionary<string, string>? accounts = null, params (string, string)[] environment)
    {
        server = await TestServer.StartAsync($"""
            hostname: {Host}
            dns:
              servers: [{dns.Address}]
            tls:
              acme:
                directory: {pebble.Directory}
                trust-root: {pebble.Root}
                email: admin@example.test
                agree-terms: yes
                retry: 1s
            {more}
            """);
        await pebble.StartAsync(server, dns.Address, accounts, environment);
        return server;
    }

    async Task<List<JsonElement>> ListAsync()
    {
        using var list = JsonDocument.Parse((await server!.CliAsync("tls", "list", "--json")).Succeeded().Output);
        return [.. list.RootElement.Clone().EnumerateArray()];
    }

    static IEnumerable<string> Names(JsonElement row) => row.GetProperty("names").EnumerateArray().Select(name => name.GetString()!);

    static bool IsIssued(JsonElement row, string name) => row.GetProperty("source").GetString() == "acme" && row.GetProperty("expires").ValueKind == JsonValueKind.String && Names(row).Contains(name);

    async Task<JsonElement> IssuedAsync(string name)
    {
        JsonElement row = default;
        try
        {
            await Wait.UntilAsync(async () => (row = (await ListAsync()).Find(one => IsIssued(one, name))).ValueKind == JsonValueKind.Object, $"a certificate for {name}", 60);
        }
        catch (Exception)
        {
            TestContext.Current.TestOutputHelper!.WriteLine(server!.Log);
            TestContext.Current.TestOutputHelper!.WriteLine(pebble.Log);
            throw;
        }
        return row;
    }

    static async Task<X509Certificate2> ShownAsync(int port, string name, string? startTls = null)
    {
        string[] more = startTls is null ? [] : ["-starttls", startTls];
        var shown = await new Tool { Input = "" }.StartAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{port}", "-servername", name, .. more]);
        return X509Certificate2.CreateFromPem(shown.Output.AsSpan(shown.Output.IndexOf("-----BEGIN CERTIFICATE", StringComparison.Ordinal)));
    }

    static string Key(X509Certificate2 certificate) => Convert.ToHexString(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    [Fact]
    public async Task By_http_on_all_doors_although_half_of_the_nonces_are_refused()
    {
        var server = await StartAsync("", null, ("PEBBLE_WFE_NONCEREJECT", "50"));
        await IssuedAsync(Host);
        foreach (var (port, kind) in new[] { (server.Smtp, "smtp"), (server.Imaps, null), (server.Https, null), (server.Imap, "imap"), (server.Submissions, null) })
        {
            using var shown = await ShownAsync(port, Host, kind);
            Assert.Contains("Pebble Intermediate", shown.Issuer, StringComparison.Ordinal);
            Assert.NotNull(shown.GetECDsaPublicKey());
        }
        // over after the order: nothing is left at the place of the answers
        var after = await Tool.RunAsync("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", $"http://127.0.0.1:{server.Http}/.well-known/acme-challenge/anything");
        Assert.Equal("404", after.Output);
        (await server.CliAsync("status")).Succeeded();
    }

    [Fact]
    public async Task By_handshake_with_an_account_that_the_authority_has_opened_elsewhere()
    {
        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(48)).Replace('+', '-').Replace('/', '_').TrimEnd('=');
        await StartAsync($"    challenge: tls-alpn01\n    eab-key-id: kid-1\n    eab-key: {secret}\n", new Dictionary<string, string> { ["kid-1"] = secret });
        await IssuedAsync(Host);
    }

    [Fact]
    public async Task Without_the_binding_that_it_wants_it_says_what_to_set()
    {
        var server = await StartAsync("", new Dictionary<string, string> { ["kid-1"] = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" });
        await Wait.UntilAsync(async () => (await server.CliAsync("status")).Output.Contains("eab-key-id", StringComparison.Ordinal), "the status says so");
        (await server.CliAsync("status")).Failed(1);
    }

    [Fact]
    public async Task A_domain_gets_a_certificate_for_those_of_its_names_that_lead_here()
    {
        elsewhere.Add("autoconfig.school.test");
        missing.Add("autodiscover.school.test");
        var server = await StartAsync();
        await IssuedAsync(Host);
        (await server.CliAsync("domain", "add", "school.test")).Succeeded();
        var row = await IssuedAsync("mail.school.test");
        Assert.Equal(["mail.school.test", "mta-sts.school.test"], Names(row).Order());
        using var shown = await ShownAsync(server.Imaps, "mail.school.test");
        Assert.True(shown.MatchesHostname("mta-sts.school.test"));
        using var own = await ShownAsync(server.Imaps, Host);
        Assert.False(own.MatchesHostname("mail.school.test"));
        (await server.CliAsync("domain", "remove", "school.test")).Succeeded();
    }

    [Fact]
    public async Task One_name_that_cannot_be_checked_does_not_keep_the_others_waiting()
    {
        missing.Add("wrong.example.test");
        var server = await StartAsync("    names: [imap.example.test, wrong.example.test]\n");
        var row = await IssuedAsync(Host);
        Assert.Equal(["imap.example.test", Host], Names(row).Order());
        Assert.Contains("left out wrong.example.test", row.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Contains("could not check wrong.example.test", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renewals_keep_the_key_and_a_rotation_takes_the_one_that_was_ready()
    {
        var server = await StartAsync();
        await IssuedAsync(Host);
        using var first = await ShownAsync(server.Smtp, Host, "smtp");
        (await server.CliAsync("tls", "renew")).Succeeded();
        X509Certificate2? second = null;
        await Wait.UntilAsync(async () => (second = await ShownAsync(server.Smtp, Host, "smtp")).SerialNumber != first.SerialNumber, "the renewed one is shown");
        Assert.Equal(Key(first), Key(second!));
        var next = Value("SELECT hex(next_public) FROM acme_certificate");
        (await server.CliAsync("tls", "rotate", Host)).Succeeded();
        X509Certificate2? third = null;
        await Wait.UntilAsync(async () => (third = await ShownAsync(server.Https, Host)).SerialNumber != second!.SerialNumber, "the rotated one is shown");
        Assert.Equal(next, Key(third!));
        Assert.NotEqual(next, Value("SELECT hex(next_public) FROM acme_certificate"));
        Assert.Equal(1, server.Log.Split('\n').Count(line => line.Contains("account at", StringComparison.Ordinal)));
    }

    /// <summary>Out of the database of the running server, or of the killed one.</summary>
    string? Value(string sql)
    {
        using var connection = new SqliteConnection(Path.Combine(server!.Data, "cbamail.db"), readOnly: true);
        using var row = connection.Prepare(sql);
        return row.Step() ? row.Text(0) : null;
    }

    [Fact]
    public async Task Killed_in_the_middle_it_goes_on_with_the_same_order_and_account()
    {
        var server = await StartAsync("", null, ("PEBBLE_VA_SLEEPTIME", "4"));
        await Wait.UntilAsync(() => Value("SELECT order_url FROM acme_certificate") is not null, "an order is under way");
        var (order, account) = (Value("SELECT order_url FROM acme_certificate"), Value("SELECT url FROM acme_account"));
        await server.KillAsync();
        Assert.Equal(order, Value("SELECT order_url FROM acme_certificate"));
        await server.StartAgainAsync();
        await IssuedAsync(Host);
        Assert.Equal(account, Value("SELECT url FROM acme_account"));
        // and after one more kill the certificate is there from the first handshake on
        using var shown = await ShownAsync(server.Imaps, Host);
        await server.KillAsync();
        await server.StartAgainAsync();
        using var again = await ShownAsync(server.Imaps, Host);
        Assert.Equal(shown.SerialNumber, again.SerialNumber);
    }

    [Fact, Trait("Category", "Slow")]
    public async Task A_certificate_of_a_short_life_is_renewed_by_itself_before_it_ends()
    {
        pebble.ValidSeconds = 24;
        var server = await StartAsync();
        await IssuedAsync(Host);
        using var first = await ShownAsync(server.Imaps, Host);
        X509Certificate2? second = null;
        await Wait.UntilAsync(async () => (second = await ShownAsync(server.Imaps, Host)).SerialNumber != first.SerialNumber, "another one is shown");
        Assert.True(second!.NotBefore < first.NotAfter);
    }

    [Fact]
    public async Task A_lost_key_file_costs_a_new_account_and_a_new_certificate()
    {
        var server = await StartAsync();
        await IssuedAsync(Host);
        await server.StopAsync();
        File.Delete(Path.Combine(server.Data, "secrets.key"));
        await server.StartAgainAsync();
        Assert.Contains("secrets renew", (await server.CliAsync("status")).Failed(1).Output, StringComparison.Ordinal);
        (await server.CliAsync("secrets", "renew")).Succeeded();
        await server.StopAsync();
        await server.StartAgainAsync();
        (await server.CliAsync("tls", "renew")).Succeeded();
        await IssuedAsync(Host);
        (await server.CliAsync("status")).Succeeded();
    }

    [Theory]
    [InlineData("names: ['*.example.test']", "wildcards")]
    [InlineData("agree-terms: no", "agree-terms: yes")]
    [InlineData("eab-key-id: x", "belong together")]
    [InlineData("directory: http://ca.test/dir", "https address")]
    public async Task Settings_that_cannot_work_are_refused_at_the_start(string line, string sentence)
    {
        var agreed = line.StartsWith("agree", StringComparison.Ordinal) ? "" : "    agree-terms: yes\n";
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync($"tls:\n  acme:\n    email: a@example.test\n{agreed}    {line}\n"));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await pebble.DisposeAsync();
        dns.Dispose();
    }
}
