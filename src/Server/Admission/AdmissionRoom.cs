using CbaMail.Directory;

namespace CbaMail.Admission;

/// <summary>
/// Admission: how people come in and back in. <see cref="Invitations"/> and their links, <see cref="Joining"/> by them or without, <see cref="SignUps"/>
/// that wait for somebody's yes, <see cref="AccountImport"/> of many from a table, <see cref="RecoveryAddresses"/> and <see cref="PasswordResets"/>
/// for who has forgotten, <see cref="AdmissionPost"/> for what the server writes to all of them.
///
/// Rules that a change must keep:
/// - who has no account learns only what he needs: not which addresses exist, nor why a link is none;
/// - of a token only the digest is kept, and it works as often as it says and not once more, however many try at once;
/// - a password is kept as its hash, also of somebody who waits; what was generated is told once;
/// - links begin with the address of the settings, never with what a request says;
/// - an address for recovery counts once its owner has shown it to be his, or an administrator has set it;
/// - what a stranger has done stands in the audit log, by invitation and address.
///
/// Not here: how it is asked for (Http), what somebody may do (Authorization), the accounts themselves (Directory).
/// </summary>
public static class AdmissionRoom
{
    public static IServiceCollection AddAdmission(this IServiceCollection services) => services
        .AddSingleton<AdmissionPost>().AddSingleton<Invitations>().AddSingleton<SignUps>().AddSingleton<RecoveryAddresses>().AddSingleton<Joining>().AddSingleton<PasswordResets>()
        .AddHostedService<AdmissionUpkeep>();

    /// <summary>
    /// What belongs to an account or a domain ends with it. Links for a new password or another recovery address end with the old ones: whoever had
    /// the account for a while does not come back by what he has asked for then.
    /// </summary>
    public static void Attach(UserDirectory directory)
    {
        directory.AccountRemoving += (write, account) => RecoveryTable.Forget(write, account.Id);
        directory.SignInChanging += (write, account) => RecoveryTable.End(write, account.Id);
        directory.RecoveryChanging += (write, account) => RecoveryTable.End(write, account.Id);
        directory.DomainRemoving += (write, domain) => AdmissionTable.RemoveDomain(write, domain.Id);
    }
}
