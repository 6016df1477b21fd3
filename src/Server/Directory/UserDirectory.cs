using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>
/// Domains, accounts and aliases: held in memory (a few hundred bytes each), written through to their tables.
/// Look-ups are synchronous and never touch the disk.
/// </summary>
public sealed class UserDirectory(Store store, TimeProvider time)
{
    internal Store Store => store;
    internal TimeProvider Time => time;

    /// <summary>Runs in the transaction that adds an account; upper rooms make its mailboxes there.</summary>
    public event Action<WriteTransaction, Account>? AccountAdding;
    /// <summary>Runs in the transaction that removes an account.</summary>
    public event Action<WriteTransaction, Account>? AccountRemoving;

    public Domain? FindDomain(string name) => throw new NotImplementedException();
    public Account? FindAccount(MailAddress address) => throw new NotImplementedException();
    public Account? GetAccount(long id) => throw new NotImplementedException();
    public bool IsLocal(MailAddress address) => throw new NotImplementedException();

    /// <summary>
    /// Who gets mail for an address of a local domain: account, "+" detail, aliases (to any depth below 10, each target once), catch-all.
    /// NoSuchDomain where the domain is not ours, NoSuchUser where nobody is.
    /// </summary>
    public Result<IReadOnlyList<Target>> Resolve(MailAddress address) => throw new NotImplementedException();

    /// <summary>Whether the account may use the address as sender: its own, with any detail, or an alias that leads to it.</summary>
    public bool MaySendAs(Account account, MailAddress address) => throw new NotImplementedException();

    /// <summary>Checks a password (on the bounded hashing queue, with a short-lived keyed cache).</summary>
    public ValueTask<Result<Account>> SignInAsync(string user, string password, CancellationToken cancel) => throw new NotImplementedException();

    internal void Announce(WriteTransaction transaction, Account account, bool added) => (added ? AccountAdding : AccountRemoving)?.Invoke(transaction, account);
}
