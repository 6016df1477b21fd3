using System.Collections.Concurrent;
using System.Net;
using CbaMail.Config;
using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>
/// The stub resolver: asks recursive servers over UDP and TCP, follows CNAMEs that they left, keeps answers and denials for their time.
///
/// - It believes nothing but an answer to its own question: id, source port, server and question must fit (RFC 5452).
/// - It asks each server in turn, some rounds; SERVFAIL, REFUSED and silence lead to the next; "no such name" is an answer.
/// - Failures are not kept, denials for the SOA's time (RFC 2308), and the same question in flight is asked once.
/// - The AD bit counts only where the settings declare the servers trusted (RFC 6840 5.8). It validates nothing itself.
/// - In the evaluation profile nobody is asked unless a server is configured: every look-up is then Failed.
/// </summary>
public sealed class DnsResolver : IResolver
{
    const int MaxAliases = 8;

    readonly DnsSettings settings;
    readonly TimeProvider time;
    readonly DnsServers servers;
    readonly DnsCache cache;
    readonly ConcurrentDictionary<(string, DnsType), Lazy<Task<DnsResult>>> flying = new();
    int turn;

    public DnsResolver(Settings settings, TimeProvider time)
    {
        (this.settings, this.time) = (settings.Dns, time);
        servers = new DnsServers(settings.Dns, settings.Evaluation);
        cache = new DnsCache(settings.Dns.CacheEntries, time);
    }

    /// <summary>Whether there is anybody to ask.</summary>
    public bool HasServers => servers.Current.Count > 0;

