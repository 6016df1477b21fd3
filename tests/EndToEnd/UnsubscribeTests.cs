using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A reader leaves a mailing by one click, by letter, by its page; what he was told how is signed.</summary>
public sealed partial class UnsubscribeTests : IAsyncDisposable
{
    readonly ScriptedPeer peer = new();
    readonly ZonePeer dns = new();
    TestServer server = null!;
    string course = "";

    [GeneratedRegex(@"List-Unsubscribe: <(http[^>]+)>,\s+<mailto:([^?>]+)\?")] private static partial Regex Ways { get; }

    async Task StartAsync()
    {
        server = await TestServer.StartAsync($$"""
            dns: {servers: ["{{dns.Address}}"]}
            queue:
              routes: [{domain: "*", host: 127.0.0.1, port: {{peer.Port}}}]
            """);
        course = await CourseSetup.MakeAsync(server, 2);
        (await server.CliAsync("course", "import", course, await CourseSetup.WriteAsync(server, "far.csv", "address,name,group,code\nfar@elsewhere.test,Far,A,1\n"))).Succeeded();
    }

    async Task<string> SendAsync(string kind)
    {
        var mailing = await CourseSetup.MailingAsync(server, course, more: ["--class", kind]);
        (await server.CliAsync("mailing", "send", mailing, "--wait")).Succeeded();
        return mailing;
    }

    async Task<(string Page, string Address)> WaysAsync(string address = "u0001@course.test")
    {
        var copy = (await Letter.AllAsync(server.Imap, address, password: "secret"))[^1];
        var ways = Ways.Match(copy);
        Assert.True(ways.Success, copy);
        return (ways.Groups[1].Value, ways.Groups[2].Value);
    }

    async Task<string[]> SaidAsync(string address = "u0001@course.test") =>
        [.. JsonDocument.Parse((await server.CliAsync("course", "consents", course, address, "--json")).Succeeded().Output).RootElement.EnumerateArray().Select(said => $"{said.GetProperty("class").GetString()} {said.GetProperty("wanted").GetBoolean()} {said.GetProperty("source").GetString()}")];

    Task<Ran> CurlAsync(params string[] arguments) => Tool.RunAsync("curl", ["--silent", "--show-error", "--max-time", "20", "--include", .. arguments]);

    [Theory]
    [InlineData("--data", "List-Unsubscribe=One-Click")]
    [InlineData("--form", "List-Unsubscribe=One-Click")]
    public async Task One_click_takes_a_reader_off_and_looking_takes_nobody_off(string way, string body)
    {
        await StartAsync();
        await SendAsync("course");
        var (page, _) = await WaysAsync();
        Assert.Contains("200 OK", (await CurlAsync(page)).Output);
        Assert.Contains("200 OK", (await CurlAsync("--head", page)).Output);
        Assert.Empty(await SaidAsync());
        var done = (await CurlAsync(way, body, page)).Output;
        Assert.StartsWith("HTTP/1.1 200 OK", done);
        Assert.DoesNotContain("Set-Cookie", done);
        Assert.Equal(["course False one-click"], await SaidAsync());
        await CurlAsync(way, body, page); // programs try again
        Assert.Single(await SaidAsync());
        var next = await SendAsync("course");
        var row = (await CourseSetup.LedgerAsync(server, next)).Single(one => one.GetProperty("address").GetString() == "u0001@course.test");
        Assert.Equal("skipped", row.GetProperty("state").GetString());
        Assert.StartsWith("unsubscribed from the mail of ", row.GetProperty("reply").GetString());
        Assert.Contains("404", (await CurlAsync(way, body, page[..^3] + "aaa")).Output.Split('\n')[0]);
    }

    [Fact]
    public async Task A_letter_to_the_address_of_the_header_takes_its_reader_off()
    {
        await StartAsync();
        await SendAsync("optional");
        var (_, address) = await WaysAsync();
        await Letter.SendAsync(server.Smtp, "u0001@elsewhere.test", address, Letter.Text("u0001@elsewhere.test", address, "unsubscribe", ""));
        Assert.Equal(["optional False mail"], await SaidAsync());
    }

