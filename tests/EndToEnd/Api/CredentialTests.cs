using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>By what people sign in, from outside: the API, the command line and curl as a mail program.</summary>
public sealed class CredentialTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    async Task<bool> ReadsMailAsync(string address, string password) =>
        (await Tool.RunAsync("curl", "--silent", "--max-time", "20", "--user", $"{address}:{password}", $"imap://127.0.0.1:{site.Server.Imap}/INBOX")).ExitCode == 0;

    [Fact]
    public async Task Somebody_makes_himself_a_password_for_his_phone_and_takes_it_off()
    {
        using var user = site.As(ApiFixture.User);
        var made = await AskAsync(user, HttpMethod.Post, "me/application-passwords", new { name = "Phone", protocols = new[] { "imap" }, @for = "90d" });
        var password = made.GetProperty("password").GetString()!;
        Assert.True(await ReadsMailAsync(ApiFixture.User, password));
        var listed = (await AskAsync(user, HttpMethod.Get, "me/application-passwords")).GetProperty("items")[0];
        Assert.Equal("imap", listed.GetProperty("usedBy").GetString());
        Assert.False(listed.TryGetProperty("password", out _));
        using (var page = await user.PostAsJsonAsync("/api/v1/session", new { address = ApiFixture.User, password })) Assert.Equal(HttpStatusCode.Unauthorized, page.StatusCode); // of a mail program alone
        await AskAsync(user, HttpMethod.Delete, "me/application-passwords/" + made.GetProperty("id").GetInt64());
        Assert.False(await ReadsMailAsync(ApiFixture.User, password));
        Assert.DoesNotContain(password, (await site.Server.CliAsync("audit", "export")).Output);
        Assert.DoesNotContain(password, site.Server.Log);
    }

    [Fact]
    public async Task An_administrator_makes_sees_and_ends_those_of_his_people()
    {
        var password = (await site.Server.CliAsync("app-password", "add", ApiFixture.CourseManager, "Printer", "--protocol", "imap")).Output.Trim();
        Assert.True(await ReadsMailAsync(ApiFixture.CourseManager, password));
        Assert.Contains("Printer", (await site.Server.CliAsync("app-password", "list", ApiFixture.CourseManager)).Output);
        using var dean = site.As(ApiFixture.DomainAdmin);
        var id = (await AskAsync(dean, HttpMethod.Get, $"accounts/{ApiFixture.CourseManager}/application-passwords")).GetProperty("items")[0].GetProperty("id").GetInt64();
        using (var foreign = await dean.GetAsync($"/api/v1/accounts/{ApiFixture.Stranger}/application-passwords")) Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        using (var other = await dean.DeleteAsync($"/api/v1/accounts/{ApiFixture.User}/application-passwords/{id}")) Assert.Equal(HttpStatusCode.NotFound, other.StatusCode); // it is not hers
        Assert.Equal(0, (await site.Server.CliAsync("app-password", "remove", ApiFixture.CourseManager, $"{id}")).ExitCode);
        Assert.False(await ReadsMailAsync(ApiFixture.CourseManager, password));
    }

    [Fact]
    public async Task A_hash_of_another_server_is_set_and_stays_out_of_the_audit_log()
    {
        using var owner = site.As(ApiFixture.Owner);
        const string hash = "{SSHA256}3/taZRijTsnLvOqp/D4kysYfG5ADX9SBGzuD9hoQKKNAPOm/";
        await AskAsync(owner, HttpMethod.Post, "accounts", new { address = "moved@own.test", passwordHash = hash });
        Assert.True(await ReadsMailAsync("moved@own.test", "Пароль 1"));
        Assert.Equal(0, (await site.Server.CliAsync("$1$abcdefgh$xT94kHla/E1LiX6pFYN.I1\n", ["account", "set", "moved@own.test", "--hash", "-"])).ExitCode);
        Assert.True(await ReadsMailAsync("moved@own.test", "Пароль 1"));
        using var bad = await owner.PatchAsJsonAsync("/api/v1/accounts/moved@own.test", new { passwordHash = "{CRAM-MD5}00" });
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        Assert.Equal("passwordHash", JsonDocument.Parse(await bad.Content.ReadAsStringAsync()).RootElement.GetProperty("field").GetString());
        using var both = await owner.PatchAsJsonAsync("/api/v1/accounts/moved@own.test", new { passwordHash = hash, password = "x" });
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
        Assert.DoesNotContain("3/taZRijTsnLvOqp", (await site.Server.CliAsync("audit", "export")).Output);
    }
}
