using System.Security.Cryptography;
using System.Threading.Channels;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Tls.Acme;

/// <summary>A group of names at the authority, as <c>tls list</c> tells it.</summary>
/// <param name="Next">When the next attempt is due.</param>
public sealed record AcmeReport(string Group, IReadOnlyList<string> Names, DateTimeOffset? Expires, DateTimeOffset Next, string? Problem, bool Urgent);

/// <summary>The public keys of a group, as SHA-256 of their SubjectPublicKeyInfo: what TLSA 3 1 1 publishes (RFC 7671 5.1).</summary>
public sealed record AcmeKeys(byte[]? Present, byte[] Next);

/// <summary>
/// Gets certificates and renews them: looks which names lead here, orders what is missing or due, one group after the other, and puts each
/// new certificate to use at once. What fails is tried again after pauses that grow; until then the old certificate stays.
/// </summary>
/// <remarks>
/// Every step that the authority knows of is in the database before the next: keys before an order, the order's address before its challenges,
/// the certificate before it is shown. A process that is killed goes on where it was.
/// </remarks>
public sealed class AcmeRenewals : BackgroundService
{
    static readonly TimeSpan LookInterval = TimeSpan.FromHours(6), LongestPause = TimeSpan.FromDays(1), LeftOutPause = TimeSpan.FromDays(1);

    readonly AcmeSettings settings;
    readonly Settings all;
    readonly Store store;
    readonly Secrets secrets;
    readonly Certificates certificates;
    readonly AcmeChallenges challenges;
    readonly AcmeNames names;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly Channel<bool> poked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly Lock gate = new();
    readonly Dictionary<string, AcmeEntry> entries = new(StringComparer.Ordinal);
    IReadOnlyList<(string Group, IReadOnlyList<string> Names)> wanted = [];
    volatile string? issuer;

    /// <exception cref="InvalidOperationException">The settings cannot work; the message is a sentence for people.</exception>
    public AcmeRenewals(Settings settings, Store store, Secrets secrets, Certificates certificates, AcmeChallenges challenges, MailDomains domains, IResolver resolver, TimeProvider time, ILogger<AcmeRenewals> log)
    {
        (all, this.settings, this.store, this.secrets, this.certificates, this.challenges, this.time, this.log) = (settings, settings.Tls.Acme, store, secrets, certificates, challenges, time, log);
        names = new AcmeNames(settings, domains, resolver);
        if (!IsOn)
        {
            if (this.settings.Email is not null || this.settings.EabKeyId is not null) throw new InvalidOperationException("tls.acme: read the authority's terms of service, and agree to them with agree-terms: yes");
            return;
        }
        if (AcmeRules.Problem(settings) is { } problem) throw new InvalidOperationException("tls.acme: " + problem);
        List<AcmeEntry> kept;
        using (var read = store.Read()) kept = AcmeTable.Entries(read);
        foreach (var entry in kept)
        {
            entries[entry.Group] = entry;
            Show(entry);
        }
    }

    /// <summary>Whether the settings ask for it.</summary>
    public bool IsOn => settings.AgreeTerms;

    /// <summary>Looks at once which names there are and what is due: a domain was added.</summary>
    public void Look() => poked.Writer.TryWrite(true);

    /// <summary>Renews now.</summary>
    /// <param name="group">The host name or a domain; null for all.</param>
    /// <param name="rotate">With the key that has been published ahead, and a new one behind it.</param>
    public async ValueTask<Refusal?> RenewAsync(string? group, bool rotate, CancellationToken cancel)
    {
        if (!IsOn) return Refusal.NotPossible.Because("No certificates of an authority are in use here: tls.acme.agree-terms is not set");
        List<AcmeEntry> those;
        lock (gate) those = [.. entries.Values.Where(entry => group is null || entry.Group == group)];
        if (those.Count == 0) return Refusal.NoSuchThing.Because($"There is no certificate of an authority for {group ?? "this server"} yet");
        foreach (var entry in those) await PutAsync(entry with { Renew = time.GetUtcNow(), Rotate = entry.Rotate || rotate }, cancel);
        Look();
        return null;
    }

    public IReadOnlyList<AcmeReport> List()
    {
        lock (gate)
            return [.. entries.Values.OrderBy(entry => entry.Group == all.Hostname ? 0 : 1).ThenBy(entry => entry.Group, StringComparer.Ordinal)
                .Select(entry => new AcmeReport(entry.Group, entry.Names, entry.Ends, entry.Renew, entry.Problem, IsUrgent(entry)))];
    }

