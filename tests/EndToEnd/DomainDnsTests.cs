using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What a domain is told to publish, published by Debian's nsd, and looked at again.</summary>
public sealed class DomainDnsTests : IAsyncLifetime
{
    const string Domain = "example.test";

    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-dns").FullName;
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mail.example.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])["mail.example.test", "mta-sts.example.test"]) names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.Now.AddDays(-1), DateTimeOffset.Now.AddDays(60));
        await File.WriteAllTextAsync(Path.Combine(directory, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(directory, "chain.pem"), made.ExportCertificatePem());
        server = await TestServer.StartAsync($"""
            hostname: mail.example.test
            tls:
              certificate: {directory}/chain.pem
              key: {directory}/key.pem
              acme:
                trust-root: {directory}/chain.pem
            """);
        (await server.CliAsync("domain", "add", Domain)).Succeeded();
    }

    async Task<string> ZoneAsync() => (await server.CliAsync("domain", "dns", Domain, "--language", "en")).Succeeded().Output + "mail IN A 127.0.0.1\n";

    async Task<List<string>> DifferencesAsync(IPEndPoint dns, bool same = false)
    {
        var ran = await server.CliAsync("check", "dns", Domain, "--server", dns.ToString(), "--json");
        Assert.Equal(same ? 0 : 1, ran.ExitCode);
        using var report = JsonDocument.Parse(ran.Output);
        return [.. report.RootElement.GetProperty("differences").EnumerateArray().Where(one => !one.GetProperty("note").GetBoolean()).Select(one => one.GetProperty("sentence").GetString()!)];
    }

    [Fact]
    public async Task The_zone_as_it_is_printed_can_be_published_and_nothing_differs_then()
    {
        var zone = await ZoneAsync();
        foreach (var part in new[] { " MX ", "v=spf1", "k=rsa", "k=ed25519", "_dmarc", "v=STSv1", "v=TLSRPTv1", " TLSA 3 1 1 ", "_imaps._tcp", "_submissions._tcp", "autoconfig", "autodiscover" })
            Assert.Contains(part, zone, StringComparison.Ordinal);
        Assert.All(zone.Split('\n').SelectMany(line => line.Split('"').Where((_, i) => i % 2 == 1)), text => Assert.InRange(text.Length, 1, 255));
        await using var nsd = await NsdServer.StartAsync(Domain, zone);
        Assert.Empty(await DifferencesAsync(nsd.Address, same: true));
        Assert.Contains("All is published as it should be", (await server.CliAsync("check", "dns", Domain, "--server", nsd.Address.ToString())).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explanations_are_there_in_both_languages_and_rows_as_json()
    {
        Assert.Contains("; Кто принимает почту домена.", (await server.CliAsync("domain", "dns", Domain, "--language", "ru")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("; Who takes mail for the domain.", (await server.CliAsync("domain", "dns", Domain, "--language", "en")).Succeeded().Output, StringComparison.Ordinal);
        using var rows = JsonDocument.Parse((await server.CliAsync("domain", "dns", Domain, "--json")).Succeeded().Output);
        Assert.Equal(2, rows.RootElement.EnumerateArray().Count(row => row.GetProperty("purpose").GetString() == "dkim"));
    }

    [Theory]
    [InlineData("example.test. IN MX 10 mail.example.test.", "", "has no MX record")]
    [InlineData("MX 10 mail.example.test.", "MX 10 other.example.test.\nother IN A 192.0.2.9", "and not to this server")]
    [InlineData("MX 10 mail.example.test.", "MX 0 .", "takes no mail at all")]
    [InlineData("\"v=spf1 mx -all\"", "\"v=spf1 ip4:192.0.2.9 -all\"", "is judged fail")]
    [InlineData("\"v=spf1 mx -all\"", "\"v=spf1 mx -all\"\nexample.test. IN TXT \"v=spf1 -all\"", "has 2 SPF records")]
    [InlineData("\"v=spf1 mx -all\"", "\"v=spf1 a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test -all\"\na1 IN A 192.0.2.1", "is judged permerror")]
    [InlineData("example.test. IN TXT \"v=spf1 mx -all\"", "", "has no SPF record")]
    [InlineData("k=ed25519; p=", "k=ed25519; p=AAAA", "is not the DKIM key of this server")]
    [InlineData("\"v=DMARC1; p=quarantine;", "\"v=DMARC1; p=maybe;", "names no policy")]
    [InlineData("_dmarc.", "_dmark.", "has no DMARC record")]
    [InlineData("_mta-sts.", "_mta-st.", "does not announce its policy of MTA-STS")]
    [InlineData("v=STSv1; id=", "v=STSv1; id=1", "but the policy has changed since")]
    [InlineData("mta-sts.example.test. IN CNAME mail.example.test.", "mta-sts IN A 192.0.2.9", "cannot read the policy of MTA-STS")]
    [InlineData("_smtp._tls.", "_smtp._tl.", "nobody to report failures of TLS to")]
    [InlineData("TLSA 3 1 1 ", "TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef ; ", "senders with DANE deliver nothing here")]
    [InlineData("_imaps._tcp.", "_imap1._tcp.", "do not find this service")]
    [InlineData("SRV 0 1 465 mail", "SRV 0 1 466 mail", "leads to mail.example.test port 466")]
    [InlineData("autoconfig.", "autoconfik.", "cannot set themselves up")]
    [InlineData("mail IN A 127.0.0.1", "mail IN TXT nothing", "has no address in DNS")]
    public async Task Each_thing_that_is_wrong_is_a_sentence(string right, string wrong, string sentence)
    {
        var zone = await ZoneAsync();
        Assert.Contains(right, zone, StringComparison.Ordinal);
        var at = zone.IndexOf(right, StringComparison.Ordinal);
        var changed = zone[..at] + wrong + zone[(at + right.Length)..];
        if (wrong.StartsWith("mail ", StringComparison.Ordinal)) changed = string.Join('\n', changed.Split('\n').Where(line => !line.StartsWith("mail.example.test. IN A", StringComparison.Ordinal)));
        await using var nsd = await NsdServer.StartAsync(Domain, changed);
        Assert.Contains(await DifferencesAsync(nsd.Address), said => said.Contains(sentence, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_are_listed_rotated_and_carried_over()
    {
        var list = (await server.CliAsync("dkim", "list", Domain)).Succeeded().Output;
        Assert.Equal(2, list.Split('\n').Count(line => line.Contains("active", StringComparison.Ordinal)));
        var selector = list.Split(' ')[0];
        var pem = (await server.CliAsync("dkim", "export", Domain, selector)).Succeeded().Output;
        Assert.StartsWith("-----BEGIN PRIVATE KEY-----", pem, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(directory, "dkim.pem"), pem, TestContext.Current.CancellationToken);
        (await server.CliAsync("domain", "add", "other.test")).Succeeded();
        Assert.Contains("other.test. IN TXT", (await server.CliAsync("dkim", "import", "other.test", Path.Combine(directory, "dkim.pem"), "--selector", "old")).Succeeded().Output, StringComparison.Ordinal);
        (await server.CliAsync("dkim", "rotate", Domain)).Succeeded();
        Assert.Contains("made already", (await server.CliAsync("dkim", "rotate", Domain)).Failed(1).Error, StringComparison.Ordinal);
        Assert.Equal(4, (await ZoneAsync()).Split('\n').Count(line => line.Contains("_domainkey", StringComparison.Ordinal)));
    }

    Task<Ran> CurlAsync(params string[] arguments) => Tool.RunAsync("curl", ["-sk", "-w", "\n%{http_code} %{content_type}", .. arguments]);

    string Https(string host) => string.Create(CultureInfo.InvariantCulture, $"{host}:{server.Https}:127.0.0.1");

    [Fact]
    public async Task Policies_and_setup_documents_are_served()
    {
        var policy = await CurlAsync("--resolve", Https("mta-sts.example.test"), $"https://mta-sts.example.test:{server.Https}/.well-known/mta-sts.txt");
        Assert.StartsWith("version: STSv1\r\nmode: testing\r\nmx: mail.example.test\r\nmax_age: 604800\r\n", policy.Output, StringComparison.Ordinal);
        Assert.EndsWith("200 text/plain", policy.Output, StringComparison.Ordinal);
        Assert.Contains("404", (await CurlAsync("--resolve", Https("mta-sts.other.test"), $"https://mta-sts.other.test:{server.Https}/.well-known/mta-sts.txt")).Output, StringComparison.Ordinal);
        Assert.Contains("404", (await CurlAsync($"http://127.0.0.1:{server.Http}/.well-known/mta-sts.txt", "-H", "Host: mta-sts.example.test")).Output, StringComparison.Ordinal);

        var thunderbird = await CurlAsync("--resolve", Https("autoconfig.example.test"), $"https://autoconfig.example.test:{server.Https}/mail/config-v1.1.xml?emailaddress=anna@example.test");
        Assert.Contains("<incomingServer type=\"imap\">", thunderbird.Output, StringComparison.Ordinal);
        Assert.Contains("<username>%EMAILADDRESS%</username>", thunderbird.Output, StringComparison.Ordinal);
        Assert.Contains("200", (await CurlAsync($"http://127.0.0.1:{server.Http}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40example.test")).Output, StringComparison.Ordinal);
        Assert.Contains("404", (await CurlAsync($"http://127.0.0.1:{server.Http}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40other.test")).Output, StringComparison.Ordinal);

        const string request = "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>anna@example.test</EMailAddress></Request></Autodiscover>";
        var outlook = await CurlAsync("--data-binary", request, $"https://127.0.0.1:{server.Https}/Autodiscover/Autodiscover.xml");
        Assert.Contains("<Type>IMAP</Type>", outlook.Output, StringComparison.Ordinal);
        Assert.Contains("<LoginName>anna@example.test</LoginName>", outlook.Output, StringComparison.Ordinal);
        foreach (var bad in new[] { "", "<a", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><EMailAddress>&x;</EMailAddress>", "<EMailAddress><b/></EMailAddress>" })
            Assert.Contains("400", (await CurlAsync("--data-binary", bad, $"https://127.0.0.1:{server.Https}/autodiscover/autodiscover.xml")).Output, StringComparison.Ordinal);

        var apple = await CurlAsync($"https://127.0.0.1:{server.Https}/.well-known/apple-mail.mobileconfig?email=anna%40example.test");
        Assert.Contains("<string>anna@example.test</string>", apple.Output, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
