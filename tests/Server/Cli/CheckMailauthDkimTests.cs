using System.Text;
using System.Text.Json;
using CbaMail.Cli;
using CbaMail.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Server.Cli;

/// <summary><c>check mailauth</c>: signing, sealing and verifying through the lines of JSON.</summary>
public class CheckMailauthDkimTests
{
    static readonly byte[] Message = Encoding.UTF8.GetBytes("Authentication-Results: mx.example.com; spf=pass\r\nFrom: a@example.com\r\nSubject: x\r\n\r\nHello\r\n");
    static readonly DkimPrivateKey Key = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);

    static readonly object Zone = new Dictionary<string, object> { ["S._domainkey.Example.com."] = new object[] { new object[] { "CNAME", "other.example.net." } }, ["other.example.net"] = new object[] { new object[] { "TXT", new[] { Key.Record()[..100], Key.Record()[100..] } } } };

    static async Task<JsonElement[]> AskAsync(params object[] lines)
    {
        using var output = new MemoryStream();
        var text = string.Join('\n', lines.Select(line => line as string ?? JsonSerializer.Serialize(line)));
        Assert.Equal(0, await CheckMailauth.RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), output, TestContext.Current.CancellationToken));
        return [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    static byte[] Put(string fields, byte[] message) => [.. Encoding.UTF8.GetBytes(fields + "\r\n"), .. message];

    [Theory]
    [InlineData("{\"id\":7,\"op\":\"future\"}", 7, "unsupported")]
    [InlineData("{\"id\":7}", 7, "no \"op\"")]
    [InlineData("{\"id\":7,\"op\":\"dkim\"}", 7, "no \"message\"")]
    [InlineData("{\"id\":7,\"op\":\"dkim\",\"message\":\"*\"}", 7, "no \"message\"")]
    [InlineData("{\"id\":7,\"op\":\"dkim\",\"message\":\"\",\"zone\":5}", 7, "\"zone\" must be")]
    [InlineData("{\"id\":7,\"op\":\"dkim\",\"message\":\"\",\"now\":\"x\"}", 7, "\"now\" must be")]
    [InlineData("{\"id\":7,\"op\":\"dkim-sign\",\"message\":\"\",\"private_key\":\"x\"}", 7, "not in PEM")]
    [InlineData("nonsense", null, "not JSON")]
    [InlineData("[]", null, "no JSON object")]
    public async Task A_line_that_cannot_be_answered_says_why_and_the_next_is_answered(string line, int? id, string sentence)
    {
        var answers = await AskAsync(line, "", new { id = "next", op = "dkim", message = "" });
        Assert.Equal(2, answers.Length);
        Assert.Equal(id, answers[0].GetProperty("id").ValueKind == JsonValueKind.Null ? null : answers[0].GetProperty("id").GetInt32());
        Assert.Contains(sentence, answers[0].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("next", answers[1].GetProperty("id").GetString());
        Assert.Empty(answers[1].GetProperty("signatures").EnumerateArray());
    }

    [Theory]
    [InlineData("relaxed/relaxed")]
    [InlineData("simple/simple")]
    [InlineData("relaxed")]
    public async Task What_is_signed_verifies(string canonicalization)
    {
        var signed = (await AskAsync(new
        {
            id = 1,
            op = "dkim-sign",
            message = Message,
            domain = "example.com",
            selector = "s",
            private_key = Key.ToPem(),
            algorithm = "rsa-sha256",
            headers = new[] { "From", "Subject" },
            canonicalization,
            timestamp = 1_700_000_000,
        }))[0].GetProperty("header").GetString()!;
        Assert.Contains("t=1700000000", signed, StringComparison.Ordinal);
        var answer = (await AskAsync(new { id = 2, op = "dkim", message = Put(signed, Message), zone = Zone, now = 1_700_000_001 }))[0];
        var signature = Assert.Single(answer.GetProperty("signatures").EnumerateArray());
        Assert.Equal(("example.com", "s", "pass"), (signature.GetProperty("domain").GetString(), signature.GetProperty("selector").GetString(), signature.GetProperty("result").GetString()));
    }

    [Fact]
    public async Task What_is_sealed_is_a_chain()
    {
        var message = Message;
        for (var hop = 1; hop <= 3; hop++)
        {
            var headers = (await AskAsync(new
            {
                id = hop,
                op = "arc-seal",
                message,
                zone = Zone,
                authserv_id = "mx.example.com",
                domain = "example.com",
                selector = "s",
                private_key = Key.ToPem(),
                headers = "from:subject",
                timestamp = 1_700_000_000 + hop,
            }))[0].GetProperty("headers").EnumerateArray().Select(h => h.GetString()!).ToArray();
            Assert.Equal(["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"], headers.Select(h => h[..h.IndexOf(':', StringComparison.Ordinal)]));
            message = Put(string.Join("\r\n", headers), message);
            Assert.Equal("pass", (await AskAsync(new { id = 0, op = "arc", message, zone = Zone, now = 1_700_000_009 }))[0].GetProperty("result").GetString());
        }

        Assert.Equal("fail", (await AskAsync(new { id = 0, op = "arc", message, zone = new { } }))[0].GetProperty("result").GetString());
        Assert.Equal("none", (await AskAsync(new { id = 0, op = "arc", message = Message, zone = new { } }))[0].GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_key_of_another_algorithm_does_not_sign() =>
        Assert.Contains("rsa-sha256", (await AskAsync(new { id = 1, op = "dkim-sign", message = Message, domain = "example.com", selector = "s", private_key = Key.ToPem(), algorithm = "ed25519-sha256" }))[0].GetProperty("error").GetString(), StringComparison.Ordinal);
}