    /// <summary>Null where the group has none.</summary>
    public AcmeKeys? Keys(string group)
    {
        lock (gate)
            return entries.TryGetValue(group, out var entry) ? new(certificates.Issued(group) is { } shown ? SHA256.HashData(shown.Leaf.PublicKey.ExportSubjectPublicKeyInfo()) : null, entry.NextPublic) : null;
    }

    /// <summary>What the authority calls itself in CAA records (RFC 8555 9.7.6); null where that is not known.</summary>
    public string? Issuer => !IsOn ? null : issuer ?? (settings.Directory.Contains(".letsencrypt.org/", StringComparison.Ordinal) ? "letsencrypt.org" : null);

    /// <summary>Addresses of the accounts that we have (for CAA, RFC 8657 3).</summary>
    public string? Account()
    {
        using var read = store.Read();
        return AcmeTable.Account(read, settings.Directory)?.Url;
    }

    // a failed renewal is nobody's trouble while there is much time; that there is no certificate yet is after some attempts
    bool IsUrgent(AcmeEntry entry) => entry.Problem is not null
        && (entry is { Begins: { } begins, Ends: { } ends } ? ends - time.GetUtcNow() < (ends - begins) / 4 : entry.Attempts > 1);

    void Show(AcmeEntry entry)
    {
        if (entry.Chain is null || !Secret(entry.Key, entry.Group, out var key)) return;
        try
        {
            certificates.Add(entry.Group, Served(entry.Chain, key, entry.Group));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            TlsTelemetry.NotTaken(log, $"the certificate for {entry.Group} in the database cannot be used: {e.Message}");
        }
        finally
        {
            key.Dispose();
        }
    }

    static ServedCertificate Served(string chain, ECDsa key, string group) => ServedCertificate.FromPem(chain, key.ExportPkcs8PrivateKeyPem(), CertificateSource.Acme, group);

    bool Secret(byte[] value, string group, out ECDsa key)
    {
        key = ECDsa.Create();
        var opened = secrets.Open(Purpose(group), value);
        if (!opened.Ok)
        {
            key.Dispose();
            return false;
        }
        key.ImportPkcs8PrivateKey(opened.Value, out _);
        return true;
    }

    static string Purpose(string group) => "certificate key " + group;

