using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Directory;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Server.Backup;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Templates of accounts: what an account begins with where nothing else is said, and who says it.</summary>
public sealed class AccountTemplateTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    async Task<string> CliAsync(params string[] verb) => (await site.Server.CliAsync(verb)).Succeeded().Output;

    async Task<JsonElement> AskAsync(HttpMethod method, string path, object? body = null, string who = ApiFixture.Owner)
    {
        using var client = site.As(who);
        return await ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);
    }

    async Task<(HttpStatusCode Status, string Text)> TryAsync(string who, HttpMethod method, string path, object? body = null)
    {
        using var client = site.As(who);
        using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_account_begins_with_what_its_template_says_and_what_is_said_of_it_comes_first()
    {
        await CliAsync("account-template", "add", "students", "--domain", ApiFixture.Own, "--quota", "500M", "--groups", "students,library", "--valid-days", "365", "--expiry-notice", "14", "--tags", "2026", "--attributes", "{\"room\": \"12\", \"floor\": 1}",
            "--language", "ru", "--zone", "Europe/Moscow", "--must-change-password", "yes", "--policy", "{\"forbiddenProtocols\": [\"pop3\"], \"allowedNetworks\": [\"192.0.2.0/24\"]}");
        await CliAsync("account", "add", "new@own.test", "--generate", "--template", "students", "--language", "en", "--attributes", "{\"room\": \"14\"}");
        var account = await AskAsync(HttpMethod.Get, "accounts/new@own.test");
        Assert.Equal((500L << 20, "students library", "en", "Europe/Moscow", 14), (account.GetProperty("quota").GetInt64(), account.GetProperty("groups").GetString(), account.GetProperty("language").GetString(), account.GetProperty("zone").GetString(), account.GetProperty("expiryNoticeDays").GetInt32()));
        Assert.Equal(account.GetProperty("created").GetDateTimeOffset().AddDays(365), account.GetProperty("expires").GetDateTimeOffset());
        Assert.True(account.GetProperty("mustChangePassword").GetBoolean());
        Assert.Equal(("14", 1), (account.GetProperty("attributes").GetProperty("room").GetString(), account.GetProperty("attributes").GetProperty("floor").GetInt32()));
        var policy = await AskAsync(HttpMethod.Get, "policies/new@own.test");
        Assert.Equal(("pop3", "192.0.2.0/24"), (policy.GetProperty("forbiddenProtocols")[0].GetString(), policy.GetProperty("allowedNetworks")[0].GetString()));

        // who is there stays as he is, whatever becomes of the template
        await CliAsync("account-template", "set", "students", "--quota", "", "--valid-days", "0");
        Assert.DoesNotContain("validDays", await CliAsync("account-template", "show", "students"));
        await CliAsync("account", "add", "later@own.test", "--generate", "--template", "students");
        var later = await AskAsync(HttpMethod.Get, "accounts/later@own.test");
        Assert.Equal((0, JsonValueKind.Null), (later.GetProperty("quota").GetInt64(), later.GetProperty("expires").ValueKind));
        Assert.Equal(500L << 20, (await AskAsync(HttpMethod.Get, "accounts/new@own.test")).GetProperty("quota").GetInt64());
        Assert.Contains("counts when an account is made", (await TryAsync(ApiFixture.Owner, HttpMethod.Patch, "accounts/new@own.test", new { template = "students" })).Text);
    }

    [Fact]
    public async Task Templates_are_there_after_a_start_and_go_with_their_domain()
    {
        await using var vault = await BackupFixture.NewAsync();
        await vault.Directory.AddDomainAsync("gone.test");
        var template = new AccountTemplate("one") { Domain = "gone.test", ValidDays = 3, Policy = new MailPolicy { SendOnly = true } };
        Assert.True((await vault.Directory.AddTemplateAsync(template)).Ok);
        Assert.True((await vault.Directory.AddTemplateAsync(new AccountTemplate("two"))).Ok);
        await vault.RestartAsync();
        Assert.Equal(template, vault.Directory.FindTemplate("one"));
        Assert.Null(await vault.Directory.RemoveDomainAsync("gone.test"));
        await vault.RestartAsync();
        Assert.Equal(["two"], vault.Directory.ListTemplates().Select(one => one.Name));
    }

    [Fact]
    public async Task A_domain_names_the_template_of_its_new_users_and_its_limits_hold()
    {
        await AskAsync(HttpMethod.Post, "domains", new { name = "limits.test", maxQuota = 1000 });
        await AskAsync(HttpMethod.Post, "account-templates", new { name = "small", domain = "limits.test", quota = 900, tags = new[] { "small" } });
        await AskAsync(HttpMethod.Post, "account-templates", new { name = "large", quota = 2000 });
        await CliAsync("domain", "set", "limits.test", "--template", "small");
        Assert.Contains("small", await CliAsync("domain", "show", "limits.test"));
        Assert.Equal(900, (await AskAsync(HttpMethod.Post, "accounts", new { address = "one@limits.test" })).GetProperty("quota").GetInt64());
        Assert.Contains("at most", (await TryAsync(ApiFixture.Owner, HttpMethod.Post, "accounts", new { address = "two@limits.test", template = "large" })).Text);
        Assert.Contains("at most", (await TryAsync(ApiFixture.Owner, HttpMethod.Post, "accounts", new { address = "two@limits.test", template = "" })).Text);
        // whoever administers something is made by none that nobody named
        Assert.Empty((await AskAsync(HttpMethod.Post, "accounts", new { address = "dean@limits.test", role = "domain-admin", quota = 10 })).GetProperty("tags").EnumerateArray());

        var file = Path.Combine(site.Server.Folder, "templates.csv");
        await File.WriteAllTextAsync(file, "address,template\nthree@limits.test,\nfour@limits.test,small\nfive@limits.test,nothing\n");
        var imported = await site.Server.CliAsync("account", "import", file);
        Assert.Contains("no template nothing", imported.All);
        Assert.Equal("small", (await AskAsync(HttpMethod.Get, "accounts/four@limits.test")).GetProperty("tags")[0].GetString());
        Assert.Equal(900, (await AskAsync(HttpMethod.Get, "accounts/three@limits.test")).GetProperty("quota").GetInt64());
        Assert.Equal(HttpStatusCode.NotFound, (await TryAsync(ApiFixture.Owner, HttpMethod.Get, "accounts/five@limits.test")).Status);

        // a template of another domain is none of this one, and one that is gone makes nothing
        Assert.Contains("no template small", (await TryAsync(ApiFixture.Owner, HttpMethod.Post, "accounts", new { address = "x@foreign.test", template = "small" })).Text);
        Assert.Contains("no template small", (await TryAsync(ApiFixture.Owner, HttpMethod.Patch, "domains/foreign.test", new { template = "small" })).Text);
        await CliAsync("account-template", "remove", "small");
        Assert.Empty((await AskAsync(HttpMethod.Post, "accounts", new { address = "six@limits.test", quota = 10 })).GetProperty("tags").EnumerateArray());
    }

    [Fact]
    public async Task A_domain_administrator_has_the_templates_of_his_domains_and_sees_those_of_all()
    {
        await AskAsync(HttpMethod.Post, "account-templates", new { name = "of-all", description = "For everybody" });
        await AskAsync(HttpMethod.Post, "account-templates", new { name = "of-others", domain = ApiFixture.Foreign });
        await AskAsync(HttpMethod.Post, "account-templates", new { name = "of-own", domain = ApiFixture.Own }, ApiFixture.DomainAdmin);
        var seen = (await AskAsync(HttpMethod.Get, "account-templates", who: ApiFixture.DomainAdmin)).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("name").GetString()).ToList();
        Assert.Contains("of-all", seen);
        Assert.Contains("of-own", seen);
        Assert.DoesNotContain("of-others", seen);
        foreach (var (method, path, body, status) in new (HttpMethod, string, object?, HttpStatusCode)[]
        {
            (HttpMethod.Post, "account-templates", new { name = "more" }, HttpStatusCode.Forbidden),
            (HttpMethod.Post, "account-templates", new { name = "more", domain = ApiFixture.Foreign }, HttpStatusCode.Forbidden),
            (HttpMethod.Patch, "account-templates/of-all", new { quota = 1 }, HttpStatusCode.Forbidden),
            (HttpMethod.Delete, "account-templates/of-others", null, HttpStatusCode.NotFound),
            (HttpMethod.Post, "account-templates", new { name = "of-own", domain = ApiFixture.Own }, HttpStatusCode.Conflict),
            (HttpMethod.Post, "account-templates", new { name = "No Word", domain = ApiFixture.Own }, HttpStatusCode.BadRequest),
            (HttpMethod.Patch, "account-templates/of-own", new { validDays = 99_999 }, HttpStatusCode.BadRequest),
            (HttpMethod.Patch, "account-templates/of-own", new { policy = new { footerText = "no" } }, HttpStatusCode.BadRequest),
            (HttpMethod.Patch, "account-templates/of-own", new { policy = new { sendOnly = true } }, HttpStatusCode.OK),
            (HttpMethod.Delete, "account-templates/of-own", null, HttpStatusCode.OK),
        })
        {
            var answer = await TryAsync(ApiFixture.DomainAdmin, method, path, body);
            Assert.True(answer.Status == status, $"{method} {path}: {answer}");
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await TryAsync(ApiFixture.User, HttpMethod.Get, "account-templates")).Status);
    }
}
