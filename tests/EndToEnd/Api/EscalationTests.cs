using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>Who wants more than he was given does not get it.</summary>
public sealed class EscalationTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    const string Password = "a long password of ours";

    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    async Task MakeAsync(string address, string role = "user", object? more = null)
    {
        using var control = site.Server.Control();
        await AskAsync(control, HttpMethod.Post, "accounts", new { address, role, password = Password });
        if (more is not null) await AskAsync(control, HttpMethod.Patch, "accounts/" + address, more);
    }

    async Task<string> KeyAsync(string account, params string[] permissions)
    {
        using var control = site.Server.Control();
        return (await AskAsync(control, HttpMethod.Post, "api-keys", new { name = "test", account, permissions })).GetProperty("key").GetString()!;
    }

    [Fact]
    public async Task A_removed_administrator_is_not_brought_back_by_one_of_his_domain()
    {
        using var owner = site.As(ApiFixture.Owner);
        using var dean = site.As(ApiFixture.DomainAdmin);
        await MakeAsync("former@own.test", "admin");
        var id = (await AskAsync(owner, HttpMethod.Delete, "accounts/former@own.test")).GetProperty("id").GetInt64();
        Assert.DoesNotContain("former@own.test", (await AskAsync(dean, HttpMethod.Get, "removed-accounts")).GetRawText());
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(dean, HttpMethod.Post, $"removed-accounts/{id}/restore", new { }));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(dean, HttpMethod.Delete, $"removed-accounts/{id}"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(owner, HttpMethod.Post, $"removed-accounts/{id}/restore", new { }));
    }

    [Theory]
    [InlineData(ApiFixture.Owner)]
    [InlineData(ApiFixture.DomainAdmin)]
    public async Task A_key_for_accounts_makes_itself_no_way_to_the_role_of_its_owner(string account)
    {
        using var key = site.By(await KeyAsync(account, "accounts.write", "credentials.write"));
        foreach (var above in new[] { account, ApiFixture.CourseManager })
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(key, HttpMethod.Patch, "accounts/" + above, new { password = Password }));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(key, HttpMethod.Post, $"accounts/{above}/application-passwords", new { name = "mine" }));
        }
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(key, HttpMethod.Patch, "accounts/" + ApiFixture.User, new { name = "Student" }));
    }

    [Fact]
    public async Task A_key_makes_no_key_for_somebody_else_or_from_elsewhere_or_for_longer()
    {
        using var control = site.Server.Control();
        async Task<HttpClient> OfOwnerAsync(object wanted) => site.By((await AskAsync(control, HttpMethod.Post, "api-keys", wanted)).GetProperty("key").GetString());
        var permissions = new[] { "self", "self.credentials" };

        using var narrow = await OfOwnerAsync(new { name = "narrow", account = ApiFixture.Owner, permissions });
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(narrow, HttpMethod.Post, "api-keys", new { name = "x", account = ApiFixture.Stranger, permissions }));
        Assert.Equal(HttpStatusCode.Created, await StatusAsync(narrow, HttpMethod.Post, "api-keys", new { name = "x", permissions }));

        using var near = await OfOwnerAsync(new { name = "near", account = ApiFixture.Owner, networks = new[] { "127.0.0.0/8" } });
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(near, HttpMethod.Post, "api-keys", new { name = "x" }));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(near, HttpMethod.Post, "api-keys", new { name = "x", networks = new[] { "127.0.0.1", "192.0.2.1" } }));
        Assert.Equal(HttpStatusCode.Created, await StatusAsync(near, HttpMethod.Post, "api-keys", new { name = "x", networks = new[] { "127.0.0.1" } }));

        using var brief = await OfOwnerAsync(new { name = "brief", account = ApiFixture.Owner, @for = "1d" });
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(brief, HttpMethod.Post, "api-keys", new { name = "x" }));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(brief, HttpMethod.Post, "api-keys", new { name = "x", @for = "2d" }));
        Assert.Equal(HttpStatusCode.Created, await StatusAsync(brief, HttpMethod.Post, "api-keys", new { name = "x", @for = "1h" }));
    }

    [Fact]
    public async Task Who_holds_his_body_back_keeps_nobody_waiting_and_nothing_that_was_taken_away()
    {
        using var owner = site.As(ApiFixture.Owner);
        await MakeAsync("slow@own.test", more: new { granted = new[] { "audit.read" } });
        var body = Encoding.UTF8.GetBytes("""{"enabled":false,"text":"away"}""");
        using var socket = new TcpClient("127.0.0.1", site.Server.Http);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"PATCH /api/v1/me/vacation HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {await KeyAsync("slow@own.test")}\r\nIf-Match: *\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 100 Continue", await reader.ReadLineAsync(TestContext.Current.CancellationToken)); // it waits for the body

        using var change = new HttpRequestMessage(HttpMethod.Patch, "/api/v1/accounts/slow@own.test") { Content = JsonContent.Create(new { granted = Array.Empty<string>(), withheld = new[] { "self.mail" } }) };
        change.Headers.TryAddWithoutValidation("If-Match", "*");
        using (var changed = await owner.SendAsync(change, TestContext.Current.CancellationToken)) Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        await stream.WriteAsync(body);
        Assert.Contains("HTTP/1.1 403", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        var now = await AskAsync(owner, HttpMethod.Get, "accounts/slow@own.test");
        Assert.Equal(JsonValueKind.Null, now.GetProperty("granted").ValueKind);
        Assert.Equal("self.mail", now.GetProperty("withheld")[0].GetString());
    }

    [Fact]
    public async Task Of_changes_at_the_same_time_none_undoes_another()
    {
        using var owner = site.As(ApiFixture.Owner);
        await MakeAsync("busy@own.test");
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => AskAsync(owner, HttpMethod.Patch, "accounts/busy@own.test", new { password = Password, attributes = new Dictionary<string, int> { [$"a{i}"] = i } })));
        Assert.Equal(16, (await AskAsync(owner, HttpMethod.Get, "accounts/busy@own.test")).GetProperty("attributes").EnumerateObject().Count());
    }

    [Fact]
    public async Task Who_had_a_domain_that_is_gone_does_not_get_the_next_one()
    {
        using var owner = site.As(ApiFixture.Owner);
        await AskAsync(owner, HttpMethod.Post, "domains", new { name = "gone.test" });
        await MakeAsync("keeper@own.test", "domain-admin", new { domains = new[] { "gone.test" } });
        await AskAsync(owner, HttpMethod.Delete, "domains/gone.test");
        await AskAsync(owner, HttpMethod.Post, "domains", new { name = "next.test" });
        using var keeper = site.By(await KeyAsync("keeper@own.test"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(keeper, HttpMethod.Post, "accounts", new { address = "spy@next.test", generate = true }));
    }

    [Fact]
    public async Task A_session_as_somebody_else_ends_where_he_rises()
    {
        using var owner = site.As(ApiFixture.Owner);
        await MakeAsync("actor@own.test", "domain-admin", new { granted = new[] { "accounts.sign-in-as" } });
        await MakeAsync("riser@own.test");
        using var page = site.By(null);
        using var entered = await page.PostAsJsonAsync("/api/v1/session", new { address = "actor@own.test", password = Password }, TestContext.Current.CancellationToken);
        page.DefaultRequestHeaders.Add("Cookie", entered.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        page.DefaultRequestHeaders.Add("X-CSRF-Token", JsonDocument.Parse(await entered.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("proof").GetString());
        using var acting = await page.PostAsJsonAsync("/api/v1/session/act", new { address = "riser@own.test" }, TestContext.Current.CancellationToken);
        using var acted = site.By(null);
        acted.DefaultRequestHeaders.Add("Cookie", acting.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        Assert.Equal("riser@own.test", (await AskAsync(acted, HttpMethod.Get, "session")).GetProperty("address").GetString());
        await AskAsync(owner, HttpMethod.Patch, "accounts/riser@own.test", new { role = "admin" });
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(acted, HttpMethod.Get, "session"));
    }

    [Fact]
    public async Task A_mailing_is_written_in_no_name_of_a_foreign_domain_and_brings_no_more_than_fits()
    {
        using var teacher = site.As(ApiFixture.CourseManager);
        object Mailing(string from, object[] files) => new { course = site.OwnCourse, from, subject = "Hello", text = "Hello", files };
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(teacher, HttpMethod.Post, "mailings", Mailing("Rector <rector@foreign.test>", [])));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(teacher, HttpMethod.Post, "mailings", Mailing(ApiFixture.CourseManager, [])));
        using var sent = await teacher.PostAsync("/api/v1/mailing-files", new ByteArrayContent(new byte[2 << 20]), TestContext.Current.CancellationToken);
        var hash = JsonDocument.Parse(await sent.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("hash").GetString();
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await StatusAsync(teacher, HttpMethod.Post, "mailings", Mailing(ApiFixture.CourseManager, [.. Enumerable.Range(0, 20).Select(i => new { name = $"{i}.txt", hash })])));
    }

    [Fact]
    public async Task A_number_in_a_batch_that_is_too_long_for_one_is_not_there()
    {
        using var owner = site.As(ApiFixture.Owner);
        var done = await AskAsync(owner, HttpMethod.Post, "batch", new { requests = new[] { new { method = "GET", path = "/mailings/99999999999999999999" } } });
        Assert.Equal(404, done.GetProperty("results")[0].GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Of_many_keys_at_once_there_are_no_more_than_may_be()
    {
        await MakeAsync("collector@own.test");
        using var collector = site.By(await KeyAsync("collector@own.test"));
        foreach (var many in Enumerable.Range(0, 120).Chunk(30)) // as many as one may ask at once
            await Task.WhenAll(many.Select(i => StatusAsync(collector, HttpMethod.Post, "api-keys", new { name = $"{i}" })));
        Assert.Equal(100, (await AskAsync(collector, HttpMethod.Get, "api-keys?limit=5000")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_quota_below_nothing_makes_no_room_for_others()
    {
        using var owner = site.As(ApiFixture.Owner);
        using var dean = site.As(ApiFixture.DomainAdmin);
        await MakeAsync("minus@own.test");
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(dean, HttpMethod.Patch, "accounts/minus@own.test", new { quota = -1_000_000 }));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(dean, HttpMethod.Post, "accounts", new { address = "minus2@own.test", quota = -1 }));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(dean, HttpMethod.Patch, "domains/own.test", new { quota = -1 }));
    }

    [Theory]
    [InlineData("POST", "aliases", """{"address":"null@own.test","targets":[null]}""")]
    [InlineData("POST", "api-keys", """{"name":null}""")]
    [InlineData("POST", "api-keys", """{"name":"x","networks":[null]}""")]
    [InlineData("POST", "api-keys", """{"name":"x","permissions":[null]}""")]
    [InlineData("POST", "batch", """{"requests":[null]}""")]
    [InlineData("PATCH", "accounts/student@own.test", """{"granted":[null]}""")]
    [InlineData("PATCH", "accounts/student@own.test", """{"domains":[null]}""")]
    public async Task Nothing_in_the_place_of_something_is_refused(string method, string path, string body)
    {
        using var owner = site.As(ApiFixture.Owner);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1/" + path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await owner.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.InRange((int)answer.StatusCode, 400, 499);
    }
}
