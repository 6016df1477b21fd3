using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using CbaMail.Envelope;

namespace CbaMail.Http;

/// <summary>Answers of the API, all in one form: JSON in camel case, refusals as problems (RFC 9457) with a code and a sentence.</summary>
public static partial class Reply
{
    /// <summary>Of every body that comes or goes.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // Cyrillic stays readable; nothing of this is put into HTML
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false, // of two, nobody knows which was meant (RFC 8259 4)
    };

    /// <summary>Of bodies that come: what may not be null must be there.</summary>
    internal static readonly JsonSerializerOptions Incoming = new(Json) { RespectNullableAnnotations = true, TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Require } } };

    static void Require(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
            if (property.AssociatedParameter is { } parameter) property.IsRequired = parameter is { HasDefaultValue: false, IsNullable: false, ParameterType.IsValueType: false };
    }

    const int LargestBody = 1 << 20;

    public static async Task JsonAsync(this HttpContext context, object value, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, value.GetType(), Json, context.RequestAborted);
    }

    public static Task RefuseAsync(this HttpContext context, Refusal refusal) => context.RefuseAsync(refusal, refusal.HttpStatus);

    public static Task RefuseAsync(this HttpContext context, int status, string sentence) => context.RefuseAsync(Of(status).Because(sentence), status);

    /// <summary>The same, of an interpolated string whose pattern is kept.</summary>
    public static Task RefuseAsync(this HttpContext context, int status, ref SentenceBuilder sentence) => context.RefuseAsync(Of(status).Because(ref sentence), status);

    static Refusal Of(int status) => Refusal.Invalid with { ImapCode = status switch { 404 => "NONEXISTENT", 405 => "CANNOT", 409 => "INUSE", 413 => "TOOBIG", 500 => "SERVERBUG", _ => "CLIENTBUG" } };

    /// <summary>The refusal's sentence in the caller's language.</summary>
    public static string Say(this HttpContext context, Refusal refusal) => Sentences.Say(refusal, Sentences.LanguageOf(context));

    /// <param name="kinds">Of second factors that can be shown.</param>
    /// <param name="passkey">The question to a passkey, where that is one of them.</param>
    /// <param name="check">What is wrong with a mailing.</param>
    public static async Task RefuseAsync(this HttpContext context, Refusal refusal, int status, IReadOnlyList<string>? kinds = null, object? passkey = null, object? check = null)
    {
        var language = Sentences.LanguageOf(context);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json; charset=utf-8";
        context.Response.Headers.ContentLanguage = language;
        var problem = new Problem("about:blank", Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status), status, Code(refusal), Sentences.Say(refusal, language), refusal.Field, kinds, passkey, check);
        await JsonSerializer.SerializeAsync(context.Response.Body, problem, Problems, context.RequestAborted);
    }

    sealed record Problem(string Type, string Title, int Status, string Code, string Detail, string? Field, IReadOnlyList<string>? Kinds = null, object? Passkey = null, object? Check = null);

    static readonly JsonSerializerOptions Problems = new(Json) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The cause for programs; these words do not change.</summary>
    static string Code(Refusal refusal) => refusal.ImapCode switch
    {
        "NONEXISTENT" => "not-found",
        "ALREADYEXISTS" => "exists",
        "CLIENTBUG" => "invalid",
        "CANNOT" => "not-possible",
        "INUSE" => "conflict",
        "OVERQUOTA" => "over-quota",
        "TOOBIG" => "too-large",
        "LIMIT" => "too-many",
        "NOPERM" => "not-permitted",
        "AUTHENTICATIONFAILED" => "sign-in-failed",
        "AUTHORIZATIONFAILED" => "forbidden",
        "PRIVACYREQUIRED" => "tls-required",
        "UNAVAILABLE" => "unavailable",
        "SECONDFACTOR" => "second-factor",
        "SETUPNEEDED" => "second-factor-required",
        "EXPIRED" => "password-change-required",
        "SERVERBUG" => "unexpected",
        _ => "refused",
    };

    /// <summary>Sentences about what was done all the same; null where there are none.</summary>
    public static IReadOnlyList<string>? Warnings(this HttpContext context, IEnumerable<Refusal> warnings) => warnings.Select(context.Say).ToList() is { Count: > 0 } some ? some : null;

    /// <summary>The value by <paramref name="show"/>, or the refusal.</summary>
    public static Task ResultAsync<T>(this HttpContext context, Result<T> result, Func<T, object> show, int status = 200) =>
        result.Ok ? context.JsonAsync(show(result.Value), status) : context.RefuseAsync(result.Refusal);

    /// <summary>Starts an answer of JSON lines; end each with <see cref="LineAsync"/>.</summary>
    public static void StartLines(this HttpContext context) => context.Response.ContentType = "application/jsonl; charset=utf-8";

    public static async Task LineAsync(this HttpContext context, object value)
    {
        await JsonSerializer.SerializeAsync(context.Response.Body, value, value.GetType(), Json, context.RequestAborted);
        await context.Response.WriteAsync("\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    /// <summary>The request's body; where it is not what it should be, the answer is given and null returned.</summary>
    public static async ValueTask<T?> ReadAsync<T>(this HttpContext context) where T : class
    {
        try
        {
            if (context.Request.ContentLength > LargestBody) { await context.RefuseAsync(413, "The request is too large"); return null; }
            var value = context.Request.Method == "PATCH" && NullMeansAttribute.Of(typeof(T)) is { Count: > 0 } nulls
                ? await WithNullsAsync<T>(context, nulls) : await JsonSerializer.DeserializeAsync<T>(context.Request.Body, Incoming, context.RequestAborted);
            if (value is not null) return value;
            await context.RefuseAsync(400, "The request has no body");
        }
        catch (JsonException e)
        {
            await context.RefuseAsync(NotExpected(e, typeof(T)));
        }
        catch (ArgumentException) // the framework's word for a name that stands twice in a JsonObject
        {
            await context.RefuseAsync(Refusal.Invalid.Because("A field of the request was given twice"));
        }
        return null;
    }

    /// <summary>RFC 7396: null takes a thing away.</summary>
    static async ValueTask<T?> WithNullsAsync<T>(HttpContext context, IReadOnlyDictionary<string, string> nulls) where T : class
    {
        var body = await JsonNode.ParseAsync(context.Request.Body, documentOptions: new() { AllowDuplicateProperties = false }, cancellationToken: context.RequestAborted);
        if (body is JsonObject fields)
            foreach (var name in fields.Where(field => field.Value is null && nulls.ContainsKey(field.Key)).Select(field => field.Key).ToList()) fields[name] = JsonNode.Parse(nulls[name]);
        return body.Deserialize<T>(Incoming);
    }

    /// <summary>What is wrong with a body, in the words of who wrote it: which field, and what it takes.</summary>
    internal static Refusal NotExpected(JsonException e, Type wanted)
    {
        // a field that is not known: the message is the only place that names it
        if (e.Message.StartsWith("The JSON property '", StringComparison.Ordinal) && e.Message.Split('\'') is [_, { Length: > 0 } unknown, ..])
        {
            var known = wanted.GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name));
            return Refusal.Invalid.Because($"There is no field \"{unknown}\" here; those that can be given are {string.Join(", ", known)}").At(unknown);
        }
        if (e.Message.StartsWith("Duplicate property '", StringComparison.Ordinal) && e.Message.Split('\'') is [_, { Length: > 0 } twice, ..]) return Refusal.Invalid.Because($"The field \"{twice}\" was given twice").At(twice);
        if (Missing().Match(e.Message) is { Success: true } missing) return Refusal.Invalid.Because($"{missing.Groups[1].Value} is missing").At(missing.Groups[1].Value);
        if (e.InnerException is not (InvalidOperationException or FormatException or null) || e.Path is not { Length: > 2 } path)
            return Refusal.Invalid.Because($"The request is not JSON: line {(e.LineNumber ?? 0) + 1}, character {(e.BytePositionInLine ?? 0) + 1}");
        var field = path.TrimStart('$', '.');
        var type = wanted.GetProperty(field, System.Reflection.BindingFlags.IgnoreCase | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance)?.PropertyType;
        type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        return (type switch
        {
            { IsEnum: true } => Refusal.Invalid.Because($"{field} takes one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.KebabCaseLower.ConvertName))}"),
            _ when type == typeof(bool) => Refusal.Invalid.Because($"{field} takes true or false"),
            _ when type == typeof(string) => Refusal.Invalid.Because($"{field} takes a text"),
            { IsPrimitive: true } => Refusal.Invalid.Because($"{field} takes a number"),
            _ => Refusal.Invalid.Because($"{field} has a value that does not belong there"),
        }).At(field);
    }

    // the first of them: "... was missing required properties including: 'name', 'keep'."
    [GeneratedRegex(@"missing required properties including: '(\w+)'")] private static partial Regex Missing();

    /// <summary>A part of the path, decoded.</summary>
    public static string Part(this HttpContext context, string name) => Uri.UnescapeDataString(context.Request.RouteValues[name] as string ?? "");

    public static T Room<T>(this HttpContext context) where T : notnull => context.RequestServices.GetRequiredService<T>();
}
