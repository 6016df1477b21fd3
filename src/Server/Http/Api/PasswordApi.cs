using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/me/password: one's own; /api/v1/me/sign-ins and /api/v1/accounts/{address}/sign-ins: who has signed in, and who has tried.</summary>
static class PasswordApi
{
    sealed record PasswordChange(string Old, string New);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/me/password", Permissions.OwnCredentials, About.Asked, "Take another password; all sessions end, and the answer begins a new one", Requests.With<PasswordChange>((context, change) => CredentialsApi.WithSelf((_, me) => ChangeAsync(context, me, change))(context))) { Takes = typeof(PasswordChange), IsForNewcomers = true, Gives = typeof(SessionApi.SessionView) },
        new("GET", "/me/sign-ins", Permissions.OwnCredentials, About.Asked, "Who has signed in as oneself, and who has tried: newest first", CredentialsApi.WithSelf(ListAsync)) { Gives = typeof(SignInRecord), IsList = true },
        new("GET", "/accounts/{address}/sign-ins", Permissions.CredentialsRead, About.Account, "Who has signed in as somebody, and who has tried: newest first", Requests.WithAccount(ListAsync)) { Gives = typeof(SignInRecord), IsList = true },
    ];

    static async Task ChangeAsync(HttpContext context, Account me, PasswordChange change)
    {
        var sessions = context.Room<Sessions>();
        var ends = sessions.EndsOf(me);
        var right = await context.Room<SignIn>().TryAsync(new Confirmation(me.Address.ToString(), change.Old ?? ""), ApiCallers.From(context) ?? System.Net.IPAddress.None, context.TraceIdentifier, context.RequestAborted);
        if (!right.Ok) { await context.RefuseAsync(right.Refusal == Refusal.SignInFailed ? Refusal.NotPermitted.Because("The old password is wrong").At("old") : right.Refusal); return; }
        if (change.New == change.Old) { await context.RefuseAsync(Refusal.Invalid.Because("This is the password that you have").At("new")); return; }
        if (PasswordPolicy.Check(change.New ?? "", me, context.Room<Settings>().SignIn.PasswordLength) is { } weak) { await context.RefuseAsync(weak.At("new")); return; }
        var changed = await context.Room<UserDirectory>().SetAccountAsync(me, new(Password: change.New, Profile: profile => profile with { MustChangePassword = null, MustChangeSince = null }) { StillMay = () => sessions.EndsOf(me) == ends }, context.RequestAborted); // of two who show the same old one, one
        if (!changed.Ok) await context.RefuseAsync(changed.Refusal);
        else if (context.Caller().Session is not null) await SessionApi.BeginAsync(context, changed.Value, acting: null, status: 200);
        else await context.JsonAsync(new DeedDone(true));
    }

    static Task ListAsync(HttpContext context, Account account) => context.ListAsync(
        context.Room<SignInHistory>().List(account), one => (long.MaxValue - one.Last.ToUnixTimeMilliseconds()).ToString("D19", CultureInfo.InvariantCulture) + (long.MaxValue - one.Id).ToString("D19", CultureInfo.InvariantCulture), one => one);
}
