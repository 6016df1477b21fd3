using System.Text;
using System.Text.Json;
using CbaMail.Directory;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Admission;

/// <summary>First passwords are changed, and forgotten ones are replaced by the recovery address.</summary>
public sealed class PasswordTests
{
    const string Anna = "anna@example.test", Outside = "anna@elsewhere.test", Chosen = "blue tram rides", Old = TestServer.Password;

    static async Task<TestServer> StartAsync(string settings = Visitor.Settings)
    {
        var server = await TestServer.StartAsync(settings);
        await server.AddAccountsAsync(Anna, Outside);
        return server;
    }

    static (string, string)[] Change(string old, string password, string code = "") => [("address", Anna), ("old", old), ("password", password), ("again", password), ("code", code)];

    [Fact]
    public async Task Mail_programs_are_told_where_to_take_a_password_of_ones_own()
    {
        await using var server = await StartAsync();
        (await server.CliAsync("account", "set", Anna, "--must-change-password", "yes")).Succeeded();
        const string told = "Take a password of your own first, at https://mail.example.test/password";
        await using (var imap = await WireClient.ConnectAsync(server.Imap))
        {
            await imap.ReadLineAsync();
            Assert.Contains("NO [EXPIRED] " + told, (await imap.ImapAsync($"LOGIN {Anna} \"{Old}\"", "NO"))[^1]);
            Assert.DoesNotContain("EXPIRED", (await imap.ImapAsync($"LOGIN {Anna} \"wrong\"", "NO"))[^1]); // said to nobody but him
        }
        await using (var pop = await WireClient.ConnectAsync(server.Pop3))
        {
            await pop.ReadLineAsync();
            await pop.SendLineAsync("USER " + Anna);
            await pop.ReadLineAsync();
            await pop.SendLineAsync("PASS " + Old);
            Assert.Equal("-ERR [AUTH] " + told, await pop.ReadLineAsync());
        }
        await using (var smtp = await WireClient.SmtpHelloAsync(server.Submission))
            await smtp.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0{Old}")), "535 5.7.8 " + told);

        using var anna = new Visitor(server);
        Assert.Contains("<form", (await anna.GetAsync("/password")).Page);
        Assert.Equal(403, (await anna.PostAsync("/password", Change("wrong", Chosen))).Status);
        Assert.Contains("This is the password that you have", (await anna.PostAsync("/password", Change(Old, Old))).Page);
        Assert.Contains("at least 10", (await anna.PostAsync("/password", Change(Old, "short"))).Page);
        Assert.Contains("is changed", (await anna.PostAsync("/password", Change(Old, Chosen))).Page);
        Assert.True(await Visitor.SignsInAsync(server, Anna, Chosen));
        Assert.Contains("POST /api/v1/me/password", (await server.CliAsync("audit", "export")).Output);
    }

    [Fact]
    public async Task A_time_of_grace_lets_mail_programs_in()
    {
        await using var server = await StartAsync("admission: {change-grace: 1d}");
        (await server.CliAsync("account", "set", Anna, "--must-change-password", "yes")).Succeeded();
        Assert.True(await Visitor.SignsInAsync(server, Anna, Old));
    }