    public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) =>
        AskAsync<ExchangeRecord, MxRecord>(name, DnsType.Mx, record => new MxRecord(record.Preference, Plain(record.Exchange)), cancel);

    public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) =>
        AskAsync<AddressRecord, IPAddress>(name, v6 ? DnsType.Aaaa : DnsType.A, record => record.Address, cancel);

    public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) =>
        AskAsync<TextRecord, string>(name, DnsType.Txt, record => record.Text, cancel);

    public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) =>
        AskAsync<NameRecord, string>(DnsName.Reverse(address), DnsType.Ptr, record => Plain(record.Target), cancel);

    public ValueTask<DnsAnswer<TlsaRecord>> TlsaAsync(string name, CancellationToken cancel) =>
        AskAsync<TlsaRecord, TlsaRecord>(name, DnsType.Tlsa, record => record, cancel);

    public ValueTask<DnsAnswer<string>> CnameAsync(string name, CancellationToken cancel) =>
        AskAsync<NameRecord, string>(name, DnsType.Cname, record => Plain(record.Target), cancel);

    async ValueTask<DnsAnswer<T>> AskAsync<TRecord, T>(string name, DnsType type, Func<TRecord, T> take, CancellationToken cancel) where TRecord : DnsRecord
    {
        var result = await LookUpAsync(name, type, cancel);
        return new DnsAnswer<T>(result.Status, [.. result.Records.OfType<TRecord>().Select(take)], result.Authenticated, result.Alias);
    }

    static string Plain(string name) => name.Length > 1 ? name.TrimEnd('.') : name;

    async ValueTask<DnsResult> LookUpAsync(string name, DnsType type, CancellationToken cancel)
    {
        name = Plain(name).ToLowerInvariant();
        // a name that cannot stand in DNS does not exist
        if (!DnsName.TryEncode(name, out _)) return new DnsResult(DnsStatus.NoSuchName, [], false, TimeSpan.Zero);
        if (cache.Find(name, type) is { } known) return known;
        if (servers.Current.Count == 0) return DnsResult.Failed;
        // Who asks first starts it for all; it has its own bounds in time, so a caller that leaves does not end it for the others.
        var lazy = flying.GetOrAdd((name, type), _ => new Lazy<Task<DnsResult>>(() => FlyAsync(name, type)));
        return await lazy.Value.WaitAsync(cancel);
    }

    async Task<DnsResult> FlyAsync(string name, DnsType type)
    {
        await Task.Yield();
        try
        {
            var result = await ResolveAsync(name, type);
            cache.Add(name, type, result);
            return result;
        }
        finally
        {
            flying.TryRemove((name, type), out _);
        }
    }

    /// <summary>Follows CNAMEs: within one answer, and with new questions where a server left them open (RFC 1034 5.2.2).</summary>
    async Task<DnsResult> ResolveAsync(string name, DnsType type)
    {
        var age = settings.MaxAge;
        var first = name;
        var authenticated = true;
        var aliases = 0;
        while (true)
        {
            if (await AskAsync(name, type) is not { } answer) return DnsResult.Failed;
            authenticated &= answer.AuthenticData && settings.TrustAuthenticated;
            var asked = name;
            while (Alias(answer, name, type) is { } alias)
            {
                if (++aliases > MaxAliases) return DnsResult.Failed; // a loop, or a chain that nobody needs
                name = alias.Target;
                age = Least(age, alias.Ttl);
            }
            List<DnsRecord> found = [.. answer.Answers.Where(record => record.Type == type && DnsName.Same(record.Name, name))];
            if (found.Count > 0)
            {
                foreach (var record in found) age = Least(age, record.Ttl);
                return new DnsResult(DnsStatus.Found, found, authenticated, age, name == first ? null : Plain(name).ToLowerInvariant());
            }
            // RFC 2308 2.1: the denial is of the name at the end of the chain
            if (answer.Code == DnsCode.NoSuchName) return Denied(answer, DnsStatus.NoSuchName, age, authenticated);
            if (name == asked || answer.Authority.Any(record => record is AuthorityRecord)) return Denied(answer, DnsStatus.NoData, age, authenticated);
        }
    }

    static NameRecord? Alias(DnsMessage answer, string name, DnsType type) =>
        type == DnsType.Cname ? null
        : answer.Answers.Any(record => record.Type == type && DnsName.Same(record.Name, name)) ? null
        : answer.Answers.OfType<NameRecord>().FirstOrDefault(record => record.Type == DnsType.Cname && DnsName.Same(record.Name, name));

    static TimeSpan Least(TimeSpan age, uint seconds) => age.TotalSeconds < seconds ? age : TimeSpan.FromSeconds(seconds);

    /// <summary>RFC 2308 5: kept for the lesser of the SOA's TTL and its minimum; without an SOA not at all.</summary>
    DnsResult Denied(DnsMessage answer, DnsStatus status, TimeSpan age, bool authenticated)
    {
        var soa = answer.Authority.OfType<AuthorityRecord>().FirstOrDefault();
        age = soa is null ? TimeSpan.Zero : Least(Least(age < settings.MaxNegativeAge ? age : settings.MaxNegativeAge, soa.Ttl), soa.Minimum);
        return new DnsResult(status, [], authenticated, age);
    }

    /// <summary>Goes through the servers; the first that answers NOERROR or NXDOMAIN is believed.</summary>
    async Task<DnsMessage?> AskAsync(string name, DnsType type)
    {
        var list = servers.Current;
        var question = new DnsQuestion(name, type);
        var first = settings.Rounds > 1 ? Volatile.Read(ref turn) : 0;
        for (var i = 0; i < Math.Max(1, settings.Rounds) * list.Count; i++)
        {
            var server = list[(first + i) % list.Count];
            var edns = true;
            while (true)
            {
                using var limit = new CancellationTokenSource(settings.Timeout, time);
                var answer = await DnsTransport.AskAsync(server, question, edns, limit.Token);
                // RFC 6891 7: a server that does not know EDNS says FORMERR (or NOTIMP)
                if (edns && answer?.Code is DnsCode.FormatError or DnsCode.NotImplemented) { edns = false; continue; }
                if (answer?.Code is DnsCode.NoError or DnsCode.NoSuchName) return answer;
                break;
            }
            // the one that failed is not asked first next time
            Interlocked.CompareExchange(ref turn, (first + i + 1) % list.Count, first);
        }
        return null;
    }
}
