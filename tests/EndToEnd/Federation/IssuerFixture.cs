using System.Net;
using System.Security.Cryptography;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;
using CbaMail.Tests.House;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd.Federation;

/// <summary>A server that takes people of an issuer of somebody else's making: npm's oidc-provider, with its own forms for signing in and consent.</summary>
public sealed partial class IssuerFixture : ServerFixture
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-issuer-").FullName;
    readonly int port = FreePorts.One(), strangersPort = FreePorts.One();
    readonly List<Daemon> daemons = [];

    internal string Issuer => $"http://127.0.0.1:{port}";
    internal string Stranger => $"http://127.0.0.1:{strangersPort}";

    protected override string Configuration => $$"""
        sign-in: {password-cost: 1, scram-iterations: 4096}
        oidc:
          issuer: {{Issuer}}
          client-id: cba mail
          client-secret-file: {{folder}}/secret
          scopes: [openid, email, profile, groups]
          roles: {deans: domain-admin, operators: admin}
          provision: yes
          audience: cbamail
          required-scope: mail
          remember: 0
        """;

    public override async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "secret"), "a secret: 100%\n");
        Tell("anna", Anna);
        await base.InitializeAsync();
        foreach (var at in new[] { port, strangersPort }) daemons.Add(await IssueAsync(at));
    }

    Task<Daemon> IssueAsync(int at) =>
        Daemon.StartAsync(new IPEndPoint(IPAddress.Loopback, at), () => "", "node", Path.Combine(Repository.Root, "tests/EndToEnd/clients/issuer.mjs"), $"{at}", $"http://127.0.0.1:{Server.Http}/api/v1/session/oidc/callback", Path.Combine(folder, "people.json"));

    internal async Task StopIssuerAsync() => await daemons[0].DisposeAsync();

    internal async Task StartIssuerAsync() => daemons[0] = await IssueAsync(port);

    readonly Dictionary<string, object> people = [];

    /// <summary>What the issuer says of whoever signs in there as <paramref name="login"/>.</summary>
    internal void Tell(string login, string email, bool verified = true, params string[] groups)
    {
        lock (people)
        {
            people[login] = new { email, email_verified = verified, name = "The " + login, groups };
            File.WriteAllText(Path.Combine(folder, "new.json"), JsonSerializer.Serialize(people));
            File.Move(Path.Combine(folder, "new.json"), Path.Combine(folder, "people.json"), overwrite: true);
        }
    }

    internal HttpClient Browser() => new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{Server.Http}") };

    /// <summary>Follows links and fills in forms as a person would, until it is sent to an address that begins so.</summary>
    internal static async Task<Uri> WalkAsync(HttpClient browser, string start, string login, string until)
    {
        var at = new Uri(browser.BaseAddress!, start);
        var answer = await browser.GetAsync(at);
        for (var step = 0; step < 20; step++)
        {
            if ((int)answer.StatusCode is >= 300 and < 400)
            {
                at = new Uri(at, answer.Headers.Location!);
                if (at.ToString().StartsWith(until, StringComparison.Ordinal)) return at;
                answer = await browser.GetAsync(at);
                continue;
            }
            var page = await answer.Content.ReadAsStringAsync();
            var form = Form().Match(page);
            if (!form.Success) throw new InvalidOperationException($"{at}: {(int)answer.StatusCode} {page}");
            at = new Uri(at, HttpUtility.HtmlDecode(form.Groups[1].Value));
            var fields = page.Contains("name=\"login\"", StringComparison.Ordinal) ? new Dictionary<string, string> { ["prompt"] = "login", ["login"] = login, ["password"] = "x" } : new() { ["prompt"] = "consent" };
            answer = await browser.PostAsync(at, new FormUrlEncodedContent(fields));
        }
        throw new InvalidOperationException("it goes on and on: " + at);
    }

    [GeneratedRegex("<form[^>]* action=\"([^\"]+)\"")] private static partial Regex Form();

    /// <summary>The callback's answer after a whole sign-in of a browser.</summary>
    internal async Task<HttpResponseMessage> SignInAsync(HttpClient browser, string login)
    {
        var back = await WalkAsync(browser, "/api/v1/session/oidc", login, $"http://127.0.0.1:{Server.Http}/");
        return await browser.GetAsync(back);
    }

    /// <summary>A token as a mail program gets it: by the code flow, as a public client.</summary>
    internal async Task<string> TokenAsync(string login, string resource = "urn:mail", string scope = "openid mail", string? issuer = null, string kind = "access_token")
    {
        issuer ??= Issuer;
        using var browser = Browser();
        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        const string Back = "http://127.0.0.1/back";
        var back = await WalkAsync(browser, $"{issuer}/auth?client_id=thunder&response_type=code&redirect_uri={Uri.EscapeDataString(Back)}&scope={Uri.EscapeDataString(scope)}&resource={resource}&code_challenge={challenge}&code_challenge_method=S256&state=x&nonce=y", login, Back);
        var code = HttpUtility.ParseQueryString(back.Query)["code"] ?? throw new InvalidOperationException(back.ToString());
        using var answer = await browser.PostAsync(issuer + "/token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = Back,
            ["client_id"] = "thunder",
            ["code_verifier"] = verifier,
            ["resource"] = resource,
        }));
        var body = await answer.Content.ReadAsStringAsync();
        return JsonDocument.Parse(body).RootElement.TryGetProperty(kind, out var token) ? token.GetString()! : throw new InvalidOperationException(body);
    }

    internal async Task RevokeAsync(string token)
    {
        using var client = Browser();
        using var answer = await client.PostAsync(Issuer + "/token/revocation", new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = token, ["client_id"] = "thunder" }));
        answer.EnsureSuccessStatusCode();
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var daemon in daemons) await daemon.DisposeAsync();
        await base.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }
}
