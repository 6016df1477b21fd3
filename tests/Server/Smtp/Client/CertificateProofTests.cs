using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Dns;
using CbaMail.Smtp.Client;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Client;

public class CertificateProofTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly TestAuthority Ours = new("Ours");
    static readonly TestAuthority Others = new("Others");

    static byte[] Selected(X509Certificate2 certificate, int selector) => selector == 0 ? certificate.RawData : certificate.PublicKey.ExportSubjectPublicKeyInfo();

    static TlsaRecord Record(int usage, int selector, int matching, X509Certificate2 certificate) =>
        new("_25._tcp.mx.test", 60, (byte)usage, (byte)selector, (byte)matching, matching switch
        {
            0 => Selected(certificate, selector),
            1 => SHA256.HashData(Selected(certificate, selector)),
            _ => SHA512.HashData(Selected(certificate, selector)),
        });

    static DaneProof Dane(params TlsaRecord[] records) => new("mx.test", new Names("mx.test", "example.test"), Tlsa.Usable(records));

    static ProofResult Judge(CertificateProof proof, X509Certificate2 certificate, params X509Certificate2[] sent) => proof.Judge(certificate, sent, Now);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    public void An_end_entity_record_takes_its_certificate_whatever_name_and_dates_say(int selector, int matching)
    {
        var expired = Ours.Issue(["elsewhere.test"], Now.AddYears(-1), Now.AddDays(-1));
        Assert.Equal(ProofResult.Proven("dane-ee"), Judge(Dane(Record(3, selector, matching, expired)), expired, Ours.Intermediate));
        var other = Ours.Issue("mx.test");
        Assert.Equal(TlsFailure.ValidationFailure, Judge(Dane(Record(3, selector, matching, expired)), other, Ours.Intermediate).Failure);
        Assert.Equal(ProofResult.Proven("dane-ee"), Judge(Dane(Record(3, selector, matching, expired), Record(3, selector, matching, other)), other));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    public void An_anchor_record_takes_what_the_authority_below_it_issued(int selector, int matching)
    {
        var certificate = Ours.Issue("mx.test");
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, selector, matching, Ours.Intermediate)), certificate, Ours.Intermediate));
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, selector, matching, Ours.Root)), certificate, Ours.Intermediate, Ours.Root));
        // the peer may send them in any order, and more than is needed
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, selector, matching, Ours.Root)), certificate, Others.Root, Ours.Root, Others.Intermediate, Ours.Intermediate));
        Assert.Equal(TlsFailure.ValidationFailure, Judge(Dane(Record(2, selector, matching, Others.Intermediate)), certificate, Ours.Intermediate, Ours.Root).Failure);
        Assert.Equal(TlsFailure.ValidationFailure, Judge(Dane(Record(2, selector, matching, Others.Intermediate)), certificate, Others.Intermediate, Others.Root).Failure);
    }

    [Fact]
    public void An_anchor_that_the_record_brings_whole_need_not_be_sent()
    {
        var certificate = Ours.Issue("mx.test");
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, 0, 0, Ours.Intermediate)), certificate));
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, 0, 0, Ours.Root)), certificate, Ours.Intermediate));
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, 1, 0, Ours.Intermediate)), certificate));
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(Dane(Record(2, 1, 0, Ours.Root)), certificate, Ours.Intermediate));
        Assert.NotNull(Judge(Dane(Record(2, 0, 0, Others.Root)), certificate, Ours.Intermediate).Failure);
        Assert.NotNull(Judge(Dane(Record(2, 1, 0, Others.Root)), certificate, Ours.Intermediate).Failure);
        // a digest alone does not bring it
        Assert.NotNull(Judge(Dane(Record(2, 0, 1, Ours.Intermediate)), certificate).Failure);
    }

    [Fact]
    public void Below_an_anchor_names_and_dates_count()
    {
        var anchor = Dane(Record(2, 1, 1, Ours.Intermediate));
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(anchor, Ours.Issue("example.test"), Ours.Intermediate));
        Assert.Equal(ProofResult.Proven("dane-ta"), Judge(anchor, Ours.Issue("other.test", "*.test"), Ours.Intermediate));
        Assert.Equal(TlsFailure.CertificateHostMismatch, Judge(anchor, Ours.Issue("other.test"), Ours.Intermediate).Failure);
        Assert.Equal(TlsFailure.CertificateExpired, Judge(anchor, Ours.Issue(["mx.test"], Now.AddYears(-1), Now.AddDays(-1)), Ours.Intermediate).Failure);
        Assert.Equal(TlsFailure.CertificateExpired, Judge(anchor, Ours.Issue(["mx.test"], Now.AddDays(1), Now.AddDays(9)), Ours.Intermediate).Failure);
        var old = new TestAuthority("Old", Now.AddDays(-1));
        Assert.Equal(TlsFailure.CertificateExpired, Judge(Dane(Record(2, 1, 1, old.Root)), old.Issue("mx.test"), old.Intermediate, old.Root).Failure);
    }

    [Fact]
    public void A_forged_signature_is_not_taken_for_the_anchors()
    {
        // the same names everywhere, other keys
        var forger = new TestAuthority("Ours");
        var forged = forger.Issue("mx.test");
        foreach (var record in (TlsaRecord[])[Record(2, 0, 1, Ours.Intermediate), Record(2, 1, 1, Ours.Root), Record(2, 0, 0, Ours.Intermediate), Record(2, 1, 0, Ours.Intermediate), Record(2, 1, 0, Ours.Root)])
            foreach (var sent in (X509Certificate2[][])[[], [Ours.Intermediate], [forger.Intermediate], [Ours.Intermediate, Ours.Root], [forger.Intermediate, Ours.Root]])
                Assert.NotNull(Judge(Dane(record), forged, sent).Failure);
    }

    [Fact]
    public void A_server_is_no_authority()
    {
        var server = Ours.Issue("a.test");
        var request = new CertificateRequest("CN=mx.test", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        var issued = request.Create(server.SubjectName, X509SignatureGenerator.CreateForECDsa(server.GetECDsaPrivateKey()!), Now.AddDays(-1), Now.AddDays(9), [1, 2]);
        Assert.NotNull(Judge(Dane(Record(2, 1, 1, Ours.Intermediate)), issued, server, Ours.Intermediate).Failure);
    }

    [Fact]
    public void Of_several_digests_the_strongest_counts_and_what_is_not_for_SMTP_not_at_all()
    {
        var certificate = Ours.Issue("mx.test");
        var wrong = Ours.Issue("mx.test");
        // RFC 7671 9: the weaker fits, the stronger of the same usage and selector does not
        Assert.NotNull(Judge(Dane(Record(3, 1, 1, certificate), Record(3, 1, 2, wrong)), certificate).Failure);
        Assert.Null(Judge(Dane(Record(3, 1, 1, certificate), Record(3, 0, 2, wrong)), certificate).Failure);
        Assert.Null(Judge(Dane(Record(3, 1, 0, certificate), Record(3, 1, 2, wrong)), certificate).Failure);
        Assert.Empty(Tlsa.Usable([Record(0, 0, 1, Ours.Root), Record(1, 1, 1, certificate), Record(4, 1, 1, certificate), Record(3, 2, 1, certificate), Record(3, 1, 3, certificate)]));
        TlsaRecord Bare(int selector, int matching, int length) => new("x.test", 60, 3, (byte)selector, (byte)matching, new byte[length]);
        Assert.Empty(Tlsa.Usable([Bare(1, 1, 31), Bare(1, 1, 64), Bare(0, 2, 32), Bare(0, 0, 300), Bare(1, 0, 91), Bare(1, 0, 1)]));
        Assert.Equal(2, Tlsa.Usable([Bare(1, 1, 32), Bare(0, 2, 64)]).Count);
    }

    [Fact]
    public void A_trusted_authority_vouches_for_a_name()
    {
        var proof = new PkixProof(new Names("mx.test"), "mta-sts", CommonName: false, Roots: [Ours.Root]);
        Assert.Equal(ProofResult.Proven("mta-sts"), Judge(proof, Ours.Issue("mx.test"), Ours.Intermediate));
        Assert.Equal(ProofResult.Proven("mta-sts"), Judge(proof, Ours.Issue("*.test"), Ours.Intermediate));
        Assert.Equal(TlsFailure.CertificateHostMismatch, Judge(proof, Ours.Issue("a.mx.test"), Ours.Intermediate).Failure);
        Assert.Equal(TlsFailure.CertificateNotTrusted, Judge(proof, Ours.Issue("mx.test")).Failure);
        Assert.Equal(TlsFailure.CertificateNotTrusted, Judge(proof, Others.Issue("mx.test"), Others.Intermediate, Others.Root).Failure);
        Assert.Equal(TlsFailure.CertificateExpired, Judge(proof, Ours.Issue(["mx.test"], Now.AddYears(-1), Now.AddDays(-1)), Ours.Intermediate).Failure);
    }

    [Fact]
    public void A_fingerprint_is_of_the_certificate_or_its_key()
    {
        var certificate = Ours.Issue("whatever.test");
        string Print(int selector) => Convert.ToHexString(SHA256.HashData(Selected(certificate, selector)));
        Assert.Equal(ProofResult.Proven("fingerprint"), Judge(new FingerprintProof("mx.test", new Names("00", Print(0))), certificate));
        Assert.Equal(ProofResult.Proven("fingerprint"), Judge(new FingerprintProof("mx.test", new Names(Print(1))), certificate));
        Assert.NotNull(Judge(new FingerprintProof("mx.test", new Names("00")), certificate).Failure);
    }

    [Fact]
    public void Noise_in_records_is_survived()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var certificate = Ours.Issue("mx.test");
        for (var i = 0; i < 2000; i++)
        {
            var data = new byte[random.Next(1, 120)];
            random.NextBytes(data);
            if (random.Next(3) == 0) Ours.Intermediate.RawData.AsSpan(0, Math.Min(data.Length, 80)).CopyTo(data);
            var record = new TlsaRecord("x.test", 60, (byte)random.Next(6), (byte)random.Next(3), (byte)random.Next(4), data);
            if (Tlsa.Usable([record]) is { Count: > 0 } usable)
                Assert.True(new DaneProof("mx.test", new Names("mx.test"), usable).Judge(certificate, [Ours.Intermediate], Now).Failure is not null, $"seed {seed}");
        }
    }
}
