using System.Collections.Concurrent;
using System.Globalization;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.MailAuth.Dkim;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>A key as <c>dkim list</c> tells it.</summary>
/// <param name="Record">What has to stand at <c>SELECTOR._domainkey.DOMAIN</c>.</param>
/// <param name="Published">Whether DNS has it; null where that is not known yet.</param>
/// <param name="Problem">What is wrong with it, or null.</param>
public sealed record DkimKeyReport(string Domain, string Selector, DkimAlgorithm Algorithm, DkimKeyState State, string Record, DateTimeOffset Created, DateTimeOffset Since, bool? Published, string? Problem);

/// <summary>
/// The keys that mail of our domains is signed with (RFC 6376): for each domain one of RSA-2048, which everybody reads, and one of Ed25519
/// (RFC 8463). A new key is published before it signs and stays published after: next, active, retiring, gone. It signs from when its
/// record is seen in DNS, so whoever publishes by hand is never left with signatures that nobody can check.
/// </summary>
public sealed class SigningKeys
{
    static readonly DkimAlgorithm[] Both = [DkimAlgorithm.RsaSha256, DkimAlgorithm.Ed25519Sha256];

    readonly Settings settings;
    readonly Store store;
    readonly Secrets secrets;
    readonly UserDirectory directory;
    readonly IResolver resolver;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly ConcurrentDictionary<long, Lazy<IReadOnlyList<Held>>> held = new();
    readonly ConcurrentDictionary<long, Ready> ready = new();
    readonly ConcurrentDictionary<(long, string), bool> published = new();
    readonly SemaphoreSlim changing = new(1);

    public SigningKeys(Settings settings, Store store, Secrets secrets, UserDirectory directory, IResolver resolver, TimeProvider time, ILogger<SigningKeys> log)
    {
        (this.settings, this.store, this.secrets, this.directory, this.resolver, this.time, this.log) = (settings, store, secrets, directory, resolver, time, log);
        directory.DomainRemoved += domain => Forget(domain.Id); // its number may be another's some day
    }

    sealed record Held(DkimKeyRow Row, DkimPrivateKey? Key, string? Problem);

    /// <summary>A key that signs now.</summary>
    /// <param name="Key">Loaded once and kept; several may sign with it at once. Never dispose it.</param>
    public sealed record Signing(string Selector, DkimAlgorithm Algorithm, DkimPrivateKey Key);

    bool Waits => settings.Dkim.WaitForDns && !settings.Evaluation;

    /// <summary>The keys to sign with for a domain, all of them on each message; empty where there are none (yet).</summary>
    public IReadOnlyList<Signing> Active(string domain) => directory.FindDomain(domain) is { } ours ? Current(ours.Id).Active : [];

    sealed record Ready(IReadOnlyList<Signing> Active);

    Ready Current(long id) => ready.GetOrAdd(id, static (domain, self) => new Ready(
        [.. self.Of(domain).Where(one => one.Row.State == DkimKeyState.Active && one.Key is not null).Select(one => new Signing(one.Row.Selector, one.Row.Algorithm, one.Key!))]), this);

    IReadOnlyList<Held> Of(long domain) => held.GetOrAdd(domain, id => new Lazy<IReadOnlyList<Held>>(() =>
    {
        List<DkimKeyRow> rows;
        using (var read = store.Read()) rows = [.. DkimKeyTable.All(read).Where(row => row.DomainId == id)];
        return [.. rows.Select(Open)];
    })).Value;

    Held Open(DkimKeyRow row)
    {
        var opened = secrets.Open(Purpose(row.DomainId, row.Selector), row.Sealed);
        if (!opened.Ok) return new(row, null, opened.Refusal.Sentence);
        try
        {
            return new(row, DkimPrivateKey.FromPem(System.Text.Encoding.ASCII.GetString(opened.Value)), null);
        }
        catch (FormatException e)
        {
            return new(row, null, e.Message);
        }
    }

    static string Purpose(long domain, string selector) => string.Create(CultureInfo.InvariantCulture, $"dkim key {domain} {selector}");

    /// <summary>All keys of a domain, the oldest first.</summary>
    public IReadOnlyList<DkimKeyReport> List(Domain domain) =>
        [.. Of(domain.Id).Select(one => new DkimKeyReport(domain.Name, one.Row.Selector, one.Row.Algorithm, one.Row.State, one.Row.Record, one.Row.Created, one.Row.Since,
            published.TryGetValue((domain.Id, one.Row.Selector), out var seen) ? seen : null, one.Problem))];

    /// <summary>Makes what a domain lacks: keys for one that is new, or whose keys are lost.</summary>
    public async Task EnsureAsync(Domain domain, CancellationToken cancel)
    {
        if (secrets.Problem is not null || !Both.Any(algorithm => Lacks(domain, algorithm))) return;
        await changing.WaitAsync(cancel);
        try
        {
            foreach (var algorithm in Both)
                if (Lacks(domain, algorithm)) await MakeAsync(domain, algorithm, Waits ? DkimKeyState.Next : DkimKeyState.Active, cancel);
        }
        finally
        {
            changing.Release();
        }
    }

