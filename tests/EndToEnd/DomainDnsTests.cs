using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A server with a certificate and the domain example.test.</summary>
public sealed class DomainDnsServer : IAsyncLifetime
{
    public const string Domain = "example.test";

    internal TestServer Server { get; private set; } = null!;
    public string Folder { get; } = System.IO.Directory.CreateTempSubdirectory("cba-dns").FullName;

    public async ValueTask InitializeAsync() => await StartAsync(60);

    public static async Task<DomainDnsServer> NewAsync(int days = 60, string more = "")
    {
        var made = new DomainDnsServer();
        await made.StartAsync(days, more);
        return made;
    }

    async Task StartAsync(int days, string more = "")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mail.example.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])["mail.example.test", "mta-sts.example.test"]) names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.Now.AddDays(-100), DateTimeOffset.Now.AddDays(days));
        await File.WriteAllTextAsync(Path.Combine(Folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(Folder, "chain.pem"), made.ExportCertificatePem());
        Server = await TestServer.StartAsync($"""
            hostname: mail.example.test
            tls:
              certificate: {Folder}/chain.pem
              key: {Folder}/key.pem
              acme:
                trust-root: {Folder}/chain.pem
            {more}
            """);
        (await Server.CliAsync("domain", "add", Domain)).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        System.IO.Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>What a domain is told to publish, published by Debian's nsd, and looked at again. Who changes the server makes one of his own.</summary>
public sealed class DomainDnsTests(DomainDnsServer fixture) : IClassFixture<DomainDnsServer>
{
    const string Domain = DomainDnsServer.Domain;

    TestServer Server => fixture.Server;

    async Task<string> ZoneAsync(DomainDnsServer? other = null) => (await (other ?? fixture).Server.CliAsync("domain", "dns", Domain, "--language", "en")).Succeeded().Output + "mail IN A 127.0.0.1\n";

    async Task<List<string>> DifferencesAsync(IPEndPoint dns, bool same = false, DomainDnsServer? other = null, params string[] options)
    {
        var ran = await (other ?? fixture).Server.CliAsync(["check", "dns", Domain, "--server", dns.ToString(), "--json", .. options]);
        Assert.Equal(same ? 0 : 1, ran.ExitCode);
        using var report = JsonDocument.Parse(ran.Output);
        var all = report.RootElement.GetProperty("differences").EnumerateArray().Select(one => (Note: one.GetProperty("note").GetBoolean(), Code: one.GetProperty("code").GetString()!, Sentence: one.GetProperty("sentence").GetString()!)).ToList();
        Assert.All(all, one => Assert.Matches("^[a-z-]+$", one.Code));
        if (options.Contains("ru")) Assert.All(all, one => Assert.Matches("[а-я]{3}", one.Sentence));
        return [.. all.Where(one => !one.Note).Select(one => one.Sentence)];
    }

    static string Changed(string zone, string right, string wrong)
    {
        Assert.Contains(right, zone, StringComparison.Ordinal);
        var at = zone.IndexOf(right, StringComparison.Ordinal);
        return zone[..at] + wrong + zone[(at + right.Length)..];
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
        Assert.Contains("All is published as it should be", (await Server.CliAsync("check", "dns", Domain, "--server", nsd.Address.ToString())).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explanations_are_there_in_both_languages_and_rows_as_json()
    {
        Assert.Contains("; Кто принимает почту домена.", (await Server.CliAsync("domain", "dns", Domain, "--language", "ru")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("; Who takes mail for the domain.", (await Server.CliAsync("domain", "dns", Domain, "--language", "en")).Succeeded().Output, StringComparison.Ordinal);
        using var rows = JsonDocument.Parse((await Server.CliAsync("domain", "dns", Domain, "--json")).Succeeded().Output);
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
    [InlineData("MX 10 mail.example.test.", "MX 10 192.0.2.9.", "is the address 192.0.2.9")]
    [InlineData("\"v=spf1 mx -all\"", "\"v=spf1 mx a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test a:a1.example.test include:more.example.test -all\"\na1 IN A 192.0.2.1\nmore IN TXT \"v=spf1 a:a1.example.test ip4:192.0.2.1 ?all\"", "needs 12 look-ups in DNS and 10 are allowed")]
    [InlineData("\"v=spf1 mx -all\"", "\"v=spf1 mx a:gone1.example.test a:gone2.example.test include:gone3.example.test -all\"", "names what has no such record in DNS (gone1.example.test, gone2.example.test, gone3.example.test)")]
    [InlineData("\"v=spf1 mx -all\"", "\"v=spf1 mx +all\"", "ends in +all")]
    [InlineData("k=rsa; p=", "k=rsa; t=y; \" \"p=", "is marked as a test (t=y)")]
    [InlineData("k=rsa; p=", "k=rsa; h=sha1; \" \"p=", "does not allow sha256")]
    [InlineData("_dmarc.example.test. IN TXT", "_dmarc.example.test. IN TXT \"v=DMARC1; p=none\"\n_dmarc.example.test. IN TXT", "has 2 DMARC records")]
    [InlineData("rua=mailto:dmarc-reports@example.test", "rua=mailto:dmarc@collector.test", "collector.test does not say that it wants them")]
    [InlineData("_smtp._tls.example.test. IN TXT \"v=TLSRPTv1; rua=mailto:", "_smtp._tls.example.test. IN TXT \"v=TLSRPTv1; rua=gopher:", "has no address to send them to")]
    [InlineData("TLSA 3 1 1 ", "TLSA 1 1 1 ", "senders with DANE deliver nothing here")]
    public async Task Each_thing_that_is_wrong_is_a_sentence(string right, string wrong, string sentence)
    {
        var zone = await ZoneAsync();
        var changed = Changed(zone, right, wrong);
        if (wrong.StartsWith("mail ", StringComparison.Ordinal)) changed = string.Join('\n', changed.Split('\n').Where(line => !line.StartsWith("mail.example.test. IN A", StringComparison.Ordinal)));
        await using var nsd = await NsdServer.StartAsync(Domain, changed, ("collector.test", "www IN A 192.0.2.1"));
        Assert.Contains(await DifferencesAsync(nsd.Address), said => said.Contains(sentence, StringComparison.Ordinal));
        Assert.NotEmpty(await DifferencesAsync(nsd.Address, same: false, null, "--language", "ru"));
    }

    [Fact]
    public async Task The_sentences_are_in_the_language_that_is_asked_for()
    {
        await using var nsd = await NsdServer.StartAsync(Domain, Changed(await ZoneAsync(), "example.test. IN MX 10 mail.example.test.", ""));
        Assert.Contains("У example.test нет записи MX", (await Server.CliAsync("check", "dns", Domain, "--server", nsd.Address.ToString(), "--language", "ru")).Failed(1).Output, StringComparison.Ordinal);
        Assert.Contains("замечание: ", (await Server.CliAsync("check", "dns", Domain, "--server", nsd.Address.ToString(), "--language", "ru")).Output, StringComparison.Ordinal);
        await using var whole = await NsdServer.StartAsync(Domain, await ZoneAsync());
        Assert.Contains("Всё опубликовано верно", (await Server.CliAsync("check", "dns", Domain, "--server", whole.Address.ToString(), "--language", "ru")).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_agrees_to_get_reports_and_other_digests_of_the_key_are_no_difference()
    {
        using var shown = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(fixture.Folder, "chain.pem"));
        var zone = Changed(await ZoneAsync(), "rua=mailto:dmarc-reports@example.test", "rua=mailto:dmarc@collector.test!5m");
        var line = zone.Split('\n').First(one => one.Contains(" TLSA ", StringComparison.Ordinal));
        zone = zone.Replace(line, "_25._tcp.mail IN TLSA 3 0 2 " + Convert.ToHexString(SHA512.HashData(shown.RawData)), StringComparison.Ordinal);
        await using var nsd = await NsdServer.StartAsync(Domain, zone, ("collector.test", "example.test._report._dmarc IN TXT \"v=DMARC1\""));
        Assert.Empty(await DifferencesAsync(nsd.Address, same: true));
    }

    [Fact]
    public async Task Names_of_the_address_and_block_lists_are_looked_at()
    {
        await using var other = await DomainDnsServer.NewAsync(more: "dns:\n  blocklists: [bl.test, mad.test, gone.test]\n  domain-blocklists: [names.test]\ninbound:\n  dns-lists: [{zone: own.test, answers: [127.0.0.4]}]");
        var zone = (await ZoneAsync(other)).Replace("mail IN A 127.0.0.1", "mail IN A 192.0.2.7", StringComparison.Ordinal);
        const string entries = "2.0.0.127 IN A 127.0.0.2\n7.2.0.192 IN A 127.0.0.3\n7.2.0.192 IN TXT \"seen in a trap\"";
        await using var nsd = await NsdServer.StartAsync(Domain, zone, ("bl.test", entries), ("mad.test", "* IN A 127.0.0.2"), ("gone.test", "www IN A 192.0.2.1"),
            ("names.test", "test IN A 127.0.1.2\nexample.test IN A 127.0.1.4"), ("own.test", entries.Replace("127.0.0.3", "127.0.0.4", StringComparison.Ordinal)), ("2.0.192.in-addr.arpa", "7 IN PTR host7.hoster.example."));
        var plain = await DifferencesAsync(nsd.Address, other: other);
        Assert.Contains(plain, said => said.StartsWith("The reverse record (PTR) of 192.0.2.7 is host7.hoster.example and not mail.example.test", StringComparison.Ordinal));
        Assert.Contains(plain, said => said.StartsWith("192.0.2.7 is listed by own.test (127.0.0.4: seen in a trap)", StringComparison.Ordinal));
        Assert.DoesNotContain(plain, said => said.Contains("bl.test", StringComparison.Ordinal));
        var asked = await DifferencesAsync(nsd.Address, false, other, "--blocklists");
        Assert.Contains(asked, said => said.StartsWith("192.0.2.7 is listed by bl.test (127.0.0.3: seen in a trap)", StringComparison.Ordinal));
        Assert.Contains(asked, said => said.StartsWith("example.test is listed by names.test (127.0.1.4)", StringComparison.Ordinal));
        Assert.DoesNotContain(asked, said => said.Contains("mad.test", StringComparison.Ordinal));
        var all = (await other.Server.CliAsync("check", "dns", Domain, "--server", nsd.Address.ToString(), "--blocklists", "--language", "en")).Failed(1).Output;
        Assert.Contains("note: The list mad.test gives this resolver no answer to go by (it lists everything)", all, StringComparison.Ordinal);
        Assert.Contains("note: The list gone.test gives this resolver no answer to go by (it does not list its own test entry)", all, StringComparison.Ordinal);
        Assert.Contains("note: From here 192.0.2.7 gives no answer at port", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5, "The certificate of mail.example.test expires on")]
    [InlineData(-3, "The certificate of mail.example.test expired on")]
    public async Task A_certificate_that_is_running_out_is_said(int days, string sentence)
    {
        await using var other = await DomainDnsServer.NewAsync(days);
        await using var nsd = await NsdServer.StartAsync(Domain, await ZoneAsync(other));
        Assert.Contains(await DifferencesAsync(nsd.Address, other: other), said => said.StartsWith(sentence, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_are_listed_rotated_and_carried_over()
    {
        await using var other = await DomainDnsServer.NewAsync();
        var server = other.Server;
        var list = (await server.CliAsync("dkim", "list", Domain)).Succeeded().Output;
        Assert.Equal(2, list.Split('\n').Count(line => line.Contains("active", StringComparison.Ordinal)));
        var selector = list.Split(' ')[0];
        var pem = (await server.CliAsync("dkim", "export", Domain, selector)).Succeeded().Output;
        Assert.StartsWith("-----BEGIN PRIVATE KEY-----", pem, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(other.Folder, "dkim.pem"), pem, TestContext.Current.CancellationToken);
        (await server.CliAsync("domain", "add", "other.test")).Succeeded();
        Assert.Contains("other.test. IN TXT", (await server.CliAsync("dkim", "import", "other.test", Path.Combine(other.Folder, "dkim.pem"), "--selector", "old")).Succeeded().Output, StringComparison.Ordinal);
        (await server.CliAsync("dkim", "rotate", Domain)).Succeeded();
        Assert.Contains("made already", (await server.CliAsync("dkim", "rotate", Domain)).Failed(1).Error, StringComparison.Ordinal);
        Assert.Equal(4, (await ZoneAsync(other)).Split('\n').Count(line => line.Contains("_domainkey", StringComparison.Ordinal)));
    }

    Task<Ran> CurlAsync(params string[] arguments) => Tool.RunAsync("curl", ["-sk", "-w", "\n%{http_code} %{content_type}", .. arguments]);

    string Https(string host) => string.Create(CultureInfo.InvariantCulture, $"{host}:{Server.Https}:127.0.0.1");

    [Fact]
    public async Task Policies_and_setup_documents_are_served()
    {
        var policy = await CurlAsync("--resolve", Https("mta-sts.example.test"), $"https://mta-sts.example.test:{Server.Https}/.well-known/mta-sts.txt");
        Assert.StartsWith("version: STSv1\r\nmode: testing\r\nmx: mail.example.test\r\nmax_age: 604800\r\n", policy.Output, StringComparison.Ordinal);
        Assert.EndsWith("200 text/plain", policy.Output, StringComparison.Ordinal);
        Assert.Contains("404", (await CurlAsync("--resolve", Https("mta-sts.other.test"), $"https://mta-sts.other.test:{Server.Https}/.well-known/mta-sts.txt")).Output, StringComparison.Ordinal);
        Assert.Contains("404", (await CurlAsync($"http://127.0.0.1:{Server.Http}/.well-known/mta-sts.txt", "-H", "Host: mta-sts.example.test")).Output, StringComparison.Ordinal);

        var thunderbird = await CurlAsync("--resolve", Https("autoconfig.example.test"), $"https://autoconfig.example.test:{Server.Https}/mail/config-v1.1.xml?emailaddress=anna@example.test");
        Assert.Contains("<incomingServer type=\"imap\">", thunderbird.Output, StringComparison.Ordinal);
        Assert.Contains("<username>%EMAILADDRESS%</username>", thunderbird.Output, StringComparison.Ordinal);
        Assert.Contains("200", (await CurlAsync($"http://127.0.0.1:{Server.Http}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40example.test")).Output, StringComparison.Ordinal);
        Assert.Contains("404", (await CurlAsync($"http://127.0.0.1:{Server.Http}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40other.test")).Output, StringComparison.Ordinal);

        const string request = "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>anna@example.test</EMailAddress></Request></Autodiscover>";
        var outlook = await CurlAsync("--data-binary", request, $"https://127.0.0.1:{Server.Https}/Autodiscover/Autodiscover.xml");
        Assert.Contains("<Type>IMAP</Type>", outlook.Output, StringComparison.Ordinal);
        Assert.Contains("<LoginName>anna@example.test</LoginName>", outlook.Output, StringComparison.Ordinal);
        foreach (var bad in new[] { "", "<a", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><EMailAddress>&x;</EMailAddress>", "<EMailAddress><b/></EMailAddress>" })
            Assert.Contains("400", (await CurlAsync("--data-binary", bad, $"https://127.0.0.1:{Server.Https}/autodiscover/autodiscover.xml")).Output, StringComparison.Ordinal);

        var apple = await CurlAsync($"https://127.0.0.1:{Server.Https}/.well-known/apple-mail.mobileconfig?email=anna%40example.test");
        Assert.Contains("<string>anna@example.test</string>", apple.Output, StringComparison.Ordinal);
    }
}
