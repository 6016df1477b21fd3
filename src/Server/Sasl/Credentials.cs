namespace CbaMail.Sasl;

/// <summary>What a client has shown of itself: here a password.</summary>
public record Credentials(string User, string Password)
{
    // keeps secrets out of logs and debuggers
    public sealed override string ToString() => User;
}

/// <summary>A password, and what has to come with it where there is a second factor (the API).</summary>
/// <param name="Code">Of an authenticator app, or a recovery code; null: none came.</param>
public sealed record WithCode(string User, string Password, string? Code, bool Passkey = false) : Credentials(User, Password);

/// <summary>A passkey that the API has judged; it stands for password and code.</summary>
public sealed record ByPasskey(string User, bool IsRight) : Credentials(User, "");

/// <summary>The password of somebody who is signed in already, before he changes something.</summary>
public sealed record Confirmation(string User, string Password) : Credentials(User, Password);

/// <summary>A proof that the exchange itself has checked (SCRAM).</summary>
public sealed record Proof(string User, bool IsRight) : Credentials(User, "");

/// <summary>A token of an issuer (OAUTHBEARER, XOAUTH2).</summary>
/// <param name="User">Whom the client wants to be; empty: whoever the token is for.</param>
public sealed record BearerToken(string User, string Token) : Credentials(User, "");

/// <summary>The certificate of the connection (EXTERNAL).</summary>
/// <param name="User">Whom the client wants to be; empty: whoever the certificate names.</param>
public sealed record ByCertificate(string User) : Credentials(User, "");
