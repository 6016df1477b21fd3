using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Exchange;

/// <summary>Mail that cannot be delivered, and who tells whom about it.</summary>
[Collection(FourServers.Name), Trait("Category", "Slow")]
public sealed class ReturnTests
{
    readonly FourServers four;

    public ReturnTests(FourServers four)
    {
        this.four = four;
        four.Require();
    }

    [Theory]
    [InlineData("alpha", "beta")]
    [InlineData("alpha", "gamma")]
    [InlineData("beta", "delta")]
    [InlineData("gamma", "alpha")]
    [InlineData("gamma", "delta")]
    [InlineData("delta", "beta")]
    [InlineData("delta", "gamma")]
    public async Task An_unknown_name_is_refused_at_the_door_and_the_sender_told_by_his_own_server(string from, string to)
    {
        var (sender, receiver) = (four.Of(from), four.Of(to));
        var (nobody, subject) = ($"nobody-{from}@{receiver.Domain}", $"to nobody from {from} at {to}");
        await sender.SendAsync(sender.Person, nobody, Letter.Text(sender.Person, nobody, subject));
        var notice = await sender.ReceivedAsync(subject);
        Site.AssertLine("^Content-Type: multipart/report;.*report-type=\"?delivery-status", notice);
        Site.AssertLine($"^Reporting-MTA: dns; ?{sender.Host}", notice);
        Site.AssertLine($"^Final-Recipient: rfc822; ?{nobody}", notice);
        Site.AssertLine("^Action: failed", notice);
        Site.AssertLine(sender is EximSite ? "^Status: 5\\." : "^Status: 5\\.1\\.1", notice);
        Site.AssertLine($"^Remote-MTA: dns; ?{receiver.Host}", notice);
        Site.AssertLine("^Diagnostic-Code: smtp; ?550", notice);
        Assert.Contains("<>", notice[..notice.IndexOf('\n')]);
        // nobody else has anything to tell: who refuses keeps nothing
        foreach (var site in (Site[])[sender, receiver]) await site.UntilEmptyAsync();
        Assert.Single(await sender.MailAsync(sender.Person), mail => mail.Contains(subject, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bounces_of_a_mailing_are_tied_to_their_people_whoever_writes_them()
    {
        var alpha = four.Alpha;
        await alpha.Server.AddAccountsAsync("teacher@alpha.test");
        var course = (await alpha.CliAsync("course", "add", "Весенний курс", "--domain", "alpha.test", "--language", "ru")).Trim();
        string[] people = ["boris@beta.test", "nobody@beta.test", "nobody@gamma.test", "nobody@delta.test", "late@gamma.test", "late@delta.test"];
        var file = await CourseSetup.WriteAsync(alpha.Server, "people.csv", "address,name,group,code\n" + string.Concat(people.Select(one => $"{one},Участник,г-1,к-1\n")));
        await alpha.CliAsync("course", "import", course, file);
        var mailing = await CourseSetup.MailingAsync(alpha.Server, course, "teacher@alpha.test", "К началу курса");
        await alpha.CliAsync("mailing", "send", mailing);
        await four.Beta.ReceivedAsync("boris@beta.test");
        Dictionary<string, JsonElement> ledger = [];
        await Wait.UntilAsync(async () =>
        {
            ledger = (await CourseSetup.LedgerAsync(alpha.Server, mailing)).ToDictionary(row => row.GetProperty("address").GetString()!);
            return ledger.Values.Count(row => row.GetProperty("state").GetString() == "bounced") == 5;
        }, "five of six have bounced", 60);
        Assert.Equal("delivered", ledger["boris@beta.test"].GetProperty("state").GetString());
        Assert.All(people[1..], one => Assert.Contains("dead", ledger[one].GetRawText()));
        // the teacher is not told of each; the ledger has it
        Assert.Empty(await alpha.MailAsync("teacher@alpha.test"));
    }

    [Fact]
    public async Task A_bounce_that_cannot_be_delivered_is_not_returned_in_turn()
    {
        var (beta, gamma) = (four.Beta, four.Gamma);
        await beta.CliAsync("alias", "add", "astray@beta.test", "nobody@gamma.test");
        var before = (await gamma.MailAsync(gamma.Person)).Count;
        await gamma.SendAsync("", "astray@beta.test", Letter.Text("mailer-daemon@gamma.test", "astray@beta.test", "a bounce astray"));
        await beta.UntilLogAsync("nobody@gamma.test by mx.gamma.test");
        foreach (var site in (Site[])[beta, gamma]) await site.UntilEmptyAsync();
        Assert.Equal(before, (await gamma.MailAsync(gamma.Person)).Count);
        Assert.DoesNotContain(await beta.MailAsync(beta.Person), mail => mail.Contains("a bounce astray", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("alpha", "delta", 300)]
    [InlineData("gamma", "alpha", 500)]
    public async Task What_is_too_large_there_comes_back(string from, string to, int kilobytes)
    {
        var (sender, receiver) = (four.Of(from), four.Of(to));
        var subject = $"large for {to}";
        await sender.SendAsync(sender.Person, receiver.Person, Letter.Text(sender.Person, receiver.Person, subject, string.Concat(Enumerable.Repeat(new string('x', 62) + "\r\n", kilobytes * 16))));
        Site.AssertLine("Status: 5\\.(3\\.4|2\\.3)", await sender.ReceivedAsync(subject));
    }

    [Theory]
    [InlineData("alpha", "галина@gamma.test", "gamma")]
    [InlineData("alpha", "дмитрий@delta.test", "delta")]
    [InlineData("gamma", "борис@beta.test", "beta")]
    [InlineData("delta", "аня@alpha.test", "alpha")]
    public async Task Addresses_in_Cyrillic_are_written_to(string from, string to, string at)
    {
        var (sender, receiver) = (four.Of(from), four.Of(at));
        if (receiver is OurSite ours) await ours.Server.AddAccountsAsync(to);
        var subject = $"Тема от {from}";
        await sender.SendAsync(sender.Person, to, Letter.Text(sender.Person, to, subject), " BODY=8BITMIME SMTPUTF8");
        var mail = await receiver.ReceivedAsync(subject, to);
        Assert.Contains($"To: {to}", mail);
        Site.AssertLine("with (UTF8SMTPS|utf8esmtps)", mail);
    }

    [Fact]
    public async Task An_address_in_Cyrillic_comes_back_from_a_server_that_does_not_know_them()
    {
        var beta = four.Beta; // to which Exim does not offer SMTPUTF8
        await beta.SendAsync(beta.Person, "дмитрий@delta.test", Letter.Text(beta.Person, "дмитрий@delta.test", "Некуда"), " SMTPUTF8");
        var notice = await beta.ReceivedAsync("Некуда");
        Assert.Contains("Status: 5.6.7", notice);
    }
}
