using System.Net;

namespace CbaMail.Config;

/// <summary>Signing in by an issuer of OpenID Connect: Keycloak, Entra, Google and their kin. It begins with <c>issuer</c>.</summary>
public sealed record OidcSettings : IChecked
{
    /// <summary>The issuer's name, an https address, exactly as it calls itself; its configuration stands below it at <c>/.well-known/openid-configuration</c>. Default: none, and nobody signs in that way.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>What the issuer calls this server (client_id). Required with an issuer.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>A file that holds the secret of this server at the issuer, and nothing else. It is read each time. Default: none; the issuer knows us as a public client.</summary>
    public string ClientSecretFile { get; init; } = "";

    /// <summary>What is asked of the issuer about people. Default <c>openid, email, profile</c>.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = ["openid", "email", "profile"];

    /// <summary>Where the issuer sends browsers back to, as it is registered there. Default: <c>/api/v1/session/oidc/callback</c> of this host's name by https; in the evaluation profile, of the address that the browser asks.</summary>
    public string RedirectUri { get; init; } = "";

    /// <summary>The claim that holds a person's address here; a dot leads into a claim. Default <c>email</c>.</summary>
    public string AddressClaim { get; init; } = "email";

    /// <summary>Whether <c>email</c> counts only where the issuer says that it has checked it (<c>email_verified</c>). Without it, who can write any address into his profile at the issuer is whoever he writes. Default yes.</summary>
    public bool RequireVerified { get; init; } = true;

    /// <summary>The claim that holds a person's groups, a list; a dot leads into a claim, as in <c>realm_access.roles</c>. Default <c>groups</c>.</summary>
    public string GroupsClaim { get; init; } = "groups";

    /// <summary>Which role a group brings: <c>{mail-admins: admin, deans: domain-admin}</c>; user, course-manager, domain-admin or admin. Of several the highest counts, and it ends when the group does; a higher role that was given here stays. Default: none.</summary>
    public IReadOnlyDictionary<string, string> Roles { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether who signs in for the first time gets an account, in a domain of ours. Default no: only who has one signs in.</summary>
    public bool Provision { get; init; }

    /// <summary>Whom a token must be for (aud) that a mail program shows by OAUTHBEARER or XOAUTH2. Default: none, and tokens are not taken.</summary>
    public string Audience { get; init; } = "";

    /// <summary>The scope that such a token must have. Default: none.</summary>
    public string RequiredScope { get; init; } = "";

    /// <summary>Whether the issuer is asked about each token (RFC 7662), so that a revoked one ends soon. Default no: it is asked about those only that are no signed JWT.</summary>
    public bool Introspection { get; init; }

    /// <summary>How long a token that was right stays so without another look; never beyond its own end. From 0 to a minute. Default 1 minute.</summary>
    public TimeSpan Remember { get; init; } = TimeSpan.FromMinutes(1);

    internal bool IsOn => Issuer.Length > 0;

    /// <summary>The roles that can be given, lowest first.</summary>
    internal static readonly string[] KnownRoles = ["user", "course-manager", "domain-admin", "admin"];

    /// <summary>Whether an address may be asked: by https, or on this machine alone where that is allowed.</summary>
    internal static bool MayAsk(Uri uri, bool alsoInClear) =>
        uri.UserInfo.Length == 0 && (uri.Scheme == "https" || (alsoInClear && uri.Scheme == "http" && IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));

    public string? Problem()
    {
        if (!IsOn) return ClientId.Length > 0 ? "oidc.issuer is missing: write the address of the issuer" : null;
        if (!Uri.TryCreate(Issuer, UriKind.Absolute, out var uri) || uri.Query.Length > 0 || uri.Fragment.Length > 0 || !MayAsk(uri, alsoInClear: true)) return $"oidc.issuer: \"{Issuer}\" is no issuer; write its address as in https://id.example.org/realms/school";
        if (ClientId.Length == 0) return "oidc.client-id is missing: it is what the issuer calls this server";
        if (RedirectUri.Length > 0 && !Uri.TryCreate(RedirectUri, UriKind.Absolute, out _)) return $"oidc.redirect-uri: \"{RedirectUri}\" is no address";
        if (!Scopes.Contains("openid")) return "oidc.scopes lack openid";
        if (AddressClaim.Length == 0 || GroupsClaim.Length == 0) return "oidc.address-claim and oidc.groups-claim are names of claims";
        if (Roles.Values.FirstOrDefault(role => !KnownRoles.Contains(role)) is { } unknown) return $"oidc.roles: there is no role \"{unknown}\"; there are {string.Join(", ", KnownRoles)}";
        if (Audience == ClientId && Audience.Length > 0) return "oidc.audience is that of mail programs' tokens, and not client-id: or what proves who somebody is would open his mail to everyone who sees it";
        return Remember < TimeSpan.Zero || Remember > TimeSpan.FromMinutes(1) ? "oidc.remember is between 0 and 1m" : null;
    }
}
