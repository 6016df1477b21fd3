using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

/// <summary>What the settings and the message itself demand of the way (RFC 8689).</summary>
public sealed class TlsPolicyTests : IAsyncDisposable
{
    static readonly TestAuthority Authority = new();
    static readonly X509Certificate2 Certificate = Authority.Issue("mx.peer.test");
    static readonly string Key = $"3 1 1 {Convert.ToHexString(SHA256.HashData(Certificate.PublicKey.ExportSubjectPublicKeyInfo()))}";
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    readonly string roots = Path.GetTempFileName();
    PostOffice office = null!;

    async Task OpenAsync(params TlsPolicySettings[] policies)
    {
        await File.WriteAllTextAsync(roots, Authority.Root.ExportCertificatePem());
        peer.Shown = Authority.Shown(Certificate);
        peer.Extensions = ["PIPELINING", "STARTTLS"];
        office = await PostOffice.OpenAsync(new QueueSettings { Port = peer.Port }, sending: new SendingSettings { TrustedRoots = roots, TlsPolicy = policies });
        office.Dns["mx peer.test"] = "10 mx.peer.test";
        office.Dns["a mx.peer.test"] = "127.0.0.2";
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        await peer.DisposeAsync();
        File.Delete(roots);
    }

    async Task<bool> TakenAsync()
    {
        await office.SendAsync("a@peer.test");
        await Wait.UntilAsync(() => office.Queue.Counts() is { Messages: 0 } or { Deferred: 1 }, "an attempt was made");
        return peer.Mails.Count == 1;
    }

    static TlsPolicySettings Of(TlsPolicy policy) => new() { Domain = "peer.test", Policy = policy };

    [Theory]
    [InlineData(TlsPolicy.None, true)]
    [InlineData(TlsPolicy.May, true)]
    [InlineData(TlsPolicy.Dane, true)]
    [InlineData(TlsPolicy.Encrypt, false)]
    [InlineData(TlsPolicy.Verify, false)]
    [InlineData(TlsPolicy.DaneOnly, false)]
    [InlineData(TlsPolicy.Fingerprint, false)]
    public async Task A_server_without_TLS_gets_mail_where_the_policy_lets_it(TlsPolicy policy, bool taken)
    {
        await OpenAsync(Of(policy));
        peer.Extensions = ["PIPELINING"];
        Assert.Equal(taken, await TakenAsync());
    }

    [Fact]
    public async Task None_speaks_clear_text_though_TLS_is_offered()
    {
        await OpenAsync(Of(TlsPolicy.None));
        Assert.True(await TakenAsync());
        Assert.False(peer.Mails[0].Secure);
    }

    [Theory]
    [InlineData("mx.peer.test", true)]
    [InlineData("*.peer.test", true)]
    [InlineData("other.test", false)]
    public async Task Verify_wants_a_trusted_certificate_for_the_name(string name, bool taken)
    {
        await OpenAsync(Of(TlsPolicy.Verify));
        peer.Shown = Authority.Shown(Authority.Issue(name));
        Assert.Equal(taken, await TakenAsync());
    }

