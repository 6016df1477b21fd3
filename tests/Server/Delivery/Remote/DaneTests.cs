using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Reports;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

/// <summary>Mail to servers whose certificates stand in DNS (RFC 7672), over real sockets with DNS on paper.</summary>
public sealed class DaneTests : IAsyncDisposable
{
    static readonly TestAuthority Authority = new();
    static readonly X509Certificate2 Certificate = Authority.Issue("mx.peer.test");
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    PostOffice office = null!;

    static string Record(int usage, X509Certificate2 certificate) => $"{usage} 1 1 {Convert.ToHexString(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()))}";

    static readonly string Wrong = Record(3, Authority.Intermediate);

    string At(string host) => $"tlsa _{peer.Port}._tcp.{host}";

    async Task OpenAsync(SendingSettings? sending = null)
    {
        peer.Shown = Authority.Shown(Certificate);
        peer.Extensions = ["PIPELINING", "STARTTLS"];
        office = await PostOffice.OpenAsync(new QueueSettings { Port = peer.Port }, sending: sending);
        office.Dns["mx peer.test"] = "10 mx.peer.test";
        office.Dns["a mx.peer.test"] = "127.0.0.2";
        office.Dns.Secure = _ => true;
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task<string> DeferredAsync(string to = "a@peer.test")
    {
        await office.SendAsync(to);
        await office.AttemptsAsync(1);
        Assert.Empty(peer.Mails);
        return office.Queue.List()[^1].Recipients[0].LastReply!;
    }

    async Task SentAsync(bool secure, string to = "a@peer.test")
    {
        await office.SendAsync(to);
        await office.EmptyAsync();
        Assert.Equal(secure, Assert.Single(peer.Mails).Secure);
    }

    [Fact]
    public async Task The_servers_own_key_is_enough()
    {
        await OpenAsync();
        office.Dns[At("mx.peer.test")] = Record(3, Certificate);
        await SentAsync(secure: true);
        Assert.Equal("mx.peer.test", peer.AskedFor);
        var entry = Assert.Single(office.Reported());
        Assert.Equal(("peer.test", TlsPolicyKind.Tlsa, "mx.peer.test", 1L, 0L), (entry.Key.Domain, entry.Key.Kind, entry.Key.PolicyDomain, entry.Success, entry.Failure));
        Assert.StartsWith("3 1 1 ", entry.Key.Policy);
    }

    [Fact]
    public async Task So_is_an_authority_that_vouches_for_the_domain()
    {
        await OpenAsync();
        peer.Shown = Authority.Shown(Authority.Issue("peer.test"));
        office.Dns[At("mx.peer.test")] = Record(2, Authority.Intermediate);
        await SentAsync(secure: true);
    }

    [Fact]
    public async Task A_certificate_that_does_not_fit_gets_no_mail_in_any_way()
    {
        await OpenAsync();
        office.Dns[At("mx.peer.test")] = Wrong;
        Assert.Contains("fits none of the 1 TLSA records of mx.peer.test", await DeferredAsync());
        var failure = Assert.Single(Assert.Single(office.Reported()).Failures);
        Assert.Equal(("validation-failure", "mx.peer.test", "127.0.0.2", 1L), (failure.Result, failure.Host, failure.Address, failure.Count));
    }

    [Fact]
    public async Task Neither_does_a_server_that_does_not_offer_TLS()
    {
        await OpenAsync();
        peer.Extensions = ["PIPELINING"];
        office.Dns[At("mx.peer.test")] = Record(3, Certificate);
        Assert.Contains("does not offer STARTTLS", await DeferredAsync());
        Assert.Equal("starttls-not-supported", Assert.Single(Assert.Single(office.Reported()).Failures).Result);
    }

    [Fact]
    public async Task Nor_one_whose_handshake_breaks()
    {
        await OpenAsync();
        peer.BrokenTls = true;
        office.Dns[At("mx.peer.test")] = Record(3, Certificate);
        Assert.Contains("TLS failed", await DeferredAsync());
        Assert.Equal(1, peer.Connections);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("failing")]
    public async Task The_next_server_is_tried(string first)
    {
        await OpenAsync();
        await using var second = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port) { Extensions = ["STARTTLS"] };
        office.Dns["mx peer.test"] = "10 mx.peer.test, 20 mx2.peer.test";
        office.Dns["a mx2.peer.test"] = "127.0.0.3";
        office.Dns[At("mx.peer.test")] = Wrong;
        if (first == "failing") office.Dns.FailingNames.Add($"_{peer.Port}._tcp.mx.peer.test");
        await office.SendAsync("a@peer.test");
        await office.EmptyAsync();
        Assert.Empty(peer.Mails);
        Assert.True(Assert.Single(second.Mails).Secure);
        if (first == "failing") Assert.Contains(office.Reported(), entry => entry.Failures.Any(failure => failure.Result == "dnssec-invalid"));
    }

