using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Federation.Ldap;

/// <summary>
/// Checks passwords by binding as their owner. Few are asked about at the same time and the others wait, so that a storm of sign-ins neither floods the
/// directory nor holds up the server; while the directory is away the answer is temporary, never "wrong". One that was right is remembered for a
/// little while under a keyed hash, for programs that come again and again.
/// </summary>
sealed class LdapPasswords(LdapSources sources, LdapSync sync, TimeProvider time, ILogger<LdapPasswords> log) : IPasswordKeeper, IDisposable
{
    const int MostRemembered = 20_000, MostWaiting = 1000;
    static readonly Refusal TooMany = UserDirectory.Away.Because("Too many are signing in; try again later");

    readonly Dictionary<string, long> remembered = new(StringComparer.Ordinal);
    readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    readonly Dictionary<string, SemaphoreSlim> gates = sources.All.ToDictionary(source => source.Name, source => new SemaphoreSlim(source.Settings.Connections), StringComparer.Ordinal);
    int waiting;

    public async ValueTask<Result<bool>> CheckAsync(Account account, string password, CancellationToken cancel)
    {
        var origin = account.Profile.Origin!;
        if (sources.Find(origin.Source) is not { } source) return UserDirectory.NoKeeper(origin);
        if (password.Length == 0) return false; // RFC 4513 5.1.2
        var proof = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{origin.Source}\0{origin.Id}\0{password}")));
        var since = Since(proof);
        if (since < source.Settings.Remember) return true;
        var judged = await JudgeAsync(source, limited => source.IsRightAsync(origin.Name, origin.Id, password, limited), cancel);
        if (judged.Ok)
        {
            lock (remembered)
            {
                if (!judged.Value) remembered.Remove(proof);
                else Remember(proof, source.Settings);
            }
            return judged;
        }
        if (since >= source.Settings.RememberWhileAway) return judged;
        LdapTelemetry.LetIn(log, account.Address, source.Name);
        return true;
    }

    public async ValueTask<Result<Account>?> WelcomeAsync(MailAddress address, string password, CancellationToken cancel)
    {
        foreach (var source in sources.All.Where(one => one.Settings.Create == LdapCreation.SignIn && one.Mapping.IsMeant(address)))
        {
            LdapPerson? person = null;
            var judged = await JudgeAsync(source, limited => source.WithKeptAsync(async connection =>
                (person = await source.FindAsync(connection, address, limited)) is { Enabled: true } && (await connection.BindAsync(person.Name, password, limited)).Ok, limited), cancel);
            if (!judged.Ok) return judged.Refusal;
            if (!judged.Value) continue;
            var made = await sync.MakeAsync(source, person!, cancel);
            if (!made.Ok) return made.Refusal;
            LdapTelemetry.Welcomed(log, made.Value.Address, source.Name);
            return made;
        }
        return null;
    }

    /// <summary>Waits for its turn, and no longer than twice the limit of one request.</summary>
    async ValueTask<Result<bool>> JudgeAsync(LdapSource source, Func<CancellationToken, Task<bool>> ask, CancellationToken cancel)
    {
        if (Interlocked.Increment(ref waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref waiting);
            return TooMany;
        }
        var gate = gates[source.Name];
        using var late = new CancellationTokenSource(2 * source.Settings.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        var entered = false;
        try
        {
            await gate.WaitAsync(both.Token);
            entered = true;
            return await ask(both.Token);
        }
        catch (LdapTrouble e)
        {
            LdapTelemetry.Away(log, source.Name, e.Message);
            return UserDirectory.Away;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            LdapTelemetry.Away(log, source.Name, "it does not answer in time");
            return UserDirectory.Away;
        }
        finally
        {
            if (entered) gate.Release();
            Interlocked.Decrement(ref waiting);
        }
    }

    TimeSpan Since(string proof)
    {
        lock (remembered) return remembered.TryGetValue(proof, out var since) ? time.GetElapsedTime(since) : TimeSpan.MaxValue;
    }

    void Remember(string proof, LdapSettings settings)
    {
        if (settings.Remember == TimeSpan.Zero && settings.RememberWhileAway == TimeSpan.Zero) return;
        if (remembered.Count >= MostRemembered)
        {
            // the older half: whoever is pushed out is asked about again
            foreach (var old in remembered.OrderBy(one => one.Value).Take(MostRemembered / 2).Select(one => one.Key).ToList()) remembered.Remove(old);
        }
        remembered[proof] = time.GetTimestamp();
    }

    public void Dispose()
    {
        foreach (var gate in gates.Values) gate.Dispose();
    }
}
