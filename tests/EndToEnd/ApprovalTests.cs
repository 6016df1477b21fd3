using System.Net;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A second person approves a mailing by the link that came by mail.</summary>
public sealed partial class ApprovalTests
{
    [GeneratedRegex("/approval/([0-9a-f]{40})")]
    private static partial Regex Link { get; }

    [Fact]
    public async Task The_link_of_an_approver_shows_the_mailing_and_decides_once()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 5);
        await server.AddAccountsAsync("dean@course.test");
        Assert.Contains("need the approval of one of: dean@course.test", (await server.CliAsync("domain", "approval", "course.test", "--approver", "dean@course.test")).Succeeded().Output);
        var mailing = await CourseSetup.MailingAsync(server, course);
        Assert.Contains("needs the approval of a second person", (await server.CliAsync("mailing", "send", mailing)).Failed(1).Error);
        Assert.Contains("dean@course.test", (await server.CliAsync("mailing", "ask", mailing, "--note", "To go out on Monday")).Succeeded().Output);
        Assert.Contains("another person must", (await server.CliAsync("mailing", "approve", mailing)).Failed(1).Error); // it was made at the same socket

        var letter = "";
        await Wait.UntilAsync(async () =>
        {
            await using var imap = await WireClient.ImapLoginAsync(server.Imap, "dean@course.test");
            await imap.ImapAsync("SELECT INBOX", "OK");
            letter = string.Join('\n', await imap.ImapAsync("FETCH 1:* BINARY.PEEK[1]"));
            return Link.IsMatch(letter);
        }, "the letter comes");
        var path = Link.Match(letter).Value;

        using var browser = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } }) { BaseAddress = new Uri($"https://127.0.0.1:{server.Https}") };
        var page = await browser.GetStringAsync($"{path}?lang=ru", TestContext.Current.CancellationToken);
        Assert.Contains("Курс для Участник 1", page);
        Assert.Contains("To go out on Monday", page);
        Assert.Contains("Asked by", await browser.GetStringAsync($"{path}?lang=en", TestContext.Current.CancellationToken));
        Assert.Contains("Asked by", (await server.CliAsync("mailing", "approval", mailing)).Succeeded().Output); // GET has changed nothing

        async Task<(HttpStatusCode, string)> PostAsync(string decision, string reason = "")
        {
            using var form = new FormUrlEncodedContent([new("decision", decision), new("reason", reason)]);
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{path}?lang=en") { Content = form };
            request.Headers.Add("Origin", browser.BaseAddress.GetLeftPart(UriPartial.Authority));
            using var answer = await browser.SendAsync(request, TestContext.Current.CancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        Assert.Contains("Say why it is refused", (await PostAsync("refuse")).Item2);
        Assert.Contains("Approved", (await PostAsync("approve")).Item2);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync("refuse", "too late")).Item1);
        Assert.StartsWith("Approved by dean@course.test", (await server.CliAsync("mailing", "approval", mailing)).Succeeded().Output);
        (await server.CliAsync("mailing", "send", mailing, "--wait")).Succeeded();
        Assert.Equal(5, (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32());
    }
}
