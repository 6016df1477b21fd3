namespace CbaMail.Config;

/// <summary>How people prove who they are on IMAP, POP3 and submission.</summary>
public sealed record SignInSettings : IChecked
{
    /// <summary>
    /// The mechanisms that may be used. Default <c>PLAIN, LOGIN, SCRAM-SHA-256, SCRAM-SHA-1, EXTERNAL, OAUTHBEARER, XOAUTH2</c>. The two of SCRAM bring their
    /// forms with channel binding (<c>-PLUS</c>) along under TLS; EXTERNAL is announced to who shows a certificate of <see cref="ClientAuthorities"/>,
    /// the last two where something checks tokens.
    /// </summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = Known;

    /// <summary>
    /// Whether SCRAM is announced. Default: when there is no account whose password is known by a hash of another server only (such a one gets what SCRAM
    /// needs at its next sign-in with PLAIN or LOGIN, and cannot sign in by SCRAM before); in the evaluation profile yes.
    /// </summary>
    public bool? AnnounceScram { get; init; }

    /// <summary>The work that SCRAM makes of one guess of a password for a thief of the database and its key file, and of one sign-in for the client. RFC 7677 asks for 4096 at least. Default 10000.</summary>
    public int ScramIterations { get; init; } = 10_000;

    /// <summary>
    /// How dear the hash of a password is (yescrypt, crypt(5)): each step doubles the time and memory of a sign-in and of a thief's guess. 5 costs some 28 ms of a
    /// core and 16 MiB. Where it is set, a hash of another cost is made anew at the next sign-in with PLAIN or LOGIN. From 1 to 11. Default: 5 for new passwords,
    /// and yescrypt hashes that are there stay as they are.
    /// </summary>
    public int? PasswordCost { get; init; }

    /// <summary>PEM files with the authorities whose certificates clients may sign in by (EXTERNAL). Default none: clients are not asked for certificates.</summary>
    public IReadOnlyList<string> ClientAuthorities { get; init; } = [];

    /// <summary>
    /// Who must have a second factor: roles (<c>user</c>, <c>course-manager</c>, <c>domain-admin</c>, <c>admin</c>) and domains. Whoever has none can do nothing
    /// by a browser's session but set one up, and mail programs do not take his main password. Default nobody.
    /// </summary>
    public IReadOnlyList<string> SecondFactorFor { get; init; } = [];

    /// <summary>The least length of a password that somebody chooses for himself, in characters. From 8 to 100. Default 10.</summary>
    public int PasswordLength { get; init; } = 10;

    static readonly string[] roles = ["user", "course-manager", "domain-admin", "admin"];

    internal static readonly string[] Known = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "EXTERNAL", "OAUTHBEARER", "XOAUTH2"];

    internal bool Allows(string mechanism) => Mechanisms.Contains(mechanism, StringComparer.OrdinalIgnoreCase);

    public string? Problem()
    {
        if (Mechanisms.FirstOrDefault(one => !Known.Contains(one, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            return $"sign-in.mechanisms: there is no \"{unknown}\"; there are {string.Join(", ", Known)}";
        if (SecondFactorFor.FirstOrDefault(one => !roles.Contains(one) && !one.Contains('.', StringComparison.Ordinal)) is { } nobody)
            return $"sign-in.second-factor-for: \"{nobody}\" is no role and no domain; the roles are {string.Join(", ", roles)}";
        if (PasswordLength is < 8 or > 100) return "sign-in.password-length is between 8 and 100";
        if (PasswordCost is < 1 or > 11) return "sign-in.password-cost is between 1 and 11";
        return ScramIterations is < 4096 or > 1_000_000 ? "sign-in.scram-iterations is between 4096 and 1000000" : null;
    }
}
