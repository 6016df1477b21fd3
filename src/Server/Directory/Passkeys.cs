using System.Collections.Concurrent;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>The public half of a key that an authenticator holds (WebAuthn).</summary>
/// <param name="Credential">As the authenticator calls it.</param>
/// <param name="Key">COSE.</param>
/// <param name="Count">Of signatures, where the authenticator counts; 0 otherwise.</param>
/// <param name="IsVerified">Whether its owner showed a PIN or a finger when it was made.</param>
public sealed record Passkey(
    long Id, long AccountId, byte[] Credential, string Name, byte[] Key, uint Count, IReadOnlyList<string> Transports, bool IsVerified, bool IsBackupEligible, bool IsBackedUp, DateTimeOffset Created, DateTimeOffset? Used);

/// <summary>Passkeys of accounts: held in memory, written through. Whether a signature is right is judged where they are shown (Http).</summary>
public sealed class Passkeys
{
    const int MostOfOne = 20;
    const int LongestName = 100;

    static readonly Refusal NoPasskey = Refusal.NoSuchThing.Because("There is no such passkey");

    readonly Store store;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, Passkey> byCredential = new(StringComparer.Ordinal);

    public Passkeys(Store store, TimeProvider time, UserDirectory directory)
    {
        (this.store, this.time) = (store, time);
        using var read = store.Read();
        foreach (var passkey in PasskeyTable.All(read)) Keep(passkey);
        directory.AccountRemoving += (write, account) => RemoveAll(write, account.Id);
    }

    void Keep(Passkey passkey) => byCredential[Convert.ToHexString(passkey.Credential)] = passkey;

    public Passkey? Find(byte[] credential) => byCredential.GetValueOrDefault(Convert.ToHexString(credential));

    public IReadOnlyList<Passkey> List(long account) => [.. byCredential.Values.Where(one => one.AccountId == account).OrderBy(one => one.Id)];

    public bool Has(long account) => byCredential.Values.Any(one => one.AccountId == account);

    /// <summary>Refuses a name before the authenticator is troubled.</summary>
    public static Refusal? CheckName(string name) =>
        name.Trim().Length is 0 or > LongestName || name.Any(char.IsControl) ? Refusal.Invalid.Because($"A passkey needs a name of 1 to {LongestName} characters: the device that holds it").At("name") : null;

    /// <param name="also">Runs in the same transaction.</param>
    public async ValueTask<Result<Passkey>> AddAsync(Passkey passkey, Action<WriteTransaction> also, CancellationToken cancel) => await store.CommitAsync<Result<Passkey>>(write =>
    {
        if (PasskeyTable.Count(write, passkey.AccountId) >= MostOfOne) return Refusal.TooMany.Because($"There are {MostOfOne} passkeys already; remove those that nobody uses");
        var made = passkey with { Created = Now() };
        if (PasskeyTable.Add(write, made) is not { } id) return Refusal.AlreadyExists.Because("This passkey is there already");
        made = made with { Id = id };
        also(write);
        write.OnCommitted(() => Keep(made));
        return made;
    }, cancel);

    DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>It has signed; what it counts is durable before the answer.</summary>
    public async ValueTask UsedAsync(Passkey passkey, uint count, bool isBackedUp, CancellationToken cancel)
    {
        var used = passkey with { Count = count, IsBackedUp = isBackedUp, Used = Now() };
        await store.CommitAsync(write =>
        {
            PasskeyTable.Used(write, used);
            write.OnCommitted(() => byCredential.TryUpdate(Convert.ToHexString(used.Credential), used, passkey));
            return true;
        }, cancel);
    }

    public async ValueTask<Refusal?> RemoveAsync(long account, long id, CancellationToken cancel)
    {
        var gone = List(account).FirstOrDefault(one => one.Id == id);
        if (gone is null) return NoPasskey;
        return await store.CommitAsync(write =>
        {
            if (!PasskeyTable.Remove(write, account, id)) return NoPasskey;
            write.OnCommitted(() => byCredential.TryRemove(Convert.ToHexString(gone.Credential), out _));
            return null;
        }, cancel);
    }

    internal void RemoveAll(WriteTransaction write, long account)
    {
        PasskeyTable.RemoveAll(write, account);
        write.OnCommitted(() =>
        {
            foreach (var one in List(account)) byCredential.TryRemove(Convert.ToHexString(one.Credential), out _);
        });
    }
}
