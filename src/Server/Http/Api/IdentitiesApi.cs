using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/me/identities: the names and addresses that one writes under. Others' are a field of their account.</summary>
static class IdentitiesApi
{
    /// <param name="Identities">All of them, the one before all first; none ends it.</param>
    sealed record WantedIdentities(IReadOnlyList<Identity>? Identities = null);

    /// <param name="Identities">Of those that were set, the ones that one may still write as.</param>
    /// <param name="Senders">What one may write as: addresses, and @domain where all of a domain is lent.</param>
    sealed record IdentitiesView(IReadOnlyList<Identity> Identities, IReadOnlyList<string> Senders);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/me/identities", Permissions.OwnMail, About.Asked, "Names and addresses that one writes under, and what one may write as", CredentialsApi.WithMe((context, me) => context.JsonAsync(View(context.Room<UserDirectory>(), me)))) { Gives = typeof(IdentitiesView) },
        new("PUT", "/me/identities", Permissions.OwnMail, About.Asked, "Set them", Requests.With<WantedIdentities>((context, wanted) => CredentialsApi.WithMe((_, me) => SetAsync(context, me, wanted))(context))) { Takes = typeof(WantedIdentities), Gives = typeof(IdentitiesView), CanRehearse = true },
    ];

    static IdentitiesView View(UserDirectory directory, Account me) =>
        new([.. (me.Profile.Identities ?? []).Where(one => MailAddress.TryParse(one.Address, out var address) && directory.MaySendAs(me, address))], directory.SendersOf(me));

    static async Task SetAsync(HttpContext context, Account me, WantedIdentities wanted)
    {
        if (wanted.Identities is null) { await context.RefuseAsync(Refusal.Invalid.Because("identities is a list of names and addresses; an empty one is none").At("identities")); return; }
        var directory = context.Room<UserDirectory>();
        var next = new AccountDetails(Identities: wanted.Identities).Apply(me.Profile, me, directory);
        if (!next.Ok) { await context.RefuseAsync(next.Refusal); return; }
        var kept = next.Value.Identities;
        await context.ResultAsync(await directory.SetAccountAsync(me, new(Profile: profile => profile with { Identities = kept }), context.RequestAborted), now => View(directory, now));
    }
}
