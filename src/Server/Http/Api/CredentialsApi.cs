using System.Globalization;
using System.Text.Json.Serialization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/me/application-passwords, one's own; /api/v1/accounts/{address}/application-passwords, those of others.</summary>
static class CredentialsApi
{
    /// <param name="Name">The program that it is for.</param>
    /// <param name="Protocols">imap, pop3, submission; none: all.</param>
    /// <param name="Networks">From where it may be used; none: from anywhere.</param>
    /// <param name="For">How long it lasts, as in 90d, in place of <paramref name="Expires"/>.</param>
    sealed record NewPassword(string Name, IReadOnlyList<string>? Protocols = null, IReadOnlyList<string>? Networks = null, DateTimeOffset? Expires = null, string? For = null);

    /// <param name="Used">To within a few minutes.</param>
    /// <param name="Password">Itself, this once.</param>
    sealed record PasswordView(
        long Id, string Name, IReadOnlyList<string> Protocols, IReadOnlyList<string> Networks, DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Used, string? UsedFrom, string? UsedBy,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Password = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/me/application-passwords", Permissions.OwnCredentials, About.Asked, "One's own application passwords", WithSelf(ListAsync)) { Gives = typeof(PasswordView), IsList = true },
        new("POST", "/me/application-passwords", Permissions.OwnCredentials, About.Asked, "Make an application password of one's own; the answer shows it, this once", Requests.With<NewPassword>((context, wanted) => WithSelf((_, me) => AddAsync(context, me, wanted))(context))) { Takes = typeof(NewPassword), Gives = typeof(PasswordView) },
        new("DELETE", "/me/application-passwords/{id:long}", Permissions.OwnCredentials, About.Asked, "End an application password of one's own", WithSelf(RemoveAsync)) { Gives = typeof(NumberDone) },
        new("GET", "/accounts/{address}/application-passwords", Permissions.CredentialsRead, About.Account, "Application passwords of an account", Requests.WithAccount(ListAsync)) { Gives = typeof(PasswordView), IsList = true },
        new("POST", "/accounts/{address}/application-passwords", Permissions.CredentialsWrite, About.Account, "Make an application password for an account; the answer shows it, this once", Requests.With<NewPassword>((context, wanted) => Requests.WithAccount((_, account) => AddAsync(context, account, wanted))(context))) { Takes = typeof(NewPassword), Gives = typeof(PasswordView) },
        new("DELETE", "/accounts/{address}/application-passwords/{id:long}", Permissions.CredentialsWrite, About.Account, "End an application password of an account", Requests.WithAccount(RemoveAsync)) { Gives = typeof(NumberDone) },
    ];

    /// <summary>The caller's own account; who acts as somebody else leaves no way in behind.</summary>
    internal static RequestDelegate WithSelf(Func<HttpContext, Account, Task> deed) => context =>
        context.Caller().Account is not { } me ? context.RefuseAsync(Refusal.NotPossible.Because("This belongs to an account, and you come by none"))
        : context.Caller().Acting is not null ? context.RefuseAsync(Refusal.NotPermitted.Because("Who acts as somebody else does not see or change by what he signs in"))
        : deed(context, me);

    /// <summary>The caller's own account, also where somebody acts as him.</summary>
    internal static RequestDelegate WithMe(Func<HttpContext, Account, Task> deed) => context =>
        context.Caller().Account is { } me ? deed(context, me) : context.RefuseAsync(Refusal.NotPossible.Because("This belongs to an account, and you come by none"));

    static PasswordView Show(ApplicationPassword one, string? text = null) =>
        new(one.Id, one.Name, one.Protocols, one.Networks, one.Created, one.Expires, one.Use?.At, one.Use?.From, one.Use?.By, text);

    static Task ListAsync(HttpContext context, Account account) =>
        context.ListAsync(context.Room<ApplicationPasswords>().List(account.Id), one => one.Id.ToString("D19", CultureInfo.InvariantCulture), one => Show(one));

    static async Task AddAsync(HttpContext context, Account account, NewPassword wanted)
    {
        var expires = wanted.Expires;
        if (wanted.For is { Length: > 0 } span)
        {
            if (!Times.TryWithUnit(span, out var time)) { await context.RefuseAsync(Refusal.Invalid.Because($"\"{span}\" is no span of time with its unit; write it as in 90d, 12h or 30m").At("for")); return; }
            expires = context.Room<TimeProvider>().GetUtcNow() + time;
        }
        var made = await context.Room<ApplicationPasswords>().AddAsync(account, new(wanted.Name, wanted.Protocols, wanted.Networks, expires), context.RequestAborted);
        await context.ResultAsync(made, one => Show(one.Password, one.Text), 201);
    }

    static async Task RemoveAsync(HttpContext context, Account account)
    {
        var id = long.Parse(context.Part("id"), CultureInfo.InvariantCulture);
        if (await context.Room<ApplicationPasswords>().RemoveAsync(account.Id, id, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(id));
    }
}
