using System.Text.Json;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Federation;

/// <summary>Which account of ours somebody is whom the issuer knows; makes it where that is wanted, and gives it the role of its groups.</summary>
sealed class People(Settings settings, UserDirectory directory, ILogger<People> log)
{
    const string By = "oidc";

    OidcSettings Oidc => settings.Oidc;

    /// <summary>The address that claims name, or null: none, or one that nobody has checked.</summary>
    public MailAddress? AddressIn(JsonElement claims)
    {
        if (Claims.Text(claims, Oidc.AddressClaim) is not { } text || !Names.TryAddress(text, out var address)) return null;
        return Oidc.AddressClaim == "email" && Oidc.RequireVerified && !Claims.IsTrue(claims, "email_verified") ? null : address;
    }

    /// <summary>The account of an address; made here where it may be. SignInFailed where there is none, or it is disabled.</summary>
    public async ValueTask<Result<Account>> AccountAsync(MailAddress address, string? name, CancellationToken cancel)
    {
        if (directory.FindAccount(address) is { } account) return directory.IsOpen(account) ? account : Refusal.SignInFailed;
        if (!Oidc.Provision) return Refusal.SignInFailed;
        name = new string([.. (name ?? "").Where(c => !char.IsControl(c)).Take(200)]);
        var made = await directory.AddAccountAsync(new NewAccount(address.ToString(), name), cancel);
        if (!made.Ok) return directory.Proven(address.ToString()) is { } other ? other : Refusal.SignInFailed; // two sign-ins at once
        FederationTelemetry.Made(log, made.Value.Address);
        return made;
    }

    /// <summary>The role of groups. One that was given here and is higher stays; one that the issuer gave ends with its group.</summary>
    public async ValueTask<Result<Account>> WithRoleAsync(Account account, IReadOnlyList<string> groups, CancellationToken cancel)
    {
        if (Oidc.Roles.Count == 0) return account;
        var wanted = Oidc.Roles.Where(pair => groups.Contains(pair.Key, StringComparer.Ordinal)).Select(pair => Roles.Parse(pair.Value) ?? Role.User).DefaultIfEmpty(Role.User).Max();
        var ours = account.Profile.RoleBy == By;
        if (account.Role == wanted || (!ours && account.Role > wanted)) return account;
        var set = await directory.SetAccountAsync(account, new AccountChange(Role: wanted, Profile: profile => profile with { RoleBy = wanted == Role.User ? null : By }), cancel);
        if (set.Ok) FederationTelemetry.RoleSet(log, set.Value.Address, Roles.Show(wanted));
        return set;
    }
}
