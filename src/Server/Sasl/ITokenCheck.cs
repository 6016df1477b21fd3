using CbaMail.Envelope;

namespace CbaMail.Sasl;

/// <summary>
/// Says whose a token is. Where none is registered, no issuer is configured, and the mechanisms that bring tokens are not offered.
/// </summary>
public interface ITokenCheck
{
    /// <summary>The scope that a token needs, for clients that ask (RFC 7628 3.2.2); or null.</summary>
    string? Scope { get; }

    /// <summary>Where the issuer describes itself (OpenID Connect Discovery), for clients that ask; or null.</summary>
    string? Configuration { get; }

    /// <summary>The address of the account that the token is for; <see cref="Refusal.SignInFailed"/> where it is wrong, over or without the scope, a temporary refusal where the issuer cannot be asked.</summary>
    ValueTask<Result<string>> CheckAsync(string token, CancellationToken cancel);
}
