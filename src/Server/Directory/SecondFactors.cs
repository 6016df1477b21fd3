using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>How it stands with somebody's second factor.</summary>
/// <param name="Since">Of the app; null: there is none.</param>
/// <param name="IsRequired">Whether the settings ask for one.</param>
public sealed record SecondFactorState(DateTimeOffset? Since, int Passkeys, long RecoveryCodes, bool IsRequired);

/// <summary>
/// What somebody shows beside the password: a code of an app (RFC 6238), or one of ten recovery codes. Each is taken once, and that is durable before
/// the answer. Wrong ones are counted for each account: who gets here knows the password, so that nobody else can bar the owner by them; recovery
/// codes, which nobody guesses, are heard all the same.
/// </summary>
public sealed class SecondFactors
{
    const int MostCodes = 10;
    const int MostWrong = 5;
    static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    /// <summary>The password is right, and a code must come with it.</summary>
    public static readonly Refusal Needed = new(535, "5.7.8", "SECONDFACTOR", 401, "Give the code of your authenticator app, or a recovery code");

    /// <summary>Mail protocols have no place for a code.</summary>
    public static readonly Refusal NeedsApplicationPassword = new(534, "5.7.9", "AUTHORIZATIONFAILED", 403, "This account has a second factor: make an application password for this program");

    static readonly Refusal WrongCode = Refusal.SignInFailed.Because("The code is wrong, or was used already").At("code");
    static readonly Refusal TooManyCodes = Refusal.TooMany.Because("Too many wrong codes; wait some minutes, or take a recovery code").At("code");
    static readonly Refusal NoneThere = Refusal.NoSuchThing.Because("There is no second factor");

    readonly Store store;
    readonly TimeProvider time;
    readonly Secrets secrets;
    readonly Passkeys passkeys;
    readonly SignInSettings settings;
    readonly ConcurrentDictionary<long, DateTimeOffset> confirmed = new();
    readonly Dictionary<long, (int Count, long Last)> wrong = [];

    public SecondFactors(Store store, TimeProvider time, UserDirectory directory, Secrets secrets, Settings settings, Passkeys passkeys)
    {
        (this.store, this.time, this.secrets, this.settings, this.passkeys) = (store, time, secrets, settings.SignIn, passkeys);
        using var read = store.Read();
        foreach (var (account, since) in SecondFactorTable.Confirmed(read)) confirmed[account] = since;
        directory.AccountRemoving += (write, account) => Remove(write, account.Id, codesToo: true);
    }

    public bool Has(Account account) => confirmed.ContainsKey(account.Id) || passkeys.Has(account.Id);

    /// <summary>What can be shown, as the API names it.</summary>
    public IReadOnlyList<string> KindsOf(Account account)
    {
        if (!Has(account)) return [];
        var kinds = new List<string> { "recovery-code" };
        if (passkeys.Has(account.Id)) kinds.Insert(0, "passkey");
        if (confirmed.ContainsKey(account.Id)) kinds.Insert(0, "totp");
        return kinds;
    }

    /// <summary>Whether the settings ask for one by role or by domain.</summary>
    public bool IsRequired(Account account) =>
        settings.SecondFactorFor.Count > 0 && settings.SecondFactorFor.Any(one => Roles.Parse(one) == account.Role || (one.Contains('.', StringComparison.Ordinal) && Names.TryDomain(one, out var name) && name == account.Address.Domain));

    public SecondFactorState State(Account account)
    {
        using var read = store.Read();
        return new(confirmed.TryGetValue(account.Id, out var since) ? since : null, passkeys.List(account.Id).Count, SecondFactorTable.CountRecoveryCodes(read, account.Id), IsRequired(account));
    }

    static string Purpose(Account account) => "TOTP " + account.Id.ToString(CultureInfo.InvariantCulture);

    static byte[] Digest(Account account, string code) => SHA256.HashData(Encoding.ASCII.GetBytes(account.Id.ToString(CultureInfo.InvariantCulture) + " " + code));

    // ---- setting up

    /// <summary>The first step: a key for the app. It counts from the first code on that <see cref="ConfirmAsync"/> is shown.</summary>
    public async ValueTask<Result<byte[]>> BeginAsync(Account account, CancellationToken cancel)
    {
        if (secrets.Problem is { } problem) return problem;
        var key = RandomNumberGenerator.GetBytes(Totp.KeyBytes);
        return await store.CommitAsync<Result<byte[]>>(write =>
        {
            if (SecondFactorTable.Totp(write, account.Id) is (_, { }, _)) return Refusal.AlreadyExists.Because("There is a second factor already; take it off first");
            SecondFactorTable.Begin(write, account.Id, secrets.Seal(write, Purpose(account), key));
            return key;
        }, cancel);
    }

