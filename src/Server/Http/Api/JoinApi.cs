using System.Net;
using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Http.Api;

/// <summary>For who has no account, or cannot get at it: /api/v1/join, /api/v1/password-reset, /api/v1/recovery; and one's own /api/v1/me/recovery.</summary>
static class JoinApi
{
    /// <param name="Token">What stands at the end of the link; none: the domains where anybody may ask.</param>
    sealed record JoinQuestion(string? Token = null);

    /// <param name="Address">That is given; null: the name is picked.</param>
    /// <param name="Domains">To choose from.</param>
    /// <param name="SentTo">The address that this link went to: it needs no further proof as a recovery address.</param>
    /// <param name="Password">What a password must be, in words.</param>
    sealed record JoinOptions(string? Address, IReadOnlyList<string> Domains, string? Pattern, string? Name, bool Approval, DateTimeOffset? Expires, string? SentTo, int PasswordLength, string Password);

    /// <param name="Domain">Where there is no token.</param>
    /// <param name="LocalPart">The name before @, where it is picked.</param>
    /// <param name="Recovery">Another address of his.</param>
    sealed record JoinRequest(string Name, string Password, string? Token = null, string? Domain = null, string? LocalPart = null, string? Recovery = null, string? Language = null);

    /// <param name="Waits">Somebody has to say yes first.</param>
    sealed record JoinAnswer(string Address, bool Waits);

    sealed record ResetRequest(string Address, string? Language = null);

    /// <param name="Code">Of the second factor, where there is one.</param>
    /// <param name="EndPrograms">Application passwords and keys of the API end too.</param>
    sealed record ResetConfirmation(string Token, string Password, string? Code = null, bool EndPrograms = false, string? Language = null);

    sealed record RecoveryConfirmation(string Token);

    sealed record RecoveryConfirmed(string Account, string Address);

    /// <param name="Password">One's own, to be sure.</param>
    sealed record RecoveryChange(string Address, string Password, string? Language = null);

