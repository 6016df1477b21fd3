using System.Text;
using System.Text.Json;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.Tests.Formats.MailAuth.Dkim;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>dkimpy of Debian takes what we sign and seal, and we take what it does.</summary>
public class DkimPeerTests
{
    const string Letter = "Authentication-Results: mx.example.com; arc=none; spf=pass smtp.mailfrom=a@example.com\r\nFrom: Курс <a@example.com>\r\nTo: b@example.net,\r\n\tc@example.net\r\n"
        + "Subject:  Hello   there \r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nList-Unsubscribe: <https://example.com/u>\r\n\r\nHello  there\t\r\n\r\n  привет \r\n\r\n\r\n";

    static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_500);
    static readonly byte[] Message = Encoding.UTF8.GetBytes(Letter);

    /// <summary>dkimpy's Python is the system's, wherever another stands first in the path.</summary>
    internal static async Task<JsonElement[]> AskAsync(IEnumerable<object> requests)
    {
        var python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        var tool = new Tool { Input = string.Concat(requests.Select(r => JsonSerializer.Serialize(r) + "\n")) };
        var ran = (await tool.StartAsync(python, Path.Combine(House.Repository.Root, "tests/EndToEnd/python/dkim_peer.py"))).Succeeded();
        return [.. ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    static Dictionary<string, string> Zone => DkimVerifierTests.Zone.ToDictionary(z => z.Key, z => z.Value[0]);

    static readonly (Canonicalization, Canonicalization)[] Ways =
    [
        (Canonicalization.Simple, Canonicalization.Simple), (Canonicalization.Simple, Canonicalization.Relaxed),
        (Canonicalization.Relaxed, Canonicalization.Simple), (Canonicalization.Relaxed, Canonicalization.Relaxed),
    ];

    [Fact]
    public async Task Takes_our_signatures()
    {
        var requests = from identity in DkimVerifierTests.Both
                       from way in Ways
                       let signer = new DkimSigner([identity], new() { HeaderWay = way.Item1, BodyWay = way.Item2 })
                       select new { op = "dkim", zone = Zone, message = (byte[])[.. signer.Sign(Message, Now), .. Message] };
        Assert.All(await AskAsync(requests), answer => Assert.True(answer.GetProperty("result").GetBoolean()));
    }

    [Fact]
    public async Task Takes_our_chains()
    {
        var sealer = new ArcSealer("mx.example.com", DkimVerifierTests.Both[0]);
        var message = Message;
        var requests = new List<object>();
        for (var hop = 0; hop < 3; hop++)
        {
            message = [.. Encoding.UTF8.GetBytes(string.Concat(sealer.Seal(message, await VerdictAsync(message), Now))), .. message];
            requests.Add(new { op = "arc", zone = Zone, message });
        }

        Assert.All(await AskAsync(requests), answer => Assert.Equal("pass", answer.GetProperty("result").GetString()));
    }

    static async Task<ArcVerdict> VerdictAsync(byte[] message)
    {
        using var signed = new SignedMessage(message);
        return await new ArcVerifier(new DkimKeys(DkimVerifierTests.Zone)).VerifyAsync(signed, Now, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Its_signatures_and_chains_verify_here()
    {
        using var rsa = System.Security.Cryptography.RSA.Create();
        rsa.ImportFromPem(DkimVerifierTests.Rsa.ToPem());
        var pem = Encoding.ASCII.GetBytes(rsa.ExportRSAPrivateKeyPem());
        // dkimpy wants the bare 32 octets in base64: the last of the PKCS #8 (RFC 8410 7)
        var seed = Encoding.ASCII.GetBytes(Convert.ToBase64String(Convert.FromBase64String(string.Concat(DkimVerifierTests.Ed25519.ToPem().Split('\n')[1..^2]))[^32..]));
        var requests = new List<object>();
        foreach (var (header, body) in Ways)
        {
            var ways = new[] { DkimSigner.Word(header), DkimSigner.Word(body) };
            requests.Add(new { op = "sign", zone = Zone, message = Message, key = pem, selector = "r", algorithm = "rsa-sha256", ways });
            requests.Add(new { op = "sign", zone = Zone, message = Message, key = seed, selector = "e", algorithm = "ed25519-sha256", ways });
        }

        foreach (var answer in await AskAsync(requests))
        {
            var verdict = Assert.Single(await RfcExamplesTests.VerifyAsync(answer.GetProperty("message").GetBytesFromBase64(), DkimVerifierTests.Zone));
            Assert.Equal((AuthResult.Pass, ""), (verdict.Result, verdict.Reason));
        }

        var chain = (await AskAsync([new { op = "arc-sign", zone = Zone, message = Message, key = pem, selector = "r", ways = Array.Empty<string>() }]))[0].GetProperty("message").GetBytesFromBase64();
        Assert.Equal(AuthResult.Pass, (await VerdictAsync(chain)).Result);
    }
}