    [Theory]
    [InlineData("peer.test")] // the MX records: anybody could have named the server
    [InlineData("mx.peer.test")] // its addresses, in a zone that is not signed
    public async Task Without_DNSSEC_the_records_mean_nothing(string insecure)
    {
        await OpenAsync();
        office.Dns.Secure = name => name != insecure;
        office.Dns[At("mx.peer.test")] = Wrong;
        await SentAsync(secure: true);
        Assert.Equal(TlsPolicyKind.NoPolicyFound, Assert.Single(office.Reported()).Key.Kind);
    }

    [Fact]
    public async Task Records_that_are_not_secure_themselves_mean_nothing_either()
    {
        await OpenAsync();
        office.Dns.Secure = name => !name.StartsWith('_');
        office.Dns[At("mx.peer.test")] = Wrong;
        await SentAsync(secure: true);
    }

    [Fact]
    public async Task Records_of_no_use_ask_for_TLS_all_the_same()
    {
        await OpenAsync();
        office.Dns[At("mx.peer.test")] = "1 1 1 " + new string('0', 64);
        await SentAsync(secure: true);
        Assert.Equal("tlsa-invalid", Assert.Single(Assert.Single(office.Reported()).Failures).Result);
    }

    [Fact]
    public async Task Records_of_no_use_keep_mail_from_clear_text()
    {
        await OpenAsync();
        peer.Extensions = ["PIPELINING"];
        office.Dns[At("mx.peer.test")] = "3 9 1 " + new string('0', 64);
        Assert.Contains("does not offer STARTTLS", await DeferredAsync());
    }

    [Fact]
    public async Task An_alias_is_looked_up_where_it_leads_and_then_under_its_own_name()
    {
        await OpenAsync();
        office.Dns["cname mx.peer.test"] = "real.host.test";
        office.Dns["a real.host.test"] = "127.0.0.2";
        office.Dns[At("mx.peer.test")] = Wrong;
        office.Dns[At("real.host.test")] = Record(3, Certificate);
        await SentAsync(secure: true);
        Assert.Equal("real.host.test", peer.AskedFor);
    }

    [Fact]
    public async Task A_signed_alias_into_an_unsigned_zone_counts_under_its_own_name()
    {
        await OpenAsync();
        office.Dns["cname mx.peer.test"] = "real.host.test";
        office.Dns["a real.host.test"] = "127.0.0.2";
        office.Dns.Secure = name => !name.EndsWith("host.test", StringComparison.Ordinal);
        office.Dns[At("mx.peer.test")] = Record(3, Certificate);
        office.Dns[At("real.host.test")] = Wrong;
        await SentAsync(secure: true);
        Assert.Equal("mx.peer.test", peer.AskedFor);
        Assert.Equal(TlsPolicyKind.Tlsa, Assert.Single(office.Reported()).Key.Kind);
    }

    [Fact]
    public async Task Without_MX_the_domain_itself_is_the_server()
    {
        await OpenAsync();
        office.Dns["a plain.test"] = "127.0.0.2";
        office.Dns[At("plain.test")] = Wrong;
        Assert.Contains("TLSA", await DeferredAsync("a@plain.test"));
    }

    [Fact]
    public async Task The_settings_may_switch_it_off()
    {
        await OpenAsync(new SendingSettings { Dane = false });
        office.Dns[At("mx.peer.test")] = Wrong;
        await SentAsync(secure: true);
    }
}
