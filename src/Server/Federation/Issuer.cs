using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Federation;

/// <summary>What the issuer says of itself (OpenID Connect Discovery 1.0, section 3), and its keys.</summary>
sealed record IssuerConfiguration(string Authorization, string Token, string? UserInfo, string? Introspection, bool PostsSecret, IReadOnlyList<SigningKey> Keys);

/// <summary>
/// The issuer: its configuration and keys, kept for an hour and for a day where it is away, and the questions it answers.
/// A key that is not among them is asked for once a minute at most: whoever invents names of keys makes no traffic.
/// </summary>
sealed class Issuer(Settings settings, IssuerFetch fetch, TimeProvider time)
{
    static readonly TimeSpan Fresh = TimeSpan.FromHours(1), Stale = TimeSpan.FromDays(1), BetweenRefreshes = TimeSpan.FromMinutes(1), AfterFailure = TimeSpan.FromSeconds(5);

    readonly SemaphoreSlim gate = new(1);
    IssuerConfiguration? known;
    long got, tried;
    bool failed;

    OidcSettings Oidc => settings.Oidc;

    public string ConfigurationAddress => Oidc.Issuer.TrimEnd('/') + "/.well-known/openid-configuration";

    public async ValueTask<Result<IssuerConfiguration>> ConfigurationAsync(CancellationToken cancel, bool anew = false)
    {
        if (known is { } current && !anew && time.GetElapsedTime(got) < Fresh) return current;
        await gate.WaitAsync(cancel);
        try
        {
            var wait = failed ? AfterFailure : known is null ? TimeSpan.Zero : anew ? BetweenRefreshes : Fresh;
            if ((failed || known is not null) && time.GetElapsedTime(tried) < wait) return Last();
            tried = time.GetTimestamp();
            var fetched = await FetchAsync(cancel);
            failed = !fetched.Ok;
            if (!fetched.Ok) return Last();
            (known, got) = (fetched.Value, time.GetTimestamp());
            return known;
        }
        finally
        {
            gate.Release();
        }
    }

    Result<IssuerConfiguration> Last() => known is not null && time.GetElapsedTime(got) < Stale ? known : IssuerFetch.Away;

    async Task<Result<IssuerConfiguration>> FetchAsync(CancellationToken cancel)
    {
        var answer = await fetch.AskAsync(HttpMethod.Get, ConfigurationAddress, null, null, cancel);
        if (!answer.Ok) return answer.Refusal;
        var body = answer.Value.Body;
        // Discovery 4.3: exactly the same, or one issuer could speak for another
        if (answer.Value.Status != HttpStatusCode.OK || Claims.Text(body, "issuer") != Oidc.Issuer) return fetch.Misunderstood(ConfigurationAddress, "it is not the configuration of the issuer that the settings name");
        if (Claims.Text(body, "authorization_endpoint") is not { } authorization || Claims.Text(body, "token_endpoint") is not { } token || Claims.Text(body, "jwks_uri") is not { } address)
            return fetch.Misunderstood(ConfigurationAddress, "the configuration lacks authorization_endpoint, token_endpoint or jwks_uri");
        if (!Uri.TryCreate(authorization, UriKind.Absolute, out var way) || !OidcSettings.MayAsk(way, settings.Evaluation)) return fetch.Misunderstood(authorization, "nobody is sent there in clear text");
        var set = await fetch.AskAsync(HttpMethod.Get, address, null, null, cancel);
        if (!set.Ok) return set.Refusal;
        // Discovery 3: client_secret_basic where nothing is said
        var posts = Claims.Texts(body, "token_endpoint_auth_methods_supported") is { } ways && !ways.Contains("client_secret_basic") && ways.Contains("client_secret_post");
        return new IssuerConfiguration(authorization, token, Claims.Text(body, "userinfo_endpoint"), Claims.Text(body, "introspection_endpoint"), posts, SigningKey.Of(set.Value.Body));
    }

    /// <summary>The claims of a token that the issuer has signed, is for <paramref name="audience"/> and not over; null where it is anything else.</summary>
    public async ValueTask<Result<JsonElement?>> VerifyAsync(JsonWebToken token, string audience, CancellationToken cancel)
    {
        var configuration = await ConfigurationAsync(cancel);
        if (!configuration.Ok) return configuration.Refusal;
        if (Keys(configuration.Value, token).Count == 0)
        {
            configuration = await ConfigurationAsync(cancel, anew: true);
            if (!configuration.Ok) return configuration.Refusal;
        }
        if (!Keys(configuration.Value, token).Any(key => key.HasSigned(token))) return new Result<JsonElement?>(null, null);
        return IsFor(token.Claims, audience) && Claims.Text(token.Claims, "iss") == Oidc.Issuer ? token.Claims : new Result<JsonElement?>(null, null);
    }

    static List<SigningKey> Keys(IssuerConfiguration configuration, JsonWebToken token) => [.. configuration.Keys.Where(key => token.KeyId is null || key.Id == token.KeyId).Take(8)];

    /// <summary>Whether claims are for <paramref name="audience"/> and hold now (RFC 7519 4.1.3 to 4.1.5).</summary>
    public bool IsFor(JsonElement claims, string audience)
    {
        var now = time.GetUtcNow();
        return Claims.Texts(claims, "aud") is { } all && all.Contains(audience, StringComparer.Ordinal)
            && Claims.Time(claims, "exp") is { } end && end > now
            && !(Claims.Time(claims, "nbf") > now + TimeSpan.FromMinutes(1)); // clocks differ a little
    }

    /// <summary>RFC 6749 4.1.3, RFC 7636 4.5.</summary>
    public Task<Result<IssuerAnswer>> RedeemAsync(IssuerConfiguration configuration, string code, string redirect, string verifier, CancellationToken cancel) => AskAsync(configuration, configuration.Token, new()
    {
        ["grant_type"] = "authorization_code",
        ["code"] = code,
        ["redirect_uri"] = redirect,
        ["code_verifier"] = verifier,
    }, cancel);

    /// <summary>RFC 7662 2.1.</summary>
    public Task<Result<IssuerAnswer>> IntrospectAsync(IssuerConfiguration configuration, string token, CancellationToken cancel) =>
        AskAsync(configuration, configuration.Introspection!, new() { ["token"] = token, ["token_type_hint"] = "access_token" }, cancel);

    /// <summary>OpenID Connect Core 5.3.</summary>
    public Task<Result<IssuerAnswer>> UserInfoAsync(string address, string token, CancellationToken cancel) =>
        fetch.AskAsync(HttpMethod.Get, address, null, new AuthenticationHeaderValue("Bearer", token), cancel);

    async Task<Result<IssuerAnswer>> AskAsync(IssuerConfiguration configuration, string url, Dictionary<string, string> form, CancellationToken cancel)
    {
        AuthenticationHeaderValue? authorization = null;
        if (Oidc.ClientSecretFile.Length == 0) form["client_id"] = Oidc.ClientId;
        else
        {
            string secret;
            try { secret = (await File.ReadAllTextAsync(Oidc.ClientSecretFile, cancel)).Trim(); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return fetch.Misunderstood(Oidc.ClientSecretFile, e.Message); }
            if (configuration.PostsSecret) (form["client_id"], form["client_secret"]) = (Oidc.ClientId, secret);
            // RFC 6749 2.3.1: both form-encoded first
            else authorization = new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{WebUtility.UrlEncode(Oidc.ClientId)}:{WebUtility.UrlEncode(secret)}")));
        }
        using var content = new FormUrlEncodedContent(form);
        return await fetch.AskAsync(HttpMethod.Post, url, content, authorization, cancel);
    }
}
