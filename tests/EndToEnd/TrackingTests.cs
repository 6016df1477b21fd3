using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What readers do with a mailing is seen where its author asked for it: the picture, the links, the answers.</summary>
public sealed partial class TrackingTests : IAsyncDisposable
{
    const string Browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const string Html = "<html><body><p>{{name}}, {{group}}, {{code}}</p><a href=\"https://school.test/a?x=1&amp;y=два\">A</a> <a href=\"https://school.test/b\">B</a></body></html>";

    TestServer server = null!;
    string course = "";

    [GeneratedRegex("(?:href|src)=\"(http[^\"]+/[oc]/[^\"]+)\"")] private static partial Regex Links { get; }

    async Task<string> SendAsync(params string[] more)
    {
        server = await TestServer.StartAsync("mailings: {scanner-time: 0s}");
        course = await CourseSetup.MakeAsync(server, 3);
        var mailing = await CourseSetup.MailingAsync(server, course, html: Html, more: more);
        (await server.CliAsync("mailing", "send", mailing, "--wait")).Succeeded();
        return mailing;
    }

    async Task<string[]> LinksAsync(string address)
    {
        var copy = (await Letter.AllAsync(server.Imap, address, password: "secret"))[^1];
        return [.. Links.Matches(copy).Select(match => WebUtility.HtmlDecode(match.Groups[1].Value))];
    }

    static Task<Ran> CurlAsync(params string[] arguments) => Tool.RunAsync("curl", ["--silent", "--show-error", "--max-time", "20", "--include", .. arguments]);

    async Task<JsonElement> ResponsesAsync(string mailing) => JsonDocument.Parse((await server.CliAsync("mailing", "responses", mailing, "--json")).Succeeded().Output).RootElement;

    [Fact]
    public async Task Opening_and_following_links_is_seen_and_programs_apart()
    {
        var mailing = await SendAsync("--track-opens", "--track-clicks");
        var links = await LinksAsync("u0001@course.test");
        Assert.Equal(4, links.Length); // two links, one that nobody sees, the picture
        var picture = links.Single(link => link.Contains("/o/", StringComparison.Ordinal));
        var shown = (await CurlAsync("--user-agent", Browser, picture)).Output;
        Assert.StartsWith("HTTP/1.1 200 OK", shown);
        Assert.Contains("Content-Type: image/gif", shown);
        Assert.Contains("Cache-Control: no-store", shown);
        var followed = (await CurlAsync("--user-agent", Browser, links[0])).Output;
        Assert.StartsWith("HTTP/1.1 302", followed);
        Assert.Contains("Location: https://school.test/a?x=1&y=%D0%B4%D0%B2%D0%B0\r\n", followed.ReplaceLineEndings("\r\n"));
        // it leads nowhere else
        var elsewhere = (await CurlAsync("--user-agent", Browser, links[0][..links[0].IndexOf("?u=", StringComparison.Ordinal)] + "?u=https%3A%2F%2Fevil.test%2F")).Output;
        Assert.StartsWith("HTTP/1.1 404", elsewhere);
        Assert.DoesNotContain("Location", elsewhere);
        Assert.StartsWith("HTTP/1.1 405", (await CurlAsync("--user-agent", Browser, "--data", "x=1", links[0])).Output);
        // others are looked at by programs
        var second = await LinksAsync("u0002@course.test");
        await CurlAsync("--head", "--user-agent", Browser, second[0]);
        await CurlAsync(second[1]);
        await CurlAsync("--user-agent", Browser, second[2]);
        await Wait.UntilAsync(async () => (await ResponsesAsync(mailing)).GetProperty("scanners").GetProperty("clicked").GetInt32() == 1 && (await ResponsesAsync(mailing)).GetProperty("clicked").GetInt32() == 1, "it is written down");
        var found = await ResponsesAsync(mailing);
        Assert.Equal((3, 1, 1, 0), (found.GetProperty("delivered").GetInt32(), found.GetProperty("opened").GetInt32(), found.GetProperty("clicked").GetInt32(), found.GetProperty("replied").GetInt32()));
        var rows = await CourseSetup.LedgerAsync(server, mailing);
        Assert.Equal(["u0001@course.test"], rows.Where(row => row.GetProperty("opened").ValueKind == JsonValueKind.String).Select(row => row.GetProperty("address").GetString()));
        Assert.Equal(["u0001@course.test"], rows.Where(row => row.GetProperty("clicked").ValueKind == JsonValueKind.String).Select(row => row.GetProperty("address").GetString()));
        var who = (await server.CliAsync("audience", "show", course, $"students who have not opened mailing {mailing}", "--json")).Succeeded().Output;
        Assert.DoesNotContain("u0001@course.test\",\"name\":\"Участник 1\"", who.Split("\"out\"")[0].Replace(" ", "", StringComparison.Ordinal));
        Assert.DoesNotContain(links[0][^30..], server.Log);
        Assert.DoesNotContain(picture[^20..], server.Log);
    }