    /// <summary>The second step.</summary>
    /// <returns>Ten recovery codes, which are shown this once.</returns>
    public async ValueTask<Result<IReadOnlyList<string>>> ConfirmAsync(Account account, string code, CancellationToken cancel)
    {
        if (!TryBegin(account)) return TooManyCodes;
        var now = time.GetUtcNow();
        var codes = NewCodes();
        var result = await store.CommitAsync<Result<IReadOnlyList<string>>>(write =>
        {
            if (SecondFactorTable.Totp(write, account.Id) is not var (secret, since, _)) return NoneThere;
            if (since is not null) return Refusal.AlreadyExists.Because("There is a second factor already; take it off first");
            if (secrets.Open(Purpose(account), secret) is not { Ok: true } key) return secrets.Problem ?? NoneThere;
            if (Totp.Match(key.Value, Typed(code), now, after: 0) is not { } step) return WrongCode;
            SecondFactorTable.Confirm(write, account.Id, now, step);
            SecondFactorTable.SetRecoveryCodes(write, account.Id, codes.Select(one => Digest(account, one)));
            write.OnCommitted(() => confirmed[account.Id] = now);
            return codes;
        }, cancel);
        if (result.Ok) Forget(account);
        return result;
    }

    /// <summary>Keeps a passkey that is right; with the first second factor come recovery codes.</summary>
    public async ValueTask<Result<(Passkey Passkey, IReadOnlyList<string>? RecoveryCodes)>> AddPasskeyAsync(Account account, Passkey passkey, CancellationToken cancel)
    {
        var codes = Has(account) ? null : NewCodes();
        var added = await passkeys.AddAsync(passkey, write =>
        {
            if (codes is not null) SecondFactorTable.SetRecoveryCodes(write, account.Id, codes.Select(one => Digest(account, one)));
        }, cancel);
        return added.Ok ? (added.Value, codes) : added.Refusal;
    }

    static string[] NewCodes() => [.. Enumerable.Range(0, MostCodes).Select(_ => Passwords.Generate())];

    static string Typed(string code) => new([.. code.Where(c => c is not (' ' or '-')).Take(100)]);

    /// <summary>Takes the place of the codes of before; asks for a code.</summary>
    public async ValueTask<Result<IReadOnlyList<string>>> RenewRecoveryCodesAsync(Account account, string code, CancellationToken cancel)
    {
        if (await CheckAsync(account, code, cancel) is { } refusal) return refusal;
        var codes = NewCodes();
        await store.CommitAsync(write => { SecondFactorTable.SetRecoveryCodes(write, account.Id, codes.Select(one => Digest(account, one))); return true; }, cancel);
        return codes;
    }

    // ---- using

    /// <summary>Takes a code of the app or a recovery code; null where it is right.</summary>
    public async ValueTask<Refusal?> CheckAsync(Account account, string code, CancellationToken cancel)
    {
        code = Typed(code);
        var now = time.GetUtcNow();
        var isRecovery = code.Length > 8;
        if (!isRecovery && !TryBegin(account)) return TooManyCodes;
        var refusal = await store.CommitAsync(write =>
        {
            if (isRecovery) return SecondFactorTable.UseRecoveryCode(write, account.Id, Digest(account, Passwords.Grouped(code.ToLowerInvariant()))) ? null : WrongCode;
            if (SecondFactorTable.Totp(write, account.Id) is not (var secret, { }, var last)) return WrongCode;
            if (secrets.Open(Purpose(account), secret) is not { Ok: true } key) return secrets.Problem ?? WrongCode;
            if (Totp.Match(key.Value, code, now, last) is not { } step) return WrongCode;
            SecondFactorTable.Used(write, account.Id, step);
            return null;
        }, cancel);
        if (refusal is null) Forget(account);
        return refusal;
    }

    // RFC 4226 7.3: throttling; each counts as wrong until it is known to be right, or many at once would all be heard
    bool TryBegin(Account account)
    {
        lock (wrong)
        {
            var known = wrong.TryGetValue(account.Id, out var before) && time.GetElapsedTime(before.Last) < Memory ? before.Count : 0;
            if (known >= MostWrong) return false;
            wrong[account.Id] = (known + 1, time.GetTimestamp());
            return true;
        }
    }

    void Forget(Account account)
    {
        lock (wrong) wrong.Remove(account.Id);
    }

    // ---- taking off

    /// <param name="passkeysToo">All of it, for somebody who has lost it; otherwise the app alone.</param>
    public async ValueTask<Refusal?> RemoveAsync(Account account, bool passkeysToo, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        if (SecondFactorTable.Totp(write, account.Id) is null && !(passkeysToo && passkeys.Has(account.Id))) return NoneThere;
        Remove(write, account.Id, codesToo: passkeysToo || !passkeys.Has(account.Id));
        if (passkeysToo) passkeys.RemoveAll(write, account.Id);
        return null;
    }, cancel);

    void Remove(WriteTransaction write, long account, bool codesToo)
    {
        SecondFactorTable.Remove(write, account, codesToo);
        write.OnCommitted(() => confirmed.TryRemove(account, out _));
    }
}
