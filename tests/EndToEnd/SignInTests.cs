using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A server that asks clients for certificates of the authority in staff-ca.pem, beside all other ways to sign in.</summary>
public sealed class SignInFixture : ServerFixture
{
    private readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-signin-").FullName;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256), strangersKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    protected override string Configuration => $"sign-in: {{client-authorities: [{folder}/staff-ca.pem]}}";

    /// <summary>A certificate that some authority has issued, and its key; the files are PATH.pem and PATH.key.</summary>
    internal X509Certificate2 Issue(string name, string address, bool byStranger = false, bool forServers = false)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Staff", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddEmailAddress(address);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(forServers ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2")], false));
        using var authority = Authority(byStranger ? strangersKey : key);
        using var bare = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(5), RandomNumberGenerator.GetBytes(8));
        using var whole = bare.CopyWithPrivateKey(own);
        File.WriteAllText(PathOf(name) + ".pem", whole.ExportCertificatePem());
        File.WriteAllText(PathOf(name) + ".key", own.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(PathOf(name) + ".key", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    internal string PathOf(string name) => Path.Combine(folder, name);

    // both have the same name: it is the key that is believed
    private static X509Certificate2 Authority(ECDsa key)
    {
        var request = new CertificateRequest("CN=Staff CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(10));
    }

    public override async ValueTask InitializeAsync()
    {
        using (var authority = Authority(key)) await File.WriteAllTextAsync(PathOf("staff-ca.pem"), authority.ExportCertificatePem());
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }
}

/// <summary>SCRAM by GNU SASL (msmtp, mpop), certificates (EXTERNAL) on every door, and protocols that are forbidden.</summary>
public class SignInTests(SignInFixture fixture) : IClassFixture<SignInFixture>
{
    private const string Anna = ServerFixture.Anna, Boris = ServerFixture.Boris;
    private readonly TestServer server = fixture.Server;

    private Task<Ran> Msmtp(string subject, params string[] arguments) =>
        new Tool { Input = Letter.Text(Anna, Boris, subject).Replace("\r\n", "\n", StringComparison.Ordinal) }.StartAsync("msmtp",
            ["--host=127.0.0.1", $"--port={server.Submissions}", "--tls=on", "--tls-starttls=off", "--tls-certcheck=off", $"--user={Anna}", $"--from={Anna}", .. arguments, "--", Boris]);

    [Theory]
    [InlineData("scram-sha-256")]
    [InlineData("scram-sha-1")]
    public async Task Msmtp_signs_in_by_SCRAM(string method)
    {
        (await Msmtp("by " + method, "--auth=" + method, $"--passwordeval=echo '{ServerFixture.Password}'")).Succeeded();
        Assert.Contains(await Letter.AllAsync(server.Imap, Boris), m => m.Contains("Subject: by " + method, StringComparison.Ordinal));
        Assert.NotEqual(0, (await Msmtp("no", "--auth=" + method, "--passwordeval=echo wrong")).ExitCode);
    }

    [Theory]
    [InlineData("scram-sha-256")]
    [InlineData("scram-sha-1")]
    public async Task Mpop_signs_in_by_SCRAM(string method)
    {
        Task<Ran> Mpop(string password) => Tool.RunAsync("mpop", "--host=127.0.0.1", $"--port={server.Pop3s}", "--tls=on", "--tls-starttls=off", "--tls-certcheck=off",
            "--auth=" + method, $"--user={Boris}", $"--passwordeval=echo '{password}'", "--keep=on", "--delivery=mbox,/dev/null", "--uidls-file=" + fixture.PathOf("uidls-" + method));
        (await Mpop(ServerFixture.Password)).Succeeded();
        Assert.NotEqual(0, (await Mpop("wrong")).ExitCode);
    }

    [Fact]
    public async Task Msmtp_signs_in_by_its_certificate()
    {
        using var annas = fixture.Issue("annas", Anna);
        using var strangers = fixture.Issue("strangers", Anna, byStranger: true);
        (await Msmtp("by certificate", "--auth=external", "--tls-cert-file=" + fixture.PathOf("annas.pem"), "--tls-key-file=" + fixture.PathOf("annas.key"))).Succeeded();
        Assert.NotEqual(0, (await Msmtp("no", "--auth=external", "--tls-cert-file=" + fixture.PathOf("strangers.pem"), "--tls-key-file=" + fixture.PathOf("strangers.key"))).ExitCode);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_certificate_signs_in_to_IMAP_and_POP3(SslProtocols version)
    {
        using var annas = fixture.Issue("a" + version, Anna);
        var imap = await AskAsync(server.Imaps, version, annas, "a AUTHENTICATE EXTERNAL =");
        Assert.Contains(" AUTH=EXTERNAL", imap[0]);
        Assert.StartsWith("a OK ", imap[1]);
        Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", (await AskAsync(server.Imaps, version, annas, "a AUTHENTICATE EXTERNAL " + Convert.ToBase64String(Encoding.ASCII.GetBytes(Boris))))[1]);
        Assert.StartsWith("a OK ", (await AskAsync(server.Imaps, version, annas, $"a LOGIN {Boris} \"{ServerFixture.Password}\""))[1]); // nobody must use it
        Assert.StartsWith("+OK ", (await AskAsync(server.Pop3s, version, annas, "AUTH EXTERNAL ="))[1]);
    }

    [Theory]
    [InlineData(true, false)]  // of somebody else's authority
    [InlineData(false, true)]  // for servers
    [InlineData(null, false)]  // none
    public async Task What_nobody_vouches_for_is_as_none(bool? byStranger, bool forServers)
    {
        using var certificate = byStranger is { } stranger ? fixture.Issue("x", Anna, stranger, forServers) : null;
        var lines = await AskAsync(server.Imaps, SslProtocols.Tls13, certificate, "a AUTHENTICATE EXTERNAL =");
        Assert.DoesNotContain("EXTERNAL", lines[0]);
        Assert.StartsWith("a NO [CANNOT]", lines[1]);
        Assert.StartsWith("a OK ", (await AskAsync(server.Imaps, SslProtocols.Tls13, certificate, $"a LOGIN {Anna} \"{ServerFixture.Password}\""))[1]);
    }

    private static async Task<List<string>> AskAsync(int port, SslProtocols version, X509Certificate2? certificate, params string[] commands)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", port);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "mail.example.test",
            EnabledSslProtocols = version,
            ClientCertificates = certificate is null ? null : [certificate],
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        });
        using var reader = new StreamReader(tls, leaveOpen: true);
        var lines = new List<string> { await reader.ReadLineAsync() ?? "" };
        foreach (var command in commands)
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
            lines.Add(await reader.ReadLineAsync() ?? "");
        }
        return lines;
    }

    [Fact]
    public async Task What_is_forbidden_to_an_account_or_its_domain_is_so_at_every_door()
    {
        const string Clara = "clara@forbidden.test";
        await server.AddAccountsAsync(Clara);
        async Task SetAsync(string subject, params string[] words) => (await server.CliAsync(["policy", .. words.Length == 0 ? ["clear", subject, "forbidden-protocols"] : (string[])["set", subject, "forbidden-protocols", .. words]])).Succeeded();
        async Task<string> Doors()
        {
            var plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Clara}\0{TestServer.Password}"));
            var imap = (await AskAsync(server.Imaps, SslProtocols.Tls13, null, $"a LOGIN {Clara} \"{TestServer.Password}\""))[1];
            var pop3 = (await AskAsync(server.Pop3s, SslProtocols.Tls13, null, "AUTH PLAIN " + plain))[1];
            await using var smtp = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
            return string.Join(" | ", imap[..4].Trim(), pop3.Split(' ')[0], (await smtp.SmtpAsync("AUTH PLAIN " + plain))[..9]);
        }
        Assert.Equal("a OK | +OK | 235 2.7.0", await Doors());
        await SetAsync(Clara, "imap");
        Assert.Equal("a NO | +OK | 235 2.7.0", await Doors());
        await SetAsync("forbidden.test", "pop3", "submission"); // they add up
        Assert.Equal("a NO | -ERR | 535 5.7.1", await Doors());
        Assert.Contains("forbidden-protocols     imap", (await server.CliAsync("policy", "show", Clara)).Output);
        await SetAsync(Clara);
        await SetAsync("forbidden.test");
        Assert.Equal("a OK | +OK | 235 2.7.0", await Doors());
        Assert.Contains("is not imap, pop3, submission or web", (await server.CliAsync("policy", "set", Clara, "forbidden-protocols", "http")).All);
    }
}
