using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Admission;

/// <summary>People come in: by a link, by asking, and by nothing else.</summary>
public sealed class JoiningTests
{
    const string Admin = "dean@example.test", Outside = "anna@elsewhere.test", New = "anna@example.test", Chosen = "blue tram rides";

    static async Task<TestServer> StartAsync()
    {
        var server = await TestServer.StartAsync(Visitor.Settings);
        await server.AddAccountsAsync(Admin, Outside);
        (await server.CliAsync("account", "set", Admin, "--role", "domain-admin")).Succeeded();
        return server;
    }

    static async Task<string> InviteAsync(TestServer server, params string[] options) => (await server.CliAsync(["invitation", "add", .. options])).Succeeded().Output.Trim();

    [Fact]
    public async Task An_invitation_by_mail_makes_one_account_once()
    {
        await using var server = await StartAsync();
        await InviteAsync(server, New, "--send", Outside, "--language", "ru", "--name", "Анна <b>Петрова</b>", "--quota", "2G", "--groups", "весна");
        var letter = await Visitor.LetterAsync(server, Outside, "Приглашение");
        Assert.Contains("From: ", letter);
        Assert.Contains("postmaster@example.test", letter);
        Assert.Contains("Auto-Submitted: auto-generated", letter);
        var link = Visitor.LinkIn(letter);

        using var anna = new Visitor(server, "ru");
        var (status, page) = await anna.GetAsync(link);
        Assert.Equal(200, status);
        Assert.Contains("<html lang=\"ru\">", page);
        Assert.Contains("anna@example.test", page);
        Assert.Contains("&lt;b&gt;", page); // what others wrote is no markup
        Assert.DoesNotContain("<b>", page);
        Assert.Equal(200, (await anna.GetAsync(link)).Status); // looking changes nothing
        Assert.Contains("Пароли не совпадают", (await anna.PostAsync(link, ("name", "Анна"), ("password", Chosen), ("again", "other"))).Page);
        Assert.Contains("первым", (await anna.JoinAsync(link, "", "Анна", "Password2024")).Page);
        (status, page) = await anna.JoinAsync(link, "", "Анна Петрова", recovery: Outside);
        Assert.True(status == 200, page);
        Assert.Contains("Ящик готов", page);
        Assert.True(await Visitor.SignsInAsync(server, New, Chosen));
        var account = JsonDocument.Parse((await server.CliAsync("account", "show", New, "--json")).Succeeded().Output).RootElement;
        Assert.Equal(("Анна Петрова", 2L << 30, "весна", "user", Outside), (account.GetProperty("name").GetString(), account.GetProperty("quota").GetInt64(), account.GetProperty("groups").GetString(), account.GetProperty("role").GetString(), account.GetProperty("recovery").GetString()));

        (status, page) = await anna.JoinAsync(link, "", "Анна");
        Assert.Equal(404, status);
        var log = (await server.CliAsync("audit", "export")).Output;
        Assert.Contains("invitation:1", log);
        foreach (var secret in new[] { link[^32..], Chosen }) Assert.DoesNotContain(secret, log + server.Log);
        Assert.Contains("used", (await server.CliAsync("invitation", "show", "1")).Output);
        Assert.Contains(New, (await server.CliAsync("invitation", "show", "1")).Output);
    }

