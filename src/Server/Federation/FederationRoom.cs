using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Federation.Ldap;
using CbaMail.Sasl;
using CbaMail.Storage;

namespace CbaMail.Federation;

/// <summary>
/// Federation: people whom somebody else vouches for. An issuer of OpenID Connect (<see cref="Issuer"/>) signs browsers in (<see cref="BrowserSignIn"/>, the
/// code flow with PKCE) and gives mail programs the tokens that they show by OAUTHBEARER and XOAUTH2 (<see cref="AccessTokens"/>); <see cref="People"/> says
/// which account of ours somebody is, makes it where that is wanted, and gives him the roles of his groups.
///
/// A directory (LDAP, RFC 4511; folder Ldap) keeps the passwords of its people, and what it says of them is brought here: <see cref="LdapSync"/>,
/// <see cref="LdapPasswords"/>. Where none is in the settings, nothing of it is made.
///
/// Rules that a change must keep: everything from the issuer is bounded in size and time, and asked for at addresses that its own configuration names, never
/// by a redirect; a signature is checked with the issuer's published keys by an algorithm that fits the key, before anything in a token is believed;
/// no token and no secret reaches a log; while the issuer is away answers are temporary.
///
/// Not here: sessions of browsers (Authorization), SASL itself (Sasl).
/// </summary>
public static class FederationRoom
{
    public static IServiceCollection AddFederation(this IServiceCollection services, Settings settings)
    {
        if (settings.Directory.Ldap.Count > 0)
            services.AddSingleton<LdapSources>().AddSingleton<LdapSync>().AddSingleton<LdapPasswords>().AddSingleton<IPasswordKeeper>(provider => provider.GetRequiredService<LdapPasswords>()).AddHostedService<LdapUpkeep>();
        if (!settings.Oidc.IsOn) return services;
        services.AddSingleton<IssuerFetch>().AddSingleton<Issuer>().AddSingleton<People>().AddSingleton<BrowserSignIn>();
        if (settings.Oidc.Audience.Length > 0) services.AddSingleton<ITokenCheck, AccessTokens>();
        return services;
    }

    /// <param name="record">Writes, in the same transaction, what the directory of a name has done.</param>
    public static void Attach(IServiceProvider services, Action<WriteTransaction, string, LdapDeed> record)
    {
        services.GetRequiredService<UserDirectory>().Keeper = services.GetService<IPasswordKeeper>();
        if (services.GetService<LdapSync>() is { } sync) sync.Record = record;
    }
}
