namespace CbaMail.Directory;

/// <summary>
/// Who is here: domains, accounts and aliases of this server.
///
/// Everything is read into memory at the start and kept there (2,500 accounts are about 2 MB), so that a look-up at RCPT or at a sign-in
/// costs a dictionary; every change goes through the store's committer first and becomes visible when it is durable.
/// Tables: Storage/Schema/0001_directory.sql; all SQL in DirectoryTable.
///
/// Rules that a change must keep:
/// - names have one form, made in Names and nowhere else: A-labels, lower case, NFC (RFC 5890, RFC 6532 3.1);
/// - an address belongs to one account or one alias, never to both;
/// - "+" details lead to the account (RFC 5233), aliases end after ten steps and count each target once, cycles included;
/// - upper rooms make and remove what belongs to an account inside the same transaction (AccountAdding, AccountRemoving);
/// - a password is hashed and verified on PasswordHashing's threads only, costs the same time for unknown names,
///   and is kept as a crypt(3) hash: yescrypt, others until the next sign-in; beside it, under Storage/Secrets,
///   lies what SCRAM needs (RFC 5802 3), made with the hash or at the next sign-in by the password itself;
/// - what the server has made itself and is random (application passwords) is kept as one SHA-256, and shown once;
/// - a code counts once, and that is durable before it is answered; the keys of authenticator apps lie under Storage/Secrets.
///
/// Not here: what somebody may do with a mailbox (Mailboxes), SASL mechanisms (Sasl), course participants (Mailings).
/// </summary>
public static class DirectoryRoom
{
    public static IServiceCollection AddDirectory(this IServiceCollection services) => services
        .AddSingleton<PasswordHashing>()
        .AddSingleton(provider => new UserDirectory(
            provider.GetRequiredService<Storage.Store>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<PasswordHashing>(), provider.GetRequiredService<Storage.Secrets>()))
        .AddSingleton<ApplicationPasswords>().AddSingleton<Passkeys>().AddSingleton<SecondFactors>().AddSingleton<SignInHistory>()
        .AddSingleton<SigningKeys>().AddHostedService<DkimUpkeep>().AddHostedService<RemovedUpkeep>()
        .AddSingleton<Publication.DomainZone>();
}
