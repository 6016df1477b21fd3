using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Directory;
using CbaMail.Storage;

namespace CbaMail.Authorization;

/// <summary>Somebody signed in by a browser.</summary>
/// <param name="Digest">SHA-256 of the secret in the cookie, in hexadecimal digits: what the session is called.</param>
/// <param name="Acting">Who has signed in as <paramref name="AccountId"/>; 0: its owner himself.</param>
public sealed record Session(string Digest, long AccountId, long Acting, DateTimeOffset Created, DateTimeOffset Used, string Address, string Agent)
{
    /// <summary>A short name for lists; the secret cannot be had from it.</summary>
    public string Id => Digest[..16].ToLowerInvariant();
}

/// <summary>Sessions of browsers: held in memory by the digests of their cookies, written through, so that a restart ends none.</summary>
public sealed class Sessions
{
    /// <summary>After so long without a request.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromDays(14);
    /// <summary>However much it is used.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(90);
    /// <summary>A session by which somebody acts as another.</summary>
    public static readonly TimeSpan LongestActing = TimeSpan.FromHours(1);
    static readonly TimeSpan Told = TimeSpan.FromMinutes(5); // how exactly the last use is kept
    const int MostOfOne = 50;

    readonly Store store;
    readonly TimeProvider time;
    readonly byte[] proofKey;
    readonly ConcurrentDictionary<string, Session> sessions = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<long, long> ends = new(); // account: how often all of its sessions were ended since the start

    public Sessions(Store store, TimeProvider time)
    {
        (this.store, this.time) = (store, time);
        using var read = store.Read();
        proofKey = DirectoryTable.ServerKey(read, "csrf");
        foreach (var session in AuthorizationTable.Sessions(read)) sessions[session.Digest] = session;
    }

    static string Digest(string secret) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    bool IsOver(Session session, DateTimeOffset now) =>
        session.Used + Idle <= now || session.Created + (session.Acting != 0 ? LongestActing : Longest) <= now;

    /// <summary>The session of a cookie, or null.</summary>
    public Session? Check(string secret)
    {
        if (secret.Length is 0 or > 200 || !sessions.TryGetValue(Digest(secret), out var session)) return null;
        var now = time.GetUtcNow();
        if (IsOver(session, now))
        {
            _ = store.StartCommit(write => { Remove(write, session); return true; });
            return null;
        }
        if (now - session.Used >= Told)
        {
            var used = session with { Used = now };
            if (sessions.TryUpdate(session.Digest, used, session)) _ = store.StartCommit(write => AuthorizationTable.Used(write, used));
            return used;
        }
        return session;
    }

    /// <summary>What a request that changes something must bring beside the cookie: a page of another site knows neither.</summary>
    public string Proof(Session session) => Convert.ToHexString(HMACSHA256.HashData(proofKey, Encoding.ASCII.GetBytes(session.Digest))).ToLowerInvariant();

    public bool IsProof(Session session, string text) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Proof(session)), Encoding.UTF8.GetBytes(text));

    /// <summary>Changes when all sessions of the account end: to be asked before a password is judged, and given to <see cref="BeginAsync"/> after.</summary>
    public long EndsOf(Account? account) => account is null ? 0 : ends.GetValueOrDefault(account.Id);

    /// <param name="since">What <see cref="EndsOf"/> said; null: nothing was judged that may have changed since.</param>
    /// <returns>The secret for the cookie, and the session; null where the account's sessions were ended meanwhile: by a new password the old one lets nobody in.</returns>
    public async ValueTask<(string Secret, Session Session)?> BeginAsync(Account account, Account? acting, IPAddress? from, string agent, CancellationToken cancel, long? since = null)
    {
        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var now = time.GetUtcNow();
        agent = new string([.. agent.Where(c => !char.IsControl(c)).Take(200)]);
        var session = new Session(Digest(secret), account.Id, acting?.Id ?? 0, now, now, from?.ToString() ?? "", agent);
        var mine = List(account.Id);
        var begun = await store.CommitAsync(write =>
        {
            if (since is { } known && EndsOf(account) != known) return false;
            // the oldest make room: who signs in by a script every minute fills no table
            foreach (var old in mine.Where(one => IsOver(one, now)).Concat(mine.OrderBy(one => one.Used).Take(mine.Count - MostOfOne + 1)).Distinct()) Remove(write, old);
            AuthorizationTable.AddSession(write, session);
            write.OnCommitted(() => sessions[session.Digest] = session);
            return true;
        }, cancel);
        return begun ? (secret, session) : null;
    }

    public IReadOnlyList<Session> List(long account) => [.. sessions.Values.Where(session => session.AccountId == account).OrderByDescending(session => session.Used)];

    public async ValueTask EndAsync(IReadOnlyList<Session> which, CancellationToken cancel)
    {
        if (which.Count == 0) return;
        await store.CommitAsync(write =>
        {
            foreach (var session in which) Remove(write, session);
            return true;
        }, cancel);
    }

    /// <summary>All of an account: its password was changed, it was disabled or is going.</summary>
    public void EndAll(WriteTransaction write, long account)
    {
        ends.AddOrUpdate(account, 1, (_, count) => count + 1);
        // also one that has begun in the same batch of the committer, which nobody sees yet
        AuthorizationTable.RemoveSessions(write, account);
        write.OnCommitted(() =>
        {
            foreach (var session in sessions.Values)
                if (session.AccountId == account || session.Acting == account) sessions.TryRemove(session.Digest, out _);
        });
    }

    void Remove(WriteTransaction write, Session session)
    {
        AuthorizationTable.RemoveSession(write, session.Digest);
        write.OnCommitted(() => sessions.TryRemove(session.Digest, out _));
    }
}
