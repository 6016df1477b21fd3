using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Exchange;

/// <summary>How sure a sender must be of the way: DANE, MTA-STS and REQUIRETLS between servers of different make.</summary>
[Collection(FourServers.Name), Trait("Category", "Slow")]
public sealed class WayTests
{
    readonly FourServers four;

    public WayTests(FourServers four)
    {
        this.four = four;
        four.Require();
    }

    [Theory]
    [InlineData("alpha", "beta", "fits none of the 1 TLSA records")]
    [InlineData("alpha", "gamma", "fits none of the 1 TLSA records")]
    [InlineData("beta", "delta", "fits none of the 1 TLSA records")]
    [InlineData("gamma", "alpha", "Server certificate not verified")]
    [InlineData("gamma", "beta", "Server certificate not verified")]
    [InlineData("delta", "beta", "DANE")]
    public async Task A_key_that_the_zone_does_not_name_keeps_mail_back(string from, string to, string sentence)
    {
        var (sender, receiver) = (four.Of(from), four.Of(to));
        var (subject, there) = ($"never from {from} to {to}", $"{receiver.Person[..receiver.Person.IndexOf('@')]}@wrong-{to}.test");
        await sender.SendAsync(sender.Person, there, Letter.Text(sender.Person, there, subject));
        await sender.UntilLogAsync(sentence);
        // ours says it in the queue, the others in the log
        await Wire.Wait.UntilAsync(async () => await sender.QueueAsync() is var queue && queue.Contains(there, StringComparison.Ordinal) && (sender is ForeignSite || queue.Contains(sentence, StringComparison.Ordinal)), "it waits with that sentence");
        Assert.DoesNotContain(there, receiver.Log); // neither under TLS nor in clear
        await sender.DropAsync(there);
        await sender.UntilEmptyAsync();
    }

    [Fact]
    public async Task A_policy_that_a_web_server_shows_is_obeyed_where_there_is_no_DNSSEC()
    {
        var (alpha, gamma) = (four.Alpha, four.Gamma);
        await alpha.SendAsync(alpha.Person, "galina@sts.open", Letter.Text(alpha.Person, "galina@sts.open", "by policy"));
        await gamma.ReceivedAsync("by policy", "galina@sts.open");
        await alpha.UntilEmptyAsync();
        await alpha.UntilLogAsync("Delivered to galina@sts.open");
        Assert.Matches(@"Delivered to galina@sts\.open by mx\.gamma\.test.*tls=TLS.* mta-sts", alpha.Log);

        // the policy allows the server, but its certificate is of another name
        await alpha.SendAsync(alpha.Person, "galina@other.open", Letter.Text(alpha.Person, "galina@other.open", "never by policy"));
        await alpha.UntilLogAsync("not of mx.other.open");
        await Wire.Wait.UntilAsync(async () => (await alpha.QueueAsync()).Contains("not of mx.other.open", StringComparison.Ordinal), "the queue says so");
        Assert.DoesNotContain("galina@other.open", gamma.Log);
        await alpha.DropAsync("galina@other.open");
    }

    [Fact]
    public async Task The_policy_that_we_serve_is_obeyed_too()
    {
        var (alpha, beta) = (four.Alpha, four.Beta);
        await alpha.SendAsync(alpha.Person, "boris@zeta.open", Letter.Text(alpha.Person, "boris@zeta.open", "by our policy"));
        await beta.ReceivedAsync("by our policy", "boris@zeta.open");
        await alpha.UntilEmptyAsync();
        Assert.Matches(@"zeta\.open: MTA-STS policy fetched: Enforce", alpha.Log);
        await alpha.UntilLogAsync("Delivered to boris@zeta.open");
        Assert.Matches(@"Delivered to boris@zeta\.open by mx\.beta\.test.*tls=TLS.* mta-sts", alpha.Log);
    }

    [Fact]
    public async Task What_the_way_was_like_is_reported_to_its_owner()
    {
        var (alpha, beta, gamma) = (four.Alpha, four.Beta, four.Gamma);
        foreach (var site in (Site[])[beta, gamma])
        {
            await alpha.SendAsync(alpha.Person, site.Person, Letter.Text(alpha.Person, site.Person, "to be counted"));
            await site.ReceivedAsync("to be counted");
        }
        await alpha.UntilEmptyAsync();
        foreach (var domain in (string[])["gamma.test", "beta.test"]) await alpha.CliAsync("report", "send", "--domain", domain);

        var mail = await gamma.ReceivedAsync("Report Domain: gamma.test", "tls-reports@gamma.test");
        Site.AssertLine("dkim=pass.*header.d=alpha.test", mail);
        var packed = Regex.Match(mail, @"application/tlsrpt\+gzip.*?\n\n(?<text>[A-Za-z0-9+/=\n]+)", RegexOptions.Singleline).Groups["text"].Value;
        using var unpacked = new GZipStream(new MemoryStream(Convert.FromBase64String(packed.Replace("\n", "", StringComparison.Ordinal))), CompressionMode.Decompress);
        using var report = await JsonDocument.ParseAsync(unpacked, cancellationToken: TestContext.Current.CancellationToken);
        var policy = Assert.Single(report.RootElement.GetProperty("policies").EnumerateArray());
        Assert.Equal("tlsa", policy.GetProperty("policy").GetProperty("policy-type").GetString());
        Assert.True(policy.GetProperty("summary").GetProperty("total-successful-session-count").GetInt32() > 0);

        await Wire.Wait.UntilAsync(async () => (await beta.CliAsync("report", "list", "--json")).Contains("\"tls\"", StringComparison.Ordinal), "beta has read it");
        Assert.Contains(JsonDocument.Parse(await beta.CliAsync("report", "list", "--json")).RootElement.EnumerateArray(),
            one => one.GetProperty("kind").GetString() == "tls" && one.GetProperty("trusted").GetBoolean() && one.GetProperty("passed").GetInt32() > 0);
    }

    [Fact]
    public async Task Mail_that_requires_TLS_goes_where_that_is_promised_and_nowhere_else()
    {
        var (alpha, beta, gamma) = (four.Alpha, four.Beta, four.Gamma);
        await alpha.SendAsync(alpha.Person, beta.Person, Letter.Text(alpha.Person, beta.Person, "required and promised"), " REQUIRETLS");
        await beta.ReceivedAsync("required and promised");
        foreach (var site in (Site[])[gamma, four.Delta])
        {
            var subject = "required of " + site.Domain;
            await alpha.SendAsync(alpha.Person, site.Person, Letter.Text(alpha.Person, site.Person, subject), " REQUIRETLS");
            var bounce = await alpha.ReceivedAsync(subject);
            Site.AssertLine("Status: 5.7.30", bounce);
            Assert.DoesNotContain(await site.MailAsync(site.Person), mail => mail.Contains(subject, StringComparison.Ordinal));
        }
    }
}
