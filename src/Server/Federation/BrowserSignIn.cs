using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Federation;

/// <summary>Where a browser goes to sign in, and what it keeps meanwhile.</summary>
sealed record BegunSignIn(string Address, string Kept);

/// <summary>What a browser brings back from the issuer.</summary>
/// <param name="Kept">What it was given at the beginning.</param>
/// <param name="Issuer">Who says so (RFC 9207), or null.</param>
sealed record BroughtBack(string? Kept, string? State, string? Code, string? Error, string? Issuer);

/// <summary>
/// Signing a browser in by the issuer: the code flow (OpenID Connect Core 3.1) with PKCE (RFC 7636, S256), state and nonce. What belongs to one sign-in is
/// sealed into a cookie of ten minutes; the key is of this run of the server, so a restart in the middle means to begin again.
/// </summary>
sealed class BrowserSignIn(Settings settings, Issuer issuer, People people, LoginLimits limits, TimeProvider time, ILogger<BrowserSignIn> log)
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);
    static readonly Refusal Again = Refusal.SignInFailed.Because("The sign-in did not come to its end; begin again");

    sealed record Kept(string State, string Nonce, string Verifier, string Redirect, DateTimeOffset End);

    readonly byte[] key = RandomNumberGenerator.GetBytes(32);

    OidcSettings Oidc => settings.Oidc;

    public async ValueTask<Result<BegunSignIn>> BeginAsync(string redirect, CancellationToken cancel)
    {
        var configuration = await issuer.ConfigurationAsync(cancel);
        if (!configuration.Ok) return configuration.Refusal;
        var kept = new Kept(Word(), Word(), Word(), Oidc.RedirectUri.Length > 0 ? Oidc.RedirectUri : redirect, time.GetUtcNow() + Life);
        var question = new Dictionary<string, string>
        {
            ["response_type"] = "code",
            ["client_id"] = Oidc.ClientId,
            ["redirect_uri"] = kept.Redirect,
            ["scope"] = string.Join(' ', Oidc.Scopes),
            ["state"] = kept.State,
            ["nonce"] = kept.Nonce,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(kept.Verifier))),
            ["code_challenge_method"] = "S256",
        };
        var address = configuration.Value.Authorization;
        address += (address.Contains('?', StringComparison.Ordinal) ? '&' : '?') + string.Join('&', question.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
        return new BegunSignIn(address, Seal(kept));
    }

    public async ValueTask<Result<Account>> EndAsync(BroughtBack brought, IPAddress from, string session, CancellationToken cancel)
    {
        if (limits.IsBarred(from)) return SignIn.TooManyFailures;
        var (account, problem) = await JudgeAsync(brought, cancel);
        if (account.Ok)
        {
            limits.Succeeded(from);
            FederationTelemetry.SignedIn(log, session, account.Value.Address);
        }
        else if (!account.Refusal.IsTemporary)
        {
            FederationTelemetry.Failed(log, session, problem);
            if (limits.Failed(from) is var wait && wait > TimeSpan.Zero) await Task.Delay(wait, time, cancel);
        }
        return account;
    }

    async ValueTask<(Result<Account> Account, string Problem)> JudgeAsync(BroughtBack brought, CancellationToken cancel)
    {
        if (Open(brought.Kept) is not { } kept || kept.End <= time.GetUtcNow()) return (Again, "it was not begun here, or too long ago");
        if (brought.State is null || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(brought.State), Encoding.UTF8.GetBytes(kept.State))) return (Again, "the state is another");
        if (brought.Issuer is { } said && said != Oidc.Issuer) return (Again, "another issuer answers"); // RFC 9207 2.4
        if (brought.Error is not null || brought.Code is not { Length: > 0 and <= 4096 } code) return (Refusal.SignInFailed.Because("The sign-in service has refused, or you have"), "the issuer refused: " + Printable(brought.Error ?? "no code"));
        var configuration = await issuer.ConfigurationAsync(cancel);
        if (!configuration.Ok) return (configuration.Refusal, "");
        var answer = await issuer.RedeemAsync(configuration.Value, code, kept.Redirect, kept.Verifier, cancel);
        if (!answer.Ok) return (answer.Refusal, "");
        if (Claims.Text(answer.Value.Body, "id_token") is not { } text || JsonWebToken.Parse(text) is not { } token) return (Again, "the issuer takes no code: " + Printable(Claims.Text(answer.Value.Body, "error") ?? $"{(int)answer.Value.Status}"));
        var verified = await issuer.VerifyAsync(token, Oidc.ClientId, cancel);
        if (!verified.Ok) return (verified.Refusal, "");
        if (verified.Value is not { } claims || Claims.Text(claims, "nonce") != kept.Nonce || Claims.Text(claims, "sub") is not { Length: > 0 } subject) return (Again, "the ID token is wrong");
        // Core 3.1.3.7: of several audiences one is authorized
        if (Claims.Texts(claims, "aud") is { Count: > 1 } ? Claims.Text(claims, "azp") != Oidc.ClientId : Claims.Text(claims, "azp") is { } party && party != Oidc.ClientId) return (Again, "the ID token is for somebody else");

        var about = claims;
        if (Lacks(claims) && configuration.Value.UserInfo is { } address && Claims.Text(answer.Value.Body, "access_token") is { } access)
        {
            var info = await issuer.UserInfoAsync(address, access, cancel);
            if (!info.Ok) return (info.Refusal, "");
            if (Claims.Text(info.Value.Body, "sub") != subject) return (Again, "the issuer speaks of somebody else"); // Core 5.3.2
            about = info.Value.Body;
        }
        if ((people.AddressIn(claims) ?? people.AddressIn(about)) is not { } mail) return (Refusal.SignInFailed.Because("The sign-in service names no address of yours that it has checked"), "no address, or none that is checked");
        var account = await people.AccountAsync(mail, Claims.Text(about, "name") ?? Claims.Text(claims, "name"), cancel);
        if (!account.Ok) return (account.Refusal.IsTemporary ? account.Refusal : Refusal.SignInFailed.Because($"There is no account {mail} here, or it is disabled"), $"no account {mail}, or a disabled one");
        return (await people.WithRoleAsync(account.Value, Claims.Texts(claims, Oidc.GroupsClaim) ?? Claims.Texts(about, Oidc.GroupsClaim) ?? [], cancel), "");
    }

    bool Lacks(JsonElement claims) => people.AddressIn(claims) is null || (Oidc.Roles.Count > 0 && Claims.Find(claims, Oidc.GroupsClaim) is null) || Claims.Find(claims, "name") is null;

    static string Word() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    static string Printable(string text) => new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);

    string Seal(Kept kept)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(kept);
        var whole = new byte[12 + plain.Length + 16];
        RandomNumberGenerator.Fill(whole.AsSpan(0, 12));
        using var seal = new AesGcm(key, 16);
        seal.Encrypt(whole.AsSpan(0, 12), plain, whole.AsSpan(12, plain.Length), whole.AsSpan(12 + plain.Length));
        return Base64Url.EncodeToString(whole);
    }

    Kept? Open(string? text)
    {
        if (text is not { Length: > 40 and <= 4096 } || !Base64Url.IsValid(text)) return null;
        var whole = Base64Url.DecodeFromChars(text);
        if (whole.Length <= 28) return null;
        var plain = new byte[whole.Length - 28];
        using var seal = new AesGcm(key, 16);
        try
        {
            seal.Decrypt(whole.AsSpan(0, 12), whole.AsSpan(12, plain.Length), whole.AsSpan(12 + plain.Length), plain);
            return JsonSerializer.Deserialize<Kept>(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
