using System.Globalization;
using CbaMail.Directory;
using Microsoft.AspNetCore.Identity;

namespace CbaMail.Http;

/// <summary>Accounts and their passkeys as the framework's verifier looks them up. It only reads: what is found right is kept by <see cref="PasskeyDoor"/>.</summary>
sealed class PasskeyStore(UserDirectory directory, Passkeys passkeys) : IUserPasskeyStore<Account>
{
    public static string IdOf(Account account) => account.Id.ToString(CultureInfo.InvariantCulture);

    public Task<string> GetUserIdAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(IdOf(user));

    public Task<string?> GetUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Address.ToString());

    public Task<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        Task.FromResult(long.TryParse(userId, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && directory.GetAccount(id) is { Enabled: true } account ? account : null);

    public Task<Account?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => Task.FromResult(directory.Proven(normalizedUserName));

    static UserPasskeyInfo Info(Passkey one) =>
        new(one.Credential, one.Key, one.Created, one.Count, [.. one.Transports], one.IsVerified, one.IsBackupEligible, one.IsBackedUp, [], []) { Name = one.Name };

    public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<IList<UserPasskeyInfo>>([.. passkeys.List(user.Id).Select(Info)]);

    public Task<UserPasskeyInfo?> FindPasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken) =>
        Task.FromResult(passkeys.Find(credentialId) is { } one && one.AccountId == user.Id ? Info(one) : null);

    public Task<Account?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        Task.FromResult(passkeys.Find(credentialId) is { } one ? directory.GetAccount(one.AccountId) : null);

    public void Dispose() { }

    // ---- changes are not its affair

    static NotSupportedException Reads() => new("the directory changes accounts, and nobody else");
    public Task AddOrUpdatePasskeyAsync(Account user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw Reads();
    public Task RemovePasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken) => throw Reads();
    public Task SetUserNameAsync(Account user, string? userName, CancellationToken cancellationToken) => throw Reads();
    public Task<string?> GetNormalizedUserNameAsync(Account user, CancellationToken cancellationToken) => GetUserNameAsync(user, cancellationToken);
    public Task SetNormalizedUserNameAsync(Account user, string? normalizedName, CancellationToken cancellationToken) => throw Reads();
    public Task<IdentityResult> CreateAsync(Account user, CancellationToken cancellationToken) => throw Reads();
    public Task<IdentityResult> UpdateAsync(Account user, CancellationToken cancellationToken) => throw Reads();
    public Task<IdentityResult> DeleteAsync(Account user, CancellationToken cancellationToken) => throw Reads();
}
