using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Envelope;
using CbaMail.Tests.Server.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Sasl;

/// <summary>EXTERNAL (RFC 4422 A): whom a certificate is for. That it is believed at all is the affair of Tls.</summary>
public sealed class ExternalTests
{
    static X509Certificate2 Certificate(string subject, params string[] addresses)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (addresses.Length > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("laptop.example.test");
            foreach (var address in addresses) names.AddEmailAddress(address);
            request.CertificateExtensions.Add(names.Build());
        }
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }

    static async Task<string> SignInAsync(DirectoryFixture fixture, X509Certificate2? certificate, string wanted)
    {
        var connection = Door.Visitor();
        connection.ClientCertificate = certificate;
        if (Door.Of(fixture).Start("EXTERNAL", connection) is not { } conversation) return "not offered";
        var said = wanted.Length == 0 ? "="u8.ToArray() : Door.Said(wanted);
        var result = (await conversation.BeginAsync(said, default)).Result!.Value;
        return result.Ok ? result.Value.Address.ToString() : result.Refusal == Refusal.SignInFailed ? "refused" : result.Refusal.ToString();
    }

    [Fact]
    public async Task A_certificate_is_for_the_addresses_that_it_names()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test");
        await fixture.AddAsync("boris@example.test");
        Assert.Equal("not offered", await SignInAsync(fixture, null, ""));
        using var both = Certificate("CN=Staff", "nobody@example.test", "Anna@Example.test", "boris@example.test");
        Assert.Equal("anna@example.test", await SignInAsync(fixture, both, "")); // the first that is one of ours
        Assert.Equal("boris@example.test", await SignInAsync(fixture, both, "boris@example.test"));
        Assert.Equal("refused", await SignInAsync(fixture, both, "nobody@example.test"));
        using var one = Certificate("CN=boris@example.test", "anna@example.test");
        Assert.Equal("refused", await SignInAsync(fixture, one, "boris@example.test")); // RFC 8550 3: a common name counts where there is no other
        using var common = Certificate("CN=boris@example.test,O=School");
        Assert.Equal("boris@example.test", await SignInAsync(fixture, common, ""));
        using var none = Certificate("CN=Boris");
        Assert.Equal("refused", await SignInAsync(fixture, none, "boris@example.test"));
        Assert.Equal("refused", await SignInAsync(fixture, none, ""));
    }
}
