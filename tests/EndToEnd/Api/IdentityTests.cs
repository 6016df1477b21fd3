using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>Somebody says by himself under which names and addresses he writes; those that are not his are refused.</summary>
public sealed class IdentityTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    static string[] Listed(JsonElement answer) => [.. answer.GetProperty("identities").EnumerateArray().Select(one => $"{one.GetProperty("name").GetString()} <{one.GetProperty("address").GetString()}>")];

    static string[] Senders(JsonElement answer) => [.. answer.GetProperty("senders").EnumerateArray().Select(one => one.GetString()!)];

    [Fact]
    public async Task One_writes_as_oneself_as_aliases_and_as_what_is_lent_and_as_nobody_else()
    {
        using var control = site.Server.Control();
        using var student = site.As(ApiFixture.User);
        await AskAsync(control, HttpMethod.Post, "aliases", new { address = "council@own.test", targets = new[] { ApiFixture.User } });
        await AskAsync(control, HttpMethod.Patch, "policies/" + ApiFixture.User, new { sendAs = new[] { "office@own.test" } });
        Assert.Equal([ApiFixture.User, "council@own.test", "office@own.test"], Senders(await AskAsync(student, HttpMethod.Get, "me/identities")));

        string[] own = ["Ivan Petrov <student@own.test>", "Student council <council@own.test>", "Office <office@own.test>", "Lists <student+lists@own.test>"];
        var wanted = own.Select(text => new { name = text[..text.IndexOf(" <", StringComparison.Ordinal)], address = text[(text.IndexOf('<') + 1)..^1] }).ToList();
        Assert.Equal(own, Listed(await AskAsync(student, HttpMethod.Put, "me/identities", new { identities = wanted })));
        Assert.Contains("Student council <council@own.test>", (await site.Server.CliAsync("account", "show", ApiFixture.User)).Output);

        foreach (var (address, status, sentence) in new[] { (ApiFixture.DomainAdmin, 403, "student@own.test may not write as dean@own.test"), ("boss@elsewhere.test", 403, "student@own.test may not write as boss@elsewhere.test"), ("nonsense", 400, "\"nonsense\" is not a valid address") })
        {
            using var answer = await student.PutAsync("/api/v1/me/identities", JsonContent.Create(new { identities = new[] { new { name = "x", address } } }));
            var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.Equal((status, sentence, "identities"), ((int)answer.StatusCode, problem.GetProperty("detail").GetString(), problem.GetProperty("field").GetString()));
        }
        using (var empty = await student.PutAsync("/api/v1/me/identities", JsonContent.Create(new { }))) Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);
        Assert.Equal(own, Listed(await AskAsync(student, HttpMethod.Get, "me/identities")));

        // what was taken away is not offered any more
        await AskAsync(control, HttpMethod.Delete, "aliases/council@own.test");
        await AskAsync(control, HttpMethod.Patch, "policies/" + ApiFixture.User, new Dictionary<string, object?> { ["sendAs"] = null });
        var left = await AskAsync(student, HttpMethod.Get, "me/identities");
        Assert.Equal((string[])[own[0], own[3]], Listed(left));
        Assert.Equal([ApiFixture.User], Senders(left));
    }

    [Fact]
    public async Task An_administrator_sets_them_on_the_command_line()
    {
        using var teacher = site.As(ApiFixture.CourseManager);
        Assert.Equal(0, (await site.Server.CliAsync("account", "set", ApiFixture.CourseManager, "--identity", "Maria Ivanova <teacher@own.test>", "--identity", "teacher+maths@own.test")).ExitCode);
        Assert.Equal(["Maria Ivanova <teacher@own.test>", " <teacher+maths@own.test>"], Listed(await AskAsync(teacher, HttpMethod.Get, "me/identities")));
        Assert.Contains("may not write as dean@own.test", (await site.Server.CliAsync("account", "set", ApiFixture.CourseManager, "--identity", "Dean <dean@own.test>")).Error);
        Assert.Equal(0, (await site.Server.CliAsync("account", "set", ApiFixture.CourseManager, "--identity", "")).ExitCode);
        Assert.Empty(Listed(await AskAsync(teacher, HttpMethod.Get, "me/identities")));
    }
}