    [Fact]
    public async Task Twenty_at_once_by_a_link_for_three_are_three()
    {
        await using var server = await StartAsync();
        var one = await InviteAsync(server, "example.test");
        var three = await InviteAsync(server, "example.test", "--uses", "3");
        foreach (var (link, count, prefix) in new[] { (one, 1, "a"), (three, 3, "b") })
        {
            using var crowd = new Visitor(server);
            var tries = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => crowd.JoinAsync(link, $"{prefix}{i:00}")));
            Assert.Equal(count, tries.Count(one => one.Status == 200));
            Assert.All(tries.Where(one => one.Status != 200), one => Assert.Equal(404, one.Status));
        }
        Assert.Equal(1 + 4, JsonDocument.Parse((await server.CliAsync("account", "list", "--domain", "example.test", "--json")).Output).RootElement.GetArrayLength());
    }

    [Fact]
    public async Task A_picked_name_keeps_to_the_pattern_and_leaves_the_servers_names_alone()
    {
        await using var server = await StartAsync();
        await server.AddAccountsAsync("s-taken@example.test");
        var link = await InviteAsync(server, "example.test", "--pattern", "s-*", "--uses", "9");
        var free = await InviteAsync(server, "example.test", "--uses", "9");
        using var anna = new Visitor(server);
        foreach (var (name, status) in new[] { ("anna", 400), ("s-", 400), ("s-a b", 400), ("s-a@evil.test", 400), ("s-a+b", 400), ("s-taken", 409), ("S-Anna", 200) })
            Assert.Equal((name, status), (name, (await anna.JoinAsync(link, name)).Status));
        foreach (var name in new[] { "postmaster", "Abuse", "root", "mailer-daemon", "mailer_daemon", "dean", "..", "-a" })
            Assert.InRange((await anna.JoinAsync(free, name)).Status, 400, 409);
        Assert.NotEqual(0, (await server.CliAsync("invitation", "add", "postmaster@example.test")).ExitCode);
        Assert.Contains("s-anna@example.test", (await server.CliAsync("account", "list")).Output);
    }

    [Fact]
    public async Task An_invitation_that_could_not_be_sent_is_none_and_the_same_request_again_makes_no_other()
    {
        await using var server = await StartAsync();
        var key = JsonDocument.Parse((await server.CliAsync("key", "add", "test", "--account", Admin, "--json")).Succeeded().Output).RootElement.GetProperty("key").GetString();
        using var dean = new Visitor(server) { Headers = { ["Authorization"] = "Bearer " + key, ["Idempotency-Key"] = "one" } };
        for (var i = 0; i < 2; i++) // what was committed before the refusal is not done twice
        {
            var (status, answer) = await dean.AskAsync(HttpMethod.Post, "invitations", new { domain = "example.test", sendTo = "nobody@example.test" });
            Assert.Equal((404, "sendTo"), (status, answer.GetProperty("field").GetString()));
        }
        Assert.Equal("revoked", Assert.Single((await dean.AskAsync(HttpMethod.Get, "invitations")).Answer.GetProperty("items").EnumerateArray()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_is_taken_back_or_whose_author_is_gone_is_none()
    {
        await using var server = await StartAsync();
        var link = await InviteAsync(server, New);
        (await server.CliAsync("invitation", "remove", "1")).Succeeded();
        using var anna = new Visitor(server);
        Assert.Equal(404, (await anna.GetAsync(link)).Status);
        Assert.Equal(404, (await anna.JoinAsync(link, "")).Status);
        var key = JsonDocument.Parse((await server.CliAsync("key", "add", "test", "--account", Admin, "--json")).Succeeded().Output).RootElement.GetProperty("key").GetString();
        using var dean = new Visitor(server) { Headers = { ["Authorization"] = "Bearer " + key } };
        var made = (await dean.AskAsync(HttpMethod.Post, "invitations", new { domain = "example.test" })).Answer;
        Assert.Equal(Admin, made.GetProperty("by").GetString());
        Assert.Equal(403, (await dean.AskAsync(HttpMethod.Post, "invitations", new { domain = "elsewhere.test" })).Status);
        Assert.Equal(200, (await anna.GetAsync(made.GetProperty("link").GetString()!)).Status);
        (await server.CliAsync("account", "set", Admin, "--role", "user")).Succeeded(); // who may not invite any more has invited nobody
        Assert.Equal(404, (await anna.GetAsync(made.GetProperty("link").GetString()!)).Status);
        Assert.Equal(404, (await anna.JoinAsync(made.GetProperty("link").GetString()!, "anna")).Status);
        (await server.CliAsync("account", "set", Admin, "--role", "domain-admin")).Succeeded();
        Assert.Equal(200, (await anna.GetAsync(made.GetProperty("link").GetString()!)).Status);
        (await server.CliAsync("account", "set", Admin, "--disable")).Succeeded();
        Assert.Equal(404, (await anna.JoinAsync(made.GetProperty("link").GetString()!, "anna")).Status);
        Assert.DoesNotContain(made.GetProperty("link").GetString()![^32..], (await server.CliAsync("audit", "export")).Output);
    }

    [Fact]
    public async Task A_form_of_another_page_and_other_methods_make_nothing()
    {
        await using var server = await StartAsync();
        var link = await InviteAsync(server, New);
        using var anna = new Visitor(server);
        anna.Headers["Sec-Fetch-Site"] = "cross-site";
        Assert.Equal(403, (await anna.JoinAsync(link, "")).Status);
        anna.Headers.Remove("Sec-Fetch-Site");
        foreach (var origin in new[] { "https://evil.example", "null" })
        {
            anna.Headers["Origin"] = origin;
            Assert.Equal(403, (await anna.JoinAsync(link, "")).Status);
        }
        anna.Headers.Remove("Origin");
        using (var put = await anna.SendAsync(HttpMethod.Put, link, null)) Assert.Equal(405, (int)put.StatusCode);
        using (var page = await anna.SendAsync(HttpMethod.Get, link, null))
        {
            var policy = page.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy);
            Assert.Contains("form-action 'self'", policy);
            Assert.DoesNotContain("unsafe", policy);
            Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
        }
        Assert.Equal(200, (await anna.JoinAsync(link, "")).Status);
    }

    [Fact]
    public async Task Whoever_guesses_links_is_not_heard_any_more()
    {
        await using var strict = await TestServer.StartAsync("admission: {url: \"https://mail.example.test\", wrong-link-rate: 5/1h, join-rate: 3/1h}");
        await strict.AddAccountsAsync(Admin);
        var link = await InviteAsync(strict, "example.test", "--uses", "9");
        using var thief = new Visitor(strict);
        for (var i = 0; i < 3; i++) Assert.Equal(400, (await thief.JoinAsync(link, "?")).Status);
        Assert.Equal(429, (await thief.JoinAsync(link, "anna")).Status);
        Assert.Equal(200, (await thief.GetAsync(link)).Status);
        for (var i = 0; i < 5; i++) Assert.Equal(404, (await thief.GetAsync("/join/" + new string('a', 31) + i)).Status);
        Assert.Equal(429, (await thief.GetAsync(link)).Status);
    }

    [Fact]
    public async Task Who_asks_to_be_let_in_waits_for_a_yes()
    {
        await using var server = await StartAsync();
        using var anna = new Visitor(server, "ru");
        Assert.Equal(404, (await anna.GetAsync("/join")).Status); // by invitation only, unless the domain says otherwise
        (await server.CliAsync("domain", "set", "example.test", "--sign-up", "approval")).Succeeded();
        Assert.Contains("example.test", (await anna.GetAsync("/join")).Page);
        (string, string)[] Form(string local, string name, string recovery) => [("domain", "example.test"), ("localPart", local), ("name", name), ("password", Chosen), ("again", Chosen), ("recovery", recovery)];
        Assert.Equal(400, (await anna.PostAsync("/join", Form("anna", "Анна", ""))).Status);
        Assert.Equal(400, (await anna.PostAsync("/join", Form("anna", "Visit http://evil.example", Outside))).Status);
        var free = await anna.PostAsync("/join", Form("anna", "Анна", Outside));
        Assert.Equal(200, free.Status);
        Assert.Equal(free, await anna.PostAsync("/join", Form("dean", "Декан", "dean@elsewhere.test"))); // who is here already is told to nobody
        Assert.Equal(free, await anna.PostAsync("/join", [.. Form("robot", "Robot", "robot@elsewhere.test"), ("website", "x")]));
        Assert.False(await Visitor.SignsInAsync(server, New, Chosen));
        Assert.Contains(New, await Visitor.LetterAsync(server, Admin, "wait to be let into"));
        var list = (await server.CliAsync("sign-up", "list")).Succeeded().Output;
        Assert.Contains("dean@example.test (taken)", list);
        Assert.DoesNotContain("robot", list);
        Assert.NotEqual(0, (await server.CliAsync("sign-up", "approve", "2")).ExitCode);
        (await server.CliAsync("sign-up", "refuse", "2", "--reason", "Такой ящик уже есть")).Succeeded();
        (await server.CliAsync("sign-up", "approve", "1")).Succeeded();
        Assert.True(await Visitor.SignsInAsync(server, New, Chosen));
        var letter = await Visitor.LetterAsync(server, Outside, "одобрена");
        Assert.Null(Recovery(await server.CliAsync("account", "show", New, "--json")));
        Assert.Equal(200, (await anna.PostAsync(Visitor.LinkIn(letter))).Status);
        Assert.Equal(Outside, Recovery(await server.CliAsync("account", "show", New, "--json")));
        Assert.Equal(404, (await anna.PostAsync(Visitor.LinkIn(letter))).Status);
        Assert.Empty((await server.CliAsync("sign-up", "list")).Succeeded().Output.Trim());
        Assert.Contains("\"sign-up\"", (await server.CliAsync("audit", "export")).Output.Replace(" ", ""));
    }

    static string? Recovery(Ran shown) => JsonDocument.Parse(shown.Succeeded().Output).RootElement.TryGetProperty("recovery", out var recovery) ? recovery.GetString() : null;

    [Fact]
    public async Task A_manager_of_courses_invites_into_his_courses_where_the_domain_lets_him()
    {
        await using var server = await StartAsync();
        await server.AddAccountsAsync("teacher@example.test");
        var course = JsonDocument.Parse((await server.CliAsync("course", "add", "Spring", "--domain", "example.test", "--json")).Succeeded().Output).RootElement.GetProperty("id").GetString()!;
        (await server.CliAsync("account", "set", "teacher@example.test", "--role", "course-manager", "--courses", course)).Succeeded();
        var key = JsonDocument.Parse((await server.CliAsync("key", "add", "test", "--account", "teacher@example.test", "--json")).Succeeded().Output).RootElement.GetProperty("key").GetString();
        using var teacher = new Visitor(server) { Headers = { ["Authorization"] = "Bearer " + key } };
        var wanted = new { domain = "example.test", courses = new[] { course }, uses = 30 };
        Assert.Equal(403, (await teacher.AskAsync(HttpMethod.Post, "invitations", wanted)).Status);
        (await server.CliAsync("domain", "set", "example.test", "--course-invitations", "yes")).Succeeded();
        Assert.Equal(403, (await teacher.AskAsync(HttpMethod.Post, "invitations", new { domain = "example.test" })).Status);
        Assert.Equal(403, (await teacher.AskAsync(HttpMethod.Post, "invitations", new { domain = "example.test", courses = new[] { course }, quota = 1L << 40 })).Status);
        var (status, made) = await teacher.AskAsync(HttpMethod.Post, "invitations", wanted);
        Assert.Equal(201, status);
        using var anna = new Visitor(server);
        var token = made.GetProperty("link").GetString()![^32..];
        var (_, options) = await anna.AskAsync(HttpMethod.Post, "join/options", new { token });
        Assert.Equal("example.test", options.GetProperty("domains")[0].GetString());
        Assert.Equal(201, (await anna.AskAsync(HttpMethod.Post, "join", new { token, localPart = "anna", name = "Anna", password = Chosen })).Status);
        Assert.Contains(New, (await server.CliAsync("course", "participants", course)).Output);
        Assert.Single((await teacher.AskAsync(HttpMethod.Get, "invitations")).Answer.GetProperty("items").EnumerateArray());
    }
}
