using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>
/// Two domains with an account of each role, a course and a mailing in each domain, and a key for everybody: what one may do in his own,
/// and must not do in the other.
/// </summary>
public class ApiFixture : ServerFixture
{
    internal const string Own = "own.test", Foreign = "foreign.test";
    internal const string Owner = "owner@own.test", DomainAdmin = "dean@own.test", CourseManager = "teacher@own.test", User = "student@own.test", Stranger = "student@foreign.test";

    internal Dictionary<string, string> Keys { get; } = [];
    internal string OwnCourse { get; private set; } = "";
    internal string ForeignCourse { get; private set; } = "";
    internal long OwnMailing { get; private set; }
    internal long ForeignMailing { get; private set; }

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        using var control = Server.Control();
        foreach (var domain in new[] { Own, Foreign }) await AskAsync(control, HttpMethod.Post, "/api/v1/domains", new { name = domain });
        foreach (var (address, role) in new[] { (Owner, "admin"), (DomainAdmin, "domain-admin"), (CourseManager, "course-manager"), (User, "user"), (Stranger, "user") })
            await AskAsync(control, HttpMethod.Post, "/api/v1/accounts", new { address, role, password = Password });
        (OwnCourse, OwnMailing) = await CourseAsync(control, Own, User);
        (ForeignCourse, ForeignMailing) = await CourseAsync(control, Foreign, Stranger);
        await AskAsync(control, HttpMethod.Patch, "/api/v1/accounts/" + CourseManager, new { courses = new[] { OwnCourse } });
        foreach (var address in new[] { Owner, DomainAdmin, CourseManager, User }) Keys[address] = (await AskAsync(control, HttpMethod.Post, "/api/v1/api-keys", new { name = "test", account = address })).GetProperty("key").GetString()!;
    }

    static async Task<(string, long)> CourseAsync(HttpClient control, string domain, string participant)
    {
        var course = (await AskAsync(control, HttpMethod.Post, "/api/v1/courses", new { name = "Course of " + domain, domain })).GetProperty("id").GetString()!;
        using var people = await control.PostAsync($"/api/v1/courses/{course}/import", new StringContent($"address,name\n{participant},Student\n"));
        people.EnsureSuccessStatusCode();
        var mailing = await AskAsync(control, HttpMethod.Post, "/api/v1/mailings", new { course, from = "dean@" + domain, subject = "Hello", text = "Hello" });
        return (course, mailing.GetProperty("id").GetInt64());
    }

    /// <summary>A client of the public port that shows somebody's key; null: none.</summary>
    internal HttpClient As(string? address) => By(address is null ? null : Keys[address]);

    internal HttpClient By(string? key)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://127.0.0.1:{Server.Http}") };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>Asks, and fails where the answer is no success.</summary>
    internal static async Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }
}
