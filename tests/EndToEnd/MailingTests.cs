using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A course mailing from the command line to the mailboxes, with its ledger.</summary>
public class MailingTests
{
    [Fact]
    public async Task A_mailing_reaches_everybody_with_their_own_text_and_the_ledger_says_so()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 30);
        var attachment = await CourseSetup.WriteAsync(server, "план.txt", new string('п', 3000));
        var mailing = await CourseSetup.MailingAsync(server, course, more: ["--attach", attachment]);
        (await server.CliAsync("mailing", "check", mailing)).Succeeded();
        Assert.Contains("Участник 2", (await server.CliAsync("mailing", "preview", mailing, "--for", "u0002@course.test")).Succeeded().Output);
        (await server.CliAsync("mailing", "send", mailing, "--wait")).Succeeded();

        var status = await CourseSetup.StatusAsync(server, mailing);
        Assert.Equal((30, 30), (status["total"].GetInt32(), status["delivered"].GetInt32()));
        foreach (var none in new[] { "queued", "deferred", "bounced", "skipped" }) Assert.Equal(0, status[none].GetInt32());
        var ledger = await CourseSetup.LedgerAsync(server, mailing);
        Assert.Equal(30, ledger.Select(row => row.GetProperty("address").GetString()).Distinct().Count());
        Assert.Equal(30, ledger.Select(row => row.GetProperty("messageId").GetString()).Distinct().Count());
        Assert.All(ledger, row => Assert.Equal("delivered", row.GetProperty("state").GetString()));

        foreach (var n in new[] { 1, 2, 3 })
        {
            var text = Assert.Single(await Letter.AllAsync(server.Imap, $"u000{n}@course.test", password: "secret"));
            Assert.Contains(ledger.Single(row => row.GetProperty("address").GetString() == $"u000{n}@course.test").GetProperty("messageId").GetString()!.Trim('<', '>'), text);
            Assert.Contains("multipart/alternative", text);
            Assert.DoesNotContain("{{", text);
        }
        // sending again sends nothing again
        await server.CliAsync("mailing", "send", mailing, "--wait");
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(1, pair.Value));
    }

    [Fact]
    public async Task A_test_goes_to_who_is_to_look_at_it_as_one_reader_gets_it_and_stands_in_no_ledger()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 4);
        var mailing = await CourseSetup.MailingAsync(server, course, from: "Проф <prof@elsewhere.test>");
        Assert.Contains("u0004@course.test", (await server.CliAsync("mailing", "test", mailing, "--to", "u0001@course.test", "--as", "u0004@course.test")).Succeeded().Output);
        var text = Assert.Single(await Letter.AllAsync(server.Imap, "u0001@course.test", password: "secret"));
        var header = Mime.HeaderList.Parse(System.Text.Encoding.UTF8.GetBytes(text[text.IndexOf("Return-Path", StringComparison.Ordinal)..]));
        Assert.Equal("[Проба] Курс для Участник 4", header.Value("Subject"));
        Assert.Contains("prof@elsewhere.test", header.Value("Reply-To"));
        Assert.Contains("@course.test>", header.Value("From"));
        Assert.Contains("u0001@course.test", header.Value("To"));
        Assert.Empty(await CourseSetup.LedgerAsync(server, mailing));
        Assert.Equal("draft", (await CourseSetup.StatusAsync(server, mailing))["state"].GetString());

        (await server.CliAsync("mailing", "test", mailing)).Failed(2);
        (await server.CliAsync("mailing", "test", mailing, "--to", "nobody@course.test")).Failed(1);
        (await server.CliAsync("mailing", "test", mailing, "--to", "u0001@course.test", "--as", "stranger@course.test")).Failed(1);
        (await server.CliAsync(["mailing", "test", mailing, .. Enumerable.Range(0, 11).SelectMany(i => new[] { "--to", $"a{i}@elsewhere.test" })])).Failed(1);
        Assert.Single(await Letter.AllAsync(server.Imap, "u0001@course.test", password: "secret"));
    }

    [Fact]
    public async Task A_check_that_asks_the_net_names_links_that_do_not_open_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 2);
        var html = await CourseSetup.WriteAsync(server, "letter.html", "<p>{{name}}</p>\n<a href=\"http://10.0.0.1/admin\">x</a>");
        var mailing = (await server.CliAsync("mailing", "create", course, "--from", "school@course.test", "--subject", "Курс", "--html", html)).Succeeded().Output.Trim();
        Assert.DoesNotContain("link.dead", (await server.CliAsync("mailing", "check", mailing)).Succeeded().Output);
        var said = (await server.CliAsync("mailing", "check", mailing, "--outside")).Succeeded().Output;
        Assert.Contains("problem (link.dead): html, line 2, column 1: the link http://10.0.0.1/admin does not open", said);
        Assert.Contains("2 of 2 copies are ready.", said);
        using var json = System.Text.Json.JsonDocument.Parse((await server.CliAsync("mailing", "check", mailing, "--outside", "--json")).Succeeded().Output);
        Assert.Contains(json.RootElement.GetProperty("findings").EnumerateArray(), one => one.GetProperty("code").GetString() == "link.dead" && one.GetProperty("russian").GetString()!.Contains("не открывается", StringComparison.Ordinal));
        (await server.CliAsync("mailing", "check", "999", "--outside")).Failed(1);
        Assert.Equal("draft", (await CourseSetup.StatusAsync(server, mailing))["state"].GetString());
    }

    [Fact]
    public async Task A_dry_run_of_an_import_tells_the_difference_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 5);
        var file = await CourseSetup.WriteAsync(server, "next.csv", "address,name\nu0001@course.test,Другое имя\nnew@course.test,Новый\n");
        foreach (var _ in new[] { "first", "again" })
        {
            var tried = (await server.CliAsync("course", "import", course, file, "--dry-run")).Succeeded().Output;
            Assert.Contains("+ new@course.test", tried);
            Assert.Contains("1 added, 1 updated", tried);
        }
        var people = (await server.CliAsync("course", "people", course)).Succeeded().Output;
        Assert.DoesNotContain("new@course.test", people);
        Assert.DoesNotContain("Другое имя", people);
    }

    [Fact]
    public async Task Check_names_what_is_wrong_and_send_refuses_until_it_is_mended()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 5);
        (await server.CliAsync("course", "import", course, await CourseSetup.WriteAsync(server, "more.csv", "address,name,group\nu0001@course.test,Участник 1,\n"))).Succeeded();
        var mailing = await CourseSetup.MailingAsync(server, course, html: "<p>{{name}} {{nosuchfield}}</p>");
        var check = await server.CliAsync("mailing", "check", mailing);
        Assert.Equal(1, check.ExitCode);
        Assert.Contains("nosuchfield", check.All);
        (await server.CliAsync("mailing", "send", mailing, "--wait")).Failed(1);
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(0, pair.Value));
    }

    [Fact]
    public async Task A_template_error_is_told_with_line_and_column()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 2);
        var file = await CourseSetup.WriteAsync(server, "broken.html", "<p>fine</p>\n<p>{{#if name}}never closed</p>\n");
        var ran = await server.CliAsync("mailing", "create", course, "--from", "teacher@course.test", "--subject", "x", "--html", file);
        if (ran.ExitCode == 0) ran = await server.CliAsync("mailing", "check", ran.Output.Trim());
        Assert.Equal(1, ran.ExitCode);
        Assert.Matches(@"(line|строка) ?\d+", ran.All);
        Assert.DoesNotContain("   at ", ran.All);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [Trait("Category", "Slow")]
    public async Task After_kill_9_in_the_middle_everybody_has_exactly_one_copy(int round)
    {
        await using var server = await TestServer.StartAsync();
        const int people = 1200;
        var course = await CourseSetup.MakeAsync(server, people);
        var mailing = await CourseSetup.MailingAsync(server, course);
        (await server.CliAsync("mailing", "send", mailing)).Succeeded();
        for (var kill = 0; kill < 3; kill++)
        {
            var goal = people * (kill + round) / 8;
            var seen = 0;
            await Wait.UntilAsync(async () =>
            {
                seen = (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32();
                return seen >= goal;
            }, "the mailing moves on");
            await server.KillAsync();
            await server.StartAgainAsync();
        }
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32() == people, "all are delivered after the restart", 120);
        var copies = await CourseSetup.CopiesAsync(server);
        Assert.Equal(people, copies.Count);
        Assert.DoesNotContain(copies, pair => pair.Value != 1);
        var ledger = await CourseSetup.LedgerAsync(server, mailing);
        Assert.Equal(people, ledger.Select(row => row.GetProperty("messageId").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Pause_resume_and_cancel()
    {
        await using var server = await TestServer.StartAsync();
        var course = await CourseSetup.MakeAsync(server, 3);
        var mailing = await CourseSetup.MailingAsync(server, course);
        (await server.CliAsync("mailing", "cancel", mailing)).Succeeded();
        (await server.CliAsync("mailing", "send", mailing)).Failed(1);
        (await server.CliAsync("mailing", "status", "nosuchmailing")).Failed(1);
        Assert.Equal("cancelled", (await CourseSetup.StatusAsync(server, mailing))["state"].GetString());
    }
}
