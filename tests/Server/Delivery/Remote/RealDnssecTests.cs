using System.Net;
using System.Security.Cryptography;
using CbaMail.Config;
using CbaMail.Net.Dns;
using CbaMail.Reports;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

/// <summary>DANE as it is in the world: a signed zone at Debian's nsd, validated by Debian's Unbound, whose AD bit we believe or not.</summary>
[Trait("Category", "Slow")]
public sealed class RealDnssecTests : IAsyncDisposable
{
    static readonly TestAuthority Authority = new();
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2")) { Extensions = ["PIPELINING", "STARTTLS"] };
    NsdServer nsd = null!;
    UnboundServer unbound = null!;
    PostOffice office = null!;

    async Task OpenAsync(bool trusted)
    {
        var certificate = Authority.Issue("mx.dane.test");
        peer.Shown = Authority.Shown(certificate);
        var key = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        var zone = new SignedZone("dane.test");
        foreach (var (name, data, broken) in ((string, byte[], bool)[])[("mx", key, false), ("wrong", new byte[32], false), ("bogus", key, true)])
        {
            zone.Mx($"{name}-mail.dane.test", $"{name}.dane.test");
            zone.A($"{name}.dane.test", "127.0.0.2");
            zone.Tlsa($"_{peer.Port}._tcp.{name}.dane.test", 3, 1, 1, data, broken);
        }
        zone.Mx("none-mail.dane.test", "none.dane.test");
        zone.A("none.dane.test", "127.0.0.2");
        nsd = await NsdServer.StartAsync("dane.test", zone.Lines());
        unbound = await UnboundServer.StartAsync("dane.test", nsd.Address, zone.Anchor);
        var dns = new DnsResolver(new Settings { Dns = new DnsSettings { Servers = [unbound.Address.ToString()], TrustAuthenticated = trusted } }, TimeProvider.System);
        office = await PostOffice.OpenAsync(new QueueSettings { Port = peer.Port }, TimeProvider.System, dns);
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        if (unbound is not null) await unbound.DisposeAsync();
        if (nsd is not null) await nsd.DisposeAsync();
        await peer.DisposeAsync();
    }

    async Task<string> DeferredAsync(string domain)
    {
        await office.SendAsync("a@" + domain);
        await office.AttemptsAsync(1);
        return office.Queue.List()[^1].Recipients[0].LastReply!;
    }

    [Fact]
    public async Task Keys_in_a_signed_zone_are_what_counts()
    {
        await OpenAsync(trusted: true);
        await office.SendAsync("a@mx-mail.dane.test");
        await office.SendAsync("a@none-mail.dane.test");
        await office.EmptyAsync();
        Assert.All(peer.Mails, mail => Assert.True(mail.Secure));
        Assert.Equal([(TlsPolicyKind.Tlsa, 1L), (TlsPolicyKind.NoPolicyFound, 1L)], office.Reported().Select(entry => (entry.Key.Kind, entry.Success)));
        Assert.Contains("fits none of the 1 TLSA records", await DeferredAsync("wrong-mail.dane.test"));
        Assert.Contains("could not be looked up securely", await DeferredAsync("bogus-mail.dane.test"));
        Assert.Equal(2, peer.Mails.Count);
    }

    [Fact]
    public async Task A_resolver_that_is_not_declared_trusted_proves_nothing()
    {
        await OpenAsync(trusted: false);
        await office.SendAsync("a@wrong-mail.dane.test");
        await office.EmptyAsync();
        Assert.True(Assert.Single(peer.Mails).Secure);
    }
}
