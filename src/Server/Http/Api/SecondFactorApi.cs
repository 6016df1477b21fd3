using CbaMail.Authorization;
using CbaMail.Directory;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/me/second-factor, /me/totp: one's own; /api/v1/accounts/{address}/second-factor: that of somebody who has lost his.</summary>
static class SecondFactorApi
{
    sealed record OneCode(string Code);

    /// <param name="Kinds">What can be shown; empty: there is none.</param>
    /// <param name="Since">Of the app.</param>
    /// <param name="RecoveryCodes">That are left.</param>
    /// <param name="Required">Without one nothing else can be done by a session.</param>
    sealed record SecondFactorView(IReadOnlyList<string> Kinds, DateTimeOffset? Since, int Passkeys, long RecoveryCodes, bool Required);

    /// <param name="Secret">As it is typed into an authenticator app.</param>
    /// <param name="Otpauth">As it reads it.</param>
    /// <param name="Qr">The same, as SVG.</param>
    sealed record AppKeyView(string Secret, string Otpauth, string Qr);

    sealed record RecoveryCodesView(IReadOnlyList<string> RecoveryCodes);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/me/second-factor", Permissions.OwnCredentials, About.Asked, "Whether one has a second factor", CredentialsApi.WithSelf(ShowAsync)) { Gives = typeof(SecondFactorView), IsForNewcomers = true },
        new("POST", "/me/totp", Permissions.OwnCredentials, About.Asked, "Begin to set up an authenticator app; it counts from its first code on", CredentialsApi.WithSelf(BeginAsync)) { Gives = typeof(AppKeyView), IsForNewcomers = true },
        new("POST", "/me/totp/confirm", Permissions.OwnCredentials, About.Asked, "Show the first code of the app; the answer has the recovery codes, this once", With(ConfirmAsync)) { Takes = typeof(OneCode), Gives = typeof(RecoveryCodesView), IsForNewcomers = true },
        new("POST", "/me/totp/remove", Permissions.OwnCredentials, About.Asked, "Take off one's own authenticator app, by a code", With(RemoveOwnAsync)) { Takes = typeof(OneCode), Gives = typeof(AddressDone) },
        new("POST", "/me/recovery-codes", Permissions.OwnCredentials, About.Asked, "Make new recovery codes, by a code; those of before end", With(RenewAsync)) { Takes = typeof(OneCode), Gives = typeof(RecoveryCodesView) },
        new("GET", "/accounts/{address}/second-factor", Permissions.CredentialsRead, About.Account, "Whether an account has a second factor", Requests.WithAccount(ShowAsync)) { Gives = typeof(SecondFactorView) },
        new("DELETE", "/accounts/{address}/second-factor", Permissions.CredentialsWrite, About.Account, "Take off somebody's second factor", Requests.WithAccount((context, account) => RemoveAsync(context, account, passkeysToo: true))) { Gives = typeof(AddressDone) },
    ];

    static RequestDelegate With(Func<HttpContext, Account, string, Task> deed) =>
        Requests.With<OneCode>((context, one) => CredentialsApi.WithSelf((_, me) => deed(context, me, one.Code ?? ""))(context));

    static Task ShowAsync(HttpContext context, Account account)
    {
        var factors = context.Room<SecondFactors>();
        var state = factors.State(account);
        return context.JsonAsync(new SecondFactorView(factors.KindsOf(account), state.Since, state.Passkeys, state.RecoveryCodes, state.IsRequired));
    }

    static async Task BeginAsync(HttpContext context, Account me)
    {
        var begun = await context.Room<SecondFactors>().BeginAsync(me, context.RequestAborted);
        await context.ResultAsync(begun, key =>
        {
            var link = Totp.Link(me.Address.Domain, me.Address.ToString(), key);
            return new AppKeyView(Totp.Show(key), link, QrCode.Svg(link));
        }, 201);
    }

    static async Task ConfirmAsync(HttpContext context, Account me, string code) =>
        await context.ResultAsync(await context.Room<SecondFactors>().ConfirmAsync(me, code, context.RequestAborted), codes => new RecoveryCodesView(codes));

    static async Task RenewAsync(HttpContext context, Account me, string code) =>
        await context.ResultAsync(await context.Room<SecondFactors>().RenewRecoveryCodesAsync(me, code, context.RequestAborted), codes => new RecoveryCodesView(codes));

    static async Task RemoveOwnAsync(HttpContext context, Account me, string code)
    {
        if (await context.Room<SecondFactors>().CheckAsync(me, code, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await RemoveAsync(context, me, passkeysToo: false);
    }

    static async Task RemoveAsync(HttpContext context, Account account, bool passkeysToo)
    {
        if (await context.Room<SecondFactors>().RemoveAsync(account, passkeysToo, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new AddressDone(account.Address.ToString()));
    }
}
