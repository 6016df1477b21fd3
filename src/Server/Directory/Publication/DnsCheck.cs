using System.Buffers.Binary;
using System.Net;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net.Dns;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Directory.Publication;

/// <summary>
/// Compares what a domain should publish with what it does, record by record, as those see it who send mail to it and get mail from it.
/// What the server itself shows the world is looked at too: names of its addresses, its port, its certificate, block lists. This file has
/// the way mail comes in; DnsCheck.Sender.cs what speaks for mail that leaves, DnsCheck.Transport.cs what protects it on its way,
/// DnsCheck.Standing.cs how the addresses stand with others.
/// </summary>
/// <param name="ask">Whom; nothing that we remember is taken for an answer.</param>
public sealed partial class DnsCheck(
    Settings settings, Domain domain, IReadOnlyList<ZoneRecord> records, DnsAsk ask, AcmeRenewals acme, Certificates certificates, TimeProvider time, DnsCheckWish wish)
{
    readonly List<DnsDifference> differences = [];
    readonly HashSet<IPAddress> ours = [];
    bool signed;

    string Host => settings.Hostname;

    public async Task<DnsCheckReport> RunAsync(CancellationToken cancel)
    {
        if (!ask.HasServers)
            Differs("no-server", "There is no DNS server to ask: name one with --server, or in the settings as dns.servers", "Некого спросить: укажите сервер DNS через --server или в настройках, dns.servers");
        else if ((await ask.FindAsync(domain.Name, DnsType.Soa, cancel)).Status is var status && status == DnsStatus.Failed)
            Differs("no-answer", $"DNS gives no answer about {domain.Name}: its name servers are out of reach or refuse, or its DNSSEC signatures are broken",
                $"DNS не отвечает о {domain.Name}: его серверы имён недоступны или отказывают, либо сломаны подписи DNSSEC");
        else if (status == DnsStatus.NoSuchName)
            Differs("no-domain", $"The domain {domain.Name} does not exist in DNS: register it, or publish its zone", $"Домена {domain.Name} нет в DNS: зарегистрируйте его или опубликуйте его зону");
        else
        {
            await HostAsync(cancel);
            await MxAsync(cancel);
            await SpfAsync(cancel);
            await DkimAsync(cancel);
            await DmarcAsync(cancel);
            await MtaStsAsync(cancel);
            await TlsReportsAsync(cancel);
            Certificate();
            await TlsaAsync(cancel);
            foreach (var record in records.Where(record => record.Type == "SRV")) await ServiceAsync(record, cancel);
            foreach (var record in records.Where(record => record.Type == "CNAME" && record.Purpose != RecordPurpose.MtaStsHost)) await LeadsHereAsync(record, cancel);
            await CaaAsync(cancel);
            await SignedAsync(cancel);
            await PortAsync(cancel);
            await BlocklistsAsync(cancel);
        }
        return new(domain.Name, differences.TrueForAll(one => one.Note), records.Count, signed, differences);
    }

    void Differs(string code, string english, string russian, ZoneRecord? publish = null) => differences.Add(new(code, wish.Russian ? russian : english, publish?.Line));

    void Note(string code, string english, string russian, ZoneRecord? publish = null) => differences.Add(new(code, wish.Russian ? russian : english, publish?.Line, Note: true));

    ZoneRecord? Wanted(RecordPurpose purpose) => records.FirstOrDefault(record => record.Purpose == purpose);

    static string Plain(string name) => name.TrimEnd('.');

    async Task<List<IPAddress>> AddressesAsync(string name, CancellationToken cancel) =>
        [.. (await ask.AddressesAsync(name, v6: false, cancel)).Records, .. (await ask.AddressesAsync(name, v6: true, cancel)).Records];

    bool Unknown(DnsFinding found, string name, string type)
    {
        if (found.Status != DnsStatus.Failed) return false;
        Differs("no-answer", $"DNS gives no answer about {type} of {name}: ask again later", $"DNS не отвечает о записи {type} имени {name}: спросите позже");
        return true;
    }

    async Task<List<string>?> TextsAsync(string name, Func<string, bool> mine, CancellationToken cancel)
    {
        var found = await ask.FindAsync(Plain(name), DnsType.Txt, cancel);
        return Unknown(found, Plain(name), "TXT") ? null : [.. found.Records.OfType<TextRecord>().Select(record => record.Text).Where(mine)];
    }

    async Task MxAsync(CancellationToken cancel)
    {
        var found = await ask.FindAsync(domain.Name, DnsType.Mx, cancel);
        signed = found.Authenticated;
        var wanted = Wanted(RecordPurpose.Mx);
        var exchanges = found.Records.OfType<ExchangeRecord>().OrderBy(mx => mx.Preference).ToList();
        if (Unknown(found, domain.Name, "MX")) return;
        if (exchanges.Count == 0)
            Differs("mx-missing", $"{domain.Name} has no MX record: mail for it goes to its web server, or nowhere", $"У {domain.Name} нет записи MX: почта пойдёт на его веб-сервер или никуда", wanted);
        else if (exchanges.Exists(mx => Plain(mx.Exchange).Length == 0)) // RFC 7505 3
            Differs("mx-null", $"{domain.Name} says that it takes no mail at all (a null MX)", $"{domain.Name} объявляет, что не принимает почту вовсе (пустой MX)", wanted);
        else if (exchanges.Find(mx => IPAddress.TryParse(Plain(mx.Exchange), out _)) is { } literal) // RFC 5321 5.1: a name
            Differs("mx-address", $"The MX of {domain.Name} is the address {Plain(literal.Exchange)}, and an MX must be a name: many servers send nothing there", $"В MX домена {domain.Name} стоит адрес {Plain(literal.Exchange)}, а должно стоять имя: многие серверы туда ничего не пошлют", wanted);
        else if (!exchanges.Exists(mx => DnsName.Same(mx.Exchange, Host))) await ElsewhereAsync(exchanges, wanted, cancel);
        else if (!DnsName.Same(exchanges[0].Exchange, Host))
            Note("mx-second", $"Mail for {domain.Name} goes first to {Plain(exchanges[0].Exchange)}, and to this server when that one is away", $"Почта для {domain.Name} идёт сначала на {Plain(exchanges[0].Exchange)}, а сюда — когда тот недоступен");
        if (exchanges.GroupBy(mx => Plain(mx.Exchange).ToLowerInvariant()).FirstOrDefault(same => same.Count() > 1) is { } twice)
            Note("mx-twice", $"{twice.Key} stands {twice.Count()} times among the MX records of {domain.Name}: keep one", $"{twice.Key} стоит среди записей MX домена {domain.Name} {twice.Count()} раза: оставьте одну");
        if ((await ask.FindAsync(Host, DnsType.Cname, cancel)).Records.Count > 0 && exchanges.Exists(mx => DnsName.Same(mx.Exchange, Host))) // RFC 2181 10.3
            Differs("mx-alias", $"{Host} is an alias (CNAME), and the target of an MX must not be one: give it A and AAAA records", $"{Host} — псевдоним (CNAME), а MX не должен вести на псевдоним: дайте этому имени записи A и AAAA", Wanted(RecordPurpose.Address));
    }

    async Task ElsewhereAsync(List<ExchangeRecord> exchanges, ZoneRecord? wanted, CancellationToken cancel)
    {
        foreach (var mx in exchanges)
        {
            if (!(await AddressesAsync(Plain(mx.Exchange), cancel)).Exists(ours.Contains)) continue;
            Note("mx-other-name", $"The MX of {domain.Name} is {Plain(mx.Exchange)}, another name of this server: its certificate must have that name", $"MX домена {domain.Name} — {Plain(mx.Exchange)}, другое имя этого сервера: оно должно быть в его сертификате", wanted);
            return;
        }
        Differs("mx-elsewhere", $"Mail for {domain.Name} goes to {Plain(exchanges[0].Exchange)} and not to this server", $"Почта для {domain.Name} идёт на {Plain(exchanges[0].Exchange)}, а не на этот сервер", wanted);
    }

    async Task ServiceAsync(ZoneRecord wanted, CancellationToken cancel)
    {
        var found = await ask.FindAsync(Plain(wanted.Name), DnsType.Srv, cancel);
        if (Unknown(found, Plain(wanted.Name), "SRV")) return;
        var fields = wanted.Value.Split(' ');
        var services = found.Records.OfType<RawRecord>().Select(record => Service(record.Data.Span)).ToList();
        if (services.Count == 0)
            Differs("srv-missing", $"There is no record {Plain(wanted.Name)}: mail programs do not find this service by themselves", $"Записи {Plain(wanted.Name)} нет: почтовые программы не найдут эту службу сами", wanted);
        else if (!services.Contains((int.Parse(fields[2], System.Globalization.CultureInfo.InvariantCulture), Plain(fields[3]))))
            Differs("srv-elsewhere", $"{Plain(wanted.Name)} leads to {services[0].Host} port {services[0].Port} and not to this server", $"{Plain(wanted.Name)} ведёт на {services[0].Host}, порт {services[0].Port}, а не на этот сервер", wanted);
    }

    /// <summary>RFC 2782: priority, weight, port, target.</summary>
    static (int Port, string Host) Service(ReadOnlySpan<byte> data)
    {
        var at = 6;
        return data.Length > 6 && DnsName.TryRead(data, ref at, out var target) ? (BinaryPrimitives.ReadUInt16BigEndian(data[4..]), Plain(target).ToLowerInvariant()) : (0, "?");
    }

    async Task<bool> LeadsHereAsync(ZoneRecord wanted, CancellationToken cancel)
    {
        var name = Plain(wanted.Name);
        var addresses = await AddressesAsync(name, cancel);
        if (addresses.Exists(ours.Contains))
        {
            if (wanted.Purpose != RecordPurpose.MtaStsHost && certificates.Select(name) is { Source: not CertificateSource.SelfSigned } shown && !shown.IsFor(name))
                Note("certificate-name", $"The certificate of this server has not the name {name}: {MissingEnglish(wanted.Purpose)} there without a warning", $"В сертификате этого сервера нет имени {name}: без предупреждения {MissingRussian(wanted.Purpose)}");
            return true;
        }
        if (addresses.Count == 0) Differs("name-missing", $"{name} does not exist: {MissingEnglish(wanted.Purpose)}", $"Имени {name} нет: {MissingRussian(wanted.Purpose)}", wanted);
        else Differs("name-elsewhere", $"{name} leads to {addresses[0]} and not to this server: {MissingEnglish(wanted.Purpose)}", $"{name} ведёт на {addresses[0]}, а не на этот сервер: {MissingRussian(wanted.Purpose)}", wanted);
        return false;
    }

    static string MissingEnglish(RecordPurpose purpose) => purpose switch
    {
        RecordPurpose.MtaStsHost => "senders cannot read the policy of MTA-STS",
        RecordPurpose.Autodiscover => "Outlook cannot set itself up",
        _ => "mail programs cannot set themselves up",
    };

    static string MissingRussian(RecordPurpose purpose) => purpose switch
    {
        RecordPurpose.MtaStsHost => "отправители не смогут прочесть политику MTA-STS",
        RecordPurpose.Autodiscover => "Outlook не настроится сам",
        _ => "почтовые программы не настроятся сами",
    };
}
