using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Admission;

/// <summary>What people who joined first stumbled over.</summary>
public sealed class JoiningFaultsTests
{
    const string Admin = "dean@example.test", Outside = "anna@elsewhere.test";

    static Task<(int Status, string Page)> AskAsync(Visitor who, string local) =>
        who.PostAsync("/join", ("domain", "example.test"), ("localPart", local), ("name", "Anna"), ("password", "blue tram rides"), ("again", "blue tram rides"), ("recovery", Outside));

    [Fact]
    public async Task Who_asks_again_hears_that_his_first_application_counts_and_the_administrator_sees_it()
    {
        await using var server = await TestServer.StartAsync(Visitor.Settings);
        await server.AddAccountsAsync(Admin, Outside);
        (await server.CliAsync("account", "set", Admin, "--role", "domain-admin")).Succeeded();
        (await server.CliAsync("domain", "set", "example.test", "--sign-up", "approval")).Succeeded();
        using var anna = new Visitor(server, "ru");
        var (_, first) = await AskAsync(anna, "anna");
        Assert.Contains("Заявка принята", first);
        // the page says the same to everybody: it does not tell who waits
        var (_, second) = await AskAsync(anna, "anna.petrova");
        Assert.Equal(first, second);
        var letter = await Visitor.LetterAsync(server, Outside, "уже ждёт");
        Assert.Contains("anna.petrova@example.test", letter);
        Assert.Contains("anna@example.test", letter);
        var waiting = Assert.Single(JsonDocument.Parse((await server.CliAsync("sign-up", "list", "--json")).Output).RootElement.EnumerateArray());
        Assert.Equal(("anna@example.test", "anna.petrova@example.test"), (waiting.GetProperty("address").GetString(), waiting.GetProperty("askedAgainFor").GetString()));
        Assert.Contains("asked again for anna.petrova@example.test", (await server.CliAsync("sign-up", "list")).Output);
        // however often somebody does that, there is one such letter a day
        for (var i = 0; i < 3; i++) await AskAsync(anna, "third" + i);
        (await server.CliAsync("sign-up", "approve", waiting.GetProperty("id").GetInt64().ToString(null as IFormatProvider))).Succeeded();
        await Visitor.LetterAsync(server, Outside, "открыт");
        Assert.Equal(2, (await Letter.AllAsync(server.Imap, Outside, password: TestServer.Password)).Count());
    }

    [Fact]
    public async Task In_an_evaluation_without_a_name_links_lead_to_where_the_server_listens()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Admin);
        var root = $"http://127.0.0.1:{server.Http}";
        var link = (await server.CliAsync("invitation", "add", "new@example.test")).Succeeded().Output.Trim();
        Assert.StartsWith(root + "/join/", link);
        using var visitor = new Visitor(server);
        var (status, page) = await visitor.JoinAsync(link[root.Length..], "", "Anna");
        Assert.True(status == 200, page);
        // what to do next: servers, ports, a profile, the password
        foreach (var word in new[] { "new@example.test", $"127.0.0.1, port {server.Imaps} (TLS) or port {server.Imap} (STARTTLS)", $"port {server.Submissions} (TLS)", $"port {server.Pop3s} (TLS)", "What to do next", "apple-mail.mobileconfig?email=new%40example.test", root + "/password" }) Assert.Contains(word, page);
        using var profile = await visitor.SendAsync(HttpMethod.Get, "/.well-known/apple-mail.mobileconfig?email=new%40example.test", null);
        Assert.True(profile.IsSuccessStatusCode);
        var card = Path.Combine(server.Folder, "card.html");
        (await server.CliAsync("account", "add", "card@example.test", "--generate", "--print", card)).Succeeded();
        Assert.Contains($"IMAP 127.0.0.1:{server.Imaps} (TLS), SMTP 127.0.0.1:{server.Submissions} (TLS)", await File.ReadAllTextAsync(card));
    }

    [Theory]
    [InlineData("en", "There is no such page")]
    [InlineData("ru", "Такой страницы нет")]
    public async Task A_page_that_is_not_there_is_a_page_for_browsers(string language, string title)
    {
        await using var server = await TestServer.StartAsync(Visitor.Settings);
        using var browser = new Visitor(server, language);
        Assert.DoesNotContain("<html", (await browser.GetAsync("/nowhere")).Page);
        browser.Headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8";
        var (status, page) = await browser.GetAsync("/nowhere/<script>");
        Assert.Equal(404, status);
        foreach (var word in new[] { $"<html lang=\"{language}\">", title, "prefers-color-scheme:dark", "width=device-width", $"/password?lang={language}" }) Assert.Contains(word, page);
        Assert.DoesNotContain("<script", page);
    }
}
