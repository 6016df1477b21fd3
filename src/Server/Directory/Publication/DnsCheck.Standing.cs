using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net.Dns;

namespace CbaMail.Directory.Publication;

/// <summary>How the server's own addresses stand with others: their names, block lists, whether the port can be reached.</summary>
public sealed partial class DnsCheck
{
    static readonly TimeSpan PortPatience = TimeSpan.FromSeconds(4), ListPatience = TimeSpan.FromSeconds(20);

    /// <summary>The addresses that mail leaves from besides those of the name, each with its name in EHLO.</summary>
    IEnumerable<(IPAddress Address, string Name, IReadOnlyList<string> Domains)> Sources()
    {
        foreach (var source in settings.Sending.Sources)
            if (IPAddress.TryParse(source.Address, out var address)) yield return (address, source.Hostname.Length > 0 ? source.Hostname : Host, source.Domains);
        foreach (var text in settings.Queue.SourceAddress)
            if (IPAddress.TryParse(text, out var address)) yield return (address, Host, []);
    }

    /// <summary>Whose mail SPF must let pass: what sends for the domain.</summary>
    IEnumerable<IPAddress> Senders(string name) =>
        ours.Concat(Sources().Where(source => IsPublic(source.Address) && (source.Domains.Count == 0 || source.Domains.Any(one => DnsName.Same(one, name) || (one.StartsWith("*.", StringComparison.Ordinal) && name.EndsWith(one[1..], StringComparison.OrdinalIgnoreCase)))))
            .Select(source => source.Address)).Distinct();

    // behind a router sources are of the inner net, and the world sees others
    static bool IsPublic(IPAddress address) => DomainZone.IsPublic(address);

    /// <summary>The server's own name: addresses, and names of the addresses (RFC 8601 3, "iprev": many receivers ask).</summary>
    async Task HostAsync(CancellationToken cancel)
    {
        foreach (var address in await AddressesAsync(Host, cancel)) ours.Add(address);
        if (ours.Count == 0)
            Differs("host-missing", $"The server's own name {Host} has no address in DNS: nobody can reach it", $"У имени этого сервера {Host} нет адреса в DNS: его никто не найдёт", Wanted(RecordPurpose.Address));
        foreach (var address in ours) await ReverseAsync(address, Host, leadsBack: true, cancel);
        foreach (var (address, name, _) in Sources().Where(source => IsPublic(source.Address) && !ours.Contains(source.Address)).DistinctBy(source => source.Address).ToList())
            await ReverseAsync(address, name, (await AddressesAsync(name, cancel)).Contains(address), cancel);
    }

    async Task ReverseAsync(IPAddress address, string name, bool leadsBack, CancellationToken cancel)
    {
        if (!leadsBack)
            Differs("forward", $"Mail leaves from {address} under the name {name}, which does not lead to that address: add an A or AAAA record", $"Почта уходит с {address} под именем {name}, а это имя на этот адрес не ведёт: добавьте запись A или AAAA",
                new(name + ".", address.AddressFamily == AddressFamily.InterNetworkV6 ? "AAAA" : "A", address.ToString(), RecordPurpose.Address, true));
        var reverse = await ask.PtrAsync(address, cancel);
        if (reverse.Status == DnsStatus.Failed) Note("ptr-unknown", $"DNS gives no answer about the reverse record of {address}", $"DNS не отвечает об обратной записи адреса {address}");
        else if (reverse.Records.Count == 0)
            Differs("ptr-missing", $"The address {address} has no reverse record (PTR), and many servers take no mail from such: have your hoster set it to {name}", $"У адреса {address} нет обратной записи (PTR), и многие серверы не берут почту с таких: попросите хостера поставить {name}");
        else if (!reverse.Records.Any(one => DnsName.Same(one, name)))
            Differs("ptr-other", $"The reverse record (PTR) of {address} is {reverse.Records[0]} and not {name}: have your hoster change it", $"Обратная запись (PTR) адреса {address} — {reverse.Records[0]}, а не {name}: попросите хостера изменить её");
        else if (reverse.Records.Count > 1)
            Note("ptr-several", $"The address {address} has {reverse.Records.Count} reverse records, of which receivers pick one by chance: keep {name} alone", $"У адреса {address} обратных записей: {reverse.Records.Count}, и получатели берут любую: оставьте только {name}");
    }

    /// <summary>From here, which proves little behind some routers: a note, with the way to look from outside.</summary>
    async Task PortAsync(CancellationToken cancel)
    {
        if (settings.Listeners.Where(listener => listener.Protocol == Protocol.Smtp && !listener.Proxy).Select(listener => (int?)listener.Port).FirstOrDefault() is not { } port) return;
        foreach (var address in ours)
        {
            using var late = new CancellationTokenSource(PortPatience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address, port, either.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException && !cancel.IsCancellationRequested)
            {
                Note("port", $"From here {address} gives no answer at port {port}; some routers cause that, but look from outside (nc -v {Host} {port}): many hosters close port 25 until they are asked, and a firewall may",
                    $"Отсюда {address} не отвечает на порту {port}; так бывает из-за маршрутизатора, но проверьте снаружи (nc -v {Host} {port}): многие хостеры открывают порт 25 только по просьбе, мешать может и межсетевой экран");
            }
        }
    }

