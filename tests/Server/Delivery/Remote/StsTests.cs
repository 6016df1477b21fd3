using System.Net;
using CbaMail.Config;
using CbaMail.Reports;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Delivery.Remote;

/// <summary>Mail to domains with a policy of MTA-STS (RFC 8461): a web server over real TLS hands it out, DNS is on paper.</summary>
public sealed class StsTests : IAsyncDisposable
{
    static readonly TestAuthority Authority = new();
    readonly ScriptedPeer peer = new(IPAddress.Parse("127.0.0.2"));
    readonly string roots = Path.GetTempFileName();
    PolicyServer web = null!;
    PostOffice office = null!;

    static string Policy(string mode, string mx = "mx.peer.test", int age = 604800) => $"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {age}\r\n";

    async Task OpenAsync(string policy, string certificate = "mx.peer.test")
    {
        await File.WriteAllTextAsync(roots, Authority.Root.ExportCertificatePem());
        web = await PolicyServer.StartAsync(Authority.Shown(Authority.Issue("mta-sts.peer.test")));
        web.Policy = policy;
        peer.Shown = Authority.Shown(Authority.Issue(certificate));
        peer.Extensions = ["PIPELINING", "STARTTLS"];
        office = await PostOffice.OpenAsync(new QueueSettings { Port = peer.Port }, sending: new SendingSettings { TrustedRoots = roots, MtaStsPort = web.Port });
        office.Dns["mx peer.test"] = "10 mx.peer.test";
        office.Dns["a mx.peer.test"] = "127.0.0.2";
        office.Dns["a mta-sts.peer.test"] = "127.0.0.1";
        office.Dns["txt _mta-sts.peer.test"] = "v=STSv1; id=1;";
    }

    public async ValueTask DisposeAsync()
    {
        if (office is not null) await office.DisposeAsync();
        if (web is not null) await web.DisposeAsync();
        await peer.DisposeAsync();
        File.Delete(roots);
    }

    async Task SentAsync(bool secure = true)
    {
        var before = peer.Mails.Count;
        await office.SendAsync("a@peer.test");
        await office.EmptyAsync();
        Assert.Equal(before + 1, peer.Mails.Count);
        Assert.Equal(secure, peer.Mails[^1].Secure);
    }

    /// <summary>Nobody goes on over the connection that is there.</summary>
    Task PartAsync() => Wait.UntilAsync(() =>
    {
        office.Time.Advance(TimeSpan.FromSeconds(5));
        return peer.Commands.Count(command => command == "QUIT") == peer.Connections;
    }, "the connection is closed");

    async Task<string> DeferredAsync()
    {
        var before = peer.Mails.Count;
        await office.SendAsync("a@peer.test");
        await office.AttemptsAsync(1);
        Assert.Equal(before, peer.Mails.Count);
        return office.Queue.List()[^1].Recipients[0].LastReply!;
    }

    [Fact]
    public async Task An_enforced_policy_lets_mail_to_its_servers_and_is_fetched_once()
    {
        await OpenAsync(Policy("enforce"));
        await SentAsync();
        await SentAsync();
        Assert.Equal(1, web.Requests);
        var entry = Assert.Single(office.Reported());
        Assert.Equal((TlsPolicyKind.Sts, "peer.test", "mx.peer.test", 0L), (entry.Key.Kind, entry.Key.PolicyDomain, entry.Key.Exchanges, entry.Failure));
        Assert.Equal("version: STSv1\nmode: enforce\nmx: mx.peer.test\nmax_age: 604800", entry.Key.Policy);
    }

    [Theory]
    [InlineData("foreign server", "not among the mail servers", "validation-failure")]
    [InlineData("foreign certificate", "not of mx.peer.test", "certificate-host-mismatch")]
    [InlineData("unknown authority", "authority", "certificate-not-trusted")]
    [InlineData("expired", "valid from", "certificate-expired")]
    [InlineData("no TLS", "does not offer STARTTLS", "starttls-not-supported")]
    public async Task An_enforced_policy_keeps_mail_from(string what, string sentence, string result)
    {
        await OpenAsync(Policy("enforce", what == "foreign server" ? "*.other.test" : "*.peer.test"), what == "foreign certificate" ? "other.test" : "mx.peer.test");
        if (what == "unknown authority") peer.Shown = new TestAuthority("Unknown") is var unknown ? unknown.Shown(unknown.Issue("mx.peer.test")) : null;
        if (what == "expired") peer.Shown = Authority.Shown(Authority.Issue(["mx.peer.test"], office.Time.GetUtcNow().AddYears(-1), office.Time.GetUtcNow().AddDays(-1)));
        if (what == "no TLS") peer.Extensions = [];
        Assert.Contains(sentence, await DeferredAsync());
        var failure = Assert.Single(Assert.Single(office.Reported()).Failures);
        Assert.Equal((result, "mx.peer.test", "127.0.0.2"), (failure.Result, failure.Host, failure.Address));
    }

