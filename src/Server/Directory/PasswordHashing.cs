using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Directory;

/// <summary>
/// The bounded queue before <see cref="Crypt"/>. A sign-in storm must not take the server's thread pool, nor may an import of
/// thousands delay a sign-in: cores − 1 (at least one) threads take sign-ins first and imports second, and one more thread,
/// at the lowest priority of the system, takes imports only.
/// Verified credentials are remembered for a few minutes under a keyed hash that includes the stored hash, so that
/// a changed password is forgotten at once.
/// </summary>
public sealed partial class PasswordHashing : IDisposable
{
    /// <summary>Sign-ins that may wait; beyond it they are told to come back.</summary>
    const int LongestQueue = 2000;
    const int LargestCache = 20_000;
    static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    readonly Queue<Action> urgent = new();
    readonly Queue<Action> bulk = new();
    readonly object gate = new();
    readonly Dictionary<string, long> verified = [];
    readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    readonly TimeProvider time;
    readonly int cost;
    readonly Lazy<string> nobody, prefix;
    bool started, stopped;

    public PasswordHashing(TimeProvider time, Config.Settings? settings = null)
    {
        var signIn = settings?.SignIn ?? new();
        (this.time, cost, ScramIterations) = (time, signIn.PasswordCost ?? Crypt.StandardCost, signIn.ScramIterations);
        nobody = new(() => Crypt.Hash(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), cost));
        prefix = new(() => signIn.PasswordCost is null ? "$y$" : Crypt.Prefix(cost));
    }

    internal int ScramIterations { get; }

    /// <summary>Whether a crypt(3) hash would be renewed at the next sign-in.</summary>
    public bool IsOutdated(string hash) => !hash.StartsWith(prefix.Value, StringComparison.Ordinal);

    /// <summary>The hash and what SCRAM needs, from which the password is not to be had either.</summary>
    public Task<PasswordSecrets> SecretsAsync(string password, bool inBulk, CancellationToken cancel) =>
        Enqueue(() => new PasswordSecrets(Crypt.Hash(Prepare(password), cost), ScramSecret.Make(password, ScramIterations)), inBulk, cancel)
            ?? throw new InvalidOperationException("Too many passwords wait to be hashed; try again later");

    /// <summary>For an account that has its hash; null when too many are waiting.</summary>
    public async ValueTask<ScramSecret?> ScramAsync(string password, CancellationToken cancel) =>
        Enqueue(() => ScramSecret.Make(password, ScramIterations), inBulk: false, cancel) is { } waiting ? await waiting : null;

    /// <summary>Whether the password is right; null when too many are waiting. A null hash costs the time of a real one.</summary>
    public async ValueTask<bool?> VerifyAsync(string password, string? hash, CancellationToken cancel)
    {
        password = Prepare(password);
        var proof = hash is { Length: > 0 } ? Proof(password, hash) : null;
        if (proof is not null && IsRemembered(proof)) return true;
        if (!Crypt.CanHash(password)) password = "-";
        else if (proof is not null)
        {
            var waiting = Enqueue(() =>
            {
                if (PasswordSchemes.Verify(password, hash!)) return true;
                if (PasswordSchemes.IsQuick(hash!)) Crypt.Verify(password, nobody.Value); // a wrong one costs what a wrong name costs
                return false;
            }, inBulk: false, cancel);
            if (waiting is null) return null;
            if (!await waiting) return false;
            Remember(proof);
            return true;
        }

        // nobody of that name, or an account without a password: the same work, so that time tells nothing
        var wasted = Enqueue(() => Crypt.Verify(password, nobody.Value), inBulk: false, cancel);
        if (wasted is null) return null;
        await wasted;
        return false;
    }

    // RFC 8265 4.2.1 OpaqueString: non-ASCII spaces become spaces, NFC
    internal static string Prepare(string password)
    {
        if (Ascii.IsValid(password)) return password;
        var mapped = string.Create(password.Length, password, (span, text) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.GetUnicodeCategory(text[i]) == System.Globalization.UnicodeCategory.SpaceSeparator ? ' ' : text[i];
        });
        try { return mapped.Normalize(NormalizationForm.FormC); }
        catch (ArgumentException) { return mapped; } // no valid Unicode: compared as it stands
    }

    string Proof(string password, string hash) =>
        Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(hash + "\0" + password)));

    bool IsRemembered(string proof)
    {
        lock (verified)
            return verified.TryGetValue(proof, out var since) && time.GetElapsedTime(since) < Remembered;
    }

    void Remember(string proof)
    {
        lock (verified)
        {
            if (verified.Count >= LargestCache)
            {
                foreach (var old in verified.Where(entry => time.GetElapsedTime(entry.Value) >= Remembered).Select(entry => entry.Key).ToArray())
                    verified.Remove(old);
                if (verified.Count >= LargestCache) verified.Clear();
            }
            verified[proof] = time.GetTimestamp();
        }
    }

    Task<T>? Enqueue<T>(Func<T> work, bool inBulk, CancellationToken cancel)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopped, this);
            if (!inBulk && urgent.Count >= LongestQueue) return null;
            Start();
            (inBulk ? bulk : urgent).Enqueue(() =>
            {
                if (cancel.IsCancellationRequested) { done.TrySetCanceled(cancel); return; }
                try { done.TrySetResult(work()); }
                catch (Exception surprise) { done.TrySetException(surprise); }
            });
            Monitor.PulseAll(gate);
        }
        return done.Task;
    }

    void Start()
    {
        if (started) return;
        started = true;
        for (var i = 0; i < Math.Max(1, Environment.ProcessorCount - 1); i++)
            new Thread(() => Work(alsoUrgent: true)) { IsBackground = true, Name = "passwords" }.Start();
        new Thread(() => { Yield(); Work(alsoUrgent: false); }) { IsBackground = true, Name = "passwords in bulk" }.Start();
    }

    void Work(bool alsoUrgent)
    {
        while (true)
        {
            Action? next;
            lock (gate)
            {
                while (!stopped && bulk.Count == 0 && !(alsoUrgent && urgent.Count > 0)) Monitor.Wait(gate);
                if (stopped) return;
                next = alsoUrgent && urgent.Count > 0 ? urgent.Dequeue() : bulk.Dequeue();
            }
            next();
        }
    }

    // on Linux a priority belongs to a thread, and "who" 0 is the caller's; .NET's own Thread.Priority does nothing there
    static void Yield() => _ = SetPriority(0, 0, 19);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int nice);

    public void Dispose()
    {
        lock (gate)
        {
            stopped = true;
            Monitor.PulseAll(gate);
        }
    }
}
