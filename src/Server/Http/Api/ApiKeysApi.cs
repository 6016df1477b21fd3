using System.Globalization;
using System.Text.Json.Serialization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/api-keys: everybody has his own; who may do everything sees all, and makes those of the server.</summary>
static class ApiKeysApi
{
    /// <param name="Account">Whose it is to be; where it is missing, the caller's, and at the control socket the server's.</param>
    /// <param name="Permissions">None: all that its owner may do.</param>
    /// <param name="Networks">From where it may be used; none: from anywhere.</param>
    /// <param name="For">How long it lasts, as in 90d, in place of <paramref name="Expires"/>.</param>
    sealed record NewKey(string Name, string? Account = null, IReadOnlyList<string>? Permissions = null, IReadOnlyList<string>? Networks = null, DateTimeOffset? Expires = null, string? For = null);

    /// <param name="Used">Since the server started.</param>
    /// <param name="Key">The key itself, this once.</param>
    sealed record KeyView(long Id, string Name, string? Account, IReadOnlyList<string> Permissions, IReadOnlyList<string> Networks, DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Used, string? UsedFrom, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Key = null)
    {
        /// <summary>What is to be known of what was done.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public IReadOnlyList<string>? Warnings { get; init; }
    }

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/api-keys", Permissions.OwnAccount, About.Asked, "Keys of the API", ListAsync) { Gives = typeof(KeyView), IsList = true },
        new("POST", "/api-keys", Permissions.OwnAccount, About.Asked, "Make a key; the answer shows it, this once", Requests.With<NewKey>(AddAsync)) { Takes = typeof(NewKey), Gives = typeof(KeyView) },
        new("DELETE", "/api-keys/{id:long}", Permissions.OwnAccount, About.Asked, "End a key", RemoveAsync) { Gives = typeof(NumberDone) },
    ];

    static KeyView Show(HttpContext context, ApiKey key, string? text = null)
    {
        var use = context.Room<ApiKeys>().LastUse(key);
        return new(key.Id, key.Name, context.Room<UserDirectory>().GetAccount(key.AccountId)?.Address.ToString(), key.Permissions, key.Networks, key.Created, key.Expires, use?.At, use?.From, text);
    }

    /// <summary>Whose keys the caller sees; null: everybody's.</summary>
    static long? Whose(HttpContext context) => context.Caller() is { Role: Role.Admin } caller && caller.Key is not { Permissions.Count: > 0 } ? null : context.Caller().Account?.Id ?? 0;

    static Task ListAsync(HttpContext context) =>
        context.ListAsync(context.Room<ApiKeys>().List(Whose(context)), key => key.Id.ToString("D19", CultureInfo.InvariantCulture), key => Show(context, key));

    static async Task AddAsync(HttpContext context, NewKey wanted)
    {
        var caller = context.Caller();
        var owner = caller.Account;
        if (wanted.Account is { Length: > 0 } name)
        {
            owner = context.FindAccount(name);
            if (owner is null) { await context.RefuseAsync(Requests.NoAccount(name).At("account")); return; }
            // a key does what its owner may: only who stands above him makes one for him
            if (owner.Id != caller.Account?.Id && !caller.MayEverywhere(Permissions.RolesWrite)) { await context.RefuseAsync(Requests.MayNot(Permissions.RolesWrite)); return; }
        }
        // a key that reaches less than its owner makes none that reaches further than itself
        if (caller.Key is { Permissions.Count: > 0 } key && (wanted.Permissions is not { Count: > 0 } || wanted.Permissions.Except(key.Permissions).Any()))
        {
            await context.RefuseAsync(Refusal.NotPermitted.Because("A key makes no key that may do more than itself").At("permissions"));
            return;
        }
        if (caller.Acting is not null) { await context.RefuseAsync(Refusal.NotPermitted.Because("Who acts as somebody else makes no keys for him")); return; }
        var expires = wanted.Expires;
        if (wanted.For is { Length: > 0 } span)
        {
            if (!Times.TryWithUnit(span, out var time)) { await context.RefuseAsync(Refusal.Invalid.Because($"\"{span}\" is no span of time with its unit; write it as in 90d, 12h or 30m").At("for")); return; }
            expires = context.Room<TimeProvider>().GetUtcNow() + time;
        }
        if (caller.Key is { } its && !(ApiKeys.Hold(its.Networks, wanted.Networks ?? []) && (its.Expires is null || expires <= its.Expires)))
        {
            await context.RefuseAsync(Refusal.NotPermitted.Because("A key makes no key that can be used from more networks or for longer than itself"));
            return;
        }
        var made = await context.Room<ApiKeys>().AddAsync(owner?.Id ?? 0, new(wanted.Name, wanted.Permissions, wanted.Networks, expires), context.RequestAborted);
        await context.ResultAsync(made, one => Show(context, one.Key, one.Text) with { Warnings = context.Warnings(Beyond(owner, one.Key)) }, 201);
    }

    /// <summary>What its owner may not do, the key may not either, until he is given it.</summary>
    static IEnumerable<Refusal> Beyond(Account? owner, ApiKey key) => owner is null ? []
        : key.Permissions.Where(name => Permissions.Find(name) is { } one && new Caller(owner, null, null, null, null).ReachOf(one) == Reach.None)
            .Select(name => Refusal.NotPermitted.Because($"{owner.Address} has not the permission {name}, and so has no key that acts for him"));

    static async Task RemoveAsync(HttpContext context)
    {
        var id = long.Parse(context.Part("id"), CultureInfo.InvariantCulture);
        if (await context.Room<ApiKeys>().RemoveAsync(id, Whose(context), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(id));
    }
}
