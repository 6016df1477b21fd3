using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>Passkeys by an authenticator that is written here: WebAuthn's two ceremonies, and what is wrong with each.</summary>
public sealed class PasskeyTests(ServerFixture site) : IClassFixture<ServerFixture>
{
    /// <summary>One key of one device. What is changed of it makes its answers wrong.</summary>
    sealed class Authenticator(string origin)
    {
        readonly byte[] id = RandomNumberGenerator.GetBytes(16);
        public ECDsa Key { get; set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        public string Origin { get; set; } = origin;
        public string? Domain { get; set; }
        public bool Verifies { get; set; } = true;
        public uint Count { get; set; } = 1;
        string user = "";

        static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

        byte[] ClientData(string type, JsonElement options) => JsonSerializer.SerializeToUtf8Bytes(new { type, challenge = options.GetProperty("challenge").GetString(), origin = Origin, crossOrigin = false });

        byte[] Data(string domain, bool withKey)
        {
            var count = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(count, Count);
            byte[] head = [.. SHA256.HashData(Encoding.UTF8.GetBytes(Domain ?? domain)), (byte)(1 | (Verifies ? 4 : 0) | (withKey ? 0x40 : 0)), .. count];
            if (!withKey) return head;
            var point = Key.ExportParameters(false).Q;
            byte[] cose = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32, .. point.X!, 0x22, 0x58, 32, .. point.Y!]; // EC2, ES256, P-256
            return [.. head, .. new byte[16], 0, (byte)id.Length, .. id, .. cose];
        }

        public object Create(JsonElement options)
        {
            user = options.GetProperty("user").GetProperty("id").GetString()!;
            var data = Data(options.GetProperty("rp").GetProperty("id").GetString()!, withKey: true);
            byte[] attestation = [0xa3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xa0, 0x68, .. "authData"u8, 0x58, (byte)data.Length, .. data];
            return new
            {
                id = Text(id),
                rawId = Text(id),
                type = "public-key",
                clientExtensionResults = new { },
                authenticatorAttachment = "platform",
                response = new { clientDataJSON = Text(ClientData("webauthn.create", options)), attestationObject = Text(attestation), transports = new[] { "internal" } },
            };
        }

        public object Get(JsonElement options)
        {
            Count++;
            var (data, client) = (Data(options.GetProperty("rpId").GetString()!, withKey: false), ClientData("webauthn.get", options));
            var signature = Key.SignData([.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            return new
            {
                id = Text(id),
                rawId = Text(id),
                type = "public-key",
                clientExtensionResults = new { },
                response = new { clientDataJSON = Text(client), authenticatorData = Text(data), signature = Text(signature), userHandle = user },
            };
        }
    }

