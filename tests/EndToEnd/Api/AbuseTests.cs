using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>What somebody who has an account here may not do to the others.</summary>
public sealed class AbuseTests
{
    static HttpClient Client(TestServer server, string key) =>
        new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}/api/v1/"), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };

    static async Task<string> KeyAsync(TestServer server, string account) => (await server.CliAsync("key", "add", "x", "--account", account)).Succeeded().Output.Trim();

    [Fact]
    public async Task A_user_leaves_little_in_the_audit_log_and_not_too_often()
    {
        await using var server = await TestServer.StartAsync("api: {change-rate: 5/1h}");
        await server.AddAccountsAsync("anna@example.test", "admin2@example.test");
        (await server.CliAsync("account", "set", "admin2@example.test", "--role", "admin")).Succeeded();
        using var anna = Client(server, await KeyAsync(server, "anna@example.test"));
        using var other = Client(server, await KeyAsync(server, "anna@example.test")); // many keys are one user
        using var admin = Client(server, await KeyAsync(server, "admin2@example.test"));
        var text = new string('x', 30_000) + "end";
        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.OK, (await (i % 2 == 0 ? anna : other).PatchAsync("me/vacation", JsonContent.Create(new { text = text + i }))).StatusCode);
        using var late = await other.PatchAsync("me/vacation", JsonContent.Create(new { text = "x" }));
        Assert.Equal((HttpStatusCode.TooManyRequests, true), (late.StatusCode, late.Headers.RetryAfter is not null));
        Assert.Equal(HttpStatusCode.OK, (await anna.GetAsync("me/vacation")).StatusCode); // looking is free
        for (var i = 0; i < 8; i++) Assert.Equal(HttpStatusCode.OK, (await admin.PatchAsync("me/vacation", JsonContent.Create(new { days = 5 + i }))).StatusCode);
        var rows = (await server.CliAsync("audit", "export")).Output.Split('\n').Where(line => line.Contains("/me/vacation", StringComparison.Ordinal) && line.Contains("anna@", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, rows.Count);
        Assert.All(rows, row => Assert.InRange(row.Length, 100, 6000));
        var afters = rows.ConvertAll(row => JsonDocument.Parse(row).RootElement.GetProperty("after").GetRawText());
        Assert.All(afters, after => Assert.Contains("sha256", after));
        Assert.Equal(5, afters.Distinct().Count()); // that it was another text can still be seen
        Assert.Contains("as they were written", (await server.CliAsync("audit", "verify")).Output);
    }

    [Fact]
    public async Task Of_many_new_passwords_at_once_with_one_old_one_becomes_the_password()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync("anna@example.test");
        using var anna = Client(server, await KeyAsync(server, "anna@example.test"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i => (Word: $"blue tram rides {i}", Answer: await anna.PostAsync("me/password", JsonContent.Create(new { old = TestServer.Password, @new = $"blue tram rides {i}" })))));
        var taken = Assert.Single(answers, one => one.Answer.IsSuccessStatusCode);
        Assert.True(await Admission.Visitor.SignsInAsync(server, "anna@example.test", taken.Word));
    }

    [Fact]
    public async Task A_table_for_spreadsheets_holds_no_formulas()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync("anna@example.test");
        (await server.CliAsync("alias", "add", "a@example.test", "anna@example.test", "--comment", "=HYPERLINK(\"http://x\")")).Succeeded();
        (await server.CliAsync("alias", "add", "b@example.test", "anna@example.test", "--comment", "+1 (495) call")).Succeeded();
        (await server.CliAsync("alias", "add", "c@example.test", "anna@example.test", "--comment", "-5 degrees")).Succeeded();
        var csv = (await server.CliAsync("alias", "list", "--csv")).Succeeded().Output;
        Assert.Contains(",\"'=HYPERLINK(", csv);
        Assert.Contains(",'+1 (495) call,", csv);
        Assert.Contains(",-5 degrees,", csv);
    }

    [Fact]
    public async Task Usage_fits_on_a_screen_and_a_table_is_told_of_by_its_own_headers()
    {
        await using var server = await TestServer.StartAsync();
        var wrong = await server.CliAsync("account", "add", "a@example.test", "--nonsense");
        Assert.Equal(2, wrong.ExitCode);
        Assert.All(wrong.Error.Split('\n'), line => Assert.InRange(line.Length, 0, 110));
        await server.AddAccountsAsync("boris@example.test");
        var table = Path.Combine(server.Folder, "people.csv");
        await File.WriteAllTextAsync(table, "Адрес;Квота\nanna@example.test;много\n");
        Assert.Contains("line 2, Квота:", (await server.CliAsync("account", "import", table)).Error);
        await File.WriteAllTextAsync(table, "Адрес;Цвет\n");
        Assert.Contains("must-change (сменить пароль)", (await server.CliAsync("account", "import", table)).Error);
    }
}
