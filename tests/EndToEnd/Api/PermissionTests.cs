using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Http;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>
/// Every route of the OpenAPI document, asked by every role for what is its own and for what is not, answers as the matrix of permissions says.
/// No change is made on the way: each is asked under a condition that does not hold, or without the body that it needs.
/// </summary>
public sealed partial class PermissionTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    static readonly (string Who, Role Role)[] People =
        [(ApiFixture.Owner, Role.Admin), (ApiFixture.DomainAdmin, Role.DomainAdmin), (ApiFixture.CourseManager, Role.CourseManager), (ApiFixture.User, Role.User)];

    [Fact]
    public async Task Every_route_is_open_to_whom_the_matrix_names_and_to_nobody_else()
    {
        var wrong = new List<string>();
        foreach (var route in ApiRoutes.All)
            foreach (var (who, role) in People)
                foreach (var own in new[] { true, false })
                {
                    using var client = site.As(who);
                    var status = await StatusAsync(client, route, own);
                    var refused = status is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized;
                    if (status == HttpStatusCode.InternalServerError || refused == May(route, role, own)) wrong.Add($"{route.Name} by {who}, {(own ? "his own" : "foreign")}: {(int)status}");
                }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Without_a_key_only_signing_in_and_the_document_are_open()
    {
        var open = new List<string>();
        using var client = site.As(null);
        foreach (var route in ApiRoutes.All)
            if (await StatusAsync(client, route, own: true) != HttpStatusCode.Unauthorized) open.Add(route.Name);
        Assert.Equal(
            ["GET /api/v1/branding", "GET /api/v1/branding/logo", "GET /api/v1/lti/jwks", "GET /api/v1/openapi.json", "GET /api/v1/session/oidc", "GET /api/v1/session/oidc/callback", "POST /api/v1/join", "POST /api/v1/join/options", "POST /api/v1/password-reset", "POST /api/v1/password-reset/confirm", "POST /api/v1/recovery/confirm", "POST /api/v1/session", "POST /api/v1/session/passkey", "POST /api/v1/session/passkey/options"],
            open.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_key_reaches_as_far_as_its_permissions_and_no_further()
    {
        using var control = site.Server.Control();
        foreach (var permission in Permissions.All)
        {
            var made = await ApiFixture.AskAsync(control, HttpMethod.Post, "/api/v1/api-keys", new { name = permission.Name, account = ApiFixture.Owner, permissions = new[] { permission.Name } });
            using var client = site.By(made.GetProperty("key").GetString());
            var wrong = new List<string>();
            foreach (var route in ApiRoutes.All.Where(route => route.Permission is not null && !route.Streams))
                if ((await StatusAsync(client, route, own: true) == HttpStatusCode.Forbidden) != (route.Permission != permission)) wrong.Add(route.Name);
            Assert.True(wrong.Count == 0, $"{permission.Name}: {string.Join(", ", wrong)}");
            await ApiFixture.AskAsync(control, HttpMethod.Delete, "/api/v1/api-keys/" + made.GetProperty("id").GetInt64());
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/session")).StatusCode);
        }
    }

    [Fact]
    public void No_permission_is_without_a_route()
    {
        var used = ApiRoutes.All.Select(route => route.Permission?.Name).ToHashSet();
        // given along with an account, and asked inside its route
        Assert.Equal(["roles.write"], Permissions.All.Select(permission => permission.Name).Where(name => !used.Contains(name)));
    }

    /// <summary>What the matrix says, worked out without the code that is tested.</summary>
    static bool May(ApiRoute route, Role role, bool own)
    {
        if (route.Permission is not { } permission) return true;
        var reach = permission.By(role);
        if (reach is Reach.None or Reach.Server) return reach == Reach.Server;
        return route.About switch
        {
            About.Asked => true, // what is named there is named in the body or the query, and not here
            About.Domain => own && (reach == Reach.Domains || permission.OnlyReads),
            About.Account or About.Name => own && reach != Reach.Courses,
            About.Course or About.Mailing => own && reach is Reach.Domains or Reach.Courses && own,
            _ => false,
        };
    }

    async Task<HttpStatusCode> StatusAsync(HttpClient client, ApiRoute route, bool own)
    {
        var who = site.Keys.FirstOrDefault(pair => pair.Value == client.DefaultRequestHeaders.Authorization?.Parameter).Key;
        // a domain administrator's own is an account below him, a user's is himself
        var account = own ? route.About == About.Account && who is ApiFixture.User or ApiFixture.CourseManager ? who : ApiFixture.User : ApiFixture.Stranger;
        var path = Part().Replace(route.Path, part => part.Groups[1].Value switch
        {
            "domain" => own ? ApiFixture.Own : ApiFixture.Foreign,
            "address" or "subject" => route.About is About.Account or About.Name ? account : "nobody@nowhere.test",
            "course" => own ? site.OwnCourse : site.ForeignCourse,
            "id" => $"{(route.About != About.Mailing ? 999_999 : own ? site.OwnMailing : site.ForeignMailing)}",
            _ => "none",
        });
        using var request = new HttpRequestMessage(new HttpMethod(route.Method), ApiRoutes.Root + path);
        if (!route.OnlyReads)
        {
            request.Headers.TryAddWithoutValidation("If-Match", "\"never\"");
            request.Content = new StringContent(route.Streams && route.TakesType is null ? "no JSON" : "", Encoding.UTF8);
        }
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    [GeneratedRegex(@"\{(\w+)(:\w+)?\}")] private static partial Regex Part();
}
