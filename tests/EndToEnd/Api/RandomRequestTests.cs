using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>
/// Every operation of the OpenAPI document with parameters and bodies that its schemas allow and people would not send: whatever comes, the
/// answer is one of the document's, in time, and never a failure of the server. The seed is printed.
/// </summary>
public sealed class RandomRequestTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    const int Rounds = 4;

    static readonly string[] Words =
    [
        "", " ", "a", "0", "-1", "1e999", "null", "true", "anna@" + ApiFixture.Own, ApiFixture.Own, "нет@пример.рф", new('x', 300), new('x', 70_000), "\0", "'; --", "../../etc/passwd", "%00", "<script>",
        "2027-01-01", "9999-12-31T23:59:59Z", "30d", "1G", "*", "<>", "$team", "a@b@c", "@", "\u202eabc", "\x1b[31m", "99999999999999999999", "127.0.0.1", "::1/129", "10.0.0.0/8", "INBOX", "forever", "user", "ru", "{{x}}", "{{#if a}}",
    ];

    // what would take the ground from under the others, or the machine's time
    static readonly string[] Left = ["POST /api/v1/restores", "POST /api/v1/backups", "DELETE /api/v1/accounts/{address}", "DELETE /api/v1/domains/{domain}", "DELETE /api/v1/sessions", "DELETE /api/v1/api-keys/{id}", "PATCH /api/v1/settings"];

    [Fact]
    public async Task Whatever_comes_is_answered_as_the_document_says()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("CBAMAIL_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"CBAMAIL_SEED={seed}");
        var random = new Random(seed);
        using var owner = site.As(ApiFixture.Owner);
        var document = JsonNode.Parse(await owner.GetStringAsync("/api/v1/openapi.json"))!;
        var operations = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(one => (Method: one.Key.ToUpperInvariant(), Path: path.Key, Operation: one.Value!))).Where(one => !Left.Contains($"{one.Method} {one.Path}")).ToList();
        Assert.True(operations.Count > 200);
        var faults = new List<string>();
        for (var round = 0; round < Rounds; round++)
            foreach (var (method, path, operation) in operations)
                if (await AskAsync(owner, document, random, method, path, operation) is { } fault) faults.Add(fault);
        Assert.True(faults.Count == 0, $"seed {seed}\n" + string.Join('\n', faults));
    }

    static async Task<string?> AskAsync(HttpClient owner, JsonNode document, Random random, string method, string path, JsonNode operation)
    {
        var (url, query) = (path, new List<string>());
        foreach (var parameter in operation["parameters"]!.AsArray())
        {
            var (name, place) = (parameter!["name"]!.GetValue<string>(), parameter["in"]!.GetValue<string>());
            var word = Uri.EscapeDataString(random.Next(3) == 0 ? Known(name) : parameter["schema"]!["type"]!.GetValue<string>() == "integer" ? random.Next(4).ToString() : Short(Words[random.Next(Words.Length)]));
            if (place == "path") url = url.Replace("{" + name + "}", word.Replace("%00", "x") is { Length: > 0 } part ? part : "x"); // the framework itself refuses NUL, without a word
            else if (place == "query" && random.Next(3) == 0) query.Add($"{name}={(name == "dry-run" ? "true" : word)}");
        }
        using var request = new HttpRequestMessage(new(method), url + (query.Count > 0 ? "?" + string.Join('&', query) : ""));
        request.Headers.AcceptLanguage.ParseAdd(random.Next(2) == 0 ? "ru" : "en");
        var body = "";
        if (operation["requestBody"]?["content"]?.AsObject().First() is { } content)
        {
            body = content.Key == "application/json" ? Value(document, content.Value!["schema"]!, random, 0)?.ToJsonString() ?? "null" : Words[random.Next(Words.Length)];
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = new(content.Key);
        }
        using var response = await owner.SendAsync(request, TestContext.Current.CancellationToken);
        var told = $"{method} {request.RequestUri} {Short(body)}\n  {(int)response.StatusCode} ";
        var type = response.Content.Headers.ContentType?.MediaType;
        if (response.StatusCode == HttpStatusCode.TooManyRequests) return null;
        var text = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode is >= 500 and not 503) return told + Short(text);
        if ((int)response.StatusCode < 400) return null; // ApiFixture looks at the schemas of answers that are meant
        return type != "application/problem+json" ? told + $"{type} {Short(text)}" : JsonNode.Parse(text)!["detail"]?.GetValue<string>() is { Length: > 0 } ? null : told + "says nothing";
    }

    static string Known(string name) => name switch
    {
        "domain" or "owner" => ApiFixture.Own,
        "address" or "account" or "to" => ApiFixture.User,
        "id" => "1",
        "name" => "INBOX",
        _ => "1",
    };

    static string Short(string text) => text.Length > 400 ? text[..400] : text;

    static JsonNode? Value(JsonNode document, JsonNode schema, Random random, int depth)
    {
        while (schema is JsonObject && schema["$ref"]?.GetValue<string>() is { } reference) schema = reference[2..].Split('/').Aggregate(document, (node, part) => node[part]!);
        if (depth > 8 || schema is not JsonObject || random.Next(25) == 0) return random.Next(6) switch { 0 => null, 1 => -1, 2 => 1.5, 3 => "x", 4 => new JsonArray(), _ => new JsonObject() };
        if (schema["enum"] is JsonArray words && random.Next(10) > 0) return words[random.Next(words.Count)]?.DeepClone();
        var types = schema["type"] is JsonArray several ? [.. several.Select(one => one!.GetValue<string>())] : schema["type"] is { } single ? new[] { single.GetValue<string>() } : ["string"];
        switch (types[random.Next(types.Length)])
        {
            case "object":
                var map = new JsonObject();
                var required = schema["required"]?.AsArray().Select(one => one!.GetValue<string>()).ToHashSet() ?? [];
                foreach (var (name, of) in schema["properties"]?.AsObject() ?? [])
                    if (random.Next(100) < (required.Contains(name) ? 93 : 35)) map[name] = Value(document, of!, random, depth + 1);
                if (schema["additionalProperties"] is JsonObject further) map[Short(Words[random.Next(Words.Length)])] = Value(document, further, random, depth + 1);
                return map;
            case "array":
                return new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(document, schema["items"]!, random, depth + 1))]);
            case "integer": return new[] { 0, 1, -1, 30, int.MaxValue, long.MaxValue, long.MinValue }[random.Next(7)];
            case "number": return new[] { 0, 1.5, -1e300 }[random.Next(3)];
            case "boolean": return random.Next(2) == 0;
            case "null": return null;
            default: return Words[random.Next(Words.Length)];
        }
    }
}
