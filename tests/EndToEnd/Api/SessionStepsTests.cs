using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CbaMail.Directory;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>A browser's way in where the password is not all of it.</summary>
public sealed class SessionStepsTests
{
    const string Anna = "anna@example.test", Boris = "boris@example.test";

    static HttpClient Browser(TestServer server) => new(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };

    static async Task<(int Status, JsonElement Answer)> SendAsync(HttpClient client, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        if (answer.IsSuccessStatusCode && json.ValueKind == JsonValueKind.Object && json.TryGetProperty("proof", out var proof))
        {
            client.DefaultRequestHeaders.Remove("X-CSRF-Token");
            client.DefaultRequestHeaders.Add("X-CSRF-Token", proof.GetString());
        }
        return ((int)answer.StatusCode, json);
    }

    static Task<(int Status, JsonElement Answer)> SignInAsync(HttpClient client, string address, string? code = null, string password = TestServer.Password) =>
        SendAsync(client, HttpMethod.Post, "session", code is null ? new { address, password } : new { address, password, code });

    static async Task<bool> ReadsMailAsync(TestServer server, string address, string password) =>
        (await Tool.RunAsync("curl", "--silent", "--max-time", "20", "--user", $"{address}:{password}", $"imap://127.0.0.1:{server.Imap}/INBOX")).ExitCode == 0;

