using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What the doors show, seen through openssl, while the files behind change.</summary>
public sealed class CertificateTests : IDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-certificates").FullName;

    string At(string name) => Path.Combine(directory, name);

    /// <returns>The serial number, as openssl prints it.</returns>
    string Write(string file, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + names[0], key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternative.AddDnsName(name);
        request.CertificateExtensions.Add(alternative.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.Now.AddDays(-1), DateTimeOffset.Now.AddDays(60));
        File.WriteAllText(At(file + ".key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(At(file + ".pem"), made.ExportCertificatePem());
        return made.SerialNumber;
    }

    /// <summary>The serial number of the certificate that a door shows.</summary>
    internal static async Task<string> SerialAsync(int port, string name, string? startTls = null)
    {
        string[] more = startTls is null ? [] : ["-starttls", startTls];
        var shown = await new Tool { Input = "" }.StartAsync("openssl", ["s_client", "-connect", "127.0.0.1:" + port.ToString(CultureInfo.InvariantCulture), "-servername", name, .. more]);
        var pem = shown.Output[shown.Output.IndexOf("-----BEGIN CERTIFICATE", StringComparison.Ordinal)..];
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.SerialNumber;
    }

    static Task<string[]> AllDoorsAsync(TestServer server, string name) => Task.WhenAll(
        SerialAsync(server.Smtp, name, "smtp"), SerialAsync(server.Submission, name, "smtp"), SerialAsync(server.Submissions, name),
        SerialAsync(server.Imap, name, "imap"), SerialAsync(server.Imaps, name), SerialAsync(server.Https, name));

    [Fact]
    public async Task All_doors_take_a_new_file_for_the_next_handshake_and_drop_nobody()
    {
        var cancel = TestContext.Current.CancellationToken;
        var (one, two) = (Write("one", "mail.one.test"), Write("two", "*.two.test"));
        await using var server = await TestServer.StartAsync($"""
            tls:
              certificate: {At("one.pem")}
              key: {At("one.key")}
              certificates:
                - certificate: {At("two.pem")}
                  key: {At("two.key")}
            """, launch: new() { Prefix = ["env", "--default-signal=HUP"] }); // under nohup it would be ignored, by the server too
        Assert.All(await AllDoorsAsync(server, "mail.one.test"), serial => Assert.Equal(one, serial));
        Assert.All(await AllDoorsAsync(server, "mail.two.test"), serial => Assert.Equal(two, serial));
        Assert.All(await AllDoorsAsync(server, "nobody.test"), serial => Assert.Equal(one, serial));

        using var socket = new TcpClient("127.0.0.1", server.Imaps);
        await using var session = new SslStream(socket.GetStream(), false, (_, _, _, _) => true);
        await session.AuthenticateAsClientAsync("mail.one.test");
        using var lines = new StreamReader(session, Encoding.ASCII);
        Assert.StartsWith("* OK", await lines.ReadLineAsync(cancel), StringComparison.Ordinal);

        var renewed = Write("two", "*.two.test");
        (await server.CliAsync("tls", "reload")).Succeeded();
        Assert.All(await AllDoorsAsync(server, "mail.two.test"), serial => Assert.Equal(renewed, serial));
        Assert.All(await AllDoorsAsync(server, "mail.one.test"), serial => Assert.Equal(one, serial));

        renewed = Write("one", "mail.one.test");
        (await Tool.RunAsync("/bin/kill", "-HUP", server.ProcessId.ToString(CultureInfo.InvariantCulture))).Succeeded();
        await Wait.UntilAsync(async () => await SerialAsync(server.Imaps, "mail.one.test") == renewed, "SIGHUP makes it look");

        await session.WriteAsync("a NOOP\r\n"u8.ToArray(), cancel);
        Assert.StartsWith("a OK", await lines.ReadLineAsync(cancel), StringComparison.Ordinal);

        await File.WriteAllTextAsync(At("one.pem"), "broken", cancel);
        Assert.Contains("stays in use", (await server.CliAsync("tls", "reload")).Failed(1).Error, StringComparison.Ordinal);
        Assert.Contains("stays in use", (await server.CliAsync("status")).Failed(1).Output, StringComparison.Ordinal);
        Assert.Equal(renewed, await SerialAsync(server.Https, "mail.one.test"));
        var list = (await server.CliAsync("tls", "list")).Succeeded().Output;
        Assert.Contains("*.two.test", list, StringComparison.Ordinal);
        Assert.Contains("stays in use", list, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_does_not_start_with_files_that_are_no_certificate()
    {
        await File.WriteAllTextAsync(At("one.pem"), "broken", TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync($"tls:\n  certificate: {At("one.pem")}\n"));
        Assert.Contains("hold no certificate with its private key in PEM", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => System.IO.Directory.Delete(directory, recursive: true);
}
