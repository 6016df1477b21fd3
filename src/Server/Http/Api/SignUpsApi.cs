using System.Globalization;
using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/sign-ups: people who wait to be let in.</summary>
static class SignUpsApi
{
    /// <param name="Reason">That he is told; none where it is empty.</param>
    sealed record Refusing(string? Reason = null);

    /// <param name="Taken">Somebody has the address already.</param>
    /// <param name="Invitation">By which he came, or null.</param>
    /// <param name="AskedAgainFor">The address that he wanted when he asked again with the same other address; this one counts.</param>
    sealed record SignUpView(long Id, string Address, string Name, string Recovery, bool RecoveryProven, bool Taken, long? Invitation, string Language, string From, DateTimeOffset At, string? AskedAgainFor, DateTimeOffset? AskedAgain);

    sealed record ApprovedView(long Id, string Address);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/sign-ups", Permissions.AccountsRead, About.Asked, "People who wait to be let in", ListAsync) { IsList = true, Query = ["domain"], Gives = typeof(SignUpView) },
        new("POST", "/sign-ups/{id:long}/approve", Permissions.AccountsWrite, About.Asked, "Let somebody in: makes the account and tells him", With(ApproveAsync)) { Gives = typeof(ApprovedView), CanRehearse = true },
        new("POST", "/sign-ups/{id:long}/refuse", Permissions.AccountsWrite, About.Asked, "Let somebody not in, and tell him", Requests.With<Refusing>((context, wanted) => With((_, one) => RefuseAsync(context, one, wanted))(context))) { Takes = typeof(Refusing), Gives = typeof(NumberDone), CanRehearse = true },
    ];

    static Domain? Domain(HttpContext context, SignUp one) => context.Room<UserDirectory>().ListDomains().FirstOrDefault(domain => domain.Id == one.DomainId);

    static bool May(HttpContext context, SignUp one) => Domain(context, one) is { } domain && context.Caller().May(Permissions.AccountsWrite, domain);

    // the list is for those who decide: it takes reading rights to ask, and the domain to be one's own to see
    static bool Sees(HttpContext context, SignUp one) => Domain(context, one) is { } domain && context.Caller() is var caller && caller.ReachOf(Permissions.AccountsRead) >= Reach.Domains && caller.May(Permissions.AccountsRead, domain);

    static RequestDelegate With(Func<HttpContext, SignUp, Task> deed) => context =>
        context.Room<SignUps>().Find(long.Parse(context.Part("id"), CultureInfo.InvariantCulture)) is { } one && May(context, one) ? deed(context, one) : context.RefuseAsync(Refusal.NoSuchThing.Because("Nobody waits under this number; cbamail sign-up list shows those who do"));

    static async Task ListAsync(HttpContext context)
    {
        Domain? domain = null;
        if (context.Asked("domain") is { } name && (domain = context.Room<UserDirectory>().FindDomain(name)) is null) { await context.RefuseAsync(Requests.NoDomain(name).At("domain")); return; }
        var directory = context.Room<UserDirectory>();
        var seen = context.Room<SignUps>().List().Where(one => Sees(context, one) && (domain is null || one.DomainId == domain.Id));
        await context.ListAsync(seen, one => one.Id.ToString("D19", CultureInfo.InvariantCulture), one =>
        {
            var address = new MailAddress(one.Local, Domain(context, one)!.Name);
            return new SignUpView(one.Id, address.ToString(), one.Name, one.Recovery, one.Proven, directory.FindAccount(address) is not null || directory.FindAlias(address) is not null, one.InvitationId == 0 ? null : one.InvitationId, one.Language, one.From, one.At,
                one.AgainAt is null ? null : new MailAddress(one.AgainLocal, address.Domain).ToString(), one.AgainAt);
        });
    }

    static async Task ApproveAsync(HttpContext context, SignUp one)
    {
        var made = await context.Room<SignUps>().ApproveAsync(one.Id, context.Room<Joining>(), context.Room<RecoveryAddresses>(), context.RequestAborted);
        await context.ResultAsync(made, account => new ApprovedView(one.Id, account.Address.ToString()));
    }

    static async Task RefuseAsync(HttpContext context, SignUp one, Refusing wanted)
    {
        if (await context.Room<SignUps>().RefuseAsync(one.Id, wanted.Reason ?? "", context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new NumberDone(one.Id));
    }
}
