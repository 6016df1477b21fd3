using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Inbound;
using CbaMail.Inbound.Hooks;
using CbaMail.Storage;
using CbaMail.Tests.Server.Smtp.Server;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Inbound;

/// <summary>A web service of the tests behind the server's session.</summary>
public sealed class HookTests : IAsyncLifetime
{
    static readonly HookMoment[] All = [HookMoment.Connect, HookMoment.Hello, HookMoment.Sender, HookMoment.Recipient, HookMoment.Message];

    readonly PostOffice office = new();
    readonly HookPeer peer = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await peer.DisposeAsync();
        await office.DisposeAsync();
    }

    const string Dialogue = """
        S: 220 *
        C: HELO client.test
        S: 250 *
        C: MAIL FROM:<a@elsewhere.test> SIZE=100
        S: 250 *
        C: RCPT TO:<ivan@example.test>
        S: 250 *
        C: DATA
        S: 354 *
        C: Subject: first
        C:  второй
        C: X-A: 1
        C:
        C: body
        C: .
        S: REPLY
        C: QUIT
        S: 221 *
        """;

    HookSettings Settings => new() { Name = "peer", Url = peer.Url };

    Pipeline Pipeline(HookSettings hook)
    {
        Assert.Null(hook.Problem());
        var settings = office.Settings with { Hooks = [hook] };
        return new Pipeline(settings, office.Directory, office.Mail, null, HooksRoom.Checks(settings, new Spool(settings), office.Directory, TimeProvider.System, NullLogger.Instance));
    }

    Task<List<Delivered>> PlayAsync(string script, HookSettings? hook = null) => office.PlayAsync(Protocol.Smtp, script, remote: "192.0.2.9", pipeline: Pipeline(hook ?? Settings));

    Task<List<Delivered>> MessageAsync(string reply = "250 *", HookSettings? hook = null) => PlayAsync(Dialogue.Replace("REPLY", reply, StringComparison.Ordinal), hook);

    void Answers(string json) => peer.Answer = _ => (200, json);

    [Fact]
    public async Task It_is_asked_at_its_moments_with_all_that_is_known()
    {
        await MessageAsync(hook: Settings with { Moments = [HookMoment.Sender, HookMoment.Recipient, HookMoment.Message], Body = 4 });
        Assert.Equal(["sender", "recipient", "message"], peer.Asked.Select(q => q.GetProperty("moment").GetString()));
        var (sender, recipient, message) = (peer.Asked[0], peer.Asked[1], peer.Asked[2]);
        Assert.Equal(1, sender.GetProperty("version").GetInt32());
        var client = sender.GetProperty("client");
        Assert.Equal(("192.0.2.9", 4000, "client.test"), (client.GetProperty("address").GetString(), client.GetProperty("port").GetInt32(), client.GetProperty("hello").GetString()));
        Assert.Equal(JsonValueKind.Null, client.GetProperty("account").ValueKind);
        Assert.Equal("100", sender.GetProperty("envelope").GetProperty("parameters").GetProperty("SIZE").GetString());
        Assert.Equal("ivan@example.test", recipient.GetProperty("recipient").GetProperty("address").GetString());
        Assert.True(recipient.GetProperty("recipient").GetProperty("local").GetBoolean());
        var text = message.GetProperty("message");
        Assert.Equal("[{\"name\":\"Subject\",\"value\":\"first второй\"},{\"name\":\"X-A\",\"value\":\"1\"}]", System.Text.RegularExpressions.Regex.Unescape(text.GetProperty("headers").GetRawText()));
        Assert.Equal("body"u8.ToArray(), text.GetProperty("body").GetBytesFromBase64());
        Assert.Equal((6, false), (text.GetProperty("bodySize").GetInt32(), text.GetProperty("bodyComplete").GetBoolean()));
    }

    [Fact]
    public async Task Every_question_is_as_the_schema_says()
    {
        using var schema = JsonDocument.Parse(House.Repository.Read("docs/hook-question.schema.json"));
        await MessageAsync(hook: Settings with { Moments = All, Body = 100 });
        Assert.NotEmpty(peer.Asked);
        foreach (var question in peer.Asked) Check(question, schema.RootElement, schema.RootElement, "");
        Assert.Equal(JsonValueKind.Null, peer.Asked[^1].GetProperty("authentication").ValueKind);
    }

    /// <summary>What a message proves of its sender comes with the question, so that nobody need read a header field for it.</summary>
    [Fact]
    public async Task A_message_is_shown_with_what_it_proves_of_its_sender()
    {
        var dns = new Formats.MailAuth.FixedZone().Txt("elsewhere.test", "v=spf1 ip4:192.0.2.0/24 -all").Txt("_dmarc.elsewhere.test", "v=DMARC1; p=quarantine");
        var settings = office.Settings with { Hooks = [Settings] };
        var spool = new Spool(settings);
        var check = new CbaMail.Inbound.Checks.AuthenticationCheck(settings, new CbaMail.Inbound.Authentication.Authenticator(settings, dns, TimeProvider.System), office.Directory, spool, () => true);
        var pipeline = new Pipeline(settings, office.Directory, office.Mail, null, HooksRoom.Checks(settings, spool, office.Directory, TimeProvider.System, NullLogger.Instance), authentication: check);
        var letter = Dialogue.Replace("C: Subject: first", "C: From: <a@elsewhere.test>\nC: DKIM-Signature: v=1; a=rsa-sha256; d=gone.test; s=k; h=from; bh=AAAA; b=AAAA\nC: Subject: first", StringComparison.Ordinal).Replace("REPLY", "250 *", StringComparison.Ordinal);
        await office.PlayAsync(Protocol.Smtp, letter, remote: "192.0.2.9", pipeline: pipeline);
        var question = Assert.Single(peer.Asked);
        using var schema = JsonDocument.Parse(House.Repository.Read("docs/hook-question.schema.json"));
        Check(question, schema.RootElement, schema.RootElement, "");
        var proof = question.GetProperty("authentication");
        Assert.Equal(("pass", "elsewhere.test", "mailfrom"), (proof.GetProperty("spf").GetProperty("result").GetString(), proof.GetProperty("spf").GetProperty("domain").GetString(), proof.GetProperty("spf").GetProperty("identity").GetString()));
        var signature = Assert.Single(proof.GetProperty("dkim").EnumerateArray());
        Assert.Equal(("permerror", "gone.test", "k"), (signature.GetProperty("result").GetString(), signature.GetProperty("domain").GetString(), signature.GetProperty("selector").GetString()));
        var dmarc = proof.GetProperty("dmarc");
        Assert.Equal(("pass", "quarantine", "none", true, false), (dmarc.GetProperty("result").GetString(), dmarc.GetProperty("policy").GetString(), dmarc.GetProperty("disposition").GetString(), dmarc.GetProperty("spfAligned").GetBoolean(), dmarc.GetProperty("dkimAligned").GetBoolean()));
        Assert.Equal("none", proof.GetProperty("arc").GetProperty("result").GetString());
        Assert.Equal("none", proof.GetProperty("iprev").GetProperty("result").GetString());
    }

    static void Check(JsonElement value, JsonElement schema, JsonElement root, string path)
    {
        if (schema.TryGetProperty("$ref", out _)) schema = root.GetProperty("$defs").GetProperty("recipient");
        if (schema.TryGetProperty("enum", out var words)) Assert.Contains(value.GetString(), words.EnumerateArray().Select(w => w.GetString()));
        if (schema.TryGetProperty("type", out var types) && value.ValueKind == JsonValueKind.Null)
            Assert.Contains("null", types.ValueKind == JsonValueKind.Array ? types.EnumerateArray().Select(type => type.GetString()) : [types.GetString()]);
        if (value.ValueKind == JsonValueKind.Array)
            foreach (var item in value.EnumerateArray()) Check(item, schema.GetProperty("items"), root, path + "[]");
        if (value.ValueKind != JsonValueKind.Object) return;
        if (schema.TryGetProperty("required", out var required)) Assert.All(required.EnumerateArray(), name => Assert.True(value.TryGetProperty(name.GetString()!, out _), path + name));
        if (!schema.TryGetProperty("properties", out var properties)) return;
        foreach (var property in value.EnumerateObject())
        {
            Assert.True(properties.TryGetProperty(property.Name, out var its), $"{path}.{property.Name} does not stand in the schema");
            Check(property.Value, its, root, path + "." + property.Name);
        }
    }

    [Fact]
    public async Task Questions_are_signed()
    {
        await MessageAsync(hook: Settings with { Secret = "пароль" });
        var (body, signature) = Assert.Single(peer.Questions);
        var parts = signature!.Split(',');
        var seconds = parts[0][2..];
        Assert.Equal("v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes("пароль"), Encoding.UTF8.GetBytes(seconds + "." + body))), parts[1]);
        Assert.InRange(DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds, null)), TimeProvider.System.GetUtcNow().AddMinutes(-2), TimeProvider.System.GetUtcNow().AddMinutes(1));
    }

    [Theory]
    [InlineData("", "250 *", 1)]
    [InlineData("{}", "250 *", 1)]
    [InlineData("""{"action":"accept","unknown":[1]}""", "250 *", 1)]
    [InlineData("""{"action":"reject"}""", "550 5.7.1 Command rejected", 0)]
    [InlineData("""{"action":"reject","code":554,"status":"5.6.0","reason":"no\r\nthanks"}""", "554 5.6.0 no thanks", 0)]
    [InlineData("""{"action":"reject","code":250,"status":"2.0.0","reason":"x"}""", "550 5.7.1 x", 0)]
    [InlineData("""{"action":"defer","code":550,"reason":"later"}""", "451 4.7.1 later", 0)]
    [InlineData("""{"action":"discard"}""", "250 *", 0)]
    public async Task Its_answer_decides(string json, string reply, int delivered)
    {
        Answers(json);
        Assert.Equal(delivered, (await MessageAsync(reply)).Count);
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("quarantine")]
    public async Task Mail_may_be_put_aside(string action)
    {
        Answers($$"""{"action":"{{action}}"}""");
        Assert.True(Assert.Single(await MessageAsync()).Order.Junk);
    }

    [Fact]
    public async Task The_message_is_changed()
    {
        Answers("""
            {"addHeaders":[{"name":"X-One","value":"раз"},{"name":"X-Two","value":"a\nBcc: b"}],"removeHeaders":["x-a","Received"],
             "setSender":"new@elsewhere.test","addRecipients":["anna@example.test","nobody@example.test","no address"],"removeRecipients":["<ivan@example.test>"]}
            """);
        var mail = Assert.Single(await MessageAsync());
        Assert.StartsWith("Received: from client.test", mail.Text, StringComparison.Ordinal);
        Assert.EndsWith("+0000\r\nX-One: раз\r\nX-Two: a\r\n\tBcc: b\r\nSubject: first\r\n второй\r\n\r\nbody\r\n", mail.Text, StringComparison.Ordinal);
        Assert.Equal("new@elsewhere.test", mail.Order.ReversePath!.ToString());
        Assert.Equal(["anna@example.test"], mail.Order.Recipients.Select(r => r.Address.ToString()));
    }

    [Fact]
    public async Task A_recipient_may_be_refused_alone()
    {
        peer.Answer = question => (200, question.GetProperty("recipient").GetProperty("address").GetString() == "anna@example.test" ? """{"action":"reject","reason":"not her"}""" : "");
        Assert.Single(await PlayAsync(Dialogue.Replace("REPLY", "250 *", StringComparison.Ordinal).Replace("C: DATA", "C: RCPT TO:<anna@example.test>\nS: 550 5.7.1 not her\nC: DATA", StringComparison.Ordinal), Settings with { Moments = [HookMoment.Recipient] }));
    }

    [Theory]
    [InlineData(500, "{}")]
    [InlineData(302, "")]
    [InlineData(200, "{")]
    [InlineData(200, "[]")]
    [InlineData(200, """{"action":"explode"}""")]
    [InlineData(200, """{"action":5}""")]
    [InlineData(200, """{"addHeaders":[{"name":"a b","value":"x"}]}""")]
    [InlineData(200, """{"addHeaders":"X"}""")]
    [InlineData(200, """{"addRecipients":[1]}""")]
    [InlineData(200, """{"reason":"\ud800"}""")]
    [InlineData(200, "large")]
    [InlineData(0, "")]
    public async Task Its_failures_are_met_as_the_settings_say(int status, string json)
    {
        peer.Answer = _ => (status, json == "large" ? new string(' ', (1 << 20) + 1) : json);
        var hook = Settings with { Timeout = TimeSpan.FromSeconds(status == 0 ? 0.5 : 10) };
        Assert.Empty(await MessageAsync("451 4.7.1 *", hook));
        Assert.Empty(await MessageAsync("550 5.7.1 *", hook with { OnFailure = FilterFailure.Reject }));
        Assert.False(Assert.Single(await MessageAsync("250 *", hook with { OnFailure = FilterFailure.Accept })).Order.Junk);
        Assert.True(Assert.Single(await MessageAsync("250 *", hook with { OnFailure = FilterFailure.Quarantine })).Order.Junk);
        Assert.Equal(4, peer.Questions.Count); // asked once each
    }

    [Fact]
    public async Task A_dead_one_is_left_alone_after_a_few_failures()
    {
        peer.Answer = _ => (500, "");
        var pipeline = Pipeline(Settings with { OnFailure = FilterFailure.Accept });
        for (var i = 0; i < 6; i++) Assert.Single(await office.PlayAsync(Protocol.Smtp, Dialogue.Replace("REPLY", "250 *", StringComparison.Ordinal), pipeline: pipeline));
        Assert.Equal(3, peer.Questions.Count);
    }

    [Fact]
    public async Task What_it_says_of_a_client_holds_for_all_of_its_mail()
    {
        var checks = HooksRoom.Checks(office.Settings with { Hooks = [Settings with { Moments = [HookMoment.Hello] }] }, new Spool(office.Settings), office.Directory, TimeProvider.System, NullLogger.Instance).ToArray();
        var pipeline = new Pipeline(checks);
        await using var visit = new Visit();
        Arrival Next() => new() { Session = "s", Remote = System.Net.IPAddress.Loopback, Protocol = Protocol.Smtp, Visit = visit };
        Answers("""{"action":"junk","reason":"odd"}""");
        using var hello = Next();
        Assert.True((await pipeline.AskAsync(Moment.Hello, hello, default)).IsAccept);
        using var mail = Next();
        Assert.True((await pipeline.AskAsync(Moment.Sender, mail, default)).IsAccept);
        Assert.Equal((Disposition.Junk, "odd"), (mail.Disposition, mail.Judgements[0].Reason));
        Answers("""{"action":"reject","reason":"go away"}""");
        Assert.Equal("go away", (await pipeline.AskAsync(Moment.Hello, Next(), default)).Refusal!.Sentence);
        Assert.Equal("go away", (await pipeline.AskAsync(Moment.Sender, Next(), default)).Refusal!.Sentence);
        Assert.Equal(2, peer.Questions.Count);
    }

    [Fact]
    public void Random_answers_are_read_or_refused()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] pieces = ["{", "}", "[", "]", ",", ":", "\"action\"", "\"reject\"", "\"addHeaders\"", "\"name\"", "\"value\"", "\"code\"", "550", "1e999", "null", "\"\\ud800\"", "\"reason\"", "\0", "é"];
        for (var round = 0; round < 5000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(14)).Select(_ => pieces[random.Next(pieces.Length)]));
            try { _ = HookAnswer.Read(Encoding.UTF8.GetBytes(text)); }
            catch (HookTrouble) { continue; }
            catch (Exception e) { Assert.Fail($"seed {seed}, round {round}: {text}: {e}"); }
        }
    }

    [Theory]
    [InlineData("https://filter.example.org/mail", true)]
    [InlineData("http://127.0.0.1:9000/", true)]
    [InlineData("http://[::1]:9000/", true)]
    [InlineData("http://localhost/x", true)]
    [InlineData("http://filter.example.org/mail", false)]
    [InlineData("http://127.0.0.1.example.org/", false)]
    [InlineData("https://user:pass@filter.example.org/", false)]
    [InlineData("ftp://127.0.0.1/", false)]
    [InlineData("/hook", false)]
    public void Nothing_goes_over_a_network_in_clear_text(string url, bool good) => Assert.Equal(good, new HookSettings { Url = url }.Problem() is null);
}