    [Fact]
    public async Task Verify_takes_other_names_where_they_are_given()
    {
        await OpenAsync(Of(TlsPolicy.Verify) with { Names = ["inside.test"] });
        Assert.False(await TakenAsync());
        peer.Shown = Authority.Shown(Authority.Issue("inside.test"));
        office.Time.Advance(TimeSpan.FromMinutes(1));
        await office.EmptyAsync();
        Assert.True(peer.Mails[0].Secure);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fingerprint_may_be_written_as_openssl_prints_it(bool right)
    {
        var print = Convert.ToHexStringLower(SHA256.HashData(right ? Certificate.RawData : Authority.Root.RawData));
        await OpenAsync(Of(TlsPolicy.Fingerprint) with { Fingerprints = [string.Join(':', print.Chunk(2).Select(pair => new string(pair)))] });
        Assert.Equal(right, await TakenAsync());
    }

    async Task<bool> RoutedAsync(RouteTls tls, bool? verify = null, string? certificate = null, TlsPolicySettings? policy = null, Action<PaperDns>? dns = null)
    {
        await File.WriteAllTextAsync(roots, Authority.Root.ExportCertificatePem());
        await using var host = new ScriptedPeer(IPAddress.Loopback); // "localhost" stands in every /etc/hosts
        if (certificate is not null) (host.Shown, host.Extensions) = (Authority.Shown(Authority.Issue(certificate)), ["PIPELINING", "STARTTLS"]);
        office = await PostOffice.OpenAsync(new QueueSettings { UseIpv6 = false, Routes = [new RouteSettings { Host = "localhost", Port = host.Port, Tls = tls, VerifyCertificate = verify }] },
            sending: new SendingSettings { TrustedRoots = roots, TlsPolicy = policy is null ? [] : [policy] });
        // what the recipients' domain publishes is about its own servers
        office.Dns["mx peer.test"] = "10 mx.peer.test";
        office.Dns["a mx.peer.test"] = "127.0.0.9";
        office.Dns[$"tlsa _{host.Port}._tcp.mx.peer.test"] = Key.Replace('A', 'B').Replace('1', '3');
        dns?.Invoke(office.Dns);
        if (certificate is not null) office.Dns[$"tlsa _{host.Port}._tcp.localhost"] = $"3 1 1 {Convert.ToHexString(SHA256.HashData(host.Shown!.TargetCertificate.PublicKey.ExportSubjectPublicKeyInfo()))}";
        await office.SendAsync("a@peer.test");
        await Wait.UntilAsync(() => office.Queue.Counts() is { Messages: 0 } or { Deferred: 1 }, "an attempt was made");
        await office.Workers.StopAsync(default);
        return host.Mails is [{ } mail] && (mail.Secure || certificate is null || tls == RouteTls.None);
    }

    [Theory]
    [InlineData(RouteTls.None, null, null, true)]
    [InlineData(RouteTls.None, null, "localhost", true)]
    [InlineData(RouteTls.May, null, null, true)]
    [InlineData(RouteTls.May, null, "wrong.test", true)]
    [InlineData(RouteTls.May, true, "wrong.test", true)] // in clear text: what is offered is better than nothing
    [InlineData(RouteTls.Required, null, null, false)]
    [InlineData(RouteTls.Required, null, "wrong.test", false)]
    [InlineData(RouteTls.Required, false, "wrong.test", true)]
    [InlineData(RouteTls.Required, null, "localhost", true)]
    [InlineData(RouteTls.Verify, null, "localhost", true)]
    [InlineData(RouteTls.Verify, false, "wrong.test", false)]
    [InlineData(RouteTls.Verify, null, null, false)]
    public async Task A_route_is_as_sure_as_it_says(RouteTls tls, bool? verify, string? certificate, bool taken)
    {
        var secure = await RoutedAsync(tls, verify, certificate);
        if (tls == RouteTls.May && verify == true) Assert.Equal(0, office.Queue.Counts().Messages);
        else Assert.Equal(taken, secure);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task A_route_to_a_name_of_the_hosts_file_may_be_held_to_DANE(bool signed, bool taken) =>
        Assert.Equal(taken, await RoutedAsync(RouteTls.May, null, "localhost", new TlsPolicySettings { Mx = "localhost", Policy = TlsPolicy.DaneOnly }, dns => dns.Secure = _ => signed));

    [Fact]
    public async Task The_first_entry_that_fits_domain_and_server_counts()
    {
        await OpenAsync(new TlsPolicySettings { Domain = "other.test", Policy = TlsPolicy.Fingerprint }, new TlsPolicySettings { Mx = "*.elsewhere.test", Policy = TlsPolicy.Fingerprint },
            new TlsPolicySettings { Mx = "*.peer.test", Policy = TlsPolicy.None }, Of(TlsPolicy.Fingerprint));
        Assert.True(await TakenAsync());
        Assert.False(peer.Mails[0].Secure);
    }

    [Fact]
    public async Task A_message_that_puts_delivery_first_goes_though_DANE_says_no()
    {
        await OpenAsync();
        office.Dns.Secure = _ => true;
        office.Dns[$"tlsa _{peer.Port}._tcp.mx.peer.test"] = Key.Replace('A', 'B').Replace('1', '3');
        peer.Extensions = ["PIPELINING"];
        await office.SendAsync("a@peer.test", text: "TLS-Required: No\r\n" + PostOffice.Text);
        await office.EmptyAsync();
        Assert.Single(peer.Mails);
    }

    [Fact]
    public async Task A_message_that_requires_TLS_goes_on_with_the_same_demand()
    {
        await OpenAsync();
        office.Dns.Secure = _ => true;
        office.Dns[$"tlsa _{peer.Port}._tcp.mx.peer.test"] = Key;
        peer.SecureExtensions = ["PIPELINING", "REQUIRETLS"];
        await office.SendAsync("a@peer.test", requireTls: true);
        await office.EmptyAsync();
        Assert.Contains(" REQUIRETLS", Assert.Single(peer.Mails).From);
    }

    [Fact]
    public async Task With_secure_MX_records_a_trusted_certificate_does()
    {
        await OpenAsync();
        office.Dns.Secure = _ => true;
        peer.SecureExtensions = ["REQUIRETLS"];
        await office.SendAsync("a@peer.test", requireTls: true);
        await office.EmptyAsync();
        Assert.Contains(" REQUIRETLS", Assert.Single(peer.Mails).From);
    }

    [Theory]
    [InlineData("no REQUIRETLS", "5.7.30")]
    [InlineData("no STARTTLS", "5.7.10")]
    [InlineData("wrong name", "5.7.10")]
    [InlineData("insecure MX", "5.7.10")]
    public async Task What_requires_TLS_comes_back_where_it_cannot_be_had(string what, string status)
    {
        await OpenAsync();
        office.Dns.Secure = _ => what != "insecure MX";
        peer.SecureExtensions = what == "no REQUIRETLS" ? ["PIPELINING"] : ["REQUIRETLS"];
        if (what == "no STARTTLS") peer.Extensions = ["REQUIRETLS"];
        if (what == "wrong name") peer.Shown = Authority.Shown(Authority.Issue("other.test"));
        await office.SendAsync("a@peer.test", requireTls: true, ret: "FULL");
        await office.EmptyAsync();
        Assert.Empty(peer.Mails);
        var bounce = Assert.Single(office.Inbox());
        Assert.Contains($"\r\nStatus: {status}\r\n", bounce);
        Assert.DoesNotContain("\r\nbody\r\n", bounce); // RFC 8689 5: never the text
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_now_is_waited_for()
    {
        await OpenAsync();
        office.Dns.Secure = _ => true;
        office.Dns["a mx.peer.test"] = "127.0.0.9";
        await office.SendAsync("a@peer.test", requireTls: true);
        await office.AttemptsAsync(1);
        Assert.Empty(office.Inbox());
    }

    [Fact]
    public async Task What_one_message_requires_does_not_hold_up_the_others()
    {
        await OpenAsync();
        office.Queue.IsHeld = true;
        await office.SendAsync("a@peer.test", requireTls: true);
        for (var i = 0; i < 5; i++) await office.SendAsync($"b{i}@peer.test");
        office.Queue.IsHeld = false;
        await office.EmptyAsync();
        Assert.Equal(5, peer.Mails.Count);
        Assert.Single(office.Inbox());
    }

    [Fact]
    public async Task A_notice_of_such_a_message_is_brought_as_well_as_it_can_be()
    {
        await OpenAsync();
        await office.SendAsync("a@peer.test", from: null, requireTls: true);
        await office.EmptyAsync();
        Assert.DoesNotContain("REQUIRETLS", Assert.Single(peer.Mails).From);
    }
}