    /// <summary>RFC 5782: the addresses, and with --blocklists the domain too, in the lists that others refuse mail by.</summary>
    async Task BlocklistsAsync(CancellationToken cancel)
    {
        var addresses = ours.Concat(Sources().Select(source => source.Address)).Where(IsPublic).Distinct().ToList();
        var lists = settings.Inbound.DnsLists.Where(list => list.Of == ListedThing.Address && list.Weight > 0).Select(list => (Zone: Plain(list.Zone.Trim()), list.Answers))
            .Concat(wish.Blocklists ? settings.Dns.Blocklists.Select(zone => (Zone: Plain(zone.Trim()), Answers: (IReadOnlyList<string>)[])) : []).DistinctBy(list => list.Zone).ToList();
        using var late = new CancellationTokenSource(ListPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        var asked = new List<Task<IReadOnlyList<Listed>>>();
        if (addresses.Count > 0)
            foreach (var (zone, answers) in lists)
                asked.Add(Listed.AskAsync(ask, zone, [.. addresses.Select(address => (address.ToString(), ListAnswer.Reversed(address)))], "2.0.0.127.", "1.0.0.127.", answers, either.Token));
        foreach (var zone in wish.Blocklists ? settings.Dns.DomainBlocklists : [])
            asked.Add(Listed.AskAsync(ask, Plain(zone.Trim()), [(domain.Name, domain.Name + ".")], "test.", "invalid.", ["127.0.0.2-255", "127.0.1.2-254"], either.Token));
        foreach (var one in (await Task.WhenAll(asked)).SelectMany(found => found))
            if (one.What is not null)
                Differs("blocklist", $"{one.What} is listed by {one.Zone} ({one.Answer}): servers that go by it refuse the mail; find the cause, then ask the list to take it out", $"{one.What} есть в списке {one.Zone} ({one.Answer}): серверы, которые ему верят, не берут почту; найдите причину и попросите список убрать запись");
            else Note("blocklist-silent", $"The list {one.Zone} gives this resolver no answer to go by ({one.Answer}): ask from a resolver of your own (--server)", $"Список {one.Zone} не даёт этому резолверу ответа, которому можно верить ({one.Answer}): спросите через собственный резолвер (--server)");
    }

    /// <summary>What one list says.</summary>
    /// <param name="What">What is listed; null where the list is not to be believed.</param>
    /// <param name="Answer">Its answer and its own words, or why it is not believed.</param>
    sealed record Listed(string Zone, string? What, string Answer)
    {
        public static async Task<IReadOnlyList<Listed>> AskAsync(DnsAsk ask, string zone, (string What, string Prefix)[] things, string always, string never, IReadOnlyList<string> answers, CancellationToken cancel)
        {
            try
            {
                var found = new List<Listed>();
                var patterns = answers.Select(ListAnswer.Pattern).OfType<(int, int)[]>().ToArray();
                foreach (var (what, prefix) in things)
                {
                    var answer = await ask.AddressesAsync(prefix + zone, v6: false, cancel);
                    if (answer.Status == DnsStatus.Failed) return [new(zone, null, "no answer")];
                    if (answer.Records.FirstOrDefault(ListAnswer.IsRefusal) is { } refusal) return [new(zone, null, refusal.ToString())];
                    if (answer.Records.FirstOrDefault(record => record.GetAddressBytes() is [127, ..] octets && ListAnswer.Fits(patterns, octets)) is not { } listed) continue;
                    var words = (await ask.TxtAsync(prefix + zone, cancel)).Records.FirstOrDefault() ?? "";
                    found.Add(new(zone, what, listed + (words.Length > 0 ? ": " + Clean(words) : "")));
                }
                // RFC 5782 5: a list that lists all, or nothing, is dead
                if (found.Count > 0 && (await ask.AddressesAsync(never + zone, v6: false, cancel)).Records.Any(record => record.GetAddressBytes() is [127, not 255, ..])) return [new(zone, null, "it lists everything")];
                if (found.Count == 0 && (await ask.AddressesAsync(always + zone, v6: false, cancel)).Status is DnsStatus.NoSuchName or DnsStatus.NoData) return [new(zone, null, "it does not list its own test entry")];
                return found;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return [new(zone, null, "no answer in time")];
            }
        }

        static string Clean(string words) => new([.. words.Take(200).Select(c => char.IsControl(c) ? ' ' : c)]);
    }
}
