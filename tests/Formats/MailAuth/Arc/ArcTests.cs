using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.Tests.Formats.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth.Arc;

/// <summary>Chains that we seal and validate (RFC 8617 5); the public suite's cases run through <c>check mailauth</c>.</summary>
public class ArcTests
{
    static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    const string Plain = "Authentication-Results: MX.example.com (ours); spf=pass smtp.mailfrom=a@example.org;\r\n\tdkim=pass (good) header.d=example.org\r\n"
        + "Authentication-Results: other.example; spf=fail\r\n"
        + "Authentication-Results: mx.example.com 1; dmarc=pass\r\n"
        + "From: a@example.org\r\nTo: b@example.net\r\nSubject: Hello\r\n\r\nHello\r\n";

    static readonly ArcSealer Sealer = new("mx.example.com", DkimVerifierTests.Both[0]);

    static async Task<ArcVerdict> VerifyAsync(string message)
    {
        using var signed = new SignedMessage(Encoding.UTF8.GetBytes(message));
        return await new ArcVerifier(new DkimKeys(DkimVerifierTests.Zone)).VerifyAsync(signed, Now, TestContext.Current.CancellationToken);
    }

    static async Task<string> SealAsync(string message, int times = 1)
    {
        for (; times > 0; times--) message = string.Concat(Sealer.Seal(Encoding.UTF8.GetBytes(message), await VerifyAsync(message), Now)) + message;
        return message;
    }

    [Fact]
    public async Task A_message_without_sets_has_no_chain() => Assert.Equal(AuthResult.None, (await VerifyAsync(Plain)).Result);

    [Fact]
    public async Task Each_forwarder_adds_a_set()
    {
        var message = Plain;
        for (var i = 1; i <= 5; i++)
        {
            message = await SealAsync(message);
            var verdict = await VerifyAsync(message);
            Assert.Equal((AuthResult.Pass, "", i, 0), (verdict.Result, verdict.Reason, verdict.Sets.Count, verdict.OldestPass));
        }
    }

    [Fact]
    public async Task All_results_of_ours_are_gathered()
    {
        var set = Assert.Single((await VerifyAsync(await SealAsync(Plain))).Sets);
        Assert.Equal("mx.example.com", set.Results!.AuthservId);
        Assert.Equal(["spf=pass", "dkim=pass", "dmarc=pass"], set.Results.Results.Select(r => $"{r.Method}={r.Result}"));
        Assert.Equal("example.org", set.Results.Results[1].Property("header", "d"));
        Assert.Equal(("example.com", "none"), (set.Seal.Domain, set.Seal.ChainStatus));
    }

    [Theory]
    [InlineData("Hello\r\n", "Changed\r\n", "ARC-Message-Signature of instance 2: the body was changed")]
    [InlineData("From: a@", "From: z@", "ARC-Message-Signature of instance 2: the signature is not right")]
    [InlineData("i=1; mx.example.com;\r\n\tspf=pass", "i=1; mx.example.com;\r\n\tspf=fail", "ARC-Seal of instance 2: the signature is not right")]
    [InlineData("i=2; mx.example.com;\r\n\tspf=pass", "i=2; mx.example.com;\r\n\tspf=fail", "ARC-Seal of instance 2: the signature is not right")]
    [InlineData("cv=pass", "cv=none", "instance 2 was sealed with cv=none")]
    [InlineData("cv=none", "cv=pass", "instance 1 was sealed with cv=pass")]
    [InlineData("cv=none", "cv=fail", "instance 1 was sealed with cv=fail")]
    [InlineData("cv=pass", "cv=fail", "the last forwarder found the chain broken")]
    [InlineData("cv=pass", "cv=PASS", "cv= is neither")]
    [InlineData("cv=pass", "h=from; cv=pass", "a seal has no h=")]
    [InlineData("i=1; mx", "i=01; mx", "ARC-Seal of instance 2")]
    [InlineData("i=1; mx", "i=3; mx", "instance 1 is not complete")]
    [InlineData("i=1; mx", "i=2; mx", "instance 2 has two of a field")]
    [InlineData("i=1; mx", "mx", "i= does not stand first")]
    [InlineData("i=1; mx", "i=0; mx", "no number from 1 to 50")]
    [InlineData("i=1; mx", "i=51; mx", "no number from 1 to 50")]
    [InlineData("ARC-Seal:", "X-Seal:", "is not complete")]
    public async Task A_changed_chain_fails(string what, string by, string reason)
    {
        var message = await SealAsync(Plain, 2);
        var verdict = await VerifyAsync(message.Replace(what, by, StringComparison.Ordinal));
        Assert.Equal(AuthResult.Fail, verdict.Result);
        Assert.Contains(reason, verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_forwarder_changed_before_it_sealed_breaks_nothing()
    {
        var message = (await SealAsync(Plain)).Replace("Subject: Hello", "Subject: [list] Hello", StringComparison.Ordinal);
        Assert.Equal(AuthResult.Fail, (await VerifyAsync(message)).Result);
        // the forwarder validated before it changed the message
        var arrived = await SealAsync(Plain);
        var verdict = await VerifyAsync(arrived);
        var changed = arrived.Replace("Subject: Hello", "Subject: [list] Hello", StringComparison.Ordinal);
        Assert.Equal(AuthResult.Pass, (await VerifyAsync(string.Concat(Sealer.Seal(Encoding.UTF8.GetBytes(changed), verdict, Now)) + changed)) is { OldestPass: 2 } after ? after.Result : AuthResult.None);
    }

    [Fact]
    public async Task A_broken_chain_is_sealed_as_broken_and_then_left_alone()
    {
        var broken = (await SealAsync(Plain, 2)).Replace("Hello\r\n", "Changed\r\n", StringComparison.Ordinal);
        var marked = await SealAsync(broken);
        Assert.Contains("cv=fail", marked, StringComparison.Ordinal);
        Assert.Contains("i=3", marked, StringComparison.Ordinal);
        var verdict = await VerifyAsync(marked);
        Assert.Equal((AuthResult.Fail, true), (verdict.Result, verdict.IsClosed));
        Assert.Empty(Sealer.Seal(Encoding.UTF8.GetBytes(marked), verdict, Now));
    }

    [Fact]
    public async Task After_fifty_sets_there_is_no_room()
    {
        var full = await SealAsync(Plain, 50);
        var verdict = await VerifyAsync(full);
        Assert.Equal((AuthResult.Pass, 50), (verdict.Result, verdict.Highest));
        Assert.Empty(Sealer.Seal(Encoding.UTF8.GetBytes(full), verdict, Now));
    }

    [Fact]
    public async Task Any_mutilated_chain_gets_a_verdict()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var message = await SealAsync(Plain, 3);
        for (var round = 0; round < 400; round++)
        {
            var bytes = new StringBuilder(message);
            for (var i = 1 + random.Next(4); i > 0; i--)
                switch (random.Next(3))
                {
                    case 0: bytes[random.Next(bytes.Length)] = (char)random.Next(32, 127); break;
                    case 1: bytes.Remove(random.Next(bytes.Length - 60), random.Next(50)); break;
                    default: bytes.Insert(random.Next(bytes.Length), message.AsSpan(random.Next(message.Length - 300), random.Next(300))); break;
                }

            try
            {
                await VerifyAsync(bytes.ToString());
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} round {round}: {e}");
            }
        }
    }
}
