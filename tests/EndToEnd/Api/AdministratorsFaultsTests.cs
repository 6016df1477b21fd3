using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>What first administrators stumbled over: nothing that was asked for is passed over in silence.</summary>
public sealed class AdministratorsFaultsTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    static async Task<(int Status, JsonElement Answer)> AskAsync(HttpClient client, string method, string path, object? body = null, string language = "en")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1/" + path) { Content = body is null ? null : JsonContent.Create(body), Headers = { { "Accept-Language", language } } };
        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    static string Sentences(JsonElement answer) => answer.TryGetProperty("warnings", out var list) ? string.Join('\n', list.EnumerateArray().Select(one => one.GetString())) : "";

    [Theory]
    [InlineData("accounts?domian=own.test", "domian", "domain, search, role, enabled, group, tag, limit, cursor, fields")]
    [InlineData("domains/own.test?limit=1", "limit", "fields")]
    [InlineData("accounts?fields=address,nmae", "fields", "address, name, role")]
    [InlineData("accounts/dean@own.test?fields=quotas", "fields", "quota")]
    [InlineData("accounts?domain=own.test&domain=foreign.test", "domain", "twice")]
    public async Task What_is_not_known_behind_the_question_mark_is_refused_with_what_is(string path, string field, string known)
    {
        using var owner = site.As(ApiFixture.Owner);
        var (status, problem) = await AskAsync(owner, "GET", path);
        Assert.Equal((400, "invalid", field), (status, problem.GetProperty("code").GetString(), problem.GetProperty("field").GetString()));
        Assert.Contains(known, problem.GetProperty("detail").GetString());
        Assert.Matches("[а-я]", (await AskAsync(owner, "GET", path, language: "ru")).Answer.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Null_takes_a_limit_away_as_in_a_merge_patch()
    {
        using var owner = site.As(ApiFixture.Owner);
        Assert.Equal(200, (await AskAsync(owner, "PATCH", "domains/own.test", new { maxAccounts = 70, totalQuota = 1L << 40, description = "x" })).Status);
        var (status, domain) = await AskAsync(owner, "PATCH", "domains/own.test", new { maxAccounts = (int?)null, totalQuota = (long?)null, description = (string?)null });
        Assert.Equal((200, JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Null), (status, domain.GetProperty("maxAccounts").ValueKind, domain.GetProperty("totalQuota").ValueKind, domain.GetProperty("description").ValueKind));
        await AskAsync(owner, "PATCH", "accounts/student@own.test", new { recovery = "me@elsewhere.test", expires = "2090-01-01", tags = new[] { "a" } });
        (status, var account) = await AskAsync(owner, "PATCH", "accounts/student@own.test", new { recovery = (string?)null, expires = (string?)null, tags = (string[]?)null, name = (string?)null });
        Assert.Equal((200, JsonValueKind.Null, JsonValueKind.Null, 0), (status, account.GetProperty("recovery").ValueKind, account.GetProperty("expires").ValueKind, account.GetProperty("tags").GetArrayLength()));
    }

    [Fact]
    public async Task A_field_that_stands_there_twice_is_refused()
    {
        using var owner = site.As(ApiFixture.Owner);
        foreach (var path in new[] { "accounts/student@own.test", "policies/student@own.test" })
        {
            using var answer = await owner.PatchAsync("/api/v1/" + path, new StringContent("{\"messagesPerDay\":1,\"messagesPerDay\":2}"));
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Limits_below_what_there_is_are_set_with_a_warning()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, "POST", "domains", new { name = "full.test" });
        foreach (var (name, quota) in new[] { ("a", 4L << 30), ("b", 1L << 30), ("c", 0L) }) await AskAsync(owner, "POST", "accounts", new { address = name + "@full.test", quota, generate = true });
        var (status, domain) = await AskAsync(owner, "PATCH", "domains/full.test", new { totalQuota = 2L << 30, maxAccounts = 1, maxQuota = 3L << 30 });
        Assert.Equal((200, 2L << 30), (status, domain.GetProperty("totalQuota").GetInt64()));
        foreach (var sentence in new[] { "come to 5.0G already, more than 2.0G", "3 accounts already", "larger quota than 3.0G, which they keep: 1", "without a quota" }) Assert.Contains(sentence.Replace(".0G", "G", StringComparison.Ordinal), Sentences(domain).Replace(".0G", "G", StringComparison.Ordinal));
        Assert.Contains("Квоты в full.test", Sentences((await AskAsync(owner, "PATCH", "domains/full.test", new { totalQuota = 2L << 30 }, "ru")).Answer));
        Assert.Equal("", Sentences((await AskAsync(owner, "PATCH", "domains/full.test", new { description = "x" })).Answer));
    }

    [Fact]
    public async Task A_rename_says_what_was_before()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, "POST", "accounts", new { address = "maiden@own.test", name = "Мария Иванова", generate = true });
        Assert.Equal(200, (await AskAsync(owner, "POST", "accounts/maiden@own.test/rename", new { to = "married@own.test" })).Status);
        var log = (await AskAsync(owner, "GET", "audit?text=maiden@own.test")).Answer.GetProperty("items").EnumerateArray().ToList();
        var rename = log.First(row => row.GetProperty("action").GetString()!.EndsWith("rename", StringComparison.Ordinal));
        Assert.Equal(("maiden@own.test", "married@own.test"), (rename.GetProperty("before").GetProperty("address").GetString(), rename.GetProperty("after").GetProperty("address").GetString()));
        // who was made is found by his address and his name, though the path names neither
        Assert.Contains(log, row => row.GetProperty("action").GetString() == "POST /api/v1/accounts");
        Assert.NotEqual(0, (await AskAsync(owner, "GET", "audit?text=Мария")).Answer.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task People_name_an_alias_of_theirs_by_its_address()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, "PATCH", "domains/own.test", new { ownAliases = "free" });
        using var student = site.As(ApiFixture.User);
        var (status, made) = await AskAsync(student, "POST", "me/aliases", new { address = "nick@own.test" });
        Assert.Equal((201, "nick@own.test"), (status, made.GetProperty("address").GetString()));
        Assert.Equal(201, (await AskAsync(student, "POST", "me/aliases", new { name = "nock" })).Status);
        Assert.EndsWith("@own.test", (await AskAsync(student, "POST", "me/aliases", new { address = "@own.test" })).Answer.GetProperty("address").GetString());
        Assert.Equal("address", (await AskAsync(student, "POST", "me/aliases", new { address = "nick@foreign.test" })).Answer.GetProperty("field").GetString());
        var refused = (await AskAsync(student, "POST", "me/aliases", new { adress = "x@own.test" })).Answer.GetProperty("detail").GetString();
        Assert.Contains("address, name, comment", refused);
        Assert.DoesNotContain("isEmpty", refused);
    }

    [Fact]
    public async Task What_leads_nowhere_is_said_or_refused()
    {
        using var owner = site.As(ApiFixture.Owner);
        var (status, alias) = await AskAsync(owner, "POST", "aliases", new { address = "office@own.test", targets = new[] { "dean@own.test", "nobody@own.test", "x@elsewhere.test" } });
        Assert.Equal((201, "Nobody here has the address nobody@own.test: mail to it comes back until somebody does"), (status, Sentences(alias)));
        (status, var problem) = await AskAsync(owner, "POST", "domains", new { name = "x_y.test" });
        Assert.Equal((400, true), (status, problem.GetProperty("detail").GetString()!.Contains("letters, digits and hyphens", StringComparison.Ordinal)));
        (status, var account) = await AskAsync(owner, "POST", "accounts", new { address = "mute@own.test" });
        Assert.Equal((201, "mute@own.test has no password: nobody can sign in as it before one is set"), (status, Sentences(account)));
        Assert.Equal("", Sentences((await AskAsync(owner, "POST", "accounts", new { address = "loud@own.test", generate = true })).Answer));
        (status, var key) = await AskAsync(owner, "POST", "api-keys", new { name = "x", account = ApiFixture.DomainAdmin, permissions = new[] { "accounts.read", "maintenance" } });
        Assert.Equal((201, "dean@own.test has not the permission maintenance, and so has no key that acts for him"), (status, Sentences(key)));
    }

    [Fact]
    public async Task An_address_that_was_given_away_meanwhile_is_said_so()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, "POST", "accounts", new { address = "gone@own.test", generate = true });
        var id = (await AskAsync(owner, "DELETE", "accounts/gone@own.test")).Answer.GetProperty("id").GetInt64();
        await AskAsync(owner, "POST", "accounts", new { address = "gone@own.test", generate = true });
        var back = await site.Server.CliAsync("account", "undelete", "gone@own.test");
        Assert.Equal(1, back.ExitCode);
        Assert.Contains($"cbamail account undelete {id} --as NEW@own.test", back.Error);
        Assert.Contains("back@own.test", (await site.Server.CliAsync("account", "undelete", "gone@own.test", "--as", "back@own.test")).Succeeded().Output);
    }

    [Fact]
    public async Task Show_tells_all_that_set_sets()
    {
        var account = (await site.Server.CliAsync("account", "set", ApiFixture.Stranger, "--must-change-password", "yes", "--recovery", "me@elsewhere.test")).Succeeded().Output;
        foreach (var text in new[] { account, (await site.Server.CliAsync("account", "show", ApiFixture.Stranger)).Output })
        {
            Assert.Contains("Change due yes", text);
            Assert.Contains("Recovery   me@elsewhere.test", text);
        }
        var domain = (await site.Server.CliAsync("domain", "set", ApiFixture.Foreign, "--sign-up", "approval", "--own-aliases", "approval", "--max-own-aliases", "3", "--forward-to", "here @friends.test", "--password-reset", "no")).Succeeded().Output;
        Assert.Equal(domain, (await site.Server.CliAsync("domain", "show", ApiFixture.Foreign)).Output);
        foreach (var line in new[] { "Sign-up    approval", "Own alias  approval, at most 3 each", "Forward to here @friends.test", "Reset      no" }) Assert.Contains(line, domain);
        var json = JsonNode.Parse((await site.Server.CliAsync("account", "show", ApiFixture.Owner, "--json")).Output)!.AsObject();
        Assert.True(json.ContainsKey("recovery") && json["mustChangePassword"]!.GetValue<bool>() == false);
    }

    [Theory]
    [InlineData("api-keys", "365")]
    [InlineData("api-keys", "1h30")]
    [InlineData("accounts/student@own.test/application-passwords", "90")]
    [InlineData("suppressions", "14")]
    [InlineData("invitations", "14")]
    public async Task A_span_of_time_names_its_unit(string path, string span)
    {
        using var owner = site.As(ApiFixture.Owner);
        object Body(string time) => path switch { "suppressions" => new { address = "x@far.test", @for = time }, "invitations" => new { domain = ApiFixture.Own, @for = time }, _ => new { name = "x", @for = time } };
        var (status, problem) = await AskAsync(owner, "POST", path, Body(span));
        Assert.Equal((400, "for"), (status, problem.GetProperty("field").GetString()));
        Assert.Contains($"\"{span}\" is no span of time with its unit", problem.GetProperty("detail").GetString());
        Assert.Equal(201, (await AskAsync(owner, "POST", path, Body(span.TrimEnd('0') + "d"))).Status);
    }

    [Fact]
    public async Task A_key_says_until_when_it_is_good()
    {
        var made = (await site.Server.CliAsync("key", "add", "brief", "--for", "2d")).Succeeded();
        Assert.Matches("^cbak_[A-Za-z0-9_-]+\n$", made.Output);
        Assert.Matches(@"It is good until 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", made.Error);
        Assert.Contains("is no time with its unit", (await site.Server.CliAsync("ban", "add", "192.0.2.77", "--for", "30")).Error);
    }

    [Fact]
    public async Task A_day_is_over_at_its_end_where_the_account_lives()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, "POST", "accounts", new { address = "guest@own.test", generate = true, zone = "Europe/Moscow", expires = "2090-12-31" });
        var (_, account) = await AskAsync(owner, "GET", "accounts/guest@own.test");
        Assert.Equal(new DateTimeOffset(2090, 12, 31, 21, 0, 0, default), account.GetProperty("expires").GetDateTimeOffset());
        Assert.Contains("Expires    2090-12-31 21:00:00 UTC", (await site.Server.CliAsync("account", "show", "guest@own.test")).Output);
        var (_, vacation) = await AskAsync(owner, "PATCH", "accounts/guest@own.test/vacation", new { enabled = true, text = "x", from = "2090-07-01", until = "2090-07-31" });
        Assert.Equal((new DateTimeOffset(2090, 6, 30, 21, 0, 0, default), new DateTimeOffset(2090, 7, 31, 21, 0, 0, default)), (vacation.GetProperty("from").GetDateTimeOffset(), vacation.GetProperty("until").GetDateTimeOffset()));
        var (_, kept) = await AskAsync(owner, "PATCH", "accounts/guest@own.test", new { expires = "2090-12-31T12:00:00+03:00" });
        Assert.Equal(new DateTimeOffset(2090, 12, 31, 9, 0, 0, default), kept.GetProperty("expires").GetDateTimeOffset());
        Assert.Equal(400, (await AskAsync(owner, "PATCH", "accounts/guest@own.test", new { expires = "9999-12-31" })).Status);
    }

    [Fact]
    public async Task Statistics_are_printed_as_a_table_json_and_csv()
    {
        Assert.Matches(@"\d{4}-\d\d-\d\d \d\d:\d\d +\d+ ", (await site.Server.CliAsync("statistics", "--since", "3h")).Succeeded().Output);
        Assert.StartsWith("at,received,receivedBytes,submitted,", (await site.Server.CliAsync("statistics", "--step", "1d", "--since", "2d", "--csv")).Succeeded().Output);
        Assert.Contains("own.test  ", (await site.Server.CliAsync("statistics", "--domains")).Succeeded().Output);
        Assert.Equal(3600, JsonDocument.Parse((await site.Server.CliAsync("statistics", "--domain", "own.test", "--json")).Output).RootElement.GetProperty("step").GetInt64());
    }

    [Fact]
    public async Task The_number_of_an_account_is_nobody_elses_later()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, "POST", "accounts", new { address = "first@own.test", generate = true });
        var first = (await AskAsync(owner, "DELETE", "accounts/first@own.test?now=true")).Answer.GetProperty("id").GetInt64();
        await AskAsync(owner, "POST", "accounts", new { address = "second@own.test", generate = true });
        Assert.True((await AskAsync(owner, "DELETE", "accounts/second@own.test?now=true")).Answer.GetProperty("id").GetInt64() > first);
    }
}
