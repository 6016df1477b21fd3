using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Directory;
using CbaMail.Envelope;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace CbaMail.Http;

/// <summary>
/// The two ceremonies of WebAuthn, judged by the framework's own verifier: challenge, origin, RP id, presence and verification of the person, the
/// signature and its count. A challenge is good once and for five minutes; it is kept by whoever asked for it, sealed, so that nobody can fill a table.
/// </summary>
sealed class PasskeyDoor
{
    static readonly TimeSpan Lasting = TimeSpan.FromMinutes(5);

    static readonly Refusal Stale = Refusal.Invalid.Because("This question was answered already, or is too old: begin again").At("id");

    const char Alone = '1', Beside = '2'; // what a question was asked for, before its state

    readonly UserDirectory directory;
    readonly Passkeys passkeys;
    readonly TimeProvider time;
    readonly PasskeyHandler<Account> alone, beside;
    readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    readonly Lock gate = new();
    readonly Dictionary<string, DateTimeOffset> answered = new(StringComparer.Ordinal); // rightly: wrong answers cost nothing here

    public PasskeyDoor(UserDirectory directory, Passkeys passkeys, TimeProvider time, ILogger<UserManager<Account>> log)
    {
        (this.directory, this.passkeys, this.time) = (directory, passkeys, time);
        var people = new UserManager<Account>(new PasskeyStore(directory, passkeys), Options.Create(new IdentityOptions()), null!, [], [], null!, new IdentityErrorDescriber(), null!, log);
        alone = Handler("required", "required"); // it stands for password and code, and who signs in names nobody first
        beside = Handler("discouraged", "discouraged"); // the password has been shown: a security key without a PIN will do

        PasskeyHandler<Account> Handler(string verification, string resident) => new(people, Options.Create(new IdentityPasskeyOptions
        {
            UserVerificationRequirement = verification,
            ResidentKeyRequirement = resident,
            AttestationConveyancePreference = "none",
            ValidateOrigin = origin => ValueTask.FromResult(origin.CrossOrigin is not true && Uri.TryCreate(origin.Origin, UriKind.Absolute, out var page)
                && page.Equals(new Uri($"{origin.HttpContext.Request.Scheme}://{origin.HttpContext.Request.Host}"))),
        }));
    }

    // ---- registering

    /// <param name="secondFactor">It is to be good beside the password only: its owner need not be verified by it.</param>
    public async Task<(string Id, JsonNode Options)> BeginAsync(HttpContext context, Account me, bool secondFactor)
    {
        var made = await (secondFactor ? beside : alone).MakeCreationOptionsAsync(new() { Id = PasskeyStore.IdOf(me), Name = me.Address.ToString(), DisplayName = me.Name.Length > 0 ? me.Name : me.Address.ToString() }, context);
        return (Seal((secondFactor ? Beside : Alone) + made.AttestationState, me.Id), JsonNode.Parse(made.CreationOptionsJson)!);
    }

    /// <returns>The passkey, not kept yet.</returns>
    public async Task<Result<Passkey>> RegisterAsync(HttpContext context, Account me, string id, string name, JsonElement credential)
    {
        if (Open(id) is not var (state, account) || account != me.Id) return Stale;
        var result = await (state[0] == Beside ? beside : alone).PerformAttestationAsync(new() { HttpContext = context, CredentialJson = credential.GetRawText(), AttestationState = state[1..] });
        if (!result.Succeeded) return Refusal.Invalid.Because($"The authenticator's answer is not right: {result.Failure.Message}").At("credential");
        if (!IsFirst(id)) return Stale;
        var made = result.Passkey;
        return new Passkey(0, me.Id, made.CredentialId, name.Trim(), made.PublicKey, made.SignCount, made.Transports ?? [], made.IsUserVerified, made.IsBackupEligible, made.IsBackedUp, default, null);
    }

    // ---- signing in

    /// <param name="secondFactor">Whose password was shown; null: it is to stand alone.</param>
    public async Task<(string Id, JsonNode Options)> AskAsync(HttpContext context, Account? secondFactor)
    {
        var made = await (secondFactor is null ? alone : beside).MakeRequestOptionsAsync(secondFactor, context);
        return (Seal(made.AssertionState ?? "", secondFactor?.Id ?? 0), JsonNode.Parse(made.RequestOptionsJson)!);
    }

    /// <param name="secondFactor">Whose password was shown; null: it stands alone.</param>
    /// <returns>Whose it is; null where the answer is not right.</returns>
    public async Task<Account?> CheckAsync(HttpContext context, Account? secondFactor, string id, JsonElement credential, CancellationToken cancel)
    {
        if (Open(id) is not var (state, account) || account != (secondFactor?.Id ?? 0)) return null;
        var result = await (secondFactor is null ? alone : beside).PerformAssertionAsync(new() { HttpContext = context, CredentialJson = credential.GetRawText(), AssertionState = state });
        if (!result.Succeeded || passkeys.Find(result.Passkey.CredentialId) is not { } passkey || passkey.AccountId != result.User.Id) return null;
        if (directory.GetAccount(passkey.AccountId) is not { Enabled: true } owner || !IsFirst(id)) return null;
        await passkeys.UsedAsync(passkey, result.Passkey.SignCount, result.Passkey.IsBackedUp, cancel);
        return owner;
    }

    // ---- open questions

    string Seal(string state, long account)
    {
        var plain = new byte[16 + Encoding.UTF8.GetByteCount(state)];
        BinaryPrimitives.WriteInt64BigEndian(plain, (time.GetUtcNow() + Lasting).ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(plain.AsSpan(8), account);
        Encoding.UTF8.GetBytes(state, plain.AsSpan(16));
        var text = new byte[28 + plain.Length]; // nonce, tag, what is sealed
        RandomNumberGenerator.Fill(text.AsSpan(0, 12));
        using var cipher = new AesGcm(key, 16);
        cipher.Encrypt(text.AsSpan(0, 12), plain, text.AsSpan(28), text.AsSpan(12, 16));
        return Convert.ToBase64String(text);
    }

    (string State, long Account)? Open(string id)
    {
        if (id.Length is 0 or > 8192) return null;
        try
        {
            var text = Convert.FromBase64String(id);
            if (text.Length < 28 + 16) return null;
            var plain = new byte[text.Length - 28];
            using var cipher = new AesGcm(key, 16);
            cipher.Decrypt(text.AsSpan(0, 12), text.AsSpan(28), text.AsSpan(12, 16), plain);
            if (DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(plain)) <= time.GetUtcNow()) return null;
            return (Encoding.UTF8.GetString(plain.AsSpan(16)), BinaryPrimitives.ReadInt64BigEndian(plain.AsSpan(8)));
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }

    bool IsFirst(string id)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            foreach (var old in answered.Where(one => one.Value <= now).Select(one => one.Key).ToList()) answered.Remove(old);
            return answered.TryAdd(Convert.ToHexString(SHA256.HashData(Convert.FromBase64String(id))), now + Lasting);
        }
    }
}