    // ---- the loop

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!IsOn) return;
        var looked = DateTimeOffset.MinValue;
        using var client = new AcmeClient(settings, time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var now = time.GetUtcNow();
                var asked = poked.Reader.TryRead(out _);
                if (asked || now - looked >= LookInterval)
                {
                    looked = now;
                    await LookAsync(client, stoppingToken);
                }
                List<AcmeEntry> due;
                lock (gate) due = [.. entries.Values.Where(entry => entry.Renew <= time.GetUtcNow() && Wanted(entry.Group).Count > 0).OrderBy(entry => entry.Group == all.Hostname ? 0 : 1).ThenBy(entry => entry.Renew)];
                foreach (var entry in due) await AttemptAsync(client, entry, stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                TlsTelemetry.AcmeSurprise(log, error); // the store's trouble, which it has told
                looked = time.GetUtcNow();
                await Task.Delay(settings.Retry, time, stoppingToken);
            }
            await RestAsync(looked + LookInterval, stoppingToken);
        }
    }

    async Task RestAsync(DateTimeOffset look, CancellationToken cancel)
    {
        lock (gate)
            foreach (var entry in entries.Values.Where(entry => Wanted(entry.Group).Count > 0))
                if (entry.Renew < look) look = entry.Renew;
        var rest = look - time.GetUtcNow();
        if (rest <= TimeSpan.Zero) return;
        using var over = new CancellationTokenSource(rest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancel);
        try
        {
            await poked.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return; // something is due
        }
    }

    IReadOnlyList<string> Wanted(string group) => wanted.FirstOrDefault(one => one.Group == group).Names ?? [];

    /// <summary>Which names there are now; makes rows for new groups and removes those of domains that have gone.</summary>
    async Task LookAsync(AcmeClient client, CancellationToken cancel)
    {
        var found = await names.WantedAsync(cancel);
        List<AcmeEntry> kept;
        lock (gate)
        {
            wanted = found;
            kept = [.. entries.Values];
        }
        foreach (var gone in kept.Where(entry => !found.Any(one => one.Group == entry.Group)))
        {
            await store.CommitAsync(write =>
            {
                AcmeTable.Remove(write, gone.Group);
                return true;
            }, cancel);
            lock (gate) entries.Remove(gone.Group);
            certificates.Remove(gone.Group);
        }
        if (secrets.Problem is { } locked) throw new InvalidOperationException(locked.Sentence);
        foreach (var (group, those) in found)
        {
            var entry = kept.Find(one => one.Group == group);
            if (entry is null && those.Count > 0) await BeginAsync(group, those, cancel);
            else if (entry is { Attempts: 0 } && those.Except(entry.Names).Except(entry.LeftOut ?? []).Any()) await PutAsync(entry with { Renew = time.GetUtcNow() }, cancel); // a name more
            else if (entry is { Attempts: 0, Chain: not null }) await AskWhenAsync(client, entry, cancel);
        }
    }

    async Task BeginAsync(string group, IReadOnlyList<string> those, CancellationToken cancel)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var entry = await store.CommitAsync(write =>
        {
            var made = new AcmeEntry(group, those, Seal(write, group, key), Seal(write, group, next), SHA256.HashData(next.ExportSubjectPublicKeyInfo()), false, null, null, null, time.GetUtcNow());
            AcmeTable.Put(write, made);
            return made;
        }, cancel);
        lock (gate) entries[group] = entry;
    }

    byte[] Seal(WriteTransaction write, string group, ECDsa key) => secrets.Seal(write, Purpose(group), key.ExportPkcs8PrivateKey());

    async Task<AcmeEntry> PutAsync(AcmeEntry entry, CancellationToken cancel)
    {
        await store.CommitAsync(write =>
        {
            AcmeTable.Put(write, entry);
            return true;
        }, cancel);
        lock (gate) entries[entry.Group] = entry;
        return entry;
    }

    /// <summary>The authority may want another time (RFC 9773 4.2); within its window ours is as good as any.</summary>
    async Task AskWhenAsync(AcmeClient client, AcmeEntry entry, CancellationToken cancel)
    {
        try
        {
            if (certificates.Issued(entry.Group) is not { } shown || RenewalInformation.IdOf(shown.Leaf) is not { } id) return;
            if (await RenewalInformation.AskAsync(client, id, cancel) is not var (start, end) || (entry.Renew >= start && entry.Renew <= end)) return;
            var chosen = start + ((end - start) * Random.Shared.NextDouble());
            if (chosen < shown.Expires - ((shown.Expires - shown.Begins) / 20)) await PutAsync(entry with { Renew = chosen }, cancel);
        }
        catch (AcmeProblem)
        {
            return; // RFC 9773 4.3: without it the usual time holds
        }
    }

    // ---- one attempt

    async Task AttemptAsync(AcmeClient client, AcmeEntry entry, CancellationToken cancel)
    {
        var full = Wanted(entry.Group);
        try
        {
            await OrderAsync(client, entry, full, null, cancel);
        }
        catch (AcmeProblem problem)
        {
            var left = problem.Names.Intersect(full).ToList();
            IReadOnlyList<string> rest = [.. full.Except(left)];
            var useless = left.Count == 0 || rest.Count == 0 || left.Contains(all.Hostname)
                || (entry.Chain is not null && rest.All(entry.Names.Contains) && AcmeRules.RenewAt(entry, settings.RenewAfter, 0) > time.GetUtcNow());
            if (useless) await FailedAsync(Entry(entry.Group) ?? entry, problem, entry.Chain is not null && left.Count > 0 && rest.Count > 0, cancel);
            else await WithoutAsync(client, entry.Group, rest, left, problem, cancel);
        }
    }

    AcmeEntry? Entry(string group)
    {
        lock (gate) return entries.GetValueOrDefault(group);
    }

    /// <summary>One name that cannot be checked must not keep the others from having a certificate.</summary>
    async Task WithoutAsync(AcmeClient client, string group, IReadOnlyList<string> rest, IReadOnlyList<string> left, AcmeProblem problem, CancellationToken cancel)
    {
        if (Entry(group) is not { } entry) return;
        TlsTelemetry.LeftOut(log, string.Join(", ", left), problem.Message);
        try
        {
            await OrderAsync(client, entry with { OrderUrl = null }, rest, (left, problem.Message), cancel);
        }
        catch (AcmeProblem second)
        {
            await FailedAsync(Entry(group) ?? entry, second, false, cancel);
        }
    }

    async Task FailedAsync(AcmeEntry entry, AcmeProblem problem, bool coversRest, CancellationToken cancel)
    {
        var pause = AcmeRules.Pause(settings.Retry, entry.Attempts, Random.Shared.NextDouble(), LongestPause);
        if (problem.RetryAfter is { } said && said > pause) pause = said;
        if (coversRest && pause < LeftOutPause && AcmeRules.RenewAt(entry, settings.RenewAfter, 0) > time.GetUtcNow() + LeftOutPause) pause = LeftOutPause;
        var failed = await PutAsync(entry with { Attempts = entry.Attempts + 1, Problem = problem.Message, Renew = time.GetUtcNow() + pause, OrderUrl = problem.Type is AcmeProblem.Unreachable or AcmeProblem.TimedOut ? entry.OrderUrl : null }, cancel);
        TlsTelemetry.NotIssued(log, entry.Group, problem.Message, failed.Attempts, failed.Renew);
    }

    async Task OrderAsync(AcmeClient client, AcmeEntry entry, IReadOnlyList<string> ordered, (IReadOnlyList<string> Names, string Why)? without, CancellationToken cancel)
    {
        var account = new AcmeAccount(settings, store, secrets, client, time, log);
        await account.UseAsync(cancel);
        if ((await client.DirectoryAsync(cancel)).Object("meta")?.List("caaIdentities").FirstOrDefault() is { ValueKind: System.Text.Json.JsonValueKind.String } named) issuer = named.GetString();
        entry = await WithKeysAsync(entry, cancel);
        if (!Secret(entry.Rotate ? entry.NextKey : entry.Key, entry.Group, out var key)) throw new AcmeProblem(AcmeProblem.Odd, $"the key for {entry.Group} cannot be read");
        using var held = key;
        var replaces = certificates.Issued(entry.Group) is { } shown && (await client.DirectoryAsync(cancel)).String("renewalInfo") is not null ? RenewalInformation.IdOf(shown.Leaf) : null;
        var order = new AcmeOrder(client, challenges, AcmeRules.Types(all, entry.Attempts), time);
        string chain;
        try
        {
            chain = await order.RunAsync(ordered, key, entry.OrderUrl, async url => entry = await PutAsync(entry with { OrderUrl = url }, cancel), replaces, cancel);
        }
        catch (AcmeProblem unknown) when (unknown.Type == "accountDoesNotExist")
        {
            await account.ForgetAsync(cancel); // the authority has begun anew: the next attempt makes another account
            throw;
        }
        await TakeAsync(entry, ordered, without, chain, key, cancel);
    }

    async Task TakeAsync(AcmeEntry entry, IReadOnlyList<string> ordered, (IReadOnlyList<string> Names, string Why)? without, string chain, ECDsa key, CancellationToken cancel)
    {
        ServedCertificate served;
        try { served = Served(chain, key, entry.Group); }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new AcmeProblem(AcmeProblem.Odd, "the authority gave something that is no certificate for our key: " + e.Message.ReplaceLineEndings(" "), inner: e);
        }
        if (ordered.Except(served.Names).FirstOrDefault() is { } missing) throw new AcmeProblem(AcmeProblem.Odd, $"the authority gave a certificate without {missing}");
        var next = entry with
        {
            Names = ordered,
            Chain = chain,
            Begins = served.Begins,
            Ends = served.Expires,
            OrderUrl = null,
            Attempts = 0,
            LeftOut = without?.Names ?? [],
            Problem = without is { } some ? $"left out {string.Join(", ", some.Names)}: {some.Why}" : null,
        };
        var renew = AcmeRules.RenewAt(next, settings.RenewAfter, Random.Shared.NextDouble());
        if (without is not null && time.GetUtcNow() + LeftOutPause < renew) renew = time.GetUtcNow() + LeftOutPause;
        next = next with { Renew = renew };
        if (entry.Rotate)
        {
            using var after = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            next = await store.CommitAsync(write =>
            {
                var rotated = next with { Key = entry.NextKey, NextKey = Seal(write, entry.Group, after), NextPublic = SHA256.HashData(after.ExportSubjectPublicKeyInfo()), Rotate = false };
                AcmeTable.Put(write, rotated);
                return rotated;
            }, cancel);
            lock (gate) entries[entry.Group] = next;
        }
        else await PutAsync(next, cancel);
        certificates.Add(entry.Group, served);
        TlsTelemetry.Issued(log, string.Join(", ", ordered), served.Expires, renew);
    }

    /// <summary>Keys that a lost key file has locked are made anew.</summary>
    async Task<AcmeEntry> WithKeysAsync(AcmeEntry entry, CancellationToken cancel)
    {
        if (Secret(entry.Key, entry.Group, out var one) && Secret(entry.NextKey, entry.Group, out var other))
        {
            one.Dispose();
            other.Dispose();
            return entry;
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var made = await store.CommitAsync(write =>
        {
            var changed = entry with { Key = Seal(write, entry.Group, key), NextKey = Seal(write, entry.Group, next), NextPublic = SHA256.HashData(next.ExportSubjectPublicKeyInfo()), Rotate = false, OrderUrl = null };
            AcmeTable.Put(write, changed);
            return changed;
        }, cancel);
        lock (gate) entries[entry.Group] = made;
        return made;
    }
}