    [Fact]
    public async Task What_leaves_for_elsewhere_is_signed_with_the_ways_out_of_it()
    {
        await StartAsync();
        var zone = new Dictionary<string, string>();
        await Wait.UntilAsync(async () =>
        {
            foreach (var key in JsonDocument.Parse((await server.CliAsync("dkim", "list", "course.test", "--json")).Succeeded().Output).RootElement.EnumerateArray())
                if (key.GetProperty("state").GetString() == "active") zone[$"{key.GetProperty("selector").GetString()}._domainkey.course.test"] = key.GetProperty("record").GetString()!;
            return zone.Count == 2;
        }, "the keys are made");
        await SendAsync("course");
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "the copy has left");
        var text = peer.Mails[0].Data.Replace("\n..", "\n.", StringComparison.Ordinal).Replace("\n", "\r\n", StringComparison.Ordinal);
        Assert.Matches(Ways, text);
        Assert.Equal(2, Regex.Count(text, @"DKIM-Signature:[^;]*;(?:(?!b=)[\s\S])*list-unsubscribe:[\s\S]*?list-unsubscribe-post:", RegexOptions.IgnoreCase));
        var said = await DkimPeerTests.AskAsync([
            new { op = "dkim", zone, message = Encoding.UTF8.GetBytes(text) },
            new { op = "dkim", zone, message = Encoding.UTF8.GetBytes(Regex.Replace(text, "/u/....", "/u/evil")) },
            new { op = "dkim", zone, message = Encoding.UTF8.GetBytes(text.Replace("List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Click", StringComparison.Ordinal)) },
        ]);
        Assert.Equal([true, false, false], said.Select(one => one.GetProperty("result").GetBoolean()));
    }

    [Fact]
    public async Task The_page_of_a_reader_takes_wishes_and_requests_in_his_language()
    {
        await StartAsync();
        await SendAsync("course");
        var (page, _) = await WaysAsync();
        var russian = WebUtility.HtmlDecode((await CurlAsync(page)).Output);
        Assert.Contains("Письма курса «Весенний курс»", russian);
        Assert.Contains("Курс для Участник 1", russian);
        Assert.Contains("Content-Security-Policy: default-src 'none'", russian);
        Assert.DoesNotContain("<script", russian);
        Assert.Contains("Mail of the course", WebUtility.HtmlDecode((await CurlAsync(page + "?lang=en")).Output));
        var saved = WebUtility.HtmlDecode((await CurlAsync("--data", "do=save&marketing=1&language=en&zone=Asia%2FTokyo&pause=7", page + "?lang=en")).Output);
        Assert.Contains("Saved.", saved);
        Assert.Contains("<option value=\"Asia/Tokyo\" selected>", saved);
        Assert.Contains("<option value=\"keep\" selected>", saved);
        Assert.Equal(["marketing True page", "optional False page", "course False page"], await SaidAsync());
        Assert.Contains("You have asked for a copy.", WebUtility.HtmlDecode((await CurlAsync("--data", "do=export", page + "?lang=en")).Output));
        var request = JsonDocument.Parse((await server.CliAsync("course", "requests", course, "--json")).Succeeded().Output).RootElement[0];
        Assert.Equal(("u0001@course.test", "export"), (request.GetProperty("address").GetString(), request.GetProperty("kind").GetString()));
        (await server.CliAsync("course", "requests", course, "--done", request.GetProperty("id").GetRawText())).Succeeded();
        (await server.CliAsync("course", "requests", course, "--done", request.GetProperty("id").GetRawText())).Failed(1);
        (await server.CliAsync("course", "consent", course, "u0001@course.test", "--class", "optional", "--wanted", "yes", "--basis", "by phone")).Succeeded();
        Assert.Equal("optional True manager", (await SaidAsync())[0]);
        // a form of another page is not taken
        Assert.Contains("403", (await CurlAsync("--header", "Sec-Fetch-Site: cross-site", "--data", "do=leave", page)).Output.Split('\n')[0]);
        Assert.DoesNotContain(page[^20..], server.Log);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await peer.DisposeAsync();
        dns.Dispose();
    }
}
