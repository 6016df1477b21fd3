using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>The REST API from outside, over the public port.</summary>
public sealed class ApiTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    static async Task<(HttpStatusCode Status, JsonElement Problem)> RefusedAsync(HttpClient client, HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = body is null ? null : JsonContent.Create(body) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await client.SendAsync(request);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    [Fact]
    public async Task A_refusal_is_a_problem_with_a_code_a_sentence_in_the_callers_language_and_the_field()
    {
        using var owner = site.As(ApiFixture.Owner);
        var (status, problem) = await RefusedAsync(owner, HttpMethod.Post, "domains", new { name = ApiFixture.Own }, ("Accept-Language", "ru-RU,ru;q=0.9,en;q=0.5"));
        Assert.Equal((HttpStatusCode.Conflict, "exists", "Домен own.test уже есть"), (status, problem.GetProperty("code").GetString(), problem.GetProperty("detail").GetString()));
        (status, problem) = await RefusedAsync(owner, HttpMethod.Post, "accounts", new { address = "new@own.test", role = "king" });
        Assert.Equal((HttpStatusCode.BadRequest, "invalid", "role"), (status, problem.GetProperty("code").GetString(), problem.GetProperty("field").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, (await RefusedAsync(owner, HttpMethod.Post, "domains", new { name = "x.test", colour = "red" })).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await RefusedAsync(owner, HttpMethod.Get, "nothing")).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await RefusedAsync(owner, HttpMethod.Put, "domains")).Status);
    }

    [Theory]
    [InlineData("ru", true)]
    [InlineData("ru-RU, en;q=0.9", true)]
    [InlineData("en;q=0.5, ru;q=0.8", true)]
    [InlineData("de, ru;q=0.1", true)]
    [InlineData("en, ru;q=0.9", false)]
    [InlineData("ru;q=0, en;q=0.1", false)]
    [InlineData("de", false)]
    [InlineData("nonsense;;q=x", false)]
    public async Task Refusals_speak_the_language_that_the_caller_likes_best(string languages, bool russian)
    {
        using var owner = site.As(ApiFixture.Owner);
        var (_, composed) = await RefusedAsync(owner, HttpMethod.Get, "accounts/nobody@own.test", null, ("Accept-Language", languages));
        Assert.Equal(russian ? "Учётной записи nobody@own.test нет; список показывает: cbamail account list" : "There is no account nobody@own.test; list them with: cbamail account list", composed.GetProperty("detail").GetString());
        var (_, constant) = await RefusedAsync(owner, HttpMethod.Delete, "api-keys/999999", null, ("Accept-Language", languages));
        Assert.Equal(russian ? "Такого ключа нет" : "There is no such key", constant.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Problems_of_single_lines_are_told_in_the_callers_language_too()
    {
        using var owner = site.As(ApiFixture.Owner);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/suppressions/import") { Content = new StringContent("anna@far.test,because\n"), Headers = { { "Accept-Language", "ru" } } };
        using var answer = await owner.SendAsync(request);
        var problem = Assert.Single(JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("problems").EnumerateArray());
        Assert.StartsWith("Причины «because» нет", problem.GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_list_comes_in_pages_that_hold_everybody_once()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, HttpMethod.Post, "domains", new { name = "pages.test" });
        string[] names = ["a", "a-b", "a.b", "ab", "b", "ё", "я1"];
        foreach (var name in names) await AskAsync(owner, HttpMethod.Post, "accounts", new { address = name + "@pages.test", groups = name.Length > 1 ? "long" : "short" });
        var seen = new List<string>();
        for (string? cursor = null; ;)
        {
            var page = await AskAsync(owner, HttpMethod.Get, "accounts?domain=pages.test&limit=2&fields=address" + (cursor is null ? "" : "&cursor=" + cursor));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => { Assert.Single(item.EnumerateObject()); return item.GetProperty("address").GetString()!; }));
            if ((cursor = page.GetProperty("next").GetString()) is null) break;
        }
        Assert.Equal(names.Select(name => name + "@pages.test").Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        var found = await AskAsync(owner, HttpMethod.Get, "accounts?domain=pages.test&group=long&search=B@");
        Assert.Equal(3, found.GetProperty("items").GetArrayLength());
        Assert.Equal("limit", (await RefusedAsync(owner, HttpMethod.Get, "accounts?limit=0")).Problem.GetProperty("field").GetString());
        Assert.Equal("cursor", (await RefusedAsync(owner, HttpMethod.Get, "accounts?cursor=*")).Problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Somebody_elses_change_in_between_is_not_overwritten()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, HttpMethod.Post, "accounts", new { address = "tag@own.test" });
        using var first = await owner.GetAsync("/api/v1/accounts/tag@own.test");
        var tag = first.Headers.ETag!.Tag;
        using var again = new HttpRequestMessage(HttpMethod.Get, "/api/v1/accounts/tag@own.test") { Headers = { { "If-None-Match", tag } } };
        Assert.Equal(HttpStatusCode.NotModified, (await owner.SendAsync(again)).StatusCode);
        await AskAsync(owner, HttpMethod.Patch, "accounts/tag@own.test", new { name = "Somebody else" });
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await RefusedAsync(owner, HttpMethod.Patch, "accounts/tag@own.test", new { name = "I" }, ("If-Match", tag))).Status);
        Assert.Equal("Somebody else", (await AskAsync(owner, HttpMethod.Get, "accounts/tag@own.test")).GetProperty("name").GetString());
    }

    [Fact]
    public async Task The_same_request_under_the_same_key_is_done_once()
    {
        using var owner = site.As(ApiFixture.Owner);
        async Task<HttpResponseMessage> SendAsync(string address)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/accounts") { Content = JsonContent.Create(new { address, generate = true }), Headers = { { "Idempotency-Key", "once" } } };
            return await owner.SendAsync(request);
        }
        using var first = await SendAsync("once@own.test");
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Contains("password", await first.Content.ReadAsStringAsync());
        using var second = await SendAsync("once@own.test");
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal("***", JsonDocument.Parse(await second.Content.ReadAsStringAsync()).RootElement.GetProperty("password").GetString());
        using var other = await SendAsync("twice@own.test");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
    }

    [Fact]
    public async Task A_batch_does_each_for_itself_and_tells_what_became_of_it()
    {
        using var dean = site.As(ApiFixture.DomainAdmin);
        var done = await AskAsync(dean, HttpMethod.Post, "batch", new
        {
            requests = new object[]
            {
                new { method = "POST", path = "accounts", body = new { address = "batch1@own.test", name = "One" } },
                new { method = "POST", path = "accounts", body = new { address = "batch1@foreign.test" } },
                new { method = "PATCH", path = "/api/v1/accounts/batch1@own.test", body = new { name = "Two" } },
                new { method = "GET", path = "accounts/batch1@own.test?fields=name" },
                new { method = "GET", path = "nothing" },
                new { method = "DELETE", path = "accounts/batch1@own.test", ifMatch = "\"old\"" },
                new { method = "DELETE", path = "accounts/batch1@own.test" },
                new { method = "POST", path = "batch", body = new { requests = Array.Empty<object>() } },
            },
        });
        Assert.Equal([201, 403, 200, 200, 404, 412, 200, 400], done.GetProperty("results").EnumerateArray().Select(one => one.GetProperty("status").GetInt32()));
        Assert.Equal("Two", done.GetProperty("results")[3].GetProperty("body").GetProperty("name").GetString());
        Assert.Equal(4, done.GetProperty("refused").GetInt32());
    }

    [Fact]
    public async Task A_change_can_be_tried_without_doing_it()
    {
        using var owner = site.As(ApiFixture.Owner);
        var before = (await AskAsync(owner, HttpMethod.Get, "audit?limit=1")).GetProperty("items")[0].GetProperty("id").GetInt64();
        var tried = await AskAsync(owner, HttpMethod.Post, "accounts?dry-run=true", new { address = "tried@own.test", name = "Tried" });
        Assert.Equal("Tried", tried.GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await RefusedAsync(owner, HttpMethod.Get, "accounts/tried@own.test")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await RefusedAsync(owner, HttpMethod.Post, "accounts?dry-run=true", new { address = ApiFixture.User })).Status);
        await AskAsync(owner, HttpMethod.Delete, $"accounts/{ApiFixture.Stranger}?dry-run=true");
        await AskAsync(owner, HttpMethod.Patch, $"accounts/{ApiFixture.Stranger}?dry-run=true", new { name = "Somebody else" });
        Assert.NotEqual("Somebody else", (await AskAsync(owner, HttpMethod.Get, "accounts/" + ApiFixture.Stranger)).GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, (await RefusedAsync(owner, HttpMethod.Post, "vault/collect?dry-run=true")).Status);
        Assert.Equal(before, (await AskAsync(owner, HttpMethod.Get, "audit?limit=1")).GetProperty("items")[0].GetProperty("id").GetInt64());
        await AskAsync(owner, HttpMethod.Post, "accounts", new { address = "tried@own.test" }); // and nothing stands in its way
    }

    [Fact]
    public async Task A_browser_signs_in_and_every_change_needs_the_proof_that_a_foreign_page_has_not()
    {
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{site.Server.Http}") };
        Assert.Equal(HttpStatusCode.Unauthorized, (await RefusedAsync(client, HttpMethod.Post, "session", new { address = ApiFixture.User, password = "wrong" })).Status);
        using var signedIn = await client.PostAsJsonAsync("/api/v1/session", new { address = ApiFixture.User, password = TestServer.Password });
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        var me = await AskAsync(client, HttpMethod.Get, "session");
        Assert.Equal((ApiFixture.User, "user"), (me.GetProperty("address").GetString(), me.GetProperty("role").GetString()));
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(client, HttpMethod.Post, "api-keys", new { name = "mine" })).Status);
        client.DefaultRequestHeaders.Add("X-CSRF-Token", me.GetProperty("proof").GetString());
        await AskAsync(client, HttpMethod.Post, "api-keys", new { name = "mine" });
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(client, HttpMethod.Post, "session/act", new { address = ApiFixture.Owner })).Status);
        await AskAsync(client, HttpMethod.Delete, "session");
        Assert.Equal(HttpStatusCode.Unauthorized, (await RefusedAsync(client, HttpMethod.Get, "session")).Status);
    }

    [Fact]
    public async Task Sessions_end_with_a_new_password_and_outlive_a_restart()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync("anna@example.test");
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
        (await client.PostAsJsonAsync("/api/v1/session", new { address = "anna@example.test", password = TestServer.Password })).EnsureSuccessStatusCode();
        await server.KillAsync();
        await server.StartAgainAsync();
        await AskAsync(client, HttpMethod.Get, "session");
        using var control = server.Control();
        await AskAsync(control, HttpMethod.Patch, "accounts/anna@example.test", new { password = "another word" });
        Assert.Equal(HttpStatusCode.Unauthorized, (await RefusedAsync(client, HttpMethod.Get, "session")).Status);
    }

    [Fact]
    public async Task An_owner_acts_as_somebody_and_the_log_says_who_it_was()
    {
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{site.Server.Http}") };
        (await client.PostAsJsonAsync("/api/v1/session", new { address = ApiFixture.Owner, password = TestServer.Password })).EnsureSuccessStatusCode();
        client.DefaultRequestHeaders.Add("X-CSRF-Token", (await AskAsync(client, HttpMethod.Get, "session")).GetProperty("proof").GetString());
        var acting = await AskAsync(client, HttpMethod.Post, "session/act", new { address = ApiFixture.DomainAdmin });
        Assert.Equal((ApiFixture.DomainAdmin, ApiFixture.Owner), (acting.GetProperty("address").GetString(), acting.GetProperty("acting").GetString()));
        client.DefaultRequestHeaders.Remove("X-CSRF-Token");
        client.DefaultRequestHeaders.Add("X-CSRF-Token", acting.GetProperty("proof").GetString());
        await AskAsync(client, HttpMethod.Patch, "accounts/" + ApiFixture.User, new { name = "Renamed" });
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(client, HttpMethod.Get, "audit")).Status); // he may do now what that one may
        using var owner = site.As(ApiFixture.Owner);
        var entry = (await AskAsync(owner, HttpMethod.Get, "audit?text=accounts/" + ApiFixture.User)).GetProperty("items")[0];
        Assert.Equal($"{ApiFixture.DomainAdmin}, who is {ApiFixture.Owner}", entry.GetProperty("caller").GetString());
        Assert.Equal("Renamed", entry.GetProperty("after").GetProperty("name").GetString());
        Assert.NotEqual("Renamed", entry.GetProperty("before").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Nobody_gives_himself_more_than_he_has()
    {
        using var dean = site.As(ApiFixture.DomainAdmin);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Patch, "accounts/" + ApiFixture.DomainAdmin, new { role = "admin" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Patch, "accounts/" + ApiFixture.DomainAdmin, new { domains = new[] { ApiFixture.Foreign } })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Patch, "accounts/" + ApiFixture.Owner, new { password = "mine now" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Post, "accounts", new { address = "x@own.test", role = "domain-admin" })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Post, "accounts", new { address = "x@" + ApiFixture.Foreign })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Post, "aliases", new { address = "x@" + ApiFixture.Foreign, targets = new[] { ApiFixture.User } })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Post, "courses", new { name = "X", domain = ApiFixture.Foreign })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Get, "mailboxes?owner=" + ApiFixture.Stranger)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Get, "accounts?domain=" + ApiFixture.Foreign)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(dean, HttpMethod.Post, "api-keys", new { name = "x", account = ApiFixture.Owner })).Status);
        Assert.All((await AskAsync(dean, HttpMethod.Get, "accounts")).GetProperty("items").EnumerateArray(), account => Assert.EndsWith("@own.test", account.GetProperty("address").GetString()));
        using var student = site.As(ApiFixture.User);
        Assert.Equal(ApiFixture.User, Assert.Single((await AskAsync(student, HttpMethod.Get, "accounts")).GetProperty("items").EnumerateArray()).GetProperty("address").GetString());
        using var teacher = site.As(ApiFixture.CourseManager);
        Assert.Equal(site.OwnCourse, Assert.Single((await AskAsync(teacher, HttpMethod.Get, "courses")).GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(teacher, HttpMethod.Post, "mailings", new { course = site.ForeignCourse, from = "x@own.test", subject = "x", text = "x" })).Status);
    }

    [Fact]
    public async Task A_permission_can_be_given_and_taken()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, HttpMethod.Post, "accounts", new { address = "second@own.test", role = "domain-admin", withheld = new[] { "aliases.read" }, granted = new[] { "status.read" }, domains = new[] { ApiFixture.Foreign } });
        var key = (await AskAsync(owner, HttpMethod.Post, "api-keys", new { name = "x", account = "second@own.test" })).GetProperty("key").GetString();
        using var second = site.By(key);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(second, HttpMethod.Get, "aliases")).Status);
        await AskAsync(second, HttpMethod.Get, "accounts?domain=" + ApiFixture.Foreign);
        await AskAsync(owner, HttpMethod.Patch, "accounts/second@own.test", new { withheld = Array.Empty<string>(), domains = Array.Empty<string>() });
        await AskAsync(second, HttpMethod.Get, "aliases");
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(second, HttpMethod.Get, "accounts?domain=" + ApiFixture.Foreign)).Status);
        await AskAsync(owner, HttpMethod.Patch, "accounts/second@own.test", new { enabled = false });
        Assert.Equal(HttpStatusCode.Unauthorized, (await RefusedAsync(second, HttpMethod.Get, "aliases")).Status);
    }

    [Fact]
    public async Task A_key_ends_at_its_time_and_works_from_its_networks_only()
    {
        using var owner = site.As(ApiFixture.Owner);
        var elsewhere = await AskAsync(owner, HttpMethod.Post, "api-keys", new { name = "x", networks = new[] { "192.0.2.0/24" } });
        using (var client = site.By(elsewhere.GetProperty("key").GetString())) Assert.Equal(HttpStatusCode.Unauthorized, (await RefusedAsync(client, HttpMethod.Get, "session")).Status);
        var here = await AskAsync(owner, HttpMethod.Post, "api-keys", new { name = "x", networks = new[] { "127.0.0.0/8" } });
        using (var client = site.By(here.GetProperty("key").GetString())) await AskAsync(client, HttpMethod.Get, "session");
        Assert.Equal(HttpStatusCode.BadRequest, (await RefusedAsync(owner, HttpMethod.Post, "api-keys", new { name = "x", expires = "2020-01-01T00:00:00Z" })).Status);
        // a key that may little makes none that may more
        var small = await AskAsync(owner, HttpMethod.Post, "api-keys", new { name = "x", permissions = new[] { "self" } });
        using (var client = site.By(small.GetProperty("key").GetString())) Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(client, HttpMethod.Post, "api-keys", new { name = "y" })).Status);
    }

    [Fact]
    public async Task Too_many_requests_are_told_when_to_come_again()
    {
        await using var server = await TestServer.StartAsync("api: {rate: 5/h}");
        await server.AddAccountsAsync("anna@example.test");
        using var control = server.Control();
        var key = (await AskAsync(control, HttpMethod.Post, "api-keys", new { name = "x", account = "anna@example.test" })).GetProperty("key").GetString();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}"), DefaultRequestHeaders = { { "Authorization", "Bearer " + key } } };
        for (var i = 0; i < 5; i++) await AskAsync(client, HttpMethod.Get, "session");
        using var answer = await client.GetAsync("/api/v1/session");
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        // who shows no key is counted by his address
        using var nobody = new HttpClient { BaseAddress = client.BaseAddress };
        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.OK, (await nobody.GetAsync("/api/v1/openapi.json")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await nobody.GetAsync("/api/v1/openapi.json")).StatusCode);
    }

    [Fact]
    public async Task Tampering_with_the_audit_log_is_evident_and_no_secret_is_in_it()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync("anna@example.test");
        Assert.Contains("2 entries are as they were written", (await server.CliAsync("audit", "verify")).Output);
        Assert.DoesNotContain(TestServer.Password, (await server.CliAsync("audit", "export")).Output);
        await server.StopAsync();
        await Tool.RunAsync("sqlite3", Path.Combine(server.Data, "cbamail.db"), "UPDATE audit SET caller = 'somebody else' WHERE id = 1");
        await server.StartAgainAsync();
        var verified = await server.CliAsync("audit", "verify");
        Assert.Equal(1, verified.ExitCode);
        Assert.Contains("Entry 1", verified.Output);
    }

    [Fact]
    public async Task The_command_line_does_whatever_the_api_does()
    {
        var table = await site.Server.CliAsync("api", "GET", "domains?fields=name,accounts", "--format", "csv");
        Assert.Contains("name,accounts\n", table.Output);
        Assert.Contains("foreign.test,1\n", table.Output);
        var made = await site.Server.CliAsync("api", "POST", "/api/v1/aliases", "--body", "{\"address\":\"cli@own.test\",\"targets\":[\"student@own.test\"]}");
        Assert.Equal(0, made.ExitCode);
        var refused = await site.Server.CliAsync("api", "GET", "accounts/nobody@own.test");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("There is no account", refused.Error);
    }

    [Fact]
    public async Task Outside_the_evaluation_profile_no_secret_is_taken_in_clear()
    {
        await using var server = await TestServer.StartAsync(evaluation: false);
        await server.AddAccountsAsync("anna@example.test");
        using var clear = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(clear, HttpMethod.Post, "session", new { address = "anna@example.test", password = TestServer.Password })).Status);
        using var tls = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer(), SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } }) { BaseAddress = new Uri($"https://127.0.0.1:{server.Https}") };
        using var signedIn = await tls.PostAsJsonAsync("/api/v1/session", new { address = "anna@example.test", password = TestServer.Password });
        Assert.Equal(HttpStatusCode.Created, signedIn.StatusCode);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single();
        Assert.StartsWith("__Host-", cookie);
        Assert.Contains("secure", cookie);
    }
}
