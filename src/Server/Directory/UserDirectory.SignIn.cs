using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Signing in: by a password, by what SCRAM keeps of it, or by another proof that an upper room has judged.</summary>
public sealed partial class UserDirectory
{
    /// <summary>
    /// Checks a password (on the bounded hashing queue, with a short-lived keyed cache). The name is the account's address in any case;
    /// the form with "+" and aliases are no names to sign in with.
    /// </summary>
    public async ValueTask<Result<Account>> SignInAsync(string user, string password, CancellationToken cancel)
    {
        var known = Known(user);
        if (known?.Account.Profile.Origin is not null) return await SignInElsewhereAsync(known.Account, password, cancel);
        if (known is null && await WelcomeAsync(user, password, cancel) is { } welcome) return welcome;
        var right = await hashing.VerifyAsync(password, known?.Password, cancel);
        if (right is null) return Refusal.Unavailable.Because("Too many are signing in; try again later");
        if (known is null || right == false || !IsOpen(known.Account)) return Refusal.SignInFailed;
        if (hashing.IsOutdated(known.Password)) await RenewAsync(known, await hashing.SecretsAsync(password, inBulk: false, cancel), cancel);
        else if (KeepsScram && known.Secrets.Scram?.Iterations != hashing.ScramIterations)
            await RenewAsync(known, known.Secrets with { Scram = await hashing.ScramAsync(password, cancel) }, cancel);
        return known.Account;
    }

    /// <summary>Whether its owner may sign in: it is enabled, and its time is not over.</summary>
    public bool IsOpen(Account account) => account.Enabled && !(account.Profile.Expires <= time.GetUtcNow());

    // only if nobody has changed the password meanwhile
    ValueTask<Result<Account>> RenewAsync(Entry known, PasswordSecrets renewed, CancellationToken cancel) =>
        ChangeAsync(known.Account.Id, entry => entry.Password == known.Password ? entry with { Secrets = renewed } : entry, cancel);

    /// <summary>The account of a name to sign in with, once its owner has proved by other means to be it; null where there is none or it is disabled.</summary>
    public Account? Proven(string user) => Known(user) is { Account: var account } && IsOpen(account) ? account : null;

    /// <summary>
    /// What SCRAM proves the password of a name by. For a name that has none, is disabled or is nobody's it is one that no password fits,
    /// and which nobody can tell from a real one (RFC 5802 9).
    /// </summary>
    /// <param name="pretend">Whoever it is: the attempt is to fail.</param>
    public ScramSecret ScramOf(string user, bool pretend = false)
    {
        var pretence = ScramSecret.Pretend(pretenceKey, Names.TryAddress(user, out var address) ? Key(address) : user, hashing.ScramIterations);
        return pretend || Known(user) is not { Secrets.Scram: { } secret, Account: { Profile.Origin: null } account } || !IsOpen(account) ? pretence : secret;
    }

    /// <summary>Whether SCRAM is possible for everybody who can sign in by a password.</summary>
    public bool EverybodyHasScram => KeepsScram && withoutScram <= 0;

    /// <summary>Whether what SCRAM needs is kept at all: it lies under the key file.</summary>
    public bool KeepsScram => secrets is { Problem: null };

    Entry? Known(string user) =>
        Names.TryAddress(user, out var address) && accounts.TryGetValue(Key(address), out var account) ? accountsById.GetValueOrDefault(account.Id) : null;

    static int Lacking(Entry? entry) => entry is { Password.Length: > 0, Secrets.Scram: null, Account.Enabled: true } or { Account: { Enabled: true, Profile.Origin: not null } } ? 1 : 0;

    // who knows the salt and the keys can try passwords at a fraction of the cost of the hash beside them: a copy of the database alone has them not
    void SetScram(WriteTransaction write, Account account, ScramSecret? scram) =>
        DirectoryTable.SetScram(write, account.Id, scram is not null && KeepsScram ? secrets!.Seal(write, Purpose(account), scram.ToBytes()) : null);

    ScramSecret? Open(Account account, byte[]? scram) =>
        scram is not null && secrets?.Open(Purpose(account), scram) is { Ok: true } opened ? ScramSecret.FromBytes(opened.Value) : null;

    static string Purpose(Account account) => "SCRAM " + account.Address;
}
