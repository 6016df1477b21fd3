using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/me/passkeys: one's own; /api/v1/session/passkey: signing in by one, without a password.</summary>
static class PasskeyApi
{
    /// <param name="Id">Comes back with the answer; good once, for five minutes.</param>
    /// <param name="Options">For navigator.credentials of the browser.</param>
    internal sealed record PasskeyQuestion(string Id, JsonNode Options);

    /// <param name="Credential">What navigator.credentials.get has given, as JSON.</param>
    internal sealed record ShownPasskey(string Id, JsonElement Credential);

    /// <param name="Name">The device that holds it.</param>
    /// <param name="Credential">What navigator.credentials.create has given, as JSON.</param>
    sealed record MadePasskey(string Id, string Name, JsonElement Credential);

    /// <param name="BackedUp">Its owner's other devices have it, too.</param>
    /// <param name="RecoveryCodes">With the first second factor, this once.</param>
    sealed record PasskeyView(long Id, string Name, bool BackedUp, DateTimeOffset Created, DateTimeOffset? Used, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? RecoveryCodes = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/session/passkey/options", null, About.Asked, "Begin to sign in by a passkey", AskAsync) { Gives = typeof(PasskeyQuestion) },
        new("POST", "/session/passkey", null, About.Asked, "Sign in by a passkey: sets a cookie", Requests.With<ShownPasskey>(SignInAsync)) { Takes = typeof(ShownPasskey), Gives = typeof(SessionApi.SessionView) },
        new("GET", "/me/passkeys", Permissions.OwnCredentials, About.Asked, "One's own passkeys", CredentialsApi.WithSelf(ListAsync)) { Gives = typeof(PasskeyView), IsList = true, IsForNewcomers = true },
        new("POST", "/me/passkeys/options", Permissions.OwnCredentials, About.Asked, "Begin to make a passkey; with second-factor=true one that is good beside the password only, as a security key without a PIN is", CredentialsApi.WithSelf(BeginAsync)) { Query = ["second-factor"], Gives = typeof(PasskeyQuestion), IsForNewcomers = true },
        new("POST", "/me/passkeys", Permissions.OwnCredentials, About.Asked, "Keep the passkey that was made", Requests.With<MadePasskey>((context, made) => CredentialsApi.WithSelf((_, me) => AddAsync(context, me, made))(context))) { Takes = typeof(MadePasskey), Gives = typeof(PasskeyView), IsForNewcomers = true },
        new("DELETE", "/me/passkeys/{id:long}", Permissions.OwnCredentials, About.Asked, "End a passkey of one's own", CredentialsApi.WithSelf(RemoveAsync)) { Gives = typeof(NumberDone) },
    ];

    static PasskeyView Show(Passkey one, IReadOnlyList<string>? codes = null) => new(one.Id, one.Name, one.IsBackedUp, one.Created, one.Used, codes);

    static Task ListAsync(HttpContext context, Account me) => context.ListAsync(context.Room<Passkeys>().List(me.Id), one => one.Id.ToString("D19", CultureInfo.InvariantCulture), one => Show(one));

    static async Task BeginAsync(HttpContext context, Account me)
    {
        var (id, options) = await context.Room<PasskeyDoor>().BeginAsync(context, me, context.Asked("second-factor") == "true");
        await context.JsonAsync(new PasskeyQuestion(id, options));
    }

    static async Task AddAsync(HttpContext context, Account me, MadePasskey made)
    {
        if (Passkeys.CheckName(made.Name ?? "") is { } unnamed) { await context.RefuseAsync(unnamed); return; }
        if (made.Credential.ValueKind != JsonValueKind.Object) { await context.RefuseAsync(Refusal.Invalid.Because("The authenticator's answer is missing").At("credential")); return; }
        var right = await context.Room<PasskeyDoor>().RegisterAsync(context, me, made.Id ?? "", made.Name!, made.Credential);
        if (!right.Ok) { await context.RefuseAsync(right.Refusal); return; }
        var added = await context.Room<SecondFactors>().AddPasskeyAsync(me, right.Value, context.RequestAborted);
        await context.ResultAsync(added, one => Show(one.Passkey, one.RecoveryCodes), 201);
    }

    static async Task RemoveAsync(HttpContext context, Account me)
    {
        var id = long.Parse(context.Part("id"), CultureInfo.InvariantCulture);
        if (await context.Room<Passkeys>().RemoveAsync(me.Id, id, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(id));
    }

    static async Task AskAsync(HttpContext context)
    {
        if (SessionApi.Forbids(context) is { } refusal) { await context.RefuseAsync(refusal); return; }
        var (id, options) = await context.Room<PasskeyDoor>().AskAsync(context, secondFactor: null);
        await context.JsonAsync(new PasskeyQuestion(id, options));
    }

    static async Task SignInAsync(HttpContext context, ShownPasskey shown)
    {
        if (SessionApi.Forbids(context) is { } refusal) { await context.RefuseAsync(refusal); return; }
        var account = shown.Credential.ValueKind == JsonValueKind.Object ? await context.Room<PasskeyDoor>().CheckAsync(context, secondFactor: null, shown.Id ?? "", shown.Credential, context.RequestAborted) : null;
        var result = await context.Room<SignIn>().TryAsync(new ByPasskey(account?.Address.ToString() ?? "", account is not null), ApiCallers.From(context) ?? System.Net.IPAddress.None, context.TraceIdentifier, context.RequestAborted);
        if (!result.Ok) await context.RefuseAsync(result.Refusal == Refusal.SignInFailed ? Refusal.SignInFailed.Because("This passkey is not known here, or its answer is not right") : result.Refusal);
        else await SessionApi.BeginAsync(context, result.Value, acting: null);
    }
}