    /// <param name="Address">That counts, or null.</param>
    /// <param name="Awaited">That is still to be confirmed, or null.</param>
    sealed record RecoveryView(string? Address, string? Awaited, bool CanReset);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/join/options", null, About.Asked, "What an invitation gives, or where anybody may ask to be let in", Requests.With<JoinQuestion>(Open<JoinQuestion>(LookAsync))) { Takes = typeof(JoinQuestion), Gives = typeof(JoinOptions), OnlyReads = true },
        new("POST", "/join", null, About.Asked, "Take an invitation, or ask to be let in", Requests.With<JoinRequest>(Open<JoinRequest>(JoinAsync))) { Takes = typeof(JoinRequest), Gives = typeof(JoinAnswer) },
        new("POST", "/password-reset", null, About.Asked, "Have a link for a new password sent to the recovery address; the answer is always the same", Requests.With<ResetRequest>(Open<ResetRequest>(AskAsync))) { Takes = typeof(ResetRequest), Gives = typeof(DeedDone) },
        new("POST", "/password-reset/confirm", null, About.Asked, "Take a new password by such a link", Requests.With<ResetConfirmation>(Open<ResetConfirmation>(ResetAsync))) { Takes = typeof(ResetConfirmation), Gives = typeof(AddressDone) },
        new("POST", "/recovery/confirm", null, About.Asked, "Show that a recovery address is one's own, by the link that went there", Requests.With<RecoveryConfirmation>(Open<RecoveryConfirmation>(ConfirmAsync))) { Takes = typeof(RecoveryConfirmation), Gives = typeof(RecoveryConfirmed) },
        new("GET", "/me/recovery", Permissions.OwnCredentials, About.Asked, "One's own recovery address", CredentialsApi.WithSelf((context, me) => context.JsonAsync(Show(context, me)))) { Gives = typeof(RecoveryView) },
        new("PUT", "/me/recovery", Permissions.OwnCredentials, About.Asked, "Another recovery address; it counts once the link that goes there was opened", Requests.With<RecoveryChange>((context, wanted) => CredentialsApi.WithSelf((_, me) => ChangeAsync(context, me, wanted))(context))) { Takes = typeof(RecoveryChange), Gives = typeof(RecoveryView) },
        new("DELETE", "/me/recovery", Permissions.OwnCredentials, About.Asked, "Have no recovery address any more", CredentialsApi.WithSelf(RemoveAsync)) { Gives = typeof(RecoveryView) },
    ];

    /// <summary>For anybody: over TLS, and from our own pages.</summary>
    static Func<HttpContext, T, Task> Open<T>(Func<HttpContext, T, Task> deed) => (context, wanted) =>
        !ControlDoor.Is(context) && context.Room<ApiCallers>().Forbids(context) is { } inClear ? context.RefuseAsync(inClear)
        : context.Request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none") ? context.RefuseAsync(Refusal.NotPermitted.Because("This is to be asked by our own pages"))
        : deed(context, wanted);

    static string Language(HttpContext context, string? wanted) => wanted is "ru" or "en" ? wanted : Sentences.LanguageOf(context);

    static async Task LookAsync(HttpContext context, JoinQuestion question)
    {
        var least = context.Room<Settings>().SignIn.PasswordLength;
        var words = PasswordPolicy.Words(least, Sentences.LanguageOf(context) == "ru");
        if (question.Token is null) { await context.JsonAsync(new JoinOptions(null, [.. context.Room<Joining>().OpenDomains.Select(domain => domain.Name)], null, null, true, null, null, least, words)); return; }
        var found = context.Room<Joining>().Look(question.Token, Forms.From(context));
        await context.ResultAsync(found, open => new JoinOptions(
            open.Invitation.Local.Length > 0 ? $"{open.Invitation.Local}@{open.Domain.Name}" : null, [open.Domain.Name], open.Invitation.Pattern.Length > 0 ? open.Invitation.Pattern : null, open.Invitation.Name, open.Invitation.Approval,
            open.Invitation.Expires, open.SentTo.Length > 0 ? open.SentTo : null, least, words));
    }

    static async Task JoinAsync(HttpContext context, JoinRequest wanted)
    {
        var joined = await context.Room<Joining>().JoinAsync(
            new(wanted.Token, wanted.Domain, wanted.LocalPart ?? "", wanted.Name ?? "", wanted.Password ?? "", wanted.Recovery ?? "", Language(context, wanted.Language)), Forms.From(context), context.RequestAborted);
        await context.ResultAsync(joined, one => new JoinAnswer(one.Address.ToString(), one.Account is null), joined.Value?.Account is null ? 202 : 201);
    }

    static Task AskAsync(HttpContext context, ResetRequest wanted) =>
        context.Room<PasswordResets>().Ask(wanted.Address ?? "", Language(context, wanted.Language), Forms.From(context)) is { } refusal ? context.RefuseAsync(refusal) : context.JsonAsync(new DeedDone(true), 202);

    static async Task ResetAsync(HttpContext context, ResetConfirmation wanted)
    {
        var used = await context.Room<PasswordResets>().UseAsync(new(wanted.Token, wanted.Password ?? "", wanted.Code, wanted.EndPrograms), Language(context, wanted.Language), Forms.From(context), context.RequestAborted);
        await context.ResultAsync(used, account => new AddressDone(account.Address.ToString()));
    }

    static async Task ConfirmAsync(HttpContext context, RecoveryConfirmation wanted)
    {
        var done = await context.Room<RecoveryAddresses>().ConfirmAsync(wanted.Token, context.RequestAborted);
        await context.ResultAsync(done, one => new RecoveryConfirmed(one.Account.Address.ToString(), one.Address));
    }

    static RecoveryView Show(HttpContext context, Account me) => new(me.Profile.Recovery, context.Room<RecoveryAddresses>().Awaited(me), context.Room<PasswordResets>().MayReset(me));

    static async Task ChangeAsync(HttpContext context, Account me, RecoveryChange wanted)
    {
        // whoever finds a session open does not make himself a way back in
        var right = await context.Room<SignIn>().TryAsync(new Confirmation(me.Address.ToString(), wanted.Password ?? ""), ApiCallers.From(context) ?? IPAddress.None, context.TraceIdentifier, context.RequestAborted);
        if (!right.Ok) { await context.RefuseAsync(right.Refusal == Refusal.SignInFailed ? Refusal.NotPermitted.Because("The password is wrong").At("password") : right.Refusal); return; }
        if (await context.Room<RecoveryAddresses>().AskAsync(me, wanted.Address ?? "", Language(context, wanted.Language), context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(Show(context, me), 202);
    }

    static async Task RemoveAsync(HttpContext context, Account me)
    {
        if (await context.Room<RecoveryAddresses>().RemoveAsync(me, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(Show(context, context.Room<UserDirectory>().GetAccount(me.Id) ?? me));
    }
}
