using Xunit;

namespace CbaMail.Tests.EndToEnd.Exchange;

/// <summary>Mail that is passed on: its author's domain asks to refuse what it has not sent, and its sender's SPF names another server.</summary>
[Collection(FourServers.Name), Trait("Category", "Slow")]
public sealed class ForwardTests
{
    readonly FourServers four;

    public ForwardTests(FourServers four)
    {
        this.four = four;
        four.Require();
    }

    static async Task PassOnAsync(OurSite site, string from, string to)
    {
        await site.Server.AddAccountsAsync(from);
        await site.CliAsync("policy", "set", from, "forward", to);
        await site.CliAsync("policy", "set", from, "keep-copy", "no");
    }

    [Fact]
    public async Task A_seal_of_whom_we_trust_spares_what_DMARC_would_refuse()
    {
        var (alpha, beta, gamma) = (four.Alpha, four.Beta, four.Gamma);
        await PassOnAsync(alpha, "sealed@alpha.test", beta.Person);
        await gamma.SendAsync("galina@unsigned.test", "sealed@alpha.test", Letter.Text("galina@unsigned.test", "sealed@alpha.test", "passed on under seal"));
        var mail = await beta.ReceivedAsync("passed on under seal");
        Site.AssertLine(@"Authentication-Results: mx\.beta\.test; spf=pass smtp\.mailfrom=[^;]*@alpha\.test.*; arc=pass .*; dmarc=fail \(p=reject dis=none arc=alpha\.test\) header\.from=unsigned\.test", mail);
        Site.AssertLine(@"ARC-Authentication-Results: i=1; mx\.alpha\.test; .*dmarc=pass", mail);
        Site.AssertLine(@"Return-Path: <SRS0=[^>]*@alpha\.test>", mail);
    }

    [Fact]
    public async Task A_seal_of_somebody_else_spares_nothing_and_the_author_is_told()
    {
        var (alpha, beta, gamma) = (four.Alpha, four.Beta, four.Gamma);
        await PassOnAsync(beta, "sealed@beta.test", alpha.Person);
        await gamma.SendAsync("galina@unsigned.test", "sealed@beta.test", Letter.Text("galina@unsigned.test", "sealed@beta.test", "passed on in vain"));
        var bounce = await gamma.ReceivedAsync("passed on in vain", "galina@unsigned.test");
        Assert.Contains("Return-Path: <>", bounce);
        Assert.Contains("Status: 5.7.1", bounce);
        Assert.Contains("unsigned.test asks to refuse", bounce);
        Assert.DoesNotContain(await alpha.MailAsync(alpha.Person), mail => mail.Contains("passed on in vain", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_signature_outlives_being_passed_on()
    {
        var (alpha, beta, gamma, delta) = (four.Alpha, four.Beta, four.Gamma, four.Delta);
        await PassOnAsync(alpha, "signed@alpha.test", delta.Person);
        await PassOnAsync(beta, "signed@beta.test", "signed@alpha.test");
        await gamma.SendAsync(gamma.Person, "signed@beta.test", Letter.Text(gamma.Person, "signed@beta.test", "passed on twice", "Здравствуйте!\r\n"));
        var mail = await delta.ReceivedAsync("passed on twice");
        Site.AssertLine(@"Authentication-Results: mx\.delta\.test; spf=pass smtp\.mailfrom=alpha\.test.*dkim=pass header\.d=gamma\.test", mail);
        Site.AssertLine(@"^ARC-Seal: .*cv=pass; .*i=2;", mail);
        Site.AssertLine(@"Return-path: <SRS[01]=[^>]*@alpha\.test>", mail);
    }

    [Theory]
    [InlineData("nobody", "refuses it in the session")]
    [InlineData("late", "takes it and returns it")]
    public async Task What_cannot_be_passed_on_comes_back_to_its_author(string name, string how)
    {
        var (alpha, gamma) = (four.Alpha, four.Gamma);
        var here = $"to-{name}@alpha.test";
        await PassOnAsync(alpha, here, $"{name}@delta.test");
        await gamma.SendAsync(gamma.Person, here, Letter.Text(gamma.Person, here, how));
        var bounce = await gamma.ReceivedAsync(how);
        Assert.Contains("Return-Path: <>", bounce);
        Assert.Contains("Action: failed", bounce);
        await alpha.UntilEmptyAsync();
    }

    [Theory]
    [InlineData("beta", "gamma")]
    [InlineData("alpha", "delta")]
    public async Task A_loop_between_two_servers_ends(string ours, string theirs)
    {
        var (site, other) = ((OurSite)four.Of(ours), four.Of(theirs));
        var sender = ours == "alpha" ? four.Beta : four.Alpha;
        var (round, subject) = ($"round@{ours}.test", $"round and round {ours}");
        await PassOnAsync(site, round, $"round@{theirs}.test");
        await sender.SendAsync(sender.Person, round, Letter.Text(sender.Person, round, subject));
        // it is not lost: either somebody keeps it, or its author is told
        await Wire.Wait.UntilAsync(async () => (await sender.MailAsync(sender.Person)).Concat(await site.MailAsync(round)).Any(mail => mail.Contains(subject, StringComparison.Ordinal)), "the loop ends", 60);
        foreach (var queue in (Site[])[site, other, sender]) await queue.UntilEmptyAsync();
    }
}
