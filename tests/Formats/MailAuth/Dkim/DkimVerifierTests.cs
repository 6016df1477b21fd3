using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Dkim;

/// <summary>Good signatures, and everything by which one becomes none (RFC 6376 6.1).</summary>
public class DkimVerifierTests
{
    const long Now = 1_700_000_000;
    internal static readonly DkimPrivateKey Rsa = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);
    internal static readonly DkimPrivateKey Ed25519 = DkimPrivateKey.Create(DkimAlgorithm.Ed25519Sha256);

    internal static TextZone Zone => new() { { "r._domainkey.example.com", Rsa.Record() }, { "e._domainkey.example.com", Ed25519.Record() } };

    internal static readonly IReadOnlyList<SigningIdentity> Both = [new("example.com", "r", Rsa), new("example.com", "e", Ed25519)];

    const string Plain = "From: a@example.com\r\nTo: b@example.net\r\nSubject: Hello\r\nX-A: 1\r\nX-A: 2\r\n\r\nHello  there\r\n\r\n";

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    static string Sign(string message, SigningRules? rules = null, string domain = "example.com") =>
        Encoding.UTF8.GetString(new DkimSigner([new(domain, "r", Rsa)], rules ?? new()).Sign(Bytes(message), DateTimeOffset.FromUnixTimeSeconds(Now)));

    static async Task<DkimVerdict> OneAsync(string message, TextZone? zone = null, long now = Now) =>
        Assert.Single(await RfcExamplesTests.VerifyAsync(Bytes(message), zone ?? Zone, now));

    /// <summary>A signature made by hand: tags as given, the rest right.</summary>
    static string Craft(string message, string tags, Canonicalization header = Canonicalization.Simple, Canonicalization body = Canonicalization.Simple, int? length = null)
    {
        var bytes = Bytes(message);
        var split = message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        var content = message[split..];
        using var whole = new BodyHash(body, length is { } l ? [l] : []);
        whole.Append(Bytes(content));
        var hash = whole.Finish();
        if (length is { } octets) hash = whole.Prefix(octets) ?? hash;
        tags = tags.Replace("BH", Convert.ToBase64String(hash), StringComparison.Ordinal);
        var field = $"DKIM-Signature: {tags}; b=";
        var read = DkimSignature.Read(Bytes(field + "YQ==\r\n"), new(0, 14, 15, field.Length + 6), 0, SignatureKind.Dkim);
        using var gathered = new HeaderHash();
        new SigningHeader(bytes).Append(gathered, read.Fields.Count > 0 ? read.Fields : ["from"], header);
        gathered.AppendOwn(field + "\r\n", header);
        return field + Convert.ToBase64String(Rsa.Sign(gathered.Hash())) + "\r\n";
    }

    const string Base = "v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=from:to:subject";

    [Theory]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=from")]
    [InlineData("d=example.com; s=r; bh=BH; h=from; a=rsa-sha256; v=1")]
    [InlineData(Base + "; i=@example.com")]
    [InlineData(Base + "; i=joe=40home@sub.Example.COM")]
    [InlineData(Base + "; q=dns/txt")]
    [InlineData(Base + "; q=future/x : dns/txt")]
    [InlineData(Base + "; unknown=anything at all")]
    [InlineData(Base + "; z=From:x|To:y")]
    [InlineData(Base + "; t=1699999999; x=1700000000")]
    [InlineData(Base + "; t=1800000000")]
    [InlineData("v=1; a=rsa-sha256; d=EXAMPLE.com; s=R; bh=BH; h=from:from:to:to:x-none")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=From : To\r\n\t: X-A :X-A: X-A")]
    public async Task Good_signatures(string tags)
    {
        var verdict = await OneAsync(Craft(Plain, tags) + Plain);
        Assert.Equal((AuthResult.Pass, "", 2048), (verdict.Result, verdict.Reason, verdict.KeyBits));
    }

    [Theory]
    [InlineData("a=rsa-sha256; d=example.com; s=r; bh=BH; h=from", "v= is missing")]
    [InlineData("v=2; a=rsa-sha256; d=example.com; s=r; bh=BH; h=from", "v= is not 1")]
    [InlineData("v=1; d=example.com; s=r; bh=BH; h=from", "a= is missing")]
    [InlineData("v=1; a=RSA-sha256; d=example.com; s=r; bh=BH; h=from", "a= names no algorithm")]
    [InlineData("v=1; a=rsa-sha1; d=example.com; s=r; bh=BH; h=from", "rsa-sha1 is no longer accepted")]
    [InlineData("v=1; a=rsa-sha256; s=r; bh=BH; h=from", "d= is missing")]
    [InlineData("v=1; a=rsa-sha256; d=; s=r; bh=BH; h=from", "d= is no domain")]
    [InlineData("v=1; a=rsa-sha256; d=com; s=r; bh=BH; h=from", "d= is no domain")]
    [InlineData("v=1; a=rsa-sha256; d=example..com; s=r; bh=BH; h=from", "d= is no domain")]
    [InlineData("v=1; a=rsa-sha256; d=example.com(.x.com; s=r; bh=BH; h=from", "d= is no domain")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; bh=BH; h=from", "s= is missing")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=; bh=BH; h=from", "s= is no selector")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; h=from", "bh= is missing")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=!; h=from", "bh= is not base64")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH", "h= is missing")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=", "h= has an empty name")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=from::to", "h= has an empty name")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=from to", "no field name")]
    [InlineData("v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=to:subject", "From is not signed")]
    [InlineData(Base + "; c=", "c= names no")]
    [InlineData(Base + "; c=simple/simple/simple", "c= names no")]
    [InlineData(Base + "; c=nowsp", "c= names no")]
    [InlineData(Base + "; i=joe", "i= is no address")]
    [InlineData(Base + "; i=@example.net", "not within d=")]
    [InlineData(Base + "; i=@badexample.com", "not within d=")]
    [InlineData(Base + "; i=@com", "i= is no address")]
    [InlineData(Base + "; q=dns/any", "q= names no query")]
    [InlineData(Base + "; t=soon", "t= is no time")]
    [InlineData(Base + "; t=", "t= is no time")]
    [InlineData(Base + "; t=1234567890123", "t= is no time")]
    [InlineData(Base + "; t=5; x=5", "x= is not after t=")]
    [InlineData(Base + "; x=1699999999", "has expired")]
    [InlineData(Base + "; l=", "l= is no number")]
    [InlineData(Base + "; l=-1", "l= is no number")]
    [InlineData(Base + "; l=99999999999999999999999999", "l= is larger than the body")]
    [InlineData(Base + "; d=example.com", "stands twice")]
    [InlineData(Base + ";; x=9", "empty tag")]
    public async Task Signatures_of_no_use(string tags, string reason)
    {
        var verdict = await OneAsync(Craft(Plain, tags) + Plain);
        Assert.Equal(AuthResult.PermError, verdict.Result);
        Assert.Contains(reason, verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_malformed_signature_still_has_its_names()
    {
        var verdict = await OneAsync("DKIM-Signature: v=1; d = example.com ;; s=r\r\n" + Plain);
        Assert.Equal((AuthResult.PermError, "example.com", "r"), (verdict.Result, verdict.Domain, verdict.Selector));
    }

    [Theory]
    [InlineData("v=DKIM1; k=rsa; h=sha256; s=email; t=y; n=note; x=y; P", AuthResult.Pass, "")]
    [InlineData("P", AuthResult.Pass, "")]
    [InlineData("v=DKIM1; g=; P", AuthResult.Pass, "")]
    [InlineData("v=DKIM1; h=sha1:sha256; s=other:*; t=a:b; P", AuthResult.Pass, "")]
    [InlineData("v=DKIM1; p=", AuthResult.PermError, "revoked")]
    [InlineData("v=DKIM1; k=rsa", AuthResult.PermError, "p= is missing")]
    [InlineData("v=DKIM2; P", AuthResult.PermError, "v= is not DKIM1")]
    [InlineData("v=dkim1; P", AuthResult.PermError, "v= is not DKIM1")]
    [InlineData("k=rsa; v=DKIM1; P", AuthResult.PermError, "v= is not DKIM1")]
    [InlineData("v=DKIM1; h=sha1; P", AuthResult.PermError, "another hash")]
    [InlineData("v=DKIM1; k=ed25519; P", AuthResult.PermError, "another algorithm")]
    [InlineData("v=DKIM1; k=dsa; P", AuthResult.PermError, "another algorithm")]
    [InlineData("v=DKIM1; s=tlsrpt; P", AuthResult.PermError, "not for mail")]
    [InlineData("v=DKIM1; p=bm8ga2V5", AuthResult.PermError, "no RSA key")]
    [InlineData("v=DKIM1; p=#", AuthResult.PermError, "not base64")]
    [InlineData("v=spf1 -all", AuthResult.PermError, "malformed")]
    [InlineData("", AuthResult.PermError, "malformed")]
    [InlineData("TIMEOUT", AuthResult.TempError, "no answer")]
    public async Task Records_of_keys(string record, AuthResult result, string reason)
    {
        var key = Rsa.Record();
        var verdict = await OneAsync(Sign(Plain) + Plain, new() { { "r._domainkey.example.com", record.Replace("P", key[key.IndexOf("p=", StringComparison.Ordinal)..], StringComparison.Ordinal) } });
        Assert.Equal(result, verdict.Result);
        Assert.Contains(reason, verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_record_there_is_no_key()
    {
        Assert.Equal(AuthResult.PermError, (await OneAsync(Sign(Plain) + Plain, [])).Result);
        Assert.Equal(AuthResult.PermError, (await OneAsync(Sign(Plain) + Plain, new() { { "r._domainkey.example.com", Array.Empty<string>() } })).Result);
    }

    [Fact]
    public async Task Each_record_of_a_name_is_tried() =>
        Assert.Equal(AuthResult.Pass, (await OneAsync(Sign(Plain) + Plain, new()
        {
            { "r._domainkey.example.com", ["v=spf1 -all", DkimPrivateKey.Create(DkimAlgorithm.RsaSha256).Record(), Rsa.Record()] },
        })).Result);

    [Fact]
    public async Task A_key_for_the_domain_alone_signs_for_no_subdomain()
    {
        var zone = new TextZone { { "r._domainkey.example.com", "t=s; " + Rsa.Record()["v=DKIM1; ".Length..] } };
        Assert.Equal(AuthResult.PermError, (await OneAsync(Craft(Plain, Base + "; i=@sub.example.com") + Plain, zone)).Result);
        Assert.Equal(AuthResult.Pass, (await OneAsync(Craft(Plain, Base + "; i=joe@example.com") + Plain, zone)).Result);
    }

    [Fact]
    public async Task A_key_of_less_than_1024_bits_is_refused()
    {
        using var small = System.Security.Cryptography.RSA.Create(1016);
        var zone = new TextZone { { "r._domainkey.example.com", "p=" + Convert.ToBase64String(small.ExportSubjectPublicKeyInfo()) } };
        var verdict = await OneAsync(Sign(Plain) + Plain, zone);
        Assert.Equal(AuthResult.PermError, verdict.Result);
        Assert.Contains("too short", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bare_RSAPublicKey_is_a_key()
    {
        using var rsa = System.Security.Cryptography.RSA.Create();
        rsa.ImportFromPem(Rsa.ToPem());
        Assert.Equal(AuthResult.Pass, (await OneAsync(Sign(Plain) + Plain, new() { { "r._domainkey.example.com", "p=" + Convert.ToBase64String(rsa.ExportRSAPublicKey()) } })).Result);
    }

    [Fact]
    public async Task What_l_leaves_unsigned_is_refused_by_policy()
    {
        // "Hello  there" CRLF: 14 octets
        var signature = Craft(Plain, Base + "; l=14", length: 14);
        Assert.Equal(AuthResult.Pass, (await OneAsync(signature + Plain)).Result);
        Assert.Equal(AuthResult.Policy, (await OneAsync(signature + Plain + "Buy now\r\n")).Result);
        Assert.Equal(AuthResult.Fail, (await OneAsync(signature + Plain.Replace("Hello  there", "Jello  there", StringComparison.Ordinal) + "Buy now\r\n")).Result);
    }

    [Fact]
    public async Task An_added_field_breaks_what_was_signed_once_more()
    {
        var signed = Sign(Plain) + Plain;
        Assert.Equal(AuthResult.Pass, (await OneAsync("X-New: 1\r\n" + signed)).Result);
        foreach (var name in new[] { "From", "Subject", "Reply-To", "Cc", "Content-Type" })
            Assert.Equal(AuthResult.Fail, (await OneAsync($"{name}: forged\r\n" + signed)).Result);
    }

    [Fact]
    public async Task Of_fields_with_one_name_the_lowest_are_meant()
    {
        var signature = Craft(Plain, "v=1; a=rsa-sha256; d=example.com; s=r; bh=BH; h=from:x-a");
        Assert.Equal(AuthResult.Pass, (await OneAsync(signature + Plain.Replace("X-A: 1", "X-A: 7", StringComparison.Ordinal))).Result);
        Assert.Equal(AuthResult.Fail, (await OneAsync(signature + Plain.Replace("X-A: 2", "X-A: 7", StringComparison.Ordinal))).Result);
    }

    [Fact]
    public async Task Names_in_Unicode_are_looked_up_in_ASCII()
    {
        var message = Plain.Replace("a@example.com", "а@пример.рф", StringComparison.Ordinal);
        var zone = new TextZone { { "r._domainkey.xn--e1afmkfd.xn--p1ai", Rsa.Record() } };
        var verdict = await OneAsync(Sign(message, domain: "пример.рф") + message, zone);
        Assert.Equal((AuthResult.Pass, "пример.рф", "xn--e1afmkfd.xn--p1ai"), (verdict.Result, verdict.Domain, verdict.Signature.AsciiDomain));
    }

    [Fact]
    public async Task Each_signature_has_a_verdict_and_only_so_many_are_verified()
    {
        var signature = Sign(Plain);
        var zone = Zone;
        var verdicts = await RfcExamplesTests.VerifyAsync(Bytes(string.Concat(Enumerable.Repeat(signature, 40)) + Plain), zone, Now);
        Assert.Equal(40, verdicts.Count);
        Assert.All(verdicts.Take(SignedMessage.MaxDkim), v => Assert.Equal(AuthResult.Pass, v.Result));
        Assert.All(verdicts.Skip(SignedMessage.MaxDkim), v => Assert.Equal((AuthResult.Policy, "example.com"), (v.Result, v.Domain)));
        Assert.Single(zone.Asked); // one question for all of them
    }

    [Fact]
    public async Task A_message_without_signatures_has_no_verdicts() => Assert.Empty(await RfcExamplesTests.VerifyAsync(Bytes(Plain), Zone));

    [Fact]
    public async Task A_header_of_a_megabyte_costs_no_more_than_its_bytes()
    {
        var names = string.Join(':', Enumerable.Repeat("x", 20_000));
        var many = string.Concat(Enumerable.Range(0, 80_000).Select(i => $"X:{i}\r\n"));
        var signature = $"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=r; h=from:{names}; bh=YWJj; b=YWJj\r\n";
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var verdicts = await RfcExamplesTests.VerifyAsync(Bytes(string.Concat(Enumerable.Repeat(signature, 8)) + many + Plain), Zone);
        Assert.Equal(8, verdicts.Count);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), clock.Elapsed.ToString());
    }
}
