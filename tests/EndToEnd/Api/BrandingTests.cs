using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Directory;
using CbaMail.Tests.EndToEnd.Admission;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>A domain shows itself: what is set is seen on pages, cards and letters by its people, and by nobody else.</summary>
public sealed class BrandingTests
{
    const string School = "example.test", Outside = "anna@elsewhere.test";

    // 1 x 1, transparent
    static readonly byte[] picture = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==");

    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    static string? Text(JsonElement one, string name) => one.GetProperty(name).GetString();

    [Fact]
    public async Task What_a_domain_is_called_and_looks_like_is_on_its_pages_cards_and_letters()
    {
        await using var server = await TestServer.StartAsync(Visitor.Settings);
        await server.AddAccountsAsync("dean@" + School, Outside);
        using var control = server.Control();
        using var visitor = new Visitor(server);
        Assert.Contains("✉", (await visitor.GetAsync("/password?domain=" + School)).Page);
        var file = Path.Combine(server.Data, "logo.png");
        await File.WriteAllBytesAsync(file, picture);
        var shown = (await server.CliAsync("domain", "branding", School, "--name", "Школа «<Свет>»", "--color", "#7a1f5c", "--accent", "#0b5cad", "--support", "help@example.test", "--support-text", "Ask Olga", "--logo", file)).Succeeded().Output;
        Assert.Matches(@"Support +help@example.test \(Ask Olga\)", shown);
        Assert.Matches("Logo +there is one", shown);

        foreach (var path in new[] { "/password?domain=" + School, "/reset?domain=" + School })
        {
            using var answer = await visitor.SendAsync(HttpMethod.Get, path, null);
            var page = await answer.Content.ReadAsStringAsync();
            Assert.Contains(WebUtility.HtmlEncode("Школа «<Свет>»"), page);
            Assert.Contains("--tint:#7a1f5c", page);
            Assert.Contains("data:image/png;base64," + Convert.ToBase64String(picture), page);
            Assert.Contains("<a href=\"mailto:help@example.test\" rel=\"noopener noreferrer\">Ask Olga</a>", page);
            Assert.Contains("domain=" + School, page[page.IndexOf("<nav>", StringComparison.Ordinal)..]); // also in the other language
            var style = page[(page.IndexOf("<style>", StringComparison.Ordinal) + 7)..page.IndexOf("</style>", StringComparison.Ordinal)];
            Assert.Contains("'sha256-" + Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(style))) + "'", answer.Headers.GetValues("Content-Security-Policy").Single());
        }
        Assert.DoesNotContain("#7a1f5c", (await visitor.GetAsync("/password?domain=elsewhere.test")).Page);

        (await server.CliAsync("invitation", "add", "new@" + School, "--send", Outside)).Succeeded();
        var letter = await Visitor.LetterAsync(server, Outside, "Invitation");
        Assert.Contains("Школа «<Свет>»", letter);
        Assert.Contains("background:#7a1f5c", letter);
        Assert.Contains("--tint:#7a1f5c", (await visitor.GetAsync(Visitor.LinkIn(letter))).Page);

        var cards = Path.Combine(server.Data, "cards.html");
        (await server.CliAsync("account", "add", "olga@" + School, "--generate", "--print", cards)).Succeeded();
        var sheet = await File.ReadAllTextAsync(cards);
        Assert.Contains(WebUtility.HtmlEncode("Школа «<Свет>»"), sheet);
        Assert.Matches("<image id=\"(logo[0-9]+)\".*<use href=\"#\\1\"/>", sheet);

        await server.StopAsync();
        await server.StartAgainAsync();
        using var after = server.Control();
        Assert.Equal("#0b5cad", Text(await AskAsync(after, HttpMethod.Get, $"domains/{School}/branding"), "accent"));
        using var again = new Visitor(server);
        Assert.Contains("data:image/png", (await again.GetAsync("/reset?domain=" + School)).Page);
        Assert.DoesNotContain(Convert.ToBase64String(picture), (await server.CliAsync("audit", "export")).Output);
        Assert.Matches("Logo +none", (await server.CliAsync("domain", "branding", School, "--clear")).Succeeded().Output);
        Assert.Contains("✉", (await again.GetAsync("/password?domain=" + School)).Page);
    }

    [Fact]
    public async Task Anybody_may_ask_how_a_page_looks_and_learns_of_no_domain_that_is_not_here()
    {
        await using var server = await TestServer.StartAsync(Visitor.Settings);
        await server.AddAccountsAsync("dean@" + School, Outside);
        using var control = server.Control();
        using var stranger = new Visitor(server);
        var nowhere = (await stranger.AskAsync(HttpMethod.Get, "branding?domain=nowhere.test")).Answer.GetRawText();
        Assert.Equal(nowhere, (await stranger.AskAsync(HttpMethod.Get, "branding?domain=" + School)).Answer.GetRawText());
        Assert.Equal(404, (await stranger.AskAsync(HttpMethod.Get, "branding/logo?domain=nowhere.test")).Status);
        Assert.Equal(404, (await stranger.AskAsync(HttpMethod.Get, "branding/logo?domain=" + School)).Status);

        await AskAsync(control, HttpMethod.Patch, $"domains/{School}/branding", new { name = "School", color = "#7a1f5c", support = "https://help.example.test/", logo = Convert.ToBase64String(picture) });
        await AskAsync(control, HttpMethod.Post, "domains", new { name = "alias.test", aliasOf = School });
        foreach (var name in new[] { School, "mail." + School, "alias.test" })
        {
            var (status, seen) = await stranger.AskAsync(HttpMethod.Get, "branding?domain=" + name);
            Assert.Equal((200, "School", "#7a1f5c", "#7a1f5c", "https://help.example.test/"), (status, Text(seen, "name"), Text(seen, "color"), Text(seen, "accent"), Text(seen, "support")));
            using var logo = await stranger.SendAsync(HttpMethod.Get, Text(seen, "logo")!, null);
            Assert.Equal("image/png", logo.Content.Headers.ContentType?.MediaType);
            Assert.Equal(picture, await logo.Content.ReadAsByteArrayAsync());
            Assert.Equal("nosniff", logo.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Contains("sandbox", logo.Headers.GetValues("Content-Security-Policy").Single());
            Assert.Equal((true, TimeSpan.FromDays(365)), (logo.Headers.CacheControl?.Public, logo.Headers.CacheControl?.MaxAge));
        }
        Assert.Equal(nowhere, (await stranger.AskAsync(HttpMethod.Get, "branding?domain=nowhere.test")).Answer.GetRawText());
        Assert.Equal(nowhere, (await stranger.AskAsync(HttpMethod.Get, "branding?domain=" + new string('a', 4000))).Answer.GetRawText());

        await AskAsync(control, HttpMethod.Patch, $"domains/{School}/branding", new Dictionary<string, object?> { ["logo"] = null, ["name"] = null });
        var left = await AskAsync(control, HttpMethod.Get, $"domains/{School}/branding");
        Assert.Equal((null, null, "#7a1f5c"), (Text(left, "name"), Text(left, "logo"), Text(left, "color")));
    }

    static readonly (string Field, string Value, string Sentence)[] wrong =
    [
        ("color", "#ffcc00", "White text on #ffcc00 cannot be read: the contrast is 1.5 to 1, and takes 4.5; choose a darker colour"),
        ("accent", "#ffffff", "White text on #ffffff cannot be read: the contrast is 1.0 to 1, and takes 4.5; choose a darker colour"),
        ("color", "red", "color is a colour as in #0b5cad"),
        ("color", "#12345g", "color is a colour as in #0b5cad"),
        ("color", "#000;}", "color is a colour as in #0b5cad"),
        ("name", "School\r\nBcc: all@example.test", "name is one line of 1 to 100 characters"),
        ("name", " ", "name is one line of 1 to 100 characters"),
        ("support", "javascript:alert(1)", "support is an address as in help@example.org, or begins with https://"),
        ("support", "https://anna:secret@example.test/", "support is an address as in help@example.org, or begins with https://"),
        ("support", "mailto:help@example.test", "support is an address as in help@example.org, or begins with https://"),
        ("logo", "%", "logo is base64"),
        ("logo", "PHN2Zz48L3N2Zz4=", "A logo is a PNG, JPEG or WebP of at most 64 KB"),
        ("font", "Comic Sans", "There is no field \"font\" here; those that can be given are name, color, accent, support, supportText, logo"),
    ];

    [Fact]
    public async Task What_would_not_be_read_or_is_none_of_these_is_refused()
    {
        await using var server = await TestServer.StartAsync(Visitor.Settings);
        await server.AddAccountsAsync("dean@" + School);
        using var control = server.Control();
        foreach (var (field, value, sentence) in wrong)
        {
            using var answer = await control.PatchAsync($"/api/v1/domains/{School}/branding", JsonContent.Create(new Dictionary<string, string> { [field] = value }));
            var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.Equal((400, field, sentence), ((int)answer.StatusCode, Text(problem, "field"), Text(problem, "detail")));
        }
        Assert.Null(Text(await AskAsync(control, HttpMethod.Get, $"domains/{School}/branding"), "color"));
    }

    [Fact]
    public void A_colour_is_readable_on_every_ground_once_it_was_moved_far_enough()
    {
        Assert.True(Color.TryParse("#767676", out var grey));
        Assert.Equal(4.54, grey.Contrast(Color.White), 2);
        Assert.Equal(21, default(Color).Contrast(Color.White), 6);
        var dark = new Color(0x1b, 0x20, 0x28);
        foreach (var text in new[] { "#000000", "#7a1f5c", "#0b5cad", "#00008b" })
        {
            Assert.True(Color.TryParse(text, out var color));
            Assert.InRange(color.On(dark, Color.White).Contrast(dark), Color.Readable, 21);
        }
    }
}
