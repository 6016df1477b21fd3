using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Federation;

/// <summary>
/// Whose the token of a mail program is: a JWT that the issuer signed (RFC 9068), or one that the issuer is asked about (RFC 7662).
/// One that was right is remembered for a minute at most, and never beyond its end.
/// </summary>
sealed class AccessTokens(Settings settings, Issuer issuer, People people, TimeProvider time, ILogger<AccessTokens> log) : ITokenCheck
{
    const int MostRemembered = 10_000;

    readonly Dictionary<string, (string Address, DateTimeOffset End, long Since)> remembered = new(StringComparer.Ordinal);

    OidcSettings Oidc => settings.Oidc;

    public string? Scope => Oidc.RequiredScope.Length > 0 ? Oidc.RequiredScope : null;

    public string? Configuration => issuer.ConfigurationAddress;

    public async ValueTask<Result<string>> CheckAsync(string token, CancellationToken cancel)
    {
        var digest = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(token)));
        lock (remembered)
            if (remembered.TryGetValue(digest, out var before) && time.GetUtcNow() < before.End && time.GetElapsedTime(before.Since) < Oidc.Remember) return before.Address;
        var judged = JsonWebToken.Parse(token) is { } signed && !Oidc.Introspection ? await JudgeAsync(signed, cancel) : await AskAsync(token, cancel);
        if (!judged.Ok) return judged.Refusal;
        if (judged.Value is not { } claims) return Refused("it is not the issuer's, not for us, or over");
        if (Oidc.RequiredScope.Length > 0 && !Claims.HasScope(claims, Oidc.RequiredScope)) return Refused("it lacks the scope");
        var about = await WithAddressAsync(claims, token, cancel);
        if (!about.Ok) return about.Refusal;
        if (about.Value is not { } person || people.AddressIn(person) is not { } address) return Refused("it names no address that is checked");
        var account = await people.AccountAsync(address, Claims.Text(person, "name"), cancel);
        if (!account.Ok) return account.Refusal;
        if (Oidc.Remember > TimeSpan.Zero) Remember(digest, address.ToString(), Claims.Time(claims, "exp")!.Value);
        return address.ToString();
    }

    Refusal Refused(string problem)
    {
        FederationTelemetry.TokenRefused(log, problem);
        return Refusal.SignInFailed;
    }

    async ValueTask<Result<JsonElement?>> JudgeAsync(JsonWebToken token, CancellationToken cancel)
    {
        // RFC 9068 2.1, 4: what says who somebody is (an ID token) is not for getting at his mail
        var type = token.Type.ToLowerInvariant();
        if (type is not ("at+jwt" or "application/at+jwt" or "jwt" or "") || token.Claims.TryGetProperty("nonce", out _)) return new Result<JsonElement?>(null, null);
        return await issuer.VerifyAsync(token, Oidc.Audience, cancel);
    }

    async ValueTask<Result<JsonElement?>> AskAsync(string token, CancellationToken cancel)
    {
        var configuration = await issuer.ConfigurationAsync(cancel);
        if (!configuration.Ok) return configuration.Refusal;
        if (configuration.Value.Introspection is null) return new Result<JsonElement?>(null, null);
        var answer = await issuer.IntrospectAsync(configuration.Value, token, cancel);
        if (!answer.Ok) return answer.Refusal;
        // RFC 7662 2.3: 401 is about us, not about the token
        if (answer.Value.Status != HttpStatusCode.OK) return IssuerFetch.Away;
        var claims = answer.Value.Body;
        // RFC 7662 2.2: iss is not always said
        var whole = Claims.IsTrue(claims, "active") && issuer.IsFor(claims, Oidc.Audience) && (Claims.Text(claims, "iss") ?? Oidc.Issuer) == Oidc.Issuer;
        return whole ? claims : new Result<JsonElement?>(null, null);
    }

    /// <summary>The claims themselves where they say the address; otherwise what the issuer says of the person.</summary>
    async ValueTask<Result<JsonElement?>> WithAddressAsync(JsonElement claims, string token, CancellationToken cancel)
    {
        if (Claims.Find(claims, Oidc.AddressClaim) is not null) return claims;
        var configuration = await issuer.ConfigurationAsync(cancel);
        if (!configuration.Ok) return configuration.Refusal;
        if (configuration.Value.UserInfo is not { } address) return new Result<JsonElement?>(null, null);
        var answer = await issuer.UserInfoAsync(address, token, cancel);
        if (!answer.Ok) return answer.Refusal;
        var same = answer.Value.Status == HttpStatusCode.OK && Claims.Text(answer.Value.Body, "sub") is { } sub && (Claims.Text(claims, "sub") ?? sub) == sub;
        return same ? answer.Value.Body : new Result<JsonElement?>(null, null);
    }

    void Remember(string digest, string address, DateTimeOffset end)
    {
        lock (remembered)
        {
            if (remembered.Count >= MostRemembered)
                foreach (var old in remembered.Where(one => time.GetElapsedTime(one.Value.Since) >= Oidc.Remember).Select(one => one.Key).ToList()) remembered.Remove(old);
            if (remembered.Count >= MostRemembered) remembered.Clear();
            remembered[digest] = (address, end, time.GetTimestamp());
        }
    }
}
