using System.Net.Security;
using System.Text;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using CbaMail.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Net;

public sealed class ConnectionTests : IDisposable
{
    readonly string data = System.IO.Directory.CreateTempSubdirectory("cbamail-tls-").FullName;
    readonly MemoryTransport transport = new();

    public void Dispose() => System.IO.Directory.Delete(data, recursive: true);

    Certificates Certificates() => new(new Settings { Data = data, Hostname = "mail.example.test" }, TimeProvider.System, NullLogger<Certificates>.Instance);

    [Fact]
    public async Task TLS_begins_in_mid_session()
    {
        using var certificates = Certificates();
        var connection = Connection.Over(transport.Server, new ListenerSettings(), tls: certificates.SelectAsync);
        var reader = new LineReader(connection, 100);
        await transport.SendAsync("STARTTLS\r\n");
        await reader.ReadAsync(Wait.Patience);
        Assert.False(connection.HasBufferedInput());
        Assert.Null(connection.Tls);

        var handshake = connection.StartTlsAsync(CancellationToken.None);
        using var client = new SslStream(new PipeStream(transport.Client));
        await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "mail.example.test",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => ((System.Security.Cryptography.X509Certificates.X509Certificate2)certificate!).MatchesHostname("localhost"),
        });
        await handshake;
        Assert.StartsWith("TLS", connection.Tls!.Value.Protocol, StringComparison.Ordinal);
        Assert.True(OpenSsl.HoldNoBuffers(client)); // the insides of the runtime are as we know them

        await client.WriteAsync("EHLO again\r\n"u8.ToArray());
        Assert.Equal(LineStatus.Line, await reader.ReadAsync(Wait.Patience));
        Assert.Equal("EHLO again", Encoding.ASCII.GetString(reader.Line.Span));
        await connection.Output.WriteAsync("250 hello\r\n"u8.ToArray());
        var buffer = new byte[11];
        await client.ReadExactlyAsync(buffer);
        Assert.Equal("250 hello\r\n", Encoding.ASCII.GetString(buffer));
        Assert.Equal(LineStatus.TimedOut, await reader.ReadAsync(TimeSpan.FromMilliseconds(20)));
    }

    [Fact]
    public async Task What_was_sent_too_early_is_seen()
    {
        var connection = Connection.Over(transport.Server, new ListenerSettings());
        var reader = new LineReader(connection, 100);
        await transport.SendAsync("STARTTLS\r\nMAIL FROM:<>\r\n");
        await reader.ReadAsync(Wait.Patience);
        Assert.True(connection.HasBufferedInput());
    }

    [Fact]
    public void The_certificate_is_made_once()
    {
        using var first = Certificates();
        using var second = Certificates();
        Assert.True(first.IsSelfSigned);
        Assert.Equal(first.Certificate.Thumbprint, second.Certificate.Thumbprint);
        Assert.True(first.Certificate.MatchesHostname("mail.example.test"));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(data, "tls", "self-signed.key")));
    }

    [Fact]
    public void Files_that_hold_no_certificate_are_named()
    {
        var file = Path.Combine(data, "none.pem");
        File.WriteAllText(file, "nothing");
        var error = Assert.Throws<InvalidOperationException>(() => new Certificates(new Settings { Data = data, Tls = new TlsSettings { Certificate = file } }, TimeProvider.System, NullLogger<Certificates>.Instance));
        Assert.Contains("none.pem", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Connections_are_counted_by_address_and_in_all()
    {
        var limits = new ConnectionLimits(new Settings { Limits = new LimitSettings { Connections = 3, ConnectionsPerAddress = 2 } });
        var (a, b) = (System.Net.IPAddress.Parse("192.0.2.1"), System.Net.IPAddress.Parse("192.0.2.2"));
        using var first = limits.Enter(a);
        var second = limits.Enter(a);
        Assert.Null(limits.Enter(a));
        using var third = limits.Enter(b);
        Assert.Null(limits.Enter(b));
        second!.Dispose();
        second.Dispose();
        Assert.Equal(2, limits.Open);
        Assert.NotNull(limits.Enter(a));
    }

    [Fact]
    public void A_network_has_its_number_too_and_who_is_allowed_has_only_that_of_all()
    {
        var limits = new ConnectionLimits(new Settings { Limits = new LimitSettings { Connections = 6, ConnectionsPerAddress = 2, ConnectionsPerNetwork = 3 } });
        var places = new[] { "192.0.2.1", "192.0.2.1", "192.0.2.2" }.Select(text => limits.Enter(System.Net.IPAddress.Parse(text))).ToList();
        Assert.DoesNotContain(null, places);
        Assert.Null(limits.Enter(System.Net.IPAddress.Parse("192.0.2.3")));
        using var beside = limits.Enter(System.Net.IPAddress.Parse("192.0.3.1"));
        Assert.NotNull(beside);
        using var allowed = limits.Enter(System.Net.IPAddress.Parse("192.0.2.1"), allowed: true);
        Assert.NotNull(allowed);
        using var last = limits.Enter(System.Net.IPAddress.Parse("2001:db8::1"));
        Assert.NotNull(last);
        Assert.Null(limits.Enter(System.Net.IPAddress.Parse("192.0.2.1"), allowed: true));
        foreach (var place in places) place!.Dispose();
        using var again = limits.Enter(System.Net.IPAddress.Parse("192.0.2.3"));
        Assert.NotNull(again);
    }
}
