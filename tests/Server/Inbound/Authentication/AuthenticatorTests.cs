using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.Inbound.Authentication;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.Tests.Formats.MailAuth;
using CbaMail.Tests.Formats.MailAuth.Dkim;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Inbound.Authentication;

/// <summary>What a stranger's message proves: silence of DNS, chains of forwarders that lie.</summary>
public class AuthenticatorTests
{
    static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    const string Letter = "From: clerk@bank.test\r\nTo: anna@example.test\r\nSubject: hello\r\n\r\nText.\r\n";

    static Arrival Bring(string message) => new()
    {
        Session = "s",
        Remote = IPAddress.Parse("198.51.100.66"),
        Protocol = Protocol.Smtp,
        Hello = "mail.elsewhere.test",
        Sender = MailAddress.TryParse("x@elsewhere.test", out var sender) ? sender : null,
        Message = Encoding.UTF8.GetBytes(message),
    };

    /// <summary>A resolver whose servers never answer.</summary>
    sealed class SilentResolver : IResolver
    {
        static async ValueTask<DnsAnswer<T>> Never<T>(CancellationToken cancel)
        {
            await Task.Delay(Timeout.Infinite, cancel);
            throw new InvalidOperationException("not reached");
        }

        public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) => Never<MxRecord>(cancel);
        public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => Never<IPAddress>(cancel);
        public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) => Never<string>(cancel);
        public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => Never<string>(cancel);
    }

    static string Signed(string message) =>
        Encoding.UTF8.GetString(new DkimSigner([new("bank.test", "r", DkimVerifierTests.Rsa)], new()).Sign(Encoding.UTF8.GetBytes(message), Now)) + message;

    [Fact]
    public async Task Dns_that_is_silent_until_time_is_up_is_a_temporary_error_of_each_method()
    {
        var time = new ManualTime(Now);
        var authenticator = new Authenticator(new Settings(), new SilentResolver(), time);
        using var arrival = Bring(Signed(Letter));
        var asked = authenticator.ProveAsync(arrival, Cancel).AsTask();
        Assert.False(asked.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(21));
        var proof = await asked;
        Assert.Equal((AuthResult.TempError, AuthResult.TempError, AuthResult.TempError), (proof.Spf.Result, Assert.Single(proof.Dkim).Result, proof.Dmarc!.Result));
        Assert.Equal((DmarcPolicy.None, AuthResult.None), (proof.Asked, proof.Arc!.Result)); // nothing is refused for it
    }

    [Fact]
    public async Task A_client_that_leaves_ends_it()
    {
        using var left = new CancellationTokenSource();
        var authenticator = new Authenticator(new Settings(), new SilentResolver(), new ManualTime(Now));
        using var arrival = Bring(Signed(Letter));
        arrival.Spf = Task.FromResult(new CbaMail.MailAuth.Spf.SpfResult(AuthResult.None, CbaMail.MailAuth.Spf.SpfIdentity.MailFrom, "elsewhere.test"));
        var asked = authenticator.ProveAsync(arrival, left.Token).AsTask();
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    static TextZone Zone => new()
    {
        { "_dmarc.bank.test", "v=DMARC1; p=reject" }, { "_dmarc.good.test", "v=DMARC1; p=none" }, { "good.test", "v=spf1 ip4:198.51.100.66 -all" }, { "elsewhere.test", "v=spf1 ?all" },
        { "r._domainkey.google.com", DkimVerifierTests.Rsa.Record() }, { "r._domainkey.fastmail.com", DkimVerifierTests.Rsa.Record() },
        { "r._domainkey.evil.test", DkimVerifierTests.Rsa.Record() },
    };

    static async Task<SenderProof> ProveAsync(string message)
    {
        using var arrival = Bring(message);
        return await new Authenticator(new Settings(), Zone, new ManualTime(Now)).ProveAsync(arrival, Cancel);
    }

    /// <summary>Forwarders one after the other: "evil.test dmarc=pass header.from=bank.test".</summary>
    static async Task<string> ForwardAsync(string message, params string[] hops)
    {
        foreach (var hop in hops)
        {
            var (domain, seen) = (hop[..hop.IndexOf(' ', StringComparison.Ordinal)], hop[(hop.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            var before = AuthenticationResultsField.WithoutForged(Encoding.UTF8.GetBytes(message), "mx." + domain);
            var bytes = Encoding.UTF8.GetBytes($"Authentication-Results: mx.{domain}; {seen}\r\n{Encoding.UTF8.GetString(before.Span)}");
            using var signed = new SignedMessage(bytes);
            var chain = await new ArcVerifier(new DkimKeys(Zone)).VerifyAsync(signed, Now, Cancel);
            message = string.Concat(new ArcSealer("mx." + domain, new(domain, "r", DkimVerifierTests.Rsa)).Seal(bytes, chain, Now)) + Encoding.UTF8.GetString(bytes);
        }
        return message;
    }

    [Theory]
    [InlineData("google.com", "google.com dmarc=pass header.from=bank.test")]
    [InlineData("google.com", "google.com dmarc=pass (p=REJECT) header.from=Bank.Test")]
    [InlineData("google.com", "google.com dmarc=pass header.from=clerk@bank.test")]
    [InlineData("fastmail.com", "google.com dmarc=fail header.from=bank.test", "fastmail.com dmarc=pass header.from=bank.test")]
    [InlineData("google.com", "google.com dmarc=pass header.from=bank.test", "fastmail.com arc=pass; dmarc=fail header.from=bank.test")]
    [InlineData("google.com", "google.com dmarc=pass")]
    [InlineData(null, "google.com dmarc=pass header.from=evil.test")]
    [InlineData(null, "google.com dmarc=fail header.from=bank.test")]
    [InlineData(null, "google.com spf=pass header.from=bank.test")]
    // whoever writes the first set says in it what he likes
    [InlineData(null, "evil.test dmarc=pass header.from=bank.test", "google.com arc=pass; dmarc=fail header.from=bank.test")]
    [InlineData(null, "google.com dmarc=pass header.from=bank.test", "evil.test dmarc=pass header.from=bank.test")]
    [InlineData(null, "google.com dmarc=pass header.from=bank.test", "evil.test dmarc=pass header.from=bank.test", "google.com dmarc=fail header.from=bank.test")]
    public async Task A_forwarder_is_believed_while_all_behind_him_are_trusted(string? by, params string[] hops) =>
        Assert.Equal(by, (await ProveAsync(await ForwardAsync(Letter, hops))).SparedBy);

    [Fact]
    public async Task What_strangers_write_into_signatures_makes_no_line_too_long()
    {
        var huge = new string('x', 5000);
        var proof = await ProveAsync($"DKIM-Signature: v=1; a={huge}; d={huge}.test; s={huge}; h=from; bh=YQ==; b=YQ==\r\nDKIM-Signature: d=\"\r\n\tq ); b\r\n{Letter}");
        using var arrival = Bring(Letter);
        var field = ProofField.Write("mx.example.test", arrival, proof);
        Assert.All(field.Split("\r\n"), line => Assert.InRange(line.Length, 0, 998));
        Assert.Equal(["spf", "dkim", "dkim", "dmarc"], AuthenticationResults.Parse(Encoding.UTF8.GetBytes(field[(field.IndexOf(':', StringComparison.Ordinal) + 1)..]))!.Results.Select(r => r.Method));
    }
}
