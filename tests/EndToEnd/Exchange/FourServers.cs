using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Exchange;

[CollectionDefinition(FourServers.Name)]
public sealed class FourServersCollection : ICollectionFixture<FourServers>;

/// <summary>
/// A small world of mail: alpha.test and beta.test are ours, gamma.test is Debian's Postfix, delta.test Debian's Exim, each at port 25 of an address
/// of its own. One signed zone, <c>test</c>, at nsd holds them all; a second one, <c>open</c>, is not signed, so that MTA-STS has something to do. Unbound
/// validates. What ours publish is what <c>domain dns</c> prints.
/// </summary>
public sealed class FourServers : IAsyncLifetime
{
    internal const string Name = "four servers";

    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-exchange-").FullName;
    readonly TestAuthority authority = new();
    readonly List<IAsyncDisposable> started = [];
    // a network an address: what a server has proven counts for its network
    readonly (int High, int Low) network = (Random.Shared.Next(16, 250), Random.Shared.Next(1, 240));
    string? obstacle;

    internal OurSite Alpha { get; private set; } = null!;
    internal OurSite Beta { get; private set; } = null!;
    internal PostfixSite Gamma { get; private set; } = null!;
    internal EximSite Delta { get; private set; } = null!;
    internal TestAuthority Authority => authority;

    internal Site Of(string domain) => domain switch { "alpha" => Alpha, "beta" => Beta, "gamma" => Gamma, "delta" => Delta, _ => throw new ArgumentException(domain) };

    IPAddress At(int index) => IPAddress.Parse($"127.{network.High}.{network.Low + index}.{index}");
    IPAddress AlphaAt => At(1);
    IPAddress BetaAt => At(2);
    IPAddress GammaAt => At(3);
    IPAddress DeltaAt => At(4);
    IPAddress WebAt => At(5);
    IPAddress DnsAt => At(6);

    public async ValueTask InitializeAsync()
    {
        obstacle = await OwnMounts.ObstacleAsync() ?? (EximServer.Program is null ? $"Exim is not at {EximServer.Unpacked}; ./test puts it there" : null);
        if (obstacle is not null) return;
        await File.WriteAllTextAsync(Roots, authority.Root.ExportCertificatePem());
        Alpha = await OurAsync("alpha.test", "anna", AlphaAt, "reports: {send-tls: yes}", "plain.test");
        Beta = await OurAsync("beta.test", "boris", BetaAt, """
            authentication: {trusted-sealers: [alpha.test]}
            inbound: {greylist: {enabled: yes, delay: 1s}}
            """, "zeta.open");
        using var eximKey = RSA.Create(2048);
        var resolving = Path.Combine(folder, "opendkim-unbound.conf"); // it brings a resolver of its own, which denies "test" and never asks loopback
        await File.WriteAllTextAsync(resolving, $"server:\n  local-zone: \"test.\" transparent\n  do-not-query-localhost: no\n  module-config: \"iterator\"\nforward-zone:\n  name: \".\"\n  forward-addr: {DnsAt}\n");
        var signer = await KeepAsync(MilterProgram.OpenDkimAsync("gamma.test", "sv", $"ResolverConfiguration {resolving}\nAuthservID mx.gamma.test\nAlwaysAddARHeader yes"));
        var (gamma, delta) = (Issue("mx.gamma.test"), Issue("mx.delta.test"));

        var zone = new SignedZone("test");
        foreach (var site in (OurSite[])[Alpha, Beta]) await PublishAsync(zone, site);
        Publish(zone, "gamma.test", GammaAt, gamma, "test", await File.ReadAllTextAsync(Path.Combine(signer.Folder, "test.txt")));
        Publish(zone, "delta.test", DeltaAt, delta, "exim", "v=DKIM1; k=rsa; p=" + Convert.ToBase64String(eximKey.ExportSubjectPublicKeyInfo()));
        // nobody vouches for its mail
        zone.Mx("plain.test", "mx.alpha.test");
        // mail of its goes through gamma unsigned: SPF alone speaks for it
        zone.Mx("unsigned.test", "mx.gamma.test");
        zone.Txt("unsigned.test", $"v=spf1 ip4:{GammaAt} -all");
        zone.Txt("_dmarc.unsigned.test", "v=DMARC1; p=reject");
        foreach (var (domain, at) in ((string, IPAddress)[])[("alpha", AlphaAt), ("beta", BetaAt), ("gamma", GammaAt), ("delta", DeltaAt)])
        {
            zone.Mx($"wrong-{domain}.test", $"mx.wrong-{domain}.test");
            zone.A($"mx.wrong-{domain}.test", at.ToString());
            zone.Tlsa($"_25._tcp.mx.wrong-{domain}.test", 3, 1, 1, new byte[32]);
        }
        var nsd = await KeepAsync(NsdServer.StartAsync("test", zone.Lines()));
        var open = await KeepAsync(NsdServer.StartAsync("open", $"""
            zeta MX 10 mx.beta.test.
            mta-sts.zeta A {BetaAt}
            _mta-sts.zeta TXT "v=STSv1; id=1;"
            sts MX 10 mx.gamma.test.
            mta-sts.sts A {WebAt}
            _mta-sts.sts TXT "v=STSv1; id=1;"
            other MX 10 mx.other.open.
            mx.other A {GammaAt}
            mta-sts.other A {WebAt}
            _mta-sts.other TXT "v=STSv1; id=1;"
            """));
        await KeepAsync(UnboundServer.StartAsync("test", nsd.Address, zone.Anchor, new IPEndPoint(DnsAt, 53), $"""
            server:
              local-zone: "open." transparent
              local-zone: "." static
            stub-zone:
              name: "open"
              stub-addr: 127.0.0.1@{open.Address.Port}
            """));
        var web = await KeepAsync(PolicyServer.StartAsync(authority.Shown(authority.Issue("mta-sts.sts.open", "mta-sts.other.open")), new IPEndPoint(WebAt, 443)));
        web.Policy = "version: STSv1\r\nmode: enforce\r\nmx: mx.gamma.test\r\nmx: mx.other.open\r\nmax_age: 604800\r\n";

        Gamma = new PostfixSite("gamma.test", "galina", GammaAt, await KeepAsync(PostfixServer.StartAsync(GammaAt, "mx.gamma.test", gamma.Pem, DnsAt,
            ["galina@gamma.test", "галина@gamma.test", "galina@unsigned.test", "galina@sts.open", "galina@other.open", "galina@wrong-gamma.test", "tls-reports@gamma.test"],
            [("late@gamma.test", "nobody@beta.test"), ("round@gamma.test", "round@beta.test")], $"""
            smtpd_milters = inet:127.0.0.1:{signer.Port}
            """)));
        Delta = new EximSite("delta.test", "dmitri", DeltaAt, await KeepAsync(EximServer.StartAsync(DeltaAt, "mx.delta.test", "delta.test", delta.Pem, eximKey.ExportPkcs8PrivateKeyPem(), DnsAt,
            ["dmitri", "дмитрий"], [("late", "nobody@beta.test"), ("round", "round@alpha.test")], $"""
            message_size_limit = 200K
            smtputf8_advertise_hosts = ! {BetaAt}
            """)));
        Site[] all = [Alpha, Beta, Gamma, Delta];
        foreach (var site in all) site.World = all;
    }

