using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace CbaMail.Http;

/// <summary>The OpenAPI 3.1 document, made of the rows; docs/openapi.json is a copy of it.</summary>
static partial class OpenApi
{
    static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Type> named = new();

    static readonly Lazy<JsonObject> document = new(Make);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/openapi.json", null, About.Asked, "This document", context => context.JsonAsync(document.Value)),
    ];

    // as Reply's, which has no resolver until it is used
    static readonly JsonSerializerOptions Schemas = new(Reply.Json) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    static readonly JsonSerializerOptions Pretty = new(Reply.Json) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For docs.</summary>
    public static string Text => Make().ToJsonString(Pretty) + "\n";

    static JsonObject Make()
    {
        var schemas = new JsonObject { ["Problem"] = Problem() };
        var comments = new SchemaComments();
        var paths = new JsonObject();
        foreach (var route in ApiRoutes.All)
        {
            var path = ApiRoutes.Root + Constraint().Replace(route.Path, "{$1}");
            var item = paths[path] as JsonObject ?? (JsonObject)(paths[path] = new JsonObject())!;
            item[route.Method.ToLowerInvariant()] = Operation(route, schemas, comments);
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "CBA Mail", ["version"] = "1", ["description"] = "Everything that the command line and the web client do. See docs/en/api.md." },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject
                {
                    ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "A key of the API: POST /api/v1/api-keys" },
                    ["session"] = new JsonObject { ["type"] = "apiKey", ["in"] = "cookie", ["name"] = "__Host-cbamail", ["description"] = $"A browser's session: POST /api/v1/session. Changes need the header {ApiCallers.ProofHeader}" },
                },
            },
        };
    }

    static JsonObject Operation(ApiRoute route, JsonObject schemas, SchemaComments comments)
    {
        var parameters = new JsonArray();
        foreach (Match part in Part().Matches(route.Path))
            parameters.Add(new JsonObject { ["name"] = part.Groups[1].Value, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = part.Groups[2].Success ? "integer" : "string" } });
        foreach (var name in ApiQuery.Of(route))
            parameters.Add(new JsonObject { ["name"] = name, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = name == "limit" ? "integer" : "string" } });
        if (route.CanRehearse) parameters.Add(new JsonObject { ["name"] = "dry-run", ["in"] = "query", ["description"] = "true: say what would be, and do nothing", ["schema"] = new JsonObject { ["type"] = "boolean" } });
        if (route.Method == "POST" && !route.Streams) parameters.Add(Header("Idempotency-Key", "The same request under the same key is done once within a day"));
        if (!route.OnlyReads && !route.Streams) parameters.Add(Header("If-Match", "Refused with 412 where it has changed since the ETag was given"));
        var operation = new JsonObject
        {
            ["operationId"] = OperationId(route),
            ["summary"] = route.Summary,
            ["tags"] = new JsonArray(route.Path.Split('/')[1]),
            ["parameters"] = parameters,
        };
        if (route.Permission is { } permission) operation["x-permission"] = permission.Name;
        operation["security"] = route.Permission is null ? new JsonArray() : new JsonArray(new JsonObject { ["key"] = new JsonArray() }, new JsonObject { ["session"] = new JsonArray() });
        if (route.Takes is not null || route.TakesType is not null)
            operation["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject { [route.TakesType ?? "application/json"] = new JsonObject { ["schema"] = route.Takes is null ? new JsonObject { ["type"] = "string" } : Reference(route.Takes, schemas, comments, Reply.Incoming) } },
            };
        operation["responses"] = new JsonObject
        {
            [route.Redirects ? "302" : "2XX"] = route.Redirects ? new JsonObject { ["description"] = "Leads on" }
                : new JsonObject { ["description"] = "Done", ["content"] = new JsonObject { [route.GivesType ?? (route.Streams ? "application/jsonl" : "application/json")] = new JsonObject { ["schema"] = Answer(route, schemas, comments) } } },
            ["default"] = new JsonObject { ["description"] = "Refused", ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } } } },
        };
        return operation;
    }

    static JsonObject Header(string name, string description) => new() { ["name"] = name, ["in"] = "header", ["description"] = description, ["schema"] = new JsonObject { ["type"] = "string" } };

    static JsonObject Answer(ApiRoute route, JsonObject schemas, SchemaComments comments)
    {
        var one = route.Gives is { } type ? Reference(type, schemas, comments, Schemas) : route.GivesType is null ? new JsonObject() : new JsonObject { ["type"] = "string" };
        return !route.IsList ? one : new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["items"] = new JsonObject { ["type"] = "array", ["items"] = one }, ["next"] = new JsonObject { ["type"] = new JsonArray("string", "null") } },
            ["required"] = new JsonArray("items", "next"),
        };
    }

    static JsonObject Reference(Type type, JsonObject schemas, SchemaComments comments, JsonSerializerOptions options)
    {
        if (type.GetElementType() is { } element) return new JsonObject { ["type"] = "array", ["items"] = Reference(element, schemas, comments, options) };
        var name = type.Name;
        if (named.GetOrAdd(name, type) != type) throw new InvalidOperationException($"{type} and {named[name]} would be one schema: call one of them otherwise");
        if (!schemas.ContainsKey(name))
        {
            var schema = options.GetJsonSchemaAsNode(type, new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = comments.Describe });
            Move(schema, $"#/components/schemas/{name}");
            schemas[name] = schema;
        }
        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    // a type that comes twice in a schema is told by where it came first, counted from the schema's own root
    static void Move(JsonNode? node, string root)
    {
        if (node is JsonArray array) foreach (var one in array) Move(one, root);
        else if (node is JsonObject map)
        {
            if (map["$ref"] is JsonValue reference) map["$ref"] = root + reference.GetValue<string>()[1..];
            foreach (var (_, value) in map) if (value is JsonObject or JsonArray) Move(value, root);
        }
    }

    // RFC 9457
    static JsonObject Problem() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["type"] = new JsonObject { ["type"] = "string" },
            ["title"] = new JsonObject { ["type"] = "string" },
            ["status"] = new JsonObject { ["type"] = "integer" },
            ["code"] = new JsonObject { ["type"] = "string", ["description"] = "The cause, for programs" },
            ["detail"] = new JsonObject { ["type"] = "string", ["description"] = "A sentence in the caller's language" },
            ["field"] = new JsonObject { ["type"] = "string", ["description"] = "Of the request that it is about" },
            ["kinds"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" }, ["description"] = "With second-factor: what can be shown, of totp, passkey and recovery-code" },
            ["check"] = new JsonObject { ["type"] = "object", ["description"] = "Of a mailing that is not sent: what is wrong with it, as GET /mailings/{id}/check tells it" },
            ["passkey"] = new JsonObject { ["type"] = "object", ["description"] = "With second-factor: the question to a passkey, as POST /session/passkey/options gives one" },
        },
        ["required"] = new JsonArray("status", "code", "detail"),
    };

    static string OperationId(ApiRoute route)
    {
        var words = route.Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(word => word.StartsWith('{') ? "by-" + Constraint().Replace(word, "{$1}").Trim('{', '}') : word.Replace(".json", "", StringComparison.Ordinal));
        return $"{route.Method.ToLowerInvariant()}-{string.Join('-', words)}";
    }

    [GeneratedRegex(@"\{(\w+):\w+\}")] private static partial Regex Constraint();

    [GeneratedRegex(@"\{(\w+)(:\w+)?\}")] private static partial Regex Part();
}
