using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/policies/{subject}: a domain, an account or an alias; and /api/v1/recipient-map.</summary>
static class PoliciesApi
{
    /// <summary>What was set; the rest is left out.</summary>
    sealed record PolicyView(string Subject) : MailPolicy;

    sealed record NewMapping(string Address, string Target);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/policies/{subject}", Permissions.PoliciesRead, About.Name, "Policy of a domain, an account or an alias", context =>
            context.ResultAsync(context.Room<UserDirectory>().PolicyOf(context.Part("subject")), policy => Show(context, policy))) { Gives = typeof(PolicyView) },
        new("PATCH", "/policies/{subject}", Permissions.PoliciesWrite, About.Name, "Change it: null takes a key away (RFC 7396)", PatchAsync) { Takes = typeof(MailPolicy), Gives = typeof(PolicyView), CanRehearse = true },
        new("GET", "/recipient-map", Permissions.MappingsRead, About.Server, "Recipients that stand for others", context => context.ListAsync(context.Room<UserDirectory>().ListMappings(), mapping => mapping.Address, mapping => mapping)) { IsList = true, Gives = typeof(RecipientMapping) },
        new("POST", "/recipient-map", Permissions.MappingsWrite, About.Server, "Let a recipient stand for another", Requests.With<NewMapping>(async (context, wanted) =>
            await context.ResultAsync(await context.Room<UserDirectory>().SetMappingAsync(wanted.Address, wanted.Target, context.RequestAborted), mapping => mapping, 201))) { Takes = typeof(NewMapping), Gives = typeof(RecipientMapping) },
        new("DELETE", "/recipient-map/{address}", Permissions.MappingsWrite, About.Server, "Take that away", UnmapAsync) { CanRehearse = true, Gives = typeof(AddressDone) },
    ];

    static async Task UnmapAsync(HttpContext context)
    {
        var address = context.Part("address");
        if (await context.Room<UserDirectory>().RemoveMappingAsync(address, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(address));
    }

    static Dictionary<string, object?> Show(HttpContext context, MailPolicy policy)
    {
        var answer = new Dictionary<string, object?> { ["subject"] = context.Part("subject") };
        foreach (var (key, value) in JsonSerializer.SerializeToNode(policy, Reply.Json)!.AsObject())
            if (value is not null) answer[key] = value;
        return answer;
    }

    /// <summary>Which key it is, and what it takes.</summary>
    static Refusal Wrong(JsonException e)
    {
        var key = e.Path?.TrimStart('$', '.').Split('[')[0] ?? "";
        var type = typeof(MailPolicy).GetProperties().FirstOrDefault(property => string.Equals(property.Name, key, StringComparison.OrdinalIgnoreCase))?.PropertyType;
        type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        return type is null ? Refusal.Invalid.Because("This is not a policy: a JSON object with its keys is expected")
            : type.IsEnum ? Refusal.Invalid.Because($"{key} takes one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.KebabCaseLower.ConvertName))}")
            : type == typeof(bool) ? Refusal.Invalid.Because($"{key} takes true or false")
            : type == typeof(string) ? Refusal.Invalid.Because($"{key} takes a text")
            : type.IsPrimitive ? Refusal.Invalid.Because($"{key} takes a number")
            : Refusal.Invalid.Because($"{key} takes a list of texts");
    }

    /// <summary>RFC 7396: what the body names is set, null takes it away, the rest stays.</summary>
    static async Task PatchAsync(HttpContext context)
    {
        if (await context.ReadAsync<JsonObject>() is not { } patch) return;
        var subject = context.Part("subject");
        var directory = context.Room<UserDirectory>();
        await context.ResultAsync(await directory.ChangePolicyAsync(subject, policy => Merged(policy, patch), context.RequestAborted), policy => Show(context, policy));
    }

    static Result<MailPolicy> Merged(MailPolicy policy, JsonObject patch)
    {
        var merged = JsonSerializer.SerializeToNode(policy, Reply.Json)!.AsObject();
        foreach (var (key, value) in patch) merged[key] = value?.DeepClone();
        try { return merged.Deserialize<MailPolicy>(Reply.Json)!; }
        catch (JsonException e) { return Wrong(e); }
    }
}
