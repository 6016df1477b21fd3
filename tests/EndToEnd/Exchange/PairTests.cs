using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Exchange;

/// <summary>Each of the four servers sends to each other one; what the receiver finds out about the sender, and what the sender about the receiver.</summary>
[Collection(FourServers.Name), Trait("Category", "Slow")]
public sealed class PairTests
{
    readonly FourServers four;

    public PairTests(FourServers four)
    {
        this.four = four;
        four.Require();
    }

    [Theory]
    [InlineData("alpha", "beta")]
    [InlineData("alpha", "gamma")]
    [InlineData("alpha", "delta")]
    [InlineData("beta", "alpha")]
    [InlineData("beta", "gamma")]
    [InlineData("beta", "delta")]
    [InlineData("gamma", "alpha")]
    [InlineData("gamma", "beta")]
    [InlineData("gamma", "delta")]
    [InlineData("delta", "alpha")]
    [InlineData("delta", "beta")]
    [InlineData("delta", "gamma")]
    public async Task Mail_arrives_proven_over_a_proven_way(string from, string to)
    {
        var (sender, receiver) = (four.Of(from), four.Of(to));
        var subject = $"from {from} to {to}";
        await sender.SendAsync(sender.Person, receiver.Person, Letter.Text(sender.Person, receiver.Person, subject, "Здравствуйте!\r\n..\r\n.dot\r\n"));
        var mail = await receiver.ReceivedAsync(subject);
        Assert.Contains("Здравствуйте!\n..\n.dot", mail.ReplaceLineEndings("\n"));
        AssertReceived(receiver, sender, mail);
        await sender.UntilEmptyAsync();
        if (sender is OurSite) await sender.UntilLogAsync($"Delivered to {receiver.Person} by"); // its line comes just after the queue has changed
        await AssertDaneAsync(sender, receiver);
    }

    /// <summary>In the words of each server: over TLS, and SPF, DKIM and DMARC as far as it looks at them.</summary>
    static void AssertReceived(Site receiver, Site sender, string mail)
    {
        var results = Regex.Match(mail, $"^Authentication-Results: {receiver.Host}.*$", RegexOptions.Multiline).Value;
        var received = Regex.Match(mail, $"^Received: from .*{sender.Host}.* by {receiver.Host}.*$", RegexOptions.Multiline).Value;
        Assert.True(results.Length > 0 && received.Length > 0, mail);
        Assert.Matches("with (esmtps|ESMTPS|UTF8SMTPS|utf8esmtps)", received);
        Assert.True(results.Contains("dkim=pass", StringComparison.Ordinal), mail);
        Assert.Matches($"dkim=pass.*header\\.(d|i)=@?{sender.Domain}", results);
        if (receiver is not PostfixSite) Assert.Contains("spf=pass", results);
        if (receiver is OurSite) Assert.Contains($"dmarc=pass (p=reject dis=none) header.from={sender.Domain}", results);
    }

    /// <summary>In the words of each server: the receiver's key was the one of the TLSA record.</summary>
    static async Task AssertDaneAsync(Site sender, Site receiver)
    {
        switch (sender)
        {
            case OurSite:
                await sender.UntilLogAsync($"Delivered to {receiver.Person}");
                Assert.Matches($"Delivered to {receiver.Person} by {receiver.Host}.*tls=TLS.* dane-ee", sender.Log);
                break;
            case PostfixSite: Assert.Contains($"Verified TLS connection established to {receiver.Host}[{receiver.Address}]:25", sender.Log); break;
            default: Assert.Matches($"=> {receiver.Person} .*H={receiver.Host} .*CV=dane", sender.Log); break;
        }
    }
}
