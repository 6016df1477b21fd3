using System.Net;
using CbaMail.Config;
using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>What DNS says of one name and type, right now.</summary>
/// <param name="Records">Of that type, at the name or where its CNAMEs lead.</param>
/// <param name="Alias">Where CNAMEs led, or null.</param>
/// <param name="Authenticated">The AD bit, whoever set it.</param>
public sealed record DnsFinding(DnsStatus Status, IReadOnlyList<DnsRecord> Records, string? Alias, bool Authenticated);

/// <summary>
/// Questions of an administrator: of any type, past every cache of ours, to the servers of the settings or to others. Mail is never
/// sent by its answers.
/// </summary>
public sealed class DnsAsk : IResolver
{
    const int MaxAliases = 8;

    readonly DnsServers servers;
    readonly DnsSettings settings;
    readonly TimeProvider time;

    /// <param name="others">Whom to ask instead of the servers of the settings; empty for those.</param>
    /// <exception cref="FormatException">One of the others is no address.</exception>
    public DnsAsk(Settings settings, TimeProvider time, IReadOnlyList<string> others)
    {
        (this.settings, this.time) = (settings.Dns, time);
        servers = new DnsServers(others.Count > 0 ? settings.Dns with { Servers = others } : settings.Dns, settings.Evaluation && others.Count == 0);
    }

    /// <summary>Whether there is anybody to ask.</summary>
    public bool HasServers => servers.Current.Count > 0;

    public async Task<DnsFinding> FindAsync(string name, DnsType type, CancellationToken cancel)
    {
        string? alias = null;
        var authenticated = true;
        for (var i = 0; i < MaxAliases; i++)
        {
            if (await AskAsync(alias ?? name, type, cancel) is not { } answer) return new(DnsStatus.Failed, [], alias, false);
            authenticated &= answer.AuthenticData;
            var asked = alias ?? name;
            var at = asked;
            for (var j = 0; j < MaxAliases && type != DnsType.Cname; j++)
            {
                if (answer.Answers.OfType<NameRecord>().FirstOrDefault(record => record.Type == DnsType.Cname && DnsName.Same(record.Name, at)) is not { } next) break;
                at = alias = next.Target.TrimEnd('.');
            }
            List<DnsRecord> found = [.. answer.Answers.Where(record => record.Type == type && DnsName.Same(record.Name, at))];
            if (found.Count > 0) return new(DnsStatus.Found, found, alias, authenticated);
            if (answer.Code == DnsCode.NoSuchName) return new(DnsStatus.NoSuchName, [], alias, authenticated);
            if (DnsName.Same(at, asked)) return new(DnsStatus.NoData, [], alias, authenticated);
        }
        return new(DnsStatus.Failed, [], alias, false);
    }

    async Task<DnsMessage?> AskAsync(string name, DnsType type, CancellationToken cancel)
    {
        if (!DnsName.TryEncode(name, out _)) return new DnsMessage { Code = DnsCode.NoSuchName };
        for (var round = 0; round < Math.Max(1, settings.Rounds); round++)
            foreach (var server in servers.Current)
            {
                using var late = new CancellationTokenSource(settings.Timeout, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
                var answer = await DnsTransport.AskAsync(server, new DnsQuestion(name, type), edns: true, either.Token);
                cancel.ThrowIfCancellationRequested();
                if (answer?.Code is DnsCode.NoError or DnsCode.NoSuchName) return answer;
            }
        return null;
    }

    public async ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) =>
        Answer(await FindAsync(name, DnsType.Mx, cancel), record => record is ExchangeRecord mx ? new MxRecord(mx.Preference, mx.Exchange.Length > 1 ? mx.Exchange.TrimEnd('.') : mx.Exchange) : (MxRecord?)null);

    public async ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel)
    {
        var found = await FindAsync(name, v6 ? DnsType.Aaaa : DnsType.A, cancel);
        return new(found.Status, [.. found.Records.OfType<AddressRecord>().Select(record => record.Address)]);
    }

    public async ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel)
    {
        var found = await FindAsync(name, DnsType.Txt, cancel);
        return new(found.Status, [.. found.Records.OfType<TextRecord>().Select(record => record.Text)]);
    }

    public async ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel)
    {
        var found = await FindAsync(DnsName.Reverse(address), DnsType.Ptr, cancel);
        return new(found.Status, [.. found.Records.OfType<NameRecord>().Select(record => record.Target.TrimEnd('.'))]);
    }

    static DnsAnswer<T> Answer<T>(DnsFinding found, Func<DnsRecord, T?> take) where T : struct => new(found.Status, [.. found.Records.Select(take).OfType<T>()]);
}
