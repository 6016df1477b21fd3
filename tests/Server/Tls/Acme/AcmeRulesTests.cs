using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Tls.Acme;
using Xunit;

namespace CbaMail.Tests.Server.Tls.Acme;

public class AcmeRulesTests
{
    static AcmeEntry Lived(TimeSpan life)
    {
        var begins = new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
        return new("mail.example.test", [], [], [], [], false, "", begins, begins + life, begins);
    }

    [Theory]
    [InlineData(90)]
    [InlineData(47)]
    [InlineData(6)]
    public void Renewal_is_due_after_two_thirds_of_any_life_and_not_for_all_at_once(int days)
    {
        var entry = Lived(TimeSpan.FromDays(days));
        var (latest, earliest) = (AcmeRules.RenewAt(entry, 0.67, 0), AcmeRules.RenewAt(entry, 0.67, 1));
        Assert.InRange((latest - entry.Begins!.Value).TotalDays, days * 0.66, days * 0.68);
        Assert.True(earliest < latest && latest - earliest > TimeSpan.FromHours(4));
        Assert.True(entry.Ends - latest > TimeSpan.FromDays(1.9));
    }

    [Fact]
    public void Pauses_double_up_to_a_day()
    {
        var pauses = Enumerable.Range(0, 30).Select(i => AcmeRules.Pause(TimeSpan.FromMinutes(5), i, 0.5, TimeSpan.FromDays(1))).ToList();
        Assert.Equal(TimeSpan.FromMinutes(5), pauses[0]);
        Assert.Equal(TimeSpan.FromMinutes(40), pauses[3]);
        Assert.Equal(TimeSpan.FromDays(1), pauses[^1]);
        Assert.InRange(AcmeRules.Pause(TimeSpan.FromMinutes(5), 0, 1, TimeSpan.FromDays(1)).TotalMinutes, 5.9, 6.1);
    }

    [Fact]
    public void A_failure_tries_the_other_way()
    {
        var settings = new Settings { Listeners = [new() { Protocol = Protocol.Http }, new() { Protocol = Protocol.Https }] };
        Assert.Equal(["http-01", "tls-alpn-01"], AcmeRules.Types(settings, 0));
        Assert.Equal(["tls-alpn-01", "http-01"], AcmeRules.Types(settings, 1));
        Assert.Equal(["tls-alpn-01"], AcmeRules.Types(settings with { Listeners = [new() { Protocol = Protocol.Https }] }, 0));
        Assert.Contains("listens at neither", AcmeRules.Problem(settings with { Hostname = "mail.example.test", Listeners = [] })!, StringComparison.Ordinal);
    }

    [Fact]
    public void The_thumbprint_is_that_of_rfc_7638_and_a_signature_holds()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jws = new Jws(key);
        using var jwk = JsonDocument.Parse(jws.Jwk());
        Assert.Equal(["crv", "kty", "x", "y"], jwk.RootElement.EnumerateObject().Select(member => member.Name)); // in order, without spaces
        Assert.DoesNotContain(' ', jws.Jwk());
        Assert.Equal("token." + jws.Thumbprint(), jws.KeyAuthorization("token"));
        using var signed = JsonDocument.Parse(jws.Sign("https://ca.test/order", "nonce", "https://ca.test/1", "{}"));
        var input = signed.RootElement.GetProperty("protected").GetString() + "." + signed.RootElement.GetProperty("payload").GetString();
        var signature = System.Buffers.Text.Base64Url.DecodeFromChars(signed.RootElement.GetProperty("signature").GetString());
        Assert.Equal(64, signature.Length);
        Assert.True(key.VerifyData(Encoding.ASCII.GetBytes(input), signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    [Fact]
    public void The_certificate_of_a_challenge_is_that_of_rfc_8737()
    {
        using var made = AcmeChallenges.Make("mail.example.test", "token.thumbprint", DateTimeOffset.UtcNow);
        Assert.True(made.MatchesHostname("mail.example.test"));
        var extension = made.Extensions.Single(one => one.Oid!.Value == "1.3.6.1.5.5.7.1.31");
        Assert.True(extension.Critical);
        Assert.Equal(SHA256.HashData("token.thumbprint"u8), new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadOctetString());
    }

    [Fact]
    public void The_name_of_a_certificate_for_its_renewal_is_the_example_of_rfc_9773()
    {
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Example Cert", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(Convert.FromHexString("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")));
        using var made = request.Create(new X500DistinguishedName("CN=Example CA"), X509SignatureGenerator.CreateForECDsa(issuerKey), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), Convert.FromHexString("0087654321"));
        Assert.Equal("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", RenewalInformation.IdOf(made));
    }

    [Theory]
    [InlineData("""{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}""", "rateLimited", "too many")]
    [InlineData("""{"type":"urn:ietf:params:acme:error:caa","subproblems":[{"detail":"no","identifier":{"type":"dns","value":"a.test"}}]}""", "caa", "caa; a.test: no")]
    [InlineData("""{"detail":"two\nlines"}""", "", "two lines")]
    [InlineData("""{"type":7,"detail":[],"subproblems":{}}""", "", "the authority answered 500")]
    public void A_problem_becomes_a_sentence(string json, string type, string sentence)
    {
        using var document = JsonDocument.Parse(json);
        var problem = AcmeProblem.Of(document.RootElement, 500);
        Assert.Equal((type, sentence), (problem.Type, problem.Message));
    }
}