    HttpClient Browser() => new(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://127.0.0.1:{site.Server.Http}") };

    Authenticator Device() => new($"http://127.0.0.1:{site.Server.Http}");

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

    async Task<(HttpClient Browser, string Address)> NewPersonAsync()
    {
        var address = $"p{Guid.NewGuid():N}@example.test";
        await site.Server.AddAccountsAsync(address);
        var browser = Browser();
        Assert.Equal(201, (await SendAsync(browser, HttpMethod.Post, "session", new { address, password = TestServer.Password })).Status);
        return (browser, address);
    }

    static async Task<(int Status, JsonElement Answer)> RegisterAsync(HttpClient browser, Authenticator device)
    {
        var question = (await SendAsync(browser, HttpMethod.Post, "me/passkeys/options")).Answer;
        return await SendAsync(browser, HttpMethod.Post, "me/passkeys", new { id = question.GetProperty("id").GetString(), name = "Laptop", credential = device.Create(question.GetProperty("options")) });
    }

    static async Task<int> SignInAsync(HttpClient browser, Authenticator device)
    {
        var question = (await SendAsync(browser, HttpMethod.Post, "session/passkey/options")).Answer;
        return (await SendAsync(browser, HttpMethod.Post, "session/passkey", new { id = question.GetProperty("id").GetString(), credential = device.Get(question.GetProperty("options")) })).Status;
    }

    [Fact]
    public async Task Somebody_signs_in_by_a_passkey_alone_and_his_password_alone_is_not_enough_any_more()
    {
        var (first, address) = await NewPersonAsync();
        using var _ = first;
        var device = Device();
        var (status, made) = await RegisterAsync(first, device);
        Assert.Equal(201, status);
        var recovery = made.GetProperty("recoveryCodes").EnumerateArray().Select(one => one.GetString()!).ToList();
        Assert.Equal(10, recovery.Count);
        using var second = Browser();
        Assert.Equal(201, await SignInAsync(second, device));
        Assert.Equal(address, (await SendAsync(second, HttpMethod.Get, "session")).Answer.GetProperty("address").GetString());
        Assert.NotEqual(JsonValueKind.Null, (await SendAsync(second, HttpMethod.Get, "me/passkeys")).Answer.GetProperty("items")[0].GetProperty("used").ValueKind);

        using var third = Browser();
        var (refused, problem) = await SendAsync(third, HttpMethod.Post, "session", new { address, password = TestServer.Password });
        Assert.Equal((401, "second-factor"), (refused, problem.GetProperty("code").GetString()));
        Assert.Equal(["passkey", "recovery-code"], problem.GetProperty("kinds").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal(201, (await SendAsync(third, HttpMethod.Post, "session", new { address, password = TestServer.Password, code = recovery[3] })).Status);

        Assert.Equal(200, (await SendAsync(second, HttpMethod.Delete, "me/passkeys/" + made.GetProperty("id").GetInt64())).Status);
        Assert.Equal(401, await SignInAsync(third, device));
        Assert.Equal(201, (await SendAsync(third, HttpMethod.Post, "session", new { address, password = TestServer.Password })).Status);
    }

    [Fact]
    public async Task Chromium_makes_a_passkey_and_signs_in_by_it_alone_and_beside_the_password()
    {
        var address = $"p{Guid.NewGuid():N}@example.test";
        await site.Server.AddAccountsAsync(address);
        var ran = (await new Tool { Limit = TimeSpan.FromMinutes(2) }.StartAsync("node", Path.Combine(House.Repository.Root, "tests/EndToEnd/clients/passkey.mjs"), $"http://localhost:{site.Server.Http}/", address, TestServer.Password)).Succeeded();
        Assert.Equal($"""
            password: 201 {address}
            passkey made: 201
            signed out: 200
            passkey alone: 201 {address}
            password alone: 401 second-factor
            password and passkey: 201 {address}
            key made: 201
            key alone: NotAllowedError
            password and key: 201 {address}
            """, ran.Output.Trim());
    }

    [Fact]
    public async Task A_security_key_without_a_pin_is_a_second_factor_and_never_enough_alone()
    {
        var (first, address) = await NewPersonAsync();
        using var _ = first;
        var (key, other) = (Device(), Device());
        key.Verifies = false; // nobody is asked for a PIN or a finger
        var making = (await SendAsync(first, HttpMethod.Post, "me/passkeys/options?second-factor=true")).Answer;
        Assert.Equal("discouraged", making.GetProperty("options").GetProperty("authenticatorSelection").GetProperty("userVerification").GetString());
        Assert.Equal(201, (await SendAsync(first, HttpMethod.Post, "me/passkeys", new { id = making.GetProperty("id").GetString(), name = "Key", credential = key.Create(making.GetProperty("options")) })).Status);

        using var browser = Browser();
        Assert.Equal(401, await SignInAsync(browser, key)); // alone
        async Task<JsonElement> QuestionAsync() => (await SendAsync(browser, HttpMethod.Post, "session", new { address, password = TestServer.Password })).Answer.GetProperty("passkey");
        Task<(int Status, JsonElement)> AnswerAsync(JsonElement question, object credential, string password = TestServer.Password) =>
            SendAsync(browser, HttpMethod.Post, "session", new { address, password, passkey = new { id = question.GetProperty("id").GetString(), credential } });
        var asked = await QuestionAsync();
        var answer = key.Get(asked.GetProperty("options"));
        Assert.Equal(401, (await AnswerAsync(asked, answer, "another password")).Status); // which is spent by it
        Assert.Equal(401, (await AnswerAsync(asked, answer)).Status);
        asked = await QuestionAsync();
        Assert.Equal(401, (await AnswerAsync(asked, other.Get(asked.GetProperty("options")))).Status);
        Assert.Equal(201, (await AnswerAsync(asked, key.Get(asked.GetProperty("options")))).Status);
        var (stranger, theirs) = await NewPersonAsync();
        using var __ = stranger;
        Assert.Equal(201, (await RegisterAsync(stranger, other)).Status);
        var question = (await SendAsync(browser, HttpMethod.Post, "session", new { address = theirs, password = TestServer.Password })).Answer.GetProperty("passkey");
        Assert.Equal(401, (await AnswerAsync(question, other.Get(question.GetProperty("options")))).Status); // another's key for another's question
    }

    [Fact]
    public async Task An_answer_that_is_wrong_in_anything_is_refused()
    {
        var (browser, _) = await NewPersonAsync();
        using var mine = browser;
        foreach (var wrong in new Action<Authenticator>[] { one => one.Origin = "https://evil.test", one => one.Domain = "evil.test", one => one.Verifies = false })
        {
            var bad = Device();
            wrong(bad);
            Assert.Equal(400, (await RegisterAsync(browser, bad)).Status);
        }
        var device = Device();
        Assert.Equal(201, (await RegisterAsync(browser, device)).Status);
        using var other = Browser();
        Assert.Equal(201, await SignInAsync(other, device));
        var key = device.Key;
        foreach (var wrong in new Action[] { () => device.Origin = "https://evil.test", () => device.Domain = "evil.test", () => device.Verifies = false, () => device.Count = 0, () => device.Key = ECDsa.Create(ECCurve.NamedCurves.nistP256) })
        {
            var count = device.Count;
            wrong();
            Assert.Equal(401, await SignInAsync(other, device));
            (device.Origin, device.Domain, device.Verifies, device.Key, device.Count) = ($"http://127.0.0.1:{site.Server.Http}", null, true, key, count + 1);
        }
        Assert.Equal(401, await SignInAsync(other, Device())); // nobody's
        Assert.Equal(201, await SignInAsync(other, device)); // and nothing of it has hurt

        var (one, two) = ((await SendAsync(other, HttpMethod.Post, "session/passkey/options")).Answer, (await SendAsync(other, HttpMethod.Post, "session/passkey/options")).Answer);
        var answer = new { id = one.GetProperty("id").GetString(), credential = device.Get(one.GetProperty("options")) };
        Assert.Equal(401, (await SendAsync(other, HttpMethod.Post, "session/passkey", new { id = two.GetProperty("id").GetString(), answer.credential })).Status); // of another question
        Assert.Equal(201, (await SendAsync(other, HttpMethod.Post, "session/passkey", answer)).Status);
        Assert.Equal(401, (await SendAsync(other, HttpMethod.Post, "session/passkey", answer)).Status); // once
        foreach (var junk in new object[] { new { id = "", credential = new { } }, new { id = "AAAA", credential = new { id = 1 } }, new { id = one.GetProperty("id").GetString(), credential = new { } } })
            Assert.Equal(401, (await SendAsync(other, HttpMethod.Post, "session/passkey", junk)).Status);
        Assert.Equal(400, (await RegisterAsync(browser, device)).Status); // it is there already
    }
}
