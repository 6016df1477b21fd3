using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Tests.Wire;
using CbaMail.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Tls;

public sealed class CertificatesTests : IDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-tls").FullName;
    readonly ManualTime time = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    string At(string name) => Path.Combine(directory, name);

    static byte serial;

    (string Certificate, string Key) Pair(bool rsa, int days, params string[] names)
    {
        using var ecdsaKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsaKey = RSA.Create(2048);
        var request = rsa ? new CertificateRequest("CN=" + names[0], rsaKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=" + names[0], ecdsaKey, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternative.AddDnsName(name);
        request.CertificateExtensions.Add(alternative.Build());
        using var made = rsa
            ? request.Create(request.SubjectName, X509SignatureGenerator.CreateForRSA(rsaKey, RSASignaturePadding.Pkcs1), time.GetUtcNow().AddDays(-1), time.GetUtcNow().AddDays(days), [1, ++serial])
            : request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(ecdsaKey), time.GetUtcNow().AddDays(-1), time.GetUtcNow().AddDays(days), [1, ++serial]);
        return (made.ExportCertificatePem(), rsa ? rsaKey.ExportPkcs8PrivateKeyPem() : ecdsaKey.ExportPkcs8PrivateKeyPem());
    }

    CertificateSettings Files(string name, (string Certificate, string Key) pair)
    {
        File.WriteAllText(At(name + ".pem"), pair.Certificate);
        File.WriteAllText(At(name + ".key"), pair.Key);
        time.Advance(TimeSpan.FromSeconds(1));
        return new CertificateSettings { Certificate = At(name + ".pem"), Key = At(name + ".key") };
    }

    Certificates Of(params CertificateSettings[] pairs) =>
        new(new Settings { Data = directory, Hostname = "mail.example.test", Tls = new TlsSettings { Certificates = pairs } }, time, NullLogger<Certificates>.Instance);

    [Theory]
    [InlineData("mail.one.test", "one")]
    [InlineData("MAIL.one.test.", "one")]
    [InlineData("imap.two.test", "two")]
    [InlineData("a.b.two.test", "one")] // a wildcard stands for one label
    [InlineData("two.test", "one")]
    [InlineData("elsewhere.test", "one")]
    [InlineData("", "one")]
    [InlineData(null, "one")]
    public void A_client_gets_the_certificate_for_the_name_it_asks_for(string? asked, string file)
    {
        using var set = Of(Files("one", Pair(false, 90, "mail.one.test")), Files("two", Pair(false, 90, "*.two.test")));
        Assert.Equal(At(file + ".pem"), set.Select(asked).Origin);
    }

    [Fact]
    public void Of_two_for_one_name_ecdsa_is_shown_and_a_valid_one_before_one_that_is_over()
    {
        using var set = Of(Files("rsa", Pair(true, 90, "mail.one.test", "b.test")), Files("ecdsa", Pair(false, 40, "mail.one.test")), Files("over", Pair(false, -0, "b.test")));
        time.Advance(TimeSpan.FromDays(1));
        set.Reload();
        Assert.True(set.Select("mail.one.test").IsEcdsa);
        Assert.Equal(At("rsa.pem"), set.Select("b.test").Origin);
    }

    [Fact]
    public void New_files_are_taken_when_both_are_there_and_a_broken_one_keeps_the_old()
    {
        var first = Files("one", Pair(false, 90, "mail.one.test"));
        using var set = Of(first);
        var old = set.Certificate.Thumbprint;
        Assert.Empty(set.Reload());

        var (certificate, key) = Pair(false, 80, "mail.one.test");
        File.WriteAllText(first.Certificate, certificate); // its key is not there yet
        Assert.Contains("stays in use", Assert.Single(set.Reload()), StringComparison.Ordinal);
        Assert.Equal(old, set.Certificate.Thumbprint);
        Assert.NotNull(Assert.Single(set.List()).Problem);

        File.WriteAllText(first.Key!, key);
        Assert.Empty(set.Reload());
        Assert.NotEqual(old, set.Certificate.Thumbprint);
        Assert.Null(Assert.Single(set.List()).Problem);

        File.WriteAllText(first.Certificate, "nothing");
        Assert.Single(set.Reload());
        File.Delete(first.Certificate);
        Assert.Single(set.Reload());
        Assert.Equal(80, Assert.Single(set.List()).DaysLeft);
    }

    [Fact]
    public void A_new_file_that_is_over_does_not_replace_a_valid_one()
    {
        var first = Files("one", Pair(false, 90, "mail.one.test"));
        using var set = Of(first);
        Files("one", Pair(false, 0, "mail.one.test"));
        time.Advance(TimeSpan.FromDays(1));
        Assert.Contains("stays in use", Assert.Single(set.Reload()), StringComparison.Ordinal);
        Assert.Equal(88, Assert.Single(set.List()).DaysLeft);
    }

    [Fact]
    public void Without_files_it_is_self_signed_and_made_again_before_it_ends()
    {
        using var set = Of();
        var first = set.Certificate.Thumbprint;
        Assert.Equal(CertificateSource.SelfSigned, Assert.Single(set.List()).Source);
        time.Advance(TimeSpan.FromDays(700));
        set.Reload();
        Assert.Equal(first, set.Certificate.Thumbprint);
        time.Advance(TimeSpan.FromDays(100));
        set.Reload();
        Assert.NotEqual(first, set.Certificate.Thumbprint);
    }

    [Fact]
    public void Half_of_a_self_signed_pair_after_a_power_cut_is_made_again()
    {
        string made;
        using (var set = Of()) made = set.Certificate.Thumbprint;
        File.WriteAllText(At("tls/self-signed.key"), Pair(false, 9, "x.test").Key);
        using var again = Of();
        Assert.NotEqual(made, again.Certificate.Thumbprint);
    }

    public void Dispose() => System.IO.Directory.Delete(directory, recursive: true);
}
