using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Http;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>What the OpenAPI document says of answers is what the server answers.</summary>
public sealed class DocumentTests(ApiFixture site) : IClassFixture<ApiFixture>
{
    [Fact]
    public void Every_route_says_what_it_answers() =>
        Assert.Empty(ApiRoutes.All.Where(route => route.Gives is null && route.GivesType is null && !route.Redirects && route.Path != "/openapi.json").Select(route => route.Name));

    [Fact]
    public async Task Every_answer_of_a_route_that_looks_is_as_the_document_says()
    {
        using var client = site.As(ApiFixture.Owner);
        var document = JsonNode.Parse(await client.GetStringAsync("/api/v1/openapi.json"))!.AsObject();
        var (wrong, seen) = (new List<string>(), 0);
        foreach (var route in ApiRoutes.All.Where(route => route is { Method: "GET", Gives: not null }))
        {
            var path = ApiRoutes.Root + route.Path.Replace("{domain}", ApiFixture.Own, StringComparison.Ordinal).Replace("{address}", ApiFixture.User, StringComparison.Ordinal).Replace("{subject}", ApiFixture.User, StringComparison.Ordinal)
                .Replace("{course}", site.OwnCourse, StringComparison.Ordinal).Replace("{id:long}", $"{site.OwnMailing}", StringComparison.Ordinal);
            if (route.Path.StartsWith("/mailboxes", StringComparison.Ordinal)) path += $"?owner={ApiFixture.User}&name=INBOX";
            using var answer = await client.GetAsync(path);
            if (answer.StatusCode != HttpStatusCode.OK) continue;
            seen++;
            var schema = document["paths"]![ApiRoutes.Root + route.Path.Replace(":long", "", StringComparison.Ordinal)]!["get"]!["responses"]!["2XX"]!["content"]!.AsObject().Single();
            Assert.Equal(schema.Key, answer.Content.Headers.ContentType?.MediaType);
            var text = await answer.Content.ReadAsStringAsync();
            foreach (var one in schema.Key == "application/jsonl" ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [text])
                if (Schema.Differs(document, schema.Value!["schema"]!.AsObject(), JsonNode.Parse(one), "$") is { } difference) wrong.Add($"{route.Name}: {difference}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(seen > 30, $"{seen} answers were looked at");
    }

    /// <summary>As much of JSON Schema as the document uses.</summary>
    static class Schema
    {
        /// <returns>Where and how the value is not as the schema says, or null.</returns>
        public static string? Differs(JsonObject document, JsonObject schema, JsonNode? value, string at)
        {
            if (schema["$ref"]?.GetValue<string>() is { } reference)
                return Differs(document, reference.StartsWith("#/components/", StringComparison.Ordinal) ? document["components"]!["schemas"]![reference.Split('/')[^1]]!.AsObject() : throw new InvalidOperationException($"{at}: {reference}"), value, at);
            if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value))) return $"{at} is {value?.ToJsonString()}, which is none of {words.ToJsonString()}";
            if (schema["type"] is { } type)
            {
                var types = type is JsonArray several ? several.Select(one => one!.GetValue<string>()).ToList() : [type.GetValue<string>()];
                if (!types.Contains(Kind(value)) && !(Kind(value) == "integer" && types.Contains("number"))) return $"{at} is {Kind(value)} and not {string.Join(" or ", types)}";
            }
            if (value is JsonArray list && schema["items"] is JsonObject items)
                return list.Select((item, i) => Differs(document, items, item, $"{at}[{i}]")).FirstOrDefault(found => found is not null);
            if (value is not JsonObject fields || schema["properties"] is not JsonObject properties) return null;
            if ((schema["required"] as JsonArray)?.Select(name => name!.GetValue<string>()).FirstOrDefault(name => !fields.ContainsKey(name)) is { } missing && !MayBeLeftOut(properties, missing)) return $"{at}.{missing} is missing";
            foreach (var (name, field) in fields)
                if (properties[name] is not { } known) return $"{at}.{name} is not in the document";
                else if (known is JsonObject inner && Differs(document, inner, field, $"{at}.{name}") is { } found) return found;
            return null;
        }

        // a field that is left out where it is null
        static bool MayBeLeftOut(JsonObject properties, string name) => properties[name]?["type"] is JsonArray types && types.Any(type => type!.GetValue<string>() == "null");

        static string Kind(JsonNode? value) => value?.GetValueKind() switch
        {
            null or JsonValueKind.Null => "null",
            JsonValueKind.Array => "array",
            JsonValueKind.Object => "object",
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            _ => value!.ToJsonString().AsSpan().IndexOfAny(".eE") < 0 ? "integer" : "number",
        };
    }
}