    static byte[] Key(string base32) => [.. Enumerable.Range(0, 20).Select(at =>
        (byte)Enumerable.Range(at * 8, 8).Aggregate(0, (value, bit) => (value << 1) | (("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(base32[bit / 5]) >> (4 - bit % 5)) & 1)))];

    static long Now => Totp.StepOf(DateTimeOffset.UtcNow);

    [Fact]
    public async Task A_second_factor_is_set_up_asked_for_and_taken_off_by_an_administrator()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna, Boris);
        using var first = Browser(server);
        Assert.Equal(201, (await SignInAsync(first, Anna)).Status);
        var begun = (await SendAsync(first, HttpMethod.Post, "me/totp")).Answer;
        Assert.StartsWith("<svg ", begun.GetProperty("qr").GetString());
        var secret = begun.GetProperty("secret").GetString()!;
        Assert.Contains(secret, begun.GetProperty("otpauth").GetString());
        var step = Now;
        Assert.Equal(401, (await SendAsync(first, HttpMethod.Post, "me/totp/confirm", new { code = "000000" })).Status);
        var recovery = (await SendAsync(first, HttpMethod.Post, "me/totp/confirm", new { code = Totp.Code(Key(secret), step) })).Answer.GetProperty("recoveryCodes").EnumerateArray().Select(one => one.GetString()!).ToList();

        using var second = Browser(server);
        var (status, problem) = await SignInAsync(second, Anna);
        Assert.Equal((401, "second-factor"), (status, problem.GetProperty("code").GetString()));
        Assert.Equal(["totp", "recovery-code"], problem.GetProperty("kinds").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal("sign-in-failed", (await SignInAsync(second, Anna, "000000")).Answer.GetProperty("code").GetString());
        Assert.Equal("sign-in-failed", (await SignInAsync(second, Anna, password: "wrong")).Answer.GetProperty("code").GetString()); // does not tell that there is one
        Assert.Equal(201, (await SignInAsync(second, Anna, Totp.Code(Key(secret), step + 1))).Status);
        Assert.Equal(401, (await SignInAsync(second, Anna, Totp.Code(Key(secret), step + 1))).Status);
        Assert.Equal(201, (await SignInAsync(second, Anna, recovery[0])).Status);
        Assert.Equal(401, (await SignInAsync(second, Anna, recovery[0])).Status);
        Assert.Equal(9, (await SendAsync(second, HttpMethod.Get, "me/second-factor")).Answer.GetProperty("recoveryCodes").GetInt32());

        Assert.False(await ReadsMailAsync(server, Anna, TestServer.Password));
        var phone = (await SendAsync(second, HttpMethod.Post, "me/application-passwords", new { name = "Phone" })).Answer.GetProperty("password").GetString()!;
        Assert.True(await ReadsMailAsync(server, Anna, phone));

        Assert.Contains("9 recovery codes left", (await server.CliAsync("second-factor", "show", Anna)).Output);
        Assert.Equal(0, (await server.CliAsync("second-factor", "remove", Anna)).ExitCode);
        Assert.Equal(201, (await SignInAsync(second, Anna)).Status);
        var log = (await server.CliAsync("audit", "export")).Output;
        Assert.Contains("DELETE /api/v1/accounts/{address}/second-factor", log);
        foreach (var hidden in recovery.Append(secret).Append(phone)) Assert.DoesNotContain(hidden, log + server.Log);
        Assert.Contains("refused", (await server.CliAsync("account", "sign-ins", Anna)).Output);
    }

    [Fact]
    public async Task Where_a_second_factor_is_required_a_session_can_set_one_up_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync("sign-in: {second-factor-for: [user]}");
        await server.AddAccountsAsync(Anna);
        using var client = Browser(server);
        Assert.Equal("second-factor", (await SignInAsync(client, Anna)).Answer.GetProperty("needs").GetString());
        var (status, problem) = await SendAsync(client, HttpMethod.Get, "accounts/" + Anna);
        Assert.Equal((403, "second-factor-required"), (status, problem.GetProperty("code").GetString()));
        foreach (var way in new[] { "api-keys", "me/application-passwords" }) Assert.Equal(403, (await SendAsync(client, HttpMethod.Post, way, new { name = "x" })).Status);
        Assert.False(await ReadsMailAsync(server, Anna, TestServer.Password));
        var secret = (await SendAsync(client, HttpMethod.Post, "me/totp")).Answer.GetProperty("secret").GetString()!;
        Assert.Equal(200, (await SendAsync(client, HttpMethod.Post, "me/totp/confirm", new { code = Totp.Code(Key(secret), Now) })).Status);
        Assert.Equal(200, (await SendAsync(client, HttpMethod.Get, "accounts/" + Anna)).Status);
    }

    [Fact]
    public async Task Somebody_changes_his_password_and_must_where_he_was_told_to()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddAccountsAsync(Anna);
        Assert.Equal(0, (await server.CliAsync("account", "set", Anna, "--must-change-password", "yes")).ExitCode);
        using var client = Browser(server);
        using var other = Browser(server);
        await SignInAsync(other, Anna);
        Assert.Equal("password", (await SignInAsync(client, Anna)).Answer.GetProperty("needs").GetString());
        Assert.Equal("password-change-required", (await SendAsync(client, HttpMethod.Get, "accounts/" + Anna)).Answer.GetProperty("code").GetString());
        var (status, problem) = await SendAsync(client, HttpMethod.Post, "me/password", new { old = TestServer.Password, @new = "Password2024" });
        Assert.Equal((400, "new"), (status, problem.GetProperty("field").GetString()));
        (status, problem) = await SendAsync(client, HttpMethod.Post, "me/password", new { old = "wrong", @new = "blue tram rides" });
        Assert.Equal((403, "old"), (status, problem.GetProperty("field").GetString()));
        Assert.Equal(200, (await SendAsync(client, HttpMethod.Post, "me/password", new { old = TestServer.Password, @new = "blue tram rides" })).Status);
        Assert.Equal(200, (await SendAsync(client, HttpMethod.Get, "accounts/" + Anna)).Status);
        Assert.Equal(401, (await SendAsync(other, HttpMethod.Get, "session")).Status); // all others have ended
        Assert.Equal(401, (await SignInAsync(other, Anna)).Status);
        Assert.Equal(201, (await SignInAsync(other, Anna, password: "blue tram rides")).Status);
        Assert.DoesNotContain("blue tram rides", (await server.CliAsync("audit", "export")).Output + server.Log);
        Assert.Contains((await SendAsync(other, HttpMethod.Get, "me/sign-ins")).Answer.GetProperty("items").EnumerateArray(), row => row.GetProperty("protocol").GetString() == "web" && row.GetProperty("succeeded").GetBoolean());
    }
}