    bool Lacks(Domain domain, DkimAlgorithm algorithm) => !Of(domain.Id).Any(one => one.Row.Algorithm == algorithm && one.Key is not null && one.Row.State != DkimKeyState.Retiring);

    /// <summary>Makes the next keys now; they sign when they are published.</summary>
    public async Task<Refusal?> RotateAsync(Domain domain, CancellationToken cancel)
    {
        if (secrets.Problem is { } locked) return locked;
        if (Of(domain.Id).FirstOrDefault(one => one.Row.State == DkimKeyState.Next) is { } waiting)
            return Refusal.Conflict.Because($"The next key of {domain.Name} is made already: publish {waiting.Row.Selector}._domainkey.{domain.Name} (cbamail domain dns {domain.Name} prints it), and it signs from then on");
        foreach (var algorithm in Both) await MakeAsync(domain, algorithm, DkimKeyState.Next, cancel);
        return null;
    }

    async Task MakeAsync(Domain domain, DkimAlgorithm algorithm, DkimKeyState state, CancellationToken cancel)
    {
        using var key = await Task.Run(() => DkimPrivateKey.Create(algorithm), cancel); // RSA takes a tenth of a second and more
        await AddAsync(domain, FreeSelector(domain, algorithm), key, state, cancel);
    }

    /// <summary>Such as <c>cba202611r</c>: when it was made and of what kind, so that people know old ones.</summary>
    string FreeSelector(Domain domain, DkimAlgorithm algorithm)
    {
        var month = time.GetUtcNow().ToString("'cba'yyyyMM", CultureInfo.InvariantCulture);
        var kind = algorithm == DkimAlgorithm.RsaSha256 ? "r" : "e";
        var taken = Of(domain.Id).Select(one => one.Row.Selector).ToHashSet(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; ; i++)
        {
            var selector = i == 0 ? month + kind : string.Create(CultureInfo.InvariantCulture, $"{month}-{i + 1}{kind}");
            if (!taken.Contains(selector)) return selector;
        }
    }

