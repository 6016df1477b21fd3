using System.Net;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Net;

namespace CbaMail.Sasl;

/// <summary>The one door by which a person signs in on a line protocol: may it be done here, is the address not guessing, is the password right.</summary>
public sealed class SignIn(Settings settings, UserDirectory directory, LoginLimits limits, TimeProvider time, ILogger<SignIn> log, Bans? bans = null)
{
    /// <summary>Too many wrong passwords came from this address.</summary>
    public static readonly Refusal TooManyFailures = new(454, "4.7.0", "LIMIT", 429, "Too many failed sign-ins from this address; try again later");

    /// <summary>Whether a password may be sent here: under TLS, or in clear text over loopback in the evaluation profile.</summary>
    public bool IsAllowed(Connection connection) => connection.IsSecure || (settings.Evaluation && connection.IsLoopback);

    public ValueTask<Result<Account>> TryAsync(Credentials credentials, Connection connection, CancellationToken cancel) =>
        TryAsync(credentials, connection.Remote.Address, connection.Id, cancel);

    /// <summary>A failure is held back a while, longer each time; it says no more than SignInFailed, whatever the cause.</summary>
    public async ValueTask<Result<Account>> TryAsync(Credentials credentials, IPAddress address, string session, CancellationToken cancel)
    {
        if (limits.IsBarred(address))
        {
            SaslTelemetry.Barred(log, session, address);
            return TooManyFailures;
        }
        var result = credentials.User.Length == 0 || credentials.Password.Length == 0
            ? Refusal.SignInFailed
            : await directory.SignInAsync(credentials.User, credentials.Password, cancel);
        if (result.Ok)
        {
            limits.Succeeded(address);
            bans?.SignedIn(address);
            SaslTelemetry.SignedIn(log, session, result.Value.Address, address);
            return result;
        }
        if (result.Refusal.IsTemporary) return result;
        var wait = limits.Failed(address);
        bans?.Offend(address, "a failed sign-in");
        SaslTelemetry.Failed(log, session, Shown(credentials.User), address);
        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancel);
        return result;
    }

    static string Shown(string user) => new([.. user.Take(128).Select(c => char.IsControl(c) ? '?' : c)]);
}
