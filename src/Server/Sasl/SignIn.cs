using System.Net;
using System.Security.Cryptography;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Net;

namespace CbaMail.Sasl;

/// <summary>The one door by which a person signs in on a line protocol: may it be done here, is the address not guessing, is the proof right.</summary>
public sealed class SignIn(Settings settings, UserDirectory directory, LoginLimits limits, TimeProvider time, ILogger<SignIn> log, Bans? bans = null, ITokenCheck? tokens = null, ApplicationPasswords? applications = null, SecondFactors? factors = null, SignInHistory? history = null)
{
    /// <summary>Too many wrong passwords came from this address.</summary>
    public static readonly Refusal TooManyFailures = new(454, "4.7.0", "LIMIT", 429, "Too many failed sign-ins from this address; try again later");

    /// <summary>The policy of the account or of its domain forbids the protocol.</summary>
    public static readonly Refusal ProtocolForbidden = new(535, "5.7.1", "AUTHORIZATIONFAILED", 403, "This account may not use this protocol");

    /// <summary>The password is right, and is to be changed first (RFC 5530 3; RFC 3206 4 for POP3).</summary>
    public static readonly Refusal PasswordExpired = new(535, "5.7.8", "EXPIRED", 403, "Take a password of your own first");

    /// <summary>Whether a password may be sent here: under TLS, or in clear text over loopback in the evaluation profile.</summary>
    public bool IsAllowed(Connection connection) => connection.IsSecure || (settings.Evaluation && connection.IsLoopback);

    /// <summary>The mechanisms as this connection is told of them; none where it may not sign in.</summary>
    public IReadOnlyList<string> Mechanisms(Connection connection)
    {
        if (!IsAllowed(connection)) return [];
        var all = new List<string>();
        foreach (var one in new[] { "PLAIN", "LOGIN" })
            if (settings.SignIn.Allows(one)) all.Add(one);
        foreach (var one in new[] { "SCRAM-SHA-256", "SCRAM-SHA-1" })
        {
            if (!AnnouncesScram || !settings.SignIn.Allows(one)) continue;
            if (HasBinding(connection)) all.Add(one + "-PLUS"); // RFC 5802 6: only where it can be had
            all.Add(one);
        }
        if (connection.ClientCertificate is not null && settings.SignIn.Allows("EXTERNAL")) all.Add("EXTERNAL");
        foreach (var one in new[] { "OAUTHBEARER", "XOAUTH2" })
            if (tokens is not null && settings.SignIn.Allows(one)) all.Add(one);
        return all;
    }

    bool AnnouncesScram => directory.KeepsScram && (settings.SignIn.AnnounceScram ?? (settings.Evaluation || directory.EverybodyHasScram));

    static bool HasBinding(Connection connection) => connection.ChannelBinding("tls-server-end-point") is not null;

    /// <summary>Begins; null where there is no such mechanism. Ask <see cref="IsAllowed"/> before.</summary>
    public SaslConversation? Start(string mechanism, Connection connection)
    {
        mechanism = mechanism.ToUpperInvariant();
        var plus = mechanism.EndsWith("-PLUS", StringComparison.Ordinal);
        var plain = plus ? mechanism[..^5] : mechanism;
        if (!settings.SignIn.Allows(plain) || (plus && !HasBinding(connection))) return null;
        SaslExchange? exchange = plain switch
        {
            "SCRAM-SHA-256" => Scram(HashAlgorithmName.SHA256, plus, connection),
            "SCRAM-SHA-1" => Scram(HashAlgorithmName.SHA1, plus, connection),
            _ when plus => null,
            "PLAIN" => new PlainExchange(),
            "LOGIN" => new LoginExchange(),
            "EXTERNAL" when connection.ClientCertificate is not null => new ExternalExchange(),
            "OAUTHBEARER" when tokens is not null => new OAuthBearerExchange(tokens),
            "XOAUTH2" when tokens is not null => new XOAuth2Exchange(tokens),
            _ => null,
        };
        return exchange is null ? null : new SaslConversation(exchange, this, connection);
    }

    // who guesses too much learns nothing here either: whatever is proved, no password fits
    ScramExchange? Scram(HashAlgorithmName hash, bool plus, Connection connection) => !directory.KeepsScram ? null : new(hash, plus,
        new(user => directory.ScramOf(user, limits.IsBarred(connection.Remote.Address)), connection.ChannelBinding, AnnouncesScram && HasBinding(connection)));

    public ValueTask<Result<Account>> TryAsync(Credentials credentials, Connection connection, CancellationToken cancel) =>
        TryAsync(credentials, connection.Remote.Address, connection.Id, cancel, connection);