    [Fact]
    public async Task Answers_are_seen_by_what_they_name_and_those_of_programs_apart()
    {
        var mailing = await SendAsync();
        Assert.Empty(await LinksAsync("u0001@course.test"));
        var rows = await CourseSetup.LedgerAsync(server, mailing);
        async Task AnswerAsync(int person, string more)
        {
            var (address, id) = (rows[person - 1].GetProperty("address").GetString()!, rows[person - 1].GetProperty("messageId").GetString());
            await Letter.SendAsync(server.Smtp, address, "teacher@course.test", $"From: <{address}>\r\nTo: <teacher@course.test>\r\nSubject: Re\r\nDate: Mon, 1 Feb 2027 10:00:00 +0000\r\nMessage-ID: <{person}@course.test>\r\nIn-Reply-To: {id}\r\n{more}\r\nThanks\r\n");
        }
        await AnswerAsync(1, "");
        await AnswerAsync(2, "Auto-Submitted: auto-replied\r\n");
        var found = await ResponsesAsync(mailing);
        Assert.Equal((1, 1), (found.GetProperty("replied").GetInt32(), found.GetProperty("autoReplied").GetInt32()));
        Assert.Contains("1 replied (1 by themselves)", (await server.CliAsync("mailing", "responses", mailing)).Succeeded().Output);
    }

    [Fact]
    public async Task Proof_of_notice_is_a_list_a_table_and_a_document()
    {
        var mailing = await SendAsync("--track-opens");
        var picture = (await LinksAsync("u0001@course.test")).Single();
        await CurlAsync("--user-agent", Browser, picture);
        var path = Path.Combine(server.Folder, "proof.pdf");
        await Wait.UntilAsync(async () => (await ResponsesAsync(mailing)).GetProperty("opened").GetInt32() == 1, "it is written down");
        var entries = JsonDocument.Parse((await server.CliAsync("course", "timeline", course, "u0001@course.test", "--json")).Succeeded().Output).RootElement.GetProperty("entries");
        Assert.Equal(["delivered", "opened"], entries.EnumerateArray().Select(entry => entry.GetProperty("what").GetString()));
        Assert.Contains("delivered", (await server.CliAsync("course", "timeline", course, "u0001@course.test")).Succeeded().Output);
        (await server.CliAsync("course", "timeline", course, "u0001@course.test", "--pdf", path, "--csv", path + ".csv")).Succeeded();
        var text = (await Tool.RunAsync("pdftotext", ["-layout", path, "-"])).Output;
        Assert.Contains("Подтверждение уведомлений", text);
        Assert.Contains("Участник 1 <u0001@course.test>", text);
        Assert.Contains("Курс для Участник 1", text);
        Assert.Contains("доставлено", text);
        Assert.Contains("открыто", text);
        Assert.Contains("250 2.0.0 Stored in the mailbox", text);
        Assert.Contains("delivered," + mailing, await File.ReadAllTextAsync(path + ".csv"));
        (await server.CliAsync("course", "timeline", course, "u0001@course.test", "--pdf", path, "--language", "en")).Succeeded();
        Assert.Contains("Proof of notice", (await Tool.RunAsync("pdftotext", ["-layout", path, "-"])).Output);
        (await server.CliAsync("course", "timeline", course, "nobody@course.test")).Failed(1);
    }

    [Fact]
    public async Task Totals_are_shown_and_a_mailing_goes_again_to_who_did_not_open_it()
    {
        var mailing = await SendAsync("--track-opens");
        await CurlAsync("--user-agent", Browser, (await LinksAsync("u0001@course.test")).Single());
        await Wait.UntilAsync(async () => (await ResponsesAsync(mailing)).GetProperty("opened").GetInt32() == 1, "it is written down");
        Assert.Matches(@"local +3 +3 +0 +0 +1 +0 +0 +0", (await server.CliAsync("mailing", "totals", mailing)).Succeeded().Output);
        Assert.Matches(@":00:00 +3 +3 +0 +0 +1 ", (await server.CliAsync("course", "totals", course, "--hours")).Succeeded().Output);
        var second = (await server.CliAsync("mailing", "resend", mailing, "--to", "unopened", "--subject", "Ещё раз", "--send")).Succeeded().Output.Trim();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, second))["state"].GetString() == "sent", "it is sent");
        Assert.Equal(["u0002@course.test", "u0003@course.test"], (await CourseSetup.LedgerAsync(server, second)).Select(row => row.GetProperty("address").GetString()));
        (await server.CliAsync("mailing", "resend", mailing, "--to", "nobody")).Failed(1);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }
}