    [Fact]
    public async Task A_recovery_address_counts_once_it_was_confirmed_and_brings_a_new_password_once()
    {
        await using var server = await StartAsync();
        using var anna = new Visitor(server);
        using var thief = new Visitor(server);
        thief.Headers["Host"] = "evil.example";
        thief.Headers["X-Forwarded-Host"] = "evil.example";

        var session = await SignInAsync(anna);
        Assert.Equal(403, (await anna.AskAsync(HttpMethod.Put, "me/recovery", new { address = Outside, password = "wrong" })).Status);
        Assert.Equal(202, (await anna.AskAsync(HttpMethod.Put, "me/recovery", new { address = Outside, password = Old })).Status);
        var proof = Visitor.LinkIn(await Visitor.LetterAsync(server, Outside, "recovery address"));
        var unknown = await thief.AskAsync(HttpMethod.Post, "password-reset", new { address = "nobody@example.test" });
        var known = await thief.AskAsync(HttpMethod.Post, "password-reset", new { address = Anna });
        Assert.Equal((unknown.Status, unknown.Answer.GetRawText()), (known.Status, known.Answer.GetRawText()));
        Assert.Contains("Confirm: this address is mine", (await anna.GetAsync(proof)).Page);
        Assert.Equal(200, (await anna.PostAsync(proof)).Status);
        Assert.Equal(404, (await anna.PostAsync(proof)).Status);
        Assert.Equal(Outside, (await anna.AskAsync(HttpMethod.Get, "me/recovery")).Answer.GetProperty("address").GetString());

        Assert.Contains("on its way", (await thief.PostAsync("/reset", ("address", Anna))).Page);
        var letter = await Visitor.LetterAsync(server, Outside, "A new password for");
        Assert.DoesNotContain("evil.example", letter);
        var first = Visitor.LinkIn(letter);
        Assert.Equal(202, (await anna.AskAsync(HttpMethod.Post, "password-reset", new { address = Anna, language = "ru" })).Status);
        var second = Visitor.LinkIn(await Visitor.LetterAsync(server, Outside, "запрошен новый пароль"));
        Assert.Equal(404, (await anna.GetAsync(first)).Status); // the newest alone
        Assert.Equal(200, (await anna.GetAsync(second)).Status);
        Assert.Contains("differ", (await anna.PostAsync(second, ("password", Chosen), ("again", "x"))).Page);
        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => anna.PostAsync(second, ("password", Chosen + i), ("again", Chosen + i))));
        Assert.Single(all, one => one.Status == 200);
        Assert.Equal(404, (await anna.GetAsync(second)).Status);
        var mine = Chosen + Array.FindIndex(all, one => one.Status == 200);
        Assert.True(await Visitor.SignsInAsync(server, Anna, mine));
        Assert.Equal(401, (await anna.AskAsync(HttpMethod.Get, "session")).Status);
        Assert.NotEmpty(session);
        await Visitor.LetterAsync(server, Outside, "was changed");
        await Visitor.LetterAsync(server, Anna, "was changed", mine);
        Assert.Contains("reset", (await server.CliAsync("account", "sign-ins", Anna)).Output);
        var log = (await server.CliAsync("audit", "export")).Output;
        Assert.Contains("recovery:" + Anna, log);
        foreach (var secret in new[] { proof[^32..], first[^32..], second[^32..], mine }) Assert.DoesNotContain(secret, log + server.Log);
    }

    [Fact]
    public async Task What_somebody_has_asked_for_with_the_old_password_or_by_the_old_address_is_no_way_back_in()
    {
        await using var server = await StartAsync();
        await server.AddAccountsAsync("other@elsewhere.test");
        using var thief = new Visitor(server);
        await SignInAsync(thief);
        Assert.Equal(202, (await thief.AskAsync(HttpMethod.Put, "me/recovery", new { address = Outside, password = Old })).Status);
        var proof = Visitor.LinkIn(await Visitor.LetterAsync(server, Outside, "recovery address"));
        (await server.CliAsync(Chosen + "\n", ["account", "password", Anna, "--password-stdin"])).Succeeded();
        Assert.Equal(404, (await thief.PostAsync(proof)).Status);

        (await server.CliAsync("account", "set", Anna, "--recovery", Outside)).Succeeded();
        Assert.Equal(202, (await thief.AskAsync(HttpMethod.Post, "password-reset", new { address = Anna })).Status);
        var reset = Visitor.LinkIn(await Visitor.LetterAsync(server, Outside, "A new password for"));
        Assert.Equal(200, (await thief.GetAsync(reset)).Status);
        (await server.CliAsync("account", "set", Anna, "--recovery", "other@elsewhere.test")).Succeeded();
        Assert.Equal(404, (await thief.GetAsync(reset)).Status);
    }

    [Fact]
    public async Task Who_takes_his_recovery_address_away_has_no_more_letters_sent_than_others()
    {
        await using var server = await StartAsync();
        using var anna = new Visitor(server);
        await SignInAsync(anna);
        var answers = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            answers.Add((await anna.AskAsync(HttpMethod.Put, "me/recovery", new { address = Outside, password = Old })).Status);
            Assert.Equal(200, (await anna.AskAsync(HttpMethod.Delete, "me/recovery")).Status);
        }
        Assert.Equal([202, 202, 202, 202, 202, 429], answers);
    }

    static async Task<string> SignInAsync(Visitor who)
    {
        using var answer = await who.SendAsync(HttpMethod.Post, "/api/v1/session", new StringContent(JsonSerializer.Serialize(new { address = Anna, password = Old }), Encoding.UTF8, "application/json"));
        who.Headers["Cookie"] = answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        return who.Headers["X-CSRF-Token"] = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("proof").GetString()!;
    }

    [Fact]
    public async Task No_link_goes_to_offices_to_domains_that_forbid_it_and_more_often_than_a_few_times_a_day()
    {
        await using var server = await StartAsync();
        await server.AddAccountsAsync("owner@example.test", "boris@closed.test");
        (await server.CliAsync("account", "set", "owner@example.test", "--role", "admin", "--recovery", Outside)).Succeeded();
        (await server.CliAsync("account", "set", "boris@closed.test", "--recovery", Outside)).Succeeded();
        (await server.CliAsync("domain", "set", "closed.test", "--password-reset", "no")).Succeeded();
        (await server.CliAsync("account", "set", Anna, "--recovery", Outside)).Succeeded();
        using var anna = new Visitor(server);
        foreach (var address in new[] { "owner@example.test", "boris@closed.test", Anna, Anna, Anna, Anna, Anna })
            Assert.Equal(202, (await anna.AskAsync(HttpMethod.Post, "password-reset", new { address })).Status);
        await server.AddAccountsAsync("last@example.test");
        (await server.CliAsync("account", "set", "last@example.test", "--recovery", Outside)).Succeeded();
        await anna.AskAsync(HttpMethod.Post, "password-reset", new { address = "last@example.test" });
        await Visitor.LetterAsync(server, Outside, "last@example.test"); // those before have had their turn
        Assert.Equal(3 + 1, await Letter.CountAsync(server.Imap, Outside));
    }

    [Fact]
    public async Task A_second_factor_is_asked_for_by_both_ways()
    {
        await using var server = await StartAsync();
        (await server.CliAsync("account", "set", Anna, "--recovery", Outside)).Succeeded();
        using var anna = new Visitor(server);
        await SignInAsync(anna);
        var secret = (await anna.AskAsync(HttpMethod.Post, "me/totp")).Answer.GetProperty("secret").GetString()!;
        byte[] key = [.. Enumerable.Range(0, 20).Select(at => (byte)Enumerable.Range(at * 8, 8).Aggregate(0, (value, bit) => (value << 1) | (("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(secret[bit / 5]) >> (4 - bit % 5)) & 1)))];
        var codes = (await anna.AskAsync(HttpMethod.Post, "me/totp/confirm", new { code = Totp.Code(key, Totp.StepOf(DateTimeOffset.UtcNow)) })).Answer.GetProperty("recoveryCodes").EnumerateArray().Select(one => one.GetString()!).ToList();
        Assert.Equal(403, (await anna.PostAsync("/password", Change(Old, Chosen))).Status);
        Assert.Equal(200, (await anna.PostAsync("/password", Change(Old, Chosen, codes[0]))).Status);
        await anna.PostAsync("/reset", ("address", Anna));
        var link = Visitor.LinkIn(await Visitor.LetterAsync(server, Outside, "A new password for"));
        Assert.Contains("name=\"code\"", (await anna.GetAsync(link)).Page);
        Assert.Equal(403, (await anna.PostAsync(link, ("password", "green tram rides"), ("again", "green tram rides"))).Status);
        Assert.Equal(403, (await anna.PostAsync(link, ("password", "green tram rides"), ("again", "green tram rides"), ("code", codes[0]))).Status);
        Assert.Equal(200, (await anna.PostAsync(link, ("password", "green tram rides"), ("again", "green tram rides"), ("code", codes[1]))).Status);
        Assert.Contains("is changed", (await anna.PostAsync("/password", Change("green tram rides", "red tram rides", codes[2]))).Page);
    }

    [Fact]
    public async Task New_passwords_are_printed_on_cards_and_nowhere_else()
    {
        await using var server = await StartAsync();
        var table = Path.Combine(server.Folder, "people.csv");
        await File.WriteAllTextAsync(table, "адрес,имя,сменить пароль\n" + string.Concat(Enumerable.Range(1, 10).Select(i => $"p{i}@example.test,<script>{i},да\n")));
        var page = Path.Combine(server.Folder, "page.html");
        Assert.Contains("would be: 10 added", (await server.CliAsync("account", "import", table, "--dry-run")).Succeeded().Output);
        (await server.CliAsync("account", "import", table, "--print", page, "--language", "ru")).Succeeded();
        var html = await File.ReadAllTextAsync(page);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(page));
        Assert.Equal(10, html.Split("<article>").Length - 1);
        Assert.Equal(2, html.Split("<section>").Length - 1);
        Assert.DoesNotContain("<script", html);
        Assert.Contains("https://mail.example.test/password", html);
        Assert.Empty(System.IO.Directory.Exists(Path.Combine(server.Data, "reports")) ? System.IO.Directory.GetFiles(Path.Combine(server.Data, "reports")) : []);
        var password = html.Split("<dd class=\"secret\">")[1].Split('<')[0];
        using var person = new Visitor(server);
        Assert.Equal(200, (await person.PostAsync("/password", ("address", "p1@example.test"), ("old", password), ("password", Chosen), ("again", Chosen))).Status);
        Assert.True(await Visitor.SignsInAsync(server, "p1@example.test", Chosen));

        Assert.Contains("stand nowhere else", (await server.CliAsync("account", "add", "one@example.test", "--generate", "--print", page)).Error); // what is printed there already is not lost
        page += ".one";
        (await server.CliAsync("account", "add", "one@example.test", "--generate", "--print", page)).Succeeded();
        Assert.Contains("one@example.test", await File.ReadAllTextAsync(page));
        using var control = server.Control();
        control.DefaultRequestHeaders.Add("Accept", "text/html");
        using var answer = await control.PostAsync("/api/v1/accounts/import", new StringContent("address\nweb@example.test\n"));
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("web@example.test", await answer.Content.ReadAsStringAsync());
        Assert.DoesNotContain(password, (await server.CliAsync("audit", "export")).Output + server.Log);
    }
}