    /// <summary>A failure is held back a while, longer each time; it says no more than SignInFailed, whatever the cause.</summary>
    public async ValueTask<Result<Account>> TryAsync(Credentials credentials, IPAddress address, string session, CancellationToken cancel, Connection? connection = null)
    {
        if (limits.IsBarred(address))
        {
            SaslTelemetry.Barred(log, session, address);
            return TooManyFailures;
        }
        var since = time.GetTimestamp();
        var (way, result) = await JudgeAsync(credentials, address, connection, cancel);
        var protocol = connection is null ? "web" : Word(connection.Listener.Protocol).Key;
        if (result.Ok)
        {
            limits.Succeeded(address);
            if (credentials is Confirmation) return result;
            // said to nobody who has not proved who he is
            if (MayNot(result.Value, way, connection?.Listener.Protocol ?? Protocol.Https, address) is { } forbidden)
            {
                SaslTelemetry.Forbidden(log, session, result.Value.Address, protocol, address);
                return forbidden;
            }
            bans?.SignedIn(address);
            SaslTelemetry.SignedIn(log, session, result.Value.Address, address);
            history?.Record(result.Value, address, protocol, way, succeeded: true);
            return result;
        }
        if (result.Refusal.IsTemporary || result.Refusal == SecondFactors.Needed) return result;
        var wait = limits.Failed(address, credentials.User) - time.GetElapsedTime(since); // what a check has cost tells nothing
        bans?.Offend(address, "a failed sign-in");
        SaslTelemetry.Failed(log, session, Shown(credentials.User), address);
        if (directory.Proven(credentials.User) is { } whose) history?.Record(whose, address, protocol, way, succeeded: false);
        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancel);
        return result;
    }

    const string ByPassword = "password", ByScram = "scram";

    /// <summary>By what it was tried, and whose it is or why not.</summary>
    async ValueTask<(string Way, Result<Account> Result)> JudgeAsync(Credentials credentials, IPAddress address, Connection? connection, CancellationToken cancel)
    {
        switch (credentials)
        {
            case Proof proof: return (ByScram, proof.IsRight ? Known(proof.User) : Refusal.SignInFailed);
            case ByPasskey passkey: return ("passkey", passkey.IsRight ? Known(passkey.User) : Refusal.SignInFailed);
            case ByCertificate shown: return ("certificate", ClientCertificates.Owner(connection?.ClientCertificate, shown.User, directory) is { } owner ? owner : Refusal.SignInFailed);
            case BearerToken { Token.Length: > 0 } bearer when tokens is not null: return ("token", await OfTokenAsync(bearer, tokens, cancel));
            case BearerToken: return ("token", Refusal.SignInFailed);
            case { User.Length: 0 } or { Password.Length: 0 }: return (ByPassword, Refusal.SignInFailed);
            case WithCode page: return (ByPassword, await OfPageAsync(page, cancel));
            // random: no hashing queue, and no slowness that a real one would need
            case var pair when connection is not null && applications is not null && directory.Proven(pair.User) is { } holder && applications.Check(holder, pair.Password, Word(connection.Listener.Protocol).Key, address):
                return ("application-password", holder);
            default: return (ByPassword, await directory.SignInAsync(credentials.User, credentials.Password, cancel));
        }
    }

    async ValueTask<Result<Account>> OfTokenAsync(BearerToken bearer, ITokenCheck check, CancellationToken cancel)
    {
        var whose = await check.CheckAsync(bearer.Token, cancel);
        if (!whose.Ok) return whose.Refusal;
        var account = Known(whose.Value);
        // RFC 7628 3.1: a token is not for acting as somebody else
        return account.Ok && (bearer.User.Length == 0 || directory.Proven(bearer.User)?.Id == account.Value.Id) ? account : Refusal.SignInFailed;
    }

    async ValueTask<Result<Account>> OfPageAsync(WithCode page, CancellationToken cancel)
    {
        var result = await directory.SignInAsync(page.User, page.Password, cancel);
        if (!result.Ok || factors?.Has(result.Value) != true) return result;
        if (page.Passkey) return result;
        if (string.IsNullOrEmpty(page.Code)) return SecondFactors.Needed;
        return await factors.CheckAsync(result.Value, page.Code, cancel) is { } refusal ? refusal : result;
    }

    /// <summary>What keeps somebody whom an issuer of tokens has proved to be its owner out of the pages and the API, or null.</summary>
    public Refusal? KeepsOutOfTheWeb(Account account, IPAddress from) => MayNot(account, "token", Protocol.Https, from);

    /// <summary>What keeps somebody who has proved to be its owner out all the same, or null.</summary>
    Refusal? MayNot(Account account, string way, Protocol protocol, IPAddress from)
    {
        // a mail program has no place for a code, and the password alone would be the way around it
        if (protocol != Protocol.Https && way is ByPassword or ByScram && factors is not null && (factors.Has(account) || factors.IsRequired(account))) return SecondFactors.NeedsApplicationPassword;
        // nor for a new password; passwords of programs are somebody's own already
        if (protocol != Protocol.Https && way is ByPassword or ByScram && account.Profile is { MustChangePassword: true } profile && (profile.MustChangeSince ?? account.Created) + settings.Admission.ChangeGrace <= time.GetUtcNow())
            return PasswordExpired.Because($"Take a password of your own first, at {settings.Admission.Root(settings)}/password");
        var (key, name) = Word(protocol);
        // RFC 5530 3: the proof is right, and it is of no use here
        if (key == "web" && !directory.MayUse(account, key)) return ProtocolForbidden.Because("This account may not sign in by a browser; ask its administrator");
        if (key.Length > 0 && !directory.MayUse(account, key)) return ProtocolForbidden.Because($"This account may not use {name}; ask its administrator");
        return directory.MayComeFrom(account, from) ? null : ProtocolForbidden.Because($"This account does not sign in from {from}; ask its administrator");
    }

    static (string Key, string Name) Word(Protocol protocol) => protocol switch
    {
        Protocol.Imap or Protocol.Imaps => ("imap", "IMAP"),
        Protocol.Pop3 or Protocol.Pop3s => ("pop3", "POP3"),
        Protocol.Submission or Protocol.Submissions => ("submission", "SMTP"),
        Protocol.Http or Protocol.Https => ("web", "the web"),
        _ => ("", ""),
    };

    Result<Account> Known(string user) => directory.Proven(user) is { } account ? account : Refusal.SignInFailed;

    static string Shown(string user) => new([.. user.Take(128).Select(c => char.IsControl(c) ? '?' : c)]);
}
