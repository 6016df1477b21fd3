using System.Net;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http;

/// <summary>Who asks something of the API: whoever has the control socket, a key (<c>Authorization: Bearer cbak_...</c>), or a browser's session.</summary>
sealed class ApiCallers(Settings settings, UserDirectory directory, ApiKeys keys, Sessions sessions, SecondFactors factors)
{
    /// <summary>With every change by a session: a page of another site can send the cookie, and knows not this.</summary>
    public const string ProofHeader = "X-CSRF-Token";

    static readonly Refusal Nobody = new(535, "5.7.8", "AUTHENTICATIONFAILED", 401, "Sign in first: send a key as \"Authorization: Bearer ...\", or begin a session at POST /api/v1/session");
    static readonly Refusal WrongKey = new(535, "5.7.8", "AUTHENTICATIONFAILED", 401, "This key is not valid, or not from here, or its time is over");
    static readonly Refusal InClear = new(530, "5.7.0", "PRIVACYREQUIRED", 403, "The API is to be used by HTTPS");

    // a cookie with this prefix is taken by browsers over TLS only, for this host and every path
    internal static string Cookie(HttpContext context) => context.Request.IsHttps ? "__Host-cbamail" : "cbamail";

    internal static IPAddress? From(HttpContext context) => context.Connection.RemoteIpAddress is { } address ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null;

    /// <summary>Null where a secret may not be sent like this.</summary>
    internal Refusal? Forbids(HttpContext context) => context.Request.IsHttps || settings.Evaluation ? null : InClear;

    public Result<Caller> Find(HttpContext context)
    {
        if (ControlDoor.Is(context)) return Caller.ControlSocket;
        if (Forbids(context) is { } refusal) return refusal;
        var from = From(context);
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            if (keys.Check(authorization[7..].Trim(), from) is not { } key) return WrongKey;
            if (key.AccountId == 0) return new Caller(null, key, null, null, from);
            return directory.GetAccount(key.AccountId) is { } owner && directory.IsOpen(owner) && directory.MayComeFrom(owner, from) ? new Caller(owner, key, null, null, from) : WrongKey;
        }
        if (context.Request.Cookies[Cookie(context)] is not { Length: > 0 } secret || sessions.Check(secret) is not { } session) return Nobody;
        if (directory.GetAccount(session.AccountId) is not { } account || !directory.IsOpen(account) || (session.Acting == 0 && !directory.MayComeFrom(account, from))) return Nobody;
        var acting = session.Acting == 0 ? null : directory.GetAccount(session.Acting);
        if (session.Acting != 0 && (acting is null || !directory.IsOpen(acting) || !directory.MayComeFrom(acting, from) || !new Caller(acting, null, null, null, from).MayActAs(account))) return Nobody;
        return new Caller(account, null, session, acting, from);
    }

    static readonly Refusal FactorFirst = new(550, "5.7.1", "SETUPNEEDED", 403, "Set up a second factor first: POST /api/v1/me/totp");
    static readonly Refusal PasswordFirst = new(550, "5.7.1", "EXPIRED", 403, "Take a password of your own first: POST /api/v1/me/password");

    /// <summary>What a session has to do before it can do anything else; nothing is asked of who acts as somebody else, and of keys.</summary>
    public Refusal? Unfinished(Caller caller) =>
        caller is not { Account: { } me, Session: not null, Acting: null } ? null
        : me.Profile.MustChangePassword == true ? PasswordFirst
        : factors.IsRequired(me) && !factors.Has(me) ? FactorFirst : null;

    public bool Proves(HttpContext context, Session session) => sessions.IsProof(session, context.Request.Headers[ProofHeader].ToString());

    /// <summary>Puts the cookie of a session into the answer; an empty secret takes it away.</summary>
    internal static void SetCookie(HttpContext context, string secret) => context.Response.Cookies.Append(Cookie(context), secret, new CookieOptions
    {
        HttpOnly = true,
        Secure = context.Request.IsHttps,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        MaxAge = secret.Length == 0 ? TimeSpan.Zero : Sessions.Longest,
    });
}
