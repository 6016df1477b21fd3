using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Dkim;

/// <summary>What we sign verifies, and nothing of it can be changed.</summary>
public class DkimSignerTests
{
    static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    const string Bulk = "From: Курс <a@example.com>\r\nTo: b@example.net\r\nSubject: Hello\r\nList-Unsubscribe: <https://example.com/u>\r\n"
        + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMessage-ID: <1@example.com>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\nHello\r\n";

    [Fact]
    public void Every_message_gets_a_signature_of_each_key_in_short_lines_and_always_the_same()
    {
        var message = Encoding.UTF8.GetBytes(Bulk);
        var signer = new DkimSigner(DkimVerifierTests.Both, new() { Lifetime = TimeSpan.FromDays(7) });
        var fields = Encoding.UTF8.GetString(signer.Sign(message, Now));
        Assert.Equal(fields, Encoding.UTF8.GetString(signer.Sign(message, Now)));
        Assert.EndsWith("\r\n", fields, StringComparison.Ordinal);
        Assert.All(fields.Split("\r\n"), line => Assert.InRange(line.Length, 0, 78));
        Assert.Equal(2, fields.Split("DKIM-Signature: v=1;").Length - 1);
        Assert.Contains("a=rsa-sha256", fields, StringComparison.Ordinal);
        Assert.Contains("a=ed25519-sha256", fields, StringComparison.Ordinal);
        Assert.Contains("x=1700604800", fields, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_are_signed_once_more_than_they_stand_there()
    {
        var message = Encoding.UTF8.GetBytes(Bulk);
        var verdicts = await RfcExamplesTests.VerifyAsync([.. new DkimSigner(DkimVerifierTests.Both, new()).Sign(message, Now), .. message], DkimVerifierTests.Zone, 1_700_000_000);
        Assert.All(verdicts, v => Assert.Equal(AuthResult.Pass, v.Result));
        var names = verdicts[0].Signature.Fields;
        foreach (var (name, times) in new[] { ("from", 2), ("subject", 2), ("cc", 1), ("reply-to", 1), ("list-unsubscribe", 2), ("list-unsubscribe-post", 2), ("list-id", 0), ("sender", 0) })
            Assert.True(names.Count(n => n == name) == times, name);
    }

    [Fact]
    public void A_hash_of_the_body_may_be_shared()
    {
        var signer = new DkimSigner(DkimVerifierTests.Both, new());
        var split = Bulk.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        var (header, body) = (Encoding.UTF8.GetBytes(Bulk[..split]), Encoding.UTF8.GetBytes(Bulk[split..]));
        Assert.Equal(signer.Sign(Encoding.UTF8.GetBytes(Bulk), Now), signer.Sign(header, signer.HashBody(body), Now));
    }

    [Theory]
    [InlineData(Canonicalization.Simple, Canonicalization.Simple)]
    [InlineData(Canonicalization.Simple, Canonicalization.Relaxed)]
    [InlineData(Canonicalization.Relaxed, Canonicalization.Simple)]
    [InlineData(Canonicalization.Relaxed, Canonicalization.Relaxed)]
    public async Task Whatever_is_signed_verifies_and_no_octet_of_it_can_be_changed(Canonicalization headerWay, Canonicalization bodyWay)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var signer = new DkimSigner([DkimVerifierTests.Both[1]], new() { HeaderWay = headerWay, BodyWay = bodyWay });
        for (var round = 0; round < 150; round++)
        {
            var where = $"seed {seed} round {round}";
            var message = Letter(random);
            byte[] signed = [.. signer.Sign(message, Now), .. message];
            var verdict = Assert.Single(await RfcExamplesTests.VerifyAsync(signed, DkimVerifierTests.Zone, 1_700_000_000));
            Assert.True(verdict.Result == AuthResult.Pass, $"{where}: {verdict.Reason}");

            // another letter in place of a letter: of signed fields and the body
            for (var tries = 0; tries < 20; tries++)
            {
                var at = signed.Length - message.Length + random.Next(message.Length);
                if (signed[at] is not (>= (byte)'a' and <= (byte)'y')) continue;
                var changed = signed.ToArray();
                changed[at]++;
                var after = await RfcExamplesTests.VerifyAsync(changed, DkimVerifierTests.Zone, 1_700_000_000);
                Assert.True(after.All(v => v.Result != AuthResult.Pass), $"{where}: octet {at}");
            }
        }
    }

    /// <summary>A letter of which every field is signed.</summary>
    static byte[] Letter(Random random)
    {
        var text = new StringBuilder();
        foreach (var name in new[] { "from", "to", "subject", "date", "message-id" }.OrderBy(_ => random.Next()))
            text.Append($"{name}:{new string(' ', random.Next(3))}v{random.Next()}{(random.Next(2) == 0 ? "\r\n\t" : " ")}w{random.Next()}{(random.Next(4) == 0 ? " " : "")}\r\n");
        text.Append("\r\n");
        for (var i = random.Next(12); i > 0; i--) text.Append(new[] { "line of text", "", "  indented  more", "привет", "tab\tand end ", ".dot" }[random.Next(6)]).Append(i > 1 || random.Next(2) == 0 ? "\r\n" : "");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    [Theory]
    [InlineData(DkimAlgorithm.RsaSha256)]
    [InlineData(DkimAlgorithm.Ed25519Sha256)]
    public void A_key_survives_its_PEM(DkimAlgorithm algorithm)
    {
        using var key = DkimPrivateKey.Create(algorithm);
        using var again = DkimPrivateKey.FromPem(key.ToPem());
        Assert.Equal((key.Algorithm, key.Record(), key.Bits), (again.Algorithm, again.Record(), again.Bits));
        var hash = new byte[32];
        Assert.Equal(key.Sign(hash), again.Sign(hash));
    }

    [Theory]
    [InlineData("", "not in PEM")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----", "not a private key")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----", "decrypt it first")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", "cannot be read")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----", "cannot be read")]
    public void A_key_that_cannot_be_read_is_refused_with_a_sentence(string pem, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<FormatException>(() => DkimPrivateKey.FromPem(pem)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_short_RSA_key_does_not_sign()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(1016);
        Assert.Contains("1016 bits", Assert.Throws<FormatException>(() => DkimPrivateKey.FromPem(rsa.ExportRSAPrivateKeyPem())).Message, StringComparison.Ordinal);
    }
}