    [Theory]
    [InlineData("foreign server")]
    [InlineData("foreign certificate")]
    [InlineData("no TLS")]
    public async Task Testing_delivers_and_tells(string what)
    {
        await OpenAsync(Policy("testing", what == "foreign server" ? "*.other.test" : "*.peer.test"), what == "foreign certificate" ? "other.test" : "mx.peer.test");
        if (what == "no TLS") peer.Extensions = [];
        await SentAsync(secure: what != "no TLS");
        Assert.Equal((0L, 1L), (office.Reported()[0].Success, office.Reported()[0].Failure));
    }

    [Fact]
    public async Task The_next_server_is_tried()
    {
        await OpenAsync(Policy("enforce", "mx2.peer.test"));
        await using var second = new ScriptedPeer(IPAddress.Parse("127.0.0.3"), peer.Port) { Extensions = ["STARTTLS"], Shown = Authority.Shown(Authority.Issue("mx2.peer.test")) };
        office.Dns["mx peer.test"] = "10 mx.peer.test, 20 mx2.peer.test";
        office.Dns["a mx2.peer.test"] = "127.0.0.3";
        await office.SendAsync("a@peer.test");
        await office.EmptyAsync();
        Assert.Equal(0, peer.Connections);
        Assert.True(Assert.Single(second.Mails).Secure);
    }

    [Fact]
    public async Task A_kept_policy_outlives_its_record_and_its_web_server()
    {
        await OpenAsync(Policy("enforce"));
        await SentAsync();
        await PartAsync();
        office.Dns.Remove("txt _mta-sts.peer.test");
        web.Status = 404;
        peer.Extensions = [];
        Assert.Contains("STARTTLS", await DeferredAsync());
        office.Dns["txt _mta-sts.peer.test"] = "v=STSv1; id=2;";
        await office.SendAsync("b@peer.test");
        await office.AttemptsAsync(1);
        // until it ends
        office.Dns.Remove("txt _mta-sts.peer.test");
        office.Time.Advance(TimeSpan.FromDays(8));
        // a worker that had read the clock just before waits from then on: the time goes on now and then
        var looks = 0;
        await Wait.UntilAsync(() =>
        {
            if (++looks % 100 == 0) office.Time.Advance(TimeSpan.FromMinutes(10));
            return office.Queue.Counts().Messages == 0;
        }, "the queue is empty");
        Assert.False(peer.Mails[^1].Secure);
    }

    [Fact]
    public async Task A_new_id_brings_the_new_policy()
    {
        await OpenAsync(Policy("enforce", "*.other.test"));
        await DeferredAsync();
        web.Policy = Policy("none");
        office.Time.Advance(TimeSpan.FromMinutes(1)); // same id: the kept one
        await office.AttemptsAsync(2);
        office.Dns["txt _mta-sts.peer.test"] = "v=STSv1; id=2;";
        office.Time.Advance(TimeSpan.FromMinutes(5));
        await office.EmptyAsync();
        Assert.Equal(2, web.Requests);
    }

    [Fact]
    public async Task What_is_used_for_days_is_refreshed()
    {
        await OpenAsync(Policy("enforce"));
        await SentAsync();
        await PartAsync();
        office.Time.Advance(TimeSpan.FromHours(25));
        await SentAsync();
        await Wait.UntilAsync(() => web.Requests == 2, "it is fetched again");
    }

    [Theory]
    [InlineData("404", "sts-policy-fetch-error")]
    [InlineData("redirect", "sts-policy-fetch-error")]
    [InlineData("html", "sts-policy-invalid")]
    [InlineData("nonsense", "sts-policy-invalid")]
    [InlineData("long", "sts-policy-invalid")]
    [InlineData("certificate", "sts-webpki-invalid")]
    public async Task A_policy_that_cannot_be_had_is_none_and_told_of(string what, string result)
    {
        await OpenAsync(Policy("enforce", "*.other.test"));
        switch (what)
        {
            case "404": web.Status = 404; break;
            case "redirect": web.Status = 302; break;
            case "html": web.ContentType = "text/html"; break;
            case "nonsense": web.Policy = "hello"; break;
            case "long": web.Policy += new string('\n', 70_000); break;
            default: web.Shown = Authority.Shown(Authority.Issue("peer.test")); break;
        }
        await SentAsync();
        await SentAsync();
        Assert.True(web.Requests <= 1); // not with every message
        Assert.Equal(result, office.Reported()[0].Failures[0].Result);
    }

    [Fact]
    public async Task DANE_goes_before_it()
    {
        await OpenAsync(Policy("enforce", "*.other.test"));
        office.Dns.Secure = _ => true;
        office.Dns[$"tlsa _{peer.Port}._tcp.mx.peer.test"] = "2 0 1 " + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Authority.Intermediate.RawData));
        await SentAsync();
        Assert.Equal(0, web.Requests);
    }

    [Fact]
    public async Task Its_servers_may_be_required()
    {
        await OpenAsync(Policy("testing"));
        peer.SecureExtensions = ["REQUIRETLS"];
        await office.SendAsync("a@peer.test", requireTls: true);
        await office.EmptyAsync();
        Assert.Contains(" REQUIRETLS", Assert.Single(peer.Mails).From);
    }
}
