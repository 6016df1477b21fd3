using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>Settings, statistics, templates, people of courses: what is made is there, also after a restart, and what is wrong is said.</summary>
public sealed class ResourceTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    static async Task<(int Status, string? Field, string Detail)> RefusedAsync(HttpClient client, HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = body is string text ? new StringContent(text) : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return ((int)answer.StatusCode, problem.TryGetProperty("field", out var field) ? field.GetString() : null, problem.GetProperty("detail").GetString()!);
    }

    static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;

    [Fact]
    public async Task A_setting_that_is_set_here_counts_after_the_next_start_and_the_settings_file_wins()
    {
        await using var server = await TestServer.StartAsync("limits: {stay-awake: no}");
        using (var control = server.Control())
        {
            var changed = await AskAsync(control, HttpMethod.Patch, "settings", new Dictionary<string, object?> { ["api.rate"] = "600/m", ["inbound.allow"] = new[] { "192.0.2.1", "198.51.100.0/24" }, ["search.index"] = false });
            Assert.True(changed.GetProperty("restart").GetBoolean());
            Assert.Equal([" -> 600/1m", " -> 192.0.2.1, 198.51.100.0/24", "yes -> no"], changed.GetProperty("settings").EnumerateArray().Select(row => $"{Text(row, "value")} -> {Text(row, "next")}"));
            Assert.Equal((400, "limits.stay-awake is set by the settings file"), (await RefusedAsync(control, HttpMethod.Patch, "settings", new Dictionary<string, object?> { ["limits.stay-awake"] = true })) is var (status, _, detail) ? (status, detail.Split(" /")[0]) : default);
            foreach (var (key, value, sentence) in new (string, object, string)[]
            {
                ("api.rat", "1/m", "There is no setting \"api.rat\"; did you mean \"api.rate\"?"), ("api.rate", "often", "\"often\" is not right for api.rate, which takes a number in a time"),
                ("port-offset", 5, "port-offset can only be said by the settings file"), ("listeners", "x", "can only be said by the settings file"), ("api", "x", "api holds further keys"),
            })
                Assert.Contains(sentence, (await RefusedAsync(control, HttpMethod.Patch, "settings", new Dictionary<string, object> { [key] = value })).Detail);
        }
        await server.StopAsync();
        await server.StartAgainAsync();
        using (var control = server.Control())
        {
            var rows = (await AskAsync(control, HttpMethod.Get, "settings?changed=true")).GetProperty("items").EnumerateArray().ToDictionary(row => Text(row, "key"), row => $"{Text(row, "value")} {Text(row, "from")}");
            Assert.Equal(("600/1m here", "no file", "no here"), (rows["api.rate"], rows["limits.stay-awake"], rows["search.index"]));
            await AskAsync(control, HttpMethod.Patch, "settings", new Dictionary<string, object?> { ["api.rate"] = null });
        }
        Assert.Matches("api.rate +600/1m +here", (await server.CliAsync("settings", "list", "api.rate")).Output);
        Assert.Contains("it counts from the next start", (await server.CliAsync("settings", "set", "queue.keep-finished", "10d")).Output);
        Assert.Equal(1, (await server.CliAsync("settings", "set", "queue.keep-finished", "soon")).ExitCode);
    }

    [Fact]
    public async Task Statistics_count_what_came_went_and_was_refused_and_what_a_domain_holds()
    {
        using var dean = site.As(ApiFixture.DomainAdmin);
        using var control = site.Server.Control();
        using (var sent = await control.PostAsync($"/api/v1/messages?to={ApiFixture.User}&from=friend@elsewhere.test", new StringContent("Subject: one\r\n\r\nHello\r\n"))) sent.EnsureSuccessStatusCode();
        var seen = await AskAsync(dean, HttpMethod.Get, $"statistics?domain={ApiFixture.Own}&since=2h&step=30m");
        Assert.Equal((1800, 4), (seen.GetProperty("step").GetInt32(), seen.GetProperty("steps").GetArrayLength()));
        var held = Assert.Single(seen.GetProperty("domains").EnumerateArray());
        Assert.Equal((ApiFixture.Own, 4, true), (Text(held, "domain"), held.GetProperty("accounts").GetInt32(), held.GetProperty("bytes").GetInt64() > 0));
        Assert.Equal((403, 400), ((await RefusedAsync(dean, HttpMethod.Get, "statistics?domain=" + ApiFixture.Foreign, "")).Status, (await RefusedAsync(dean, HttpMethod.Get, "statistics", "")).Status));
        Assert.Equal("step", (await RefusedAsync(control, HttpMethod.Get, "statistics?since=1000d&step=1m", "")).Field);
    }

    [Fact]
    public async Task A_template_is_kept_and_a_mailing_is_begun_with_it()
    {
        using var teacher = site.As(ApiFixture.CourseManager);
        var made = await AskAsync(teacher, HttpMethod.Post, "templates", new { domain = ApiFixture.Own, name = "Welcome", subject = "Hello, {{name}}", text = "Dear {{name}}, welcome." });
        var id = made.GetProperty("id").GetInt64();
        Assert.Equal(409, (await RefusedAsync(teacher, HttpMethod.Post, "templates", new { domain = ApiFixture.Own, name = "Welcome", subject = "x", text = "x" })).Status);
        Assert.Equal(403, (await RefusedAsync(teacher, HttpMethod.Post, "templates", new { domain = ApiFixture.Foreign, name = "Welcome", subject = "x", text = "x" })).Status);
        Assert.Equal((400, "text"), (await RefusedAsync(teacher, HttpMethod.Patch, "templates/" + id, new { text = "Dear {{#if name}}" })) is var (status, field, _) ? (status, field) : default);
        var mailing = await AskAsync(teacher, HttpMethod.Post, "mailings", new { course = site.OwnCourse, from = "dean@" + ApiFixture.Own, template = id });
        var seen = await AskAsync(teacher, HttpMethod.Get, $"mailings/{mailing.GetProperty("id").GetInt64()}/preview");
        Assert.Equal(("Hello, Student", "Dear Student, welcome."), (Text(seen, "subject"), Text(seen, "text").Trim()));
        await AskAsync(teacher, HttpMethod.Patch, "templates/" + id, new { name = "Greeting" });
        Assert.Equal("Greeting", Text(Assert.Single((await AskAsync(teacher, HttpMethod.Get, "templates?search=greet")).GetProperty("items").EnumerateArray()), "name"));
        using var student = site.As(ApiFixture.User);
        Assert.Equal(403, (await RefusedAsync(student, HttpMethod.Get, "templates", "")).Status);
        Assert.Contains("Greeting", (await site.Server.CliAsync("template", "list")).Output);
        await AskAsync(teacher, HttpMethod.Delete, "templates/" + id);
        Assert.Equal(404, (await RefusedAsync(teacher, HttpMethod.Get, "templates/" + id, "")).Status);
    }

    [Fact]
    public async Task Somebody_is_taken_into_a_course_changed_and_taken_out()
    {
        using var teacher = site.As(ApiFixture.CourseManager);
        var path = $"courses/{site.OwnCourse}/participants";
        var put = await AskAsync(teacher, HttpMethod.Post, path, new { address = "olga@far.test", name = "Olga \"O\", Petrova", fields = new { mark = "5" } });
        Assert.Equal(("Olga \"O\", Petrova", "5"), (Text(put, "name"), Text(put.GetProperty("fields"), "mark")));
        await AskAsync(teacher, HttpMethod.Post, path, new { address = "olga@far.test", name = "Olga", fields = new { mark = "4" } });
        Assert.Equal("4", Text((await AskAsync(teacher, HttpMethod.Get, path + "/olga@far.test")).GetProperty("fields"), "mark"));
        Assert.Equal((400, "address"), (await RefusedAsync(teacher, HttpMethod.Post, path, new { address = "nonsense" })) is var (status, field, _) ? (status, field) : default);
        await AskAsync(teacher, HttpMethod.Delete, path + "/olga@far.test");
        Assert.Equal(404, (await RefusedAsync(teacher, HttpMethod.Get, path + "/olga@far.test", "")).Status);
    }

    [Fact]
    public async Task One_caller_holds_no_more_than_his_part_of_the_server()
    {
        var open = new TcpClient?[32];
        var begin = Encoding.ASCII.GetBytes($"POST /api/v1/accounts/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {site.Keys[ApiFixture.DomainAdmin]}\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n8\r\naddress\n\r\n");
        var more = Encoding.ASCII.GetBytes("800\r\n" + new string('\n', 2048) + "\r\n");
        using var same = site.As(ApiFixture.DomainAdmin);
        using var other = site.As(ApiFixture.User);
        await Wait.UntilAsync(async () =>
        {
            for (var i = 0; i < open.Length; i++) // each with a body that does not end; one that comes too slowly is cut off
            {
                try { if (open[i] is { } one) { await one.GetStream().WriteAsync(more); continue; } }
                catch (IOException) { open[i]!.Dispose(); }
                open[i] = new TcpClient();
                await open[i]!.ConnectAsync("127.0.0.1", site.Server.Http);
                await open[i]!.GetStream().WriteAsync(begin);
            }
            return (await same.GetAsync("/api/v1/session")).StatusCode == HttpStatusCode.TooManyRequests;
        }, "there is no place for another request");
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/v1/session")).StatusCode);
        foreach (var one in open) one!.Dispose();
        await Wait.UntilAsync(async () => (await same.GetAsync("/api/v1/session")).StatusCode == HttpStatusCode.OK, "there is a place again");
    }

    [Fact]
    public async Task People_and_their_administrators_say_how_long_a_mailbox_keeps_its_messages()
    {
        using var student = site.As(ApiFixture.User);
        using var dean = site.As(ApiFixture.DomainAdmin);
        static (string, int?) Of(JsonElement mailbox) => (Text(mailbox, "keep"), mailbox.GetProperty("keepDays") is { ValueKind: JsonValueKind.Number } days ? days.GetInt32() : null);
        Assert.Equal(("default", null), Of((await AskAsync(student, HttpMethod.Get, "me/mailboxes")).EnumerateArray().Single(one => Text(one, "specialUse") == "\\Junk")));
        Assert.Equal(("30d", 30), Of(await AskAsync(student, HttpMethod.Patch, "me/mailboxes", new { name = "Junk", keep = "30d" })));
        Assert.Equal(("30d", 30), Of((await AskAsync(dean, HttpMethod.Get, "mailboxes?owner=" + ApiFixture.User)).EnumerateArray().Single(one => Text(one, "name") == "Junk")));
        Assert.Equal(("forever", null), Of(await AskAsync(dean, HttpMethod.Patch, "mailboxes", new { owner = ApiFixture.User, name = "Junk", keep = "forever" })));
        Assert.Equal(403, (await RefusedAsync(student, HttpMethod.Patch, "mailboxes", new { owner = ApiFixture.Owner, name = "Junk", keep = "1d" })).Status);
        foreach (var nonsense in new[] { "30", "0d", "-1d", "1.5d", "36501d", "d", "" })
            Assert.Equal((400, "keep"), (await RefusedAsync(student, HttpMethod.Patch, "me/mailboxes", new { name = "Junk", keep = nonsense })) is var (status, field, _) ? (status, field) : default);
        Assert.Equal("Junk of " + ApiFixture.User + " keeps messages for 7 days.", (await site.Server.CliAsync("mailbox", "keep", ApiFixture.User, "Junk", "7d")).Succeeded().Output.Trim());
        Assert.Matches("Junk +0 +7d", (await site.Server.CliAsync("mailbox", "list", ApiFixture.User)).Output);
    }

    [Fact]
    public async Task A_body_that_is_not_right_is_refused_in_the_words_of_who_wrote_it()
    {
        using var owner = site.As(ApiFixture.Owner);
        var unknown = await RefusedAsync(owner, HttpMethod.Post, "accounts", new { address = "new@own.test", color = "red" });
        Assert.Equal((400, "color"), (unknown.Status, unknown.Field));
        Assert.StartsWith("There is no field \"color\" here; those that can be given are address, name, quota", unknown.Detail);
        Assert.Equal((400, "quota", "quota takes a number"), await RefusedAsync(owner, HttpMethod.Post, "accounts", new { address = "new@own.test", quota = "much" }));
        Assert.Equal((400, "enabled", "enabled takes true or false"), await RefusedAsync(owner, HttpMethod.Post, "accounts", new { address = "new@own.test", enabled = "perhaps" }));
        Assert.Equal((400, null, "The request is not JSON: line 1, character 15"), await RefusedAsync(owner, HttpMethod.Post, "accounts", "{\"address\": \"}"));
        Assert.Equal(400, (await RefusedAsync(owner, HttpMethod.Post, "accounts", "")).Status);
    }
}
