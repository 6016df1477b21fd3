using System.Collections.Concurrent;
using CbaMail.Dns;
using CbaMail.MailAuth.Sts;
using CbaMail.Smtp.Client;
using CbaMail.Storage;

namespace CbaMail.Delivery.Remote;

/// <summary>What MTA-STS says of a domain now: a policy, or none, with what went wrong where something did.</summary>
internal sealed record StsFinding(StsPolicy? Policy, TlsFailure? Failure = null, string Problem = "")
{
    public static readonly StsFinding None = new((StsPolicy?)null);
}

/// <summary>
/// Policies of other domains (RFC 8461 5): fetched when mail first goes there and when the id in DNS changes, kept for their max_age,
/// refreshed each day that they are used and before they end. A policy that was once seen holds until it ends, whatever DNS or the
/// web server say now: to take it back a domain publishes mode none (RFC 8461 5.1).
/// </summary>
internal sealed class StsPolicies(IResolver resolver, StsFetch fetch, Store store, TimeProvider time, ILogger log)
{
    static readonly TimeSpan Fresh = TimeSpan.FromDays(1);
    static readonly TimeSpan Sweeping = TimeSpan.FromHours(1);
    static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);
    const int MaxFailures = 10_000;
    const int MaxSwept = 200;

    readonly ConcurrentDictionary<string, Lazy<Task<StsFinding>>> flying = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, (string Id, DateTimeOffset Until, StsFinding Finding)> failures = new(StringComparer.Ordinal);
    long swept = time.GetTimestamp();

    /// <param name="domain">Lower case A-labels.</param>
    public async ValueTask<StsFinding> FindAsync(string domain, CancellationToken cancel)
    {
        Sweep();
        var now = time.GetUtcNow();
        var kept = Kept(domain);
        if (kept is not null && kept.Expires <= now) kept = null;
        var answer = await resolver.TxtAsync("_mta-sts." + domain, cancel);
        var id = answer.Status == DnsStatus.Found ? StsRecord.Id(answer.Records) : null;
        // RFC 8461 3.1, 5.1: no record, or none that can be had now, leaves a policy that is still kept
        if (id is null || id == kept?.Id)
        {
            if (id is not null && kept!.Fetched + Fresh < now) _ = StartFetch(domain, id);
            return kept is null ? StsFinding.None : new StsFinding(kept.Policy);
        }
        if (failures.TryGetValue(domain, out var failed) && failed.Id == id && failed.Until > now)
            return failed.Finding with { Policy = kept?.Policy };
        var finding = await StartFetch(domain, id).WaitAsync(cancel);
        return finding.Policy is null ? finding with { Policy = kept?.Policy } : finding;
    }

    KeptPolicy? Kept(string domain)
    {
        using var read = store.Read();
        return StsPolicyTable.Find(read, domain);
    }

    /// <summary>One fetch at a time a domain; it has its own bound in time, so whoever leaves does not end it for others.</summary>
    Task<StsFinding> StartFetch(string domain, string id) => flying.GetOrAdd(domain, _ => new Lazy<Task<StsFinding>>(() => FetchAsync(domain, id))).Value;

    async Task<StsFinding> FetchAsync(string domain, string id)
    {
        await Task.Yield();
        try
        {
            var fetched = await fetch.GetAsync(domain, CancellationToken.None);
            var now = time.GetUtcNow();
            if (fetched.Policy is { } policy)
            {
                failures.TryRemove(domain, out _);
                await store.CommitAsync(write =>
                {
                    StsPolicyTable.Put(write, new KeptPolicy(domain, id, policy, now, now + policy.MaxAge));
                    return true;
                });
                RemoteTelemetry.StsFetched(log, domain, policy.Mode.ToString(), id);
                return new StsFinding(policy);
            }
            RemoteTelemetry.StsFailed(log, domain, fetched.Problem);
            if (failures.Count >= MaxFailures) failures.Clear();
            var finding = new StsFinding(null, fetched.Failure, fetched.Problem);
            failures[domain] = (id, now + Remembered, finding);
            return finding;
        }
        catch (Exception error)
        {
            RemoteTelemetry.StsFailed(log, domain, error.Message);
            return new StsFinding(null, TlsFailure.StsPolicyFetchError, error.Message);
        }
        finally
        {
            flying.TryRemove(domain, out _);
        }
    }

    /// <summary>RFC 8461 10.2: what is about to end is fetched again, so that nobody gains by keeping us from it for an hour.</summary>
    void Sweep()
    {
        var last = Volatile.Read(ref swept);
        if (time.GetElapsedTime(last) < Sweeping || Interlocked.CompareExchange(ref swept, time.GetTimestamp(), last) != last) return;
        _ = SweepAsync();
    }

    async Task SweepAsync()
    {
        try
        {
            var now = time.GetUtcNow();
            await store.CommitAsync(write =>
            {
                StsPolicyTable.RemoveExpired(write, now);
                return true;
            });
            List<KeptPolicy> ending;
            using (var read = store.Read()) ending = StsPolicyTable.Ending(read, now + 2 * Fresh, MaxSwept);
            foreach (var kept in ending.Where(kept => kept.Fetched + kept.Policy.MaxAge / 2 < now)) await StartFetch(kept.Domain, kept.Id);
        }
        catch (Exception error)
        {
            RemoteTelemetry.StsFailed(log, "-", error.Message);
        }
    }
}