    string Roots => Path.Combine(folder, "roots.pem");

    async Task<T> KeepAsync<T>(Task<T> starting) where T : IAsyncDisposable
    {
        var server = await starting;
        started.Add(server);
        return server;
    }

    sealed record Shown(string Pem, byte[] KeyDigest);

    Shown Issue(params string[] names)
    {
        using var certificate = authority.Issue(names);
        using var key = certificate.GetECDsaPrivateKey()!;
        return new Shown(string.Join('\n', key.ExportPkcs8PrivateKeyPem(), certificate.ExportCertificatePem(), authority.Intermediate.ExportCertificatePem()) + "\n",
            SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
    }

    async Task<OurSite> OurAsync(string domain, string person, IPAddress at, string more, string second)
    {
        var file = Path.Combine(folder, domain + ".pem");
        await File.WriteAllTextAsync(file, Issue("mx." + domain, "mta-sts." + domain, "mta-sts." + second).Pem);
        var server = await KeepAsync(TestServer.StartAsync($$"""
            hostname: mx.{{domain}}
            listeners: {smtp: [on, "{{at}}:25"], https: [on, "{{at}}:443"]}
            tls: {certificate: {{file}}}
            dns: {servers: ["{{DnsAt}}:53"], trust-authenticated: yes}
            queue: {retry-after: [1s], retry-jitter: 0, source-address: {{at}}}
            sending: {trusted-roots: {{Roots}}}
            smtp: {message-size: 400K}
            publish: {mta-sts: enforce, dmarc: reject}
            {{more}}
            """));
        await server.AddAccountsAsync($"{person}@{domain}", $"{person}@{second}");
        return new OurSite(domain, person, at, server);
    }

    /// <summary>What the server says that its domain shall publish, and the address that only its administrator knows.</summary>
    static async Task PublishAsync(SignedZone zone, OurSite site)
    {
        zone.A(site.Host, site.Address.ToString());
        zone.A("mta-sts." + site.Domain, site.Address.ToString());
        foreach (var row in JsonDocument.Parse(await site.CliAsync("domain", "dns", site.Domain, "--json")).RootElement.EnumerateArray())
        {
            var name = row.GetProperty("name").GetString()!.TrimEnd('.');
            var value = row.GetProperty("value").GetString()!;
            var words = value.Split(' ');
            switch (row.GetProperty("type").GetString())
            {
                case "MX": zone.Mx(name, words[1].TrimEnd('.')); break;
                case "TXT": zone.Txt(name, string.Concat(value.Split('"').Where((_, i) => i % 2 == 1))); break;
                case "TLSA": zone.Tlsa(name, int.Parse(words[0], null), int.Parse(words[1], null), int.Parse(words[2], null), Convert.FromHexString(words[3])); break;
            }
        }
    }

    static void Publish(SignedZone zone, string domain, IPAddress at, Shown shown, string selector, string key)
    {
        zone.Mx(domain, "mx." + domain);
        zone.A("mx." + domain, at.ToString());
        zone.Tlsa("_25._tcp.mx." + domain, 3, 1, 1, shown.KeyDigest);
        zone.Txt(domain, $"v=spf1 ip4:{at} -all");
        zone.Txt($"{selector}._domainkey.{domain}", key);
        zone.Txt("_dmarc." + domain, "v=DMARC1; p=reject");
        zone.Txt("_smtp._tls." + domain, $"v=TLSRPTv1; rua=mailto:tls-reports@{domain}");
    }

    /// <summary>Ends the test where the four cannot be put up: in continuous integration with a failure, elsewhere with a word.</summary>
    internal void Require()
    {
        if (obstacle is null) return;
        if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 }) Assert.Fail(obstacle);
        Assert.Skip(obstacle);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Enumerable.Reverse(started)) await server.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }
}