    /// <summary>Takes a key that another server has signed with: it signs at once where DNS has its record, else when it does.</summary>
    public async Task<Result<DkimKeyReport>> ImportAsync(Domain domain, string selector, string pem, CancellationToken cancel)
    {
        if (secrets.Problem is { } locked) return locked;
        if (selector.Length is 0 or > 63 || !selector.Split('.').All(label => label.Length > 0 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
            return Refusal.Invalid.Because($"\"{new string([.. selector.Take(80).Where(c => !char.IsControl(c))])}\" is no selector; it is what stands before ._domainkey in DNS, such as mail2024");
        selector = selector.ToLowerInvariant();
        if (Of(domain.Id).Any(one => one.Row.Selector == selector)) return Refusal.AlreadyExists.Because($"{domain.Name} has a key {selector} already");
        try
        {
            using var key = DkimPrivateKey.FromPem(pem);
            await AddAsync(domain, selector, key, DkimKeyState.Next, cancel);
        }
        catch (FormatException e)
        {
            return Refusal.Invalid.Because($"The private key cannot be taken: {e.Message.TrimEnd('.')}");
        }
        await LookAsync(domain, cancel);
        return List(domain).First(one => one.Selector == selector);
    }

    /// <summary>The private key in PEM.</summary>
    public Result<string> Export(Domain domain, string selector)
    {
        if (Of(domain.Id).FirstOrDefault(one => one.Row.Selector.Equals(selector, StringComparison.OrdinalIgnoreCase)) is not { } found) return Refusal.NoSuchThing.Because($"{domain.Name} has no key {selector}; list them with: cbamail dkim list {domain.Name}");
        return found.Key is { } key ? key.ToPem() : Refusal.Unavailable.Because(found.Problem ?? "The key cannot be read");
    }

    async Task AddAsync(Domain domain, string selector, DkimPrivateKey key, DkimKeyState state, CancellationToken cancel)
    {
        var pem = System.Text.Encoding.ASCII.GetBytes(key.ToPem());
        var now = time.GetUtcNow();
        await store.CommitAsync(write =>
        {
            if (DirectoryTable.HasDomain(write, domain.Id))
                DkimKeyTable.Put(write, new(domain.Id, selector, key.Algorithm, state, secrets.Seal(write, Purpose(domain.Id, selector), pem), key.Record(), now, now));
            return true;
        }, cancel);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(pem);
        Forget(domain.Id);
        DirectoryTelemetry.MadeDkimKey(log, selector, domain.Name);
    }

    // who signs with one that he has got holds it; the collector ends it after him
    void Forget(long domain)
    {
        held.TryRemove(domain, out _);
        ready.TryRemove(domain, out _);
    }

    /// <summary>Looks what of a domain's keys stands in DNS and moves them on.</summary>
    public async Task LookAsync(Domain domain, CancellationToken cancel)
    {
        await changing.WaitAsync(cancel);
        try
        {
            foreach (var one in Of(domain.Id))
            {
                var answer = await resolver.TxtAsync($"{one.Row.Selector}._domainkey.{domain.Name}", cancel);
                if (answer.Status == DnsStatus.Failed) continue; // nobody knows: all stays as it is
                var same = answer.Records.Any(text => IsSame(text, one.Row.Record));
                published[(domain.Id, one.Row.Selector)] = same;
                if (same && one.Row.State == DkimKeyState.Next && one.Key is not null) await PromoteAsync(domain, one.Row, cancel);
            }
            await RetireAsync(domain, cancel);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Whether a published record has the key, however it is written.</summary>
    internal static bool IsSame(string text, string record) =>
        DkimRecord.Parse(text, out _) is { } there && DkimRecord.Parse(record, out _) is { } wanted && there.KeyType == wanted.KeyType && there.IsForMail && there.Key.Span.SequenceEqual(wanted.Key.Span);

    async Task PromoteAsync(Domain domain, DkimKeyRow row, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var before = Of(domain.Id).Where(one => one.Row.State == DkimKeyState.Active && one.Row.Algorithm == row.Algorithm).Select(one => one.Row).ToList();
        await store.CommitAsync(write =>
        {
            DkimKeyTable.Put(write, row with { State = DkimKeyState.Active, Since = now });
            foreach (var old in before) DkimKeyTable.Put(write, old with { State = DkimKeyState.Retiring, Since = now });
            return true;
        }, cancel);
        Forget(domain.Id);
        DirectoryTelemetry.SignsWith(log, domain.Name, row.Selector);
    }

    async Task RetireAsync(Domain domain, CancellationToken cancel)
    {
        var over = Of(domain.Id).Where(one => one.Row.State == DkimKeyState.Retiring && one.Row.Since + settings.Dkim.Keep <= time.GetUtcNow()).Select(one => one.Row).ToList();
        if (over.Count == 0) return;
        await store.CommitAsync(write =>
        {
            foreach (var row in over) DkimKeyTable.Remove(write, row.DomainId, row.Selector);
            return true;
        }, cancel);
        Forget(domain.Id);
        foreach (var row in over) DirectoryTelemetry.DkimKeyGone(log, $"{row.Selector}._domainkey.{domain.Name}");
    }

    /// <summary>Whether the keys of a domain are due for a change.</summary>
    internal bool IsDue(Domain domain) => settings.Dkim.Rotate > TimeSpan.Zero
        && Of(domain.Id) is var keys && !keys.Any(one => one.Row.State == DkimKeyState.Next)
        && keys.Any(one => one.Row.State == DkimKeyState.Active && one.Row.Since + settings.Dkim.Rotate <= time.GetUtcNow());

    /// <summary>How soon to look again: often while somebody may just be publishing.</summary>
    internal TimeSpan Interval(Domain domain)
    {
        var newest = Of(domain.Id).Where(one => one.Row.State == DkimKeyState.Next).Select(one => time.GetUtcNow() - one.Row.Created).DefaultIfEmpty(TimeSpan.MaxValue).Min();
        return newest < TimeSpan.FromHours(2) ? TimeSpan.FromMinutes(1) : newest < TimeSpan.FromDays(14) ? TimeSpan.FromMinutes(15) : TimeSpan.FromHours(6);
    }

    /// <summary>What an administrator has to do for a domain's signatures; null where nothing.</summary>
    public string? Trouble(Domain domain)
    {
        var keys = List(domain);
        if (keys.FirstOrDefault(one => one.Problem is not null) is { } locked) return $"the DKIM key {locked.Selector} of {Names.Show(domain.Name)} cannot be used: {locked.Problem}";
        if (!Waits) return null;
        if (keys.FirstOrDefault(one => one is { State: DkimKeyState.Active, Published: false }) is { } gone)
            return $"the DKIM key {gone.Selector} of {Names.Show(domain.Name)} signs, and is no longer published: see \"cbamail domain dns {Names.Show(domain.Name)}\"";
        if (!keys.Any(one => one.State == DkimKeyState.Active)) return $"mail of {Names.Show(domain.Name)} is not signed: no DKIM key is published yet, see \"cbamail domain dns {Names.Show(domain.Name)}\"";
        return keys.FirstOrDefault(one => one.State == DkimKeyState.Next && time.GetUtcNow() - one.Created > TimeSpan.FromDays(7)) is { } late
            ? $"the next DKIM key {late.Selector} of {Names.Show(domain.Name)} is not published yet: see \"cbamail domain dns {Names.Show(domain.Name)}\"" : null;
    }
}
