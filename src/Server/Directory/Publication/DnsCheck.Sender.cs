using System.Net;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Directory.Publication;

/// <summary>What speaks for mail that leaves: SPF, DKIM, DMARC.</summary>
public sealed partial class DnsCheck
{
    // RFC 7208 3.4: what is longer may not fit into an answer
    const int LongestSpf = 450;

    async Task SpfAsync(CancellationToken cancel)
    {
        foreach (var wanted in records.Where(record => record.Purpose is RecordPurpose.Spf or RecordPurpose.HostSpf))
        {
            var name = Plain(wanted.Name);
            if (await TextsAsync(name, IsSpf, cancel) is not { } found) continue;
            if (found.Count == 0)
                Differs("spf-missing", $"{name} has no SPF record: others may send in its name, and our mail lacks a proof", $"У {name} нет записи SPF: от его имени может слать кто угодно, а нашей почте не хватает доказательства", wanted);
            else if (found.Count > 1) // RFC 7208 4.5
                Differs("spf-several", $"{name} has {found.Count} SPF records, and receivers take none of them then: keep one", $"У {name} записей SPF: {found.Count}, и получатели не примут ни одну: оставьте одну", wanted);
            else
            {
                foreach (var address in Senders(name)) await SpfAsync(wanted, name, address, cancel);
                await SpfCostAsync(found[0], name, cancel);
            }
        }
    }

    // RFC 7208 4.5
    static bool IsSpf(string text) => text.Equals("v=spf1", StringComparison.OrdinalIgnoreCase) || text.StartsWith("v=spf1 ", StringComparison.OrdinalIgnoreCase);

    async Task SpfAsync(ZoneRecord wanted, string name, IPAddress address, CancellationToken cancel)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20), time); // RFC 7208 4.6.4
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        var result = await SpfVerifier.CheckAsync(new SpfQuery(address, Host, "postmaster@" + name) { Receiver = Host, Now = time.GetUtcNow() }, ask, either.Token);
        if (result.Result == AuthResult.Pass) return;
        var why = result.Problem is { } problem ? $" ({problem})" : "";
        Differs("spf-no-pass", $"By the SPF record of {name} mail from {address}, this server, is judged {result.Result.Word()}{why}: add the address",
            $"По записи SPF домена {name} почта с {address}, этого сервера, получает {result.Result.Word()}{why}: добавьте этот адрес", wanted);
    }

    /// <summary>What the whole record costs those who do not find their answer at its beginning.</summary>
    async Task SpfCostAsync(string text, string name, CancellationToken cancel)
    {
        if (await SpfCost.MeasureAsync(text, name, ask, cancel) is not { } cost) return; // that it cannot be read was said above
        if (cost.Lookups > SpfVerifier.MaxLookups)
            Differs("spf-lookups", $"The SPF record of {name} needs {(cost.Lookups >= SpfCost.Most ? SpfCost.Most + " and more" : cost.Lookups)} look-ups in DNS and 10 are allowed, so for much mail it counts as broken: take out what no longer sends for you, or write addresses (ip4:, ip6:) in the place of include:",
                $"Записи SPF домена {name} нужно запросов к DNS: {cost.Lookups}{(cost.Lookups >= SpfCost.Most ? " и больше" : "")}, а разрешено 10, и для многих писем она считается сломанной: уберите тех, кто больше не шлёт за вас, или замените include: адресами (ip4:, ip6:)");
        if (cost.Missing.Count > 0)
        {
            var names = string.Join(", ", cost.Missing.Distinct().Take(5));
            var (english, russian) = ($"The SPF record of {name} names what has no such record in DNS ({names}): take it out", $"В записи SPF домена {name} стоит то, чего нет в DNS ({names}): уберите это");
            // RFC 7208 4.6.4; an include of nothing is permerror at once (5.2)
            if (cost.Missing.Count > SpfVerifier.MaxVoidLookups) Differs("spf-void", english + "; more than two such make it broken", russian + "; больше двух таких — и запись сломана");
            else Note("spf-void", english, russian);
        }
        if (cost.Length > LongestSpf)
            Note("spf-long", $"The SPF record of {name} has {cost.Length} octets, and beyond {LongestSpf} some receivers get it cut off: shorten it", $"Запись SPF домена {name} занимает {cost.Length} байт, а длиннее {LongestSpf} она доходит не до всех: сократите её");
        if (cost.UsesPtr) Note("spf-ptr", $"The SPF record of {name} uses ptr, which is slow and ignored by some: name addresses instead", $"В записи SPF домена {name} есть ptr: он медленный, и его понимают не все; укажите адреса"); // RFC 7208 5.5
        if (cost.All == AuthResult.Pass) Differs("spf-all", $"The SPF record of {name} ends in +all: everybody may send in its name", $"Запись SPF домена {name} кончается на +all: от его имени может слать кто угодно");
        else if (cost.All is null or AuthResult.Neutral) Note("spf-open", $"The SPF record of {name} says nothing of other senders: let it end in -all or ~all", $"Запись SPF домена {name} ничего не говорит о других отправителях: закончите её на -all или ~all");
    }

    async Task DkimAsync(CancellationToken cancel)
    {
        foreach (var wanted in records.Where(record => record.Purpose == RecordPurpose.Dkim))
        {
            var name = Plain(wanted.Name);
            if (await TextsAsync(wanted.Name, _ => true, cancel) is not { } found) continue;
            if (found.Count == 0) Differs("dkim-missing", $"The DKIM key {name} is not published", $"Ключ DKIM {name} не опубликован", wanted);
            else if (found.Find(text => SigningKeys.IsSame(text, wanted.Value)) is not { } same)
                Differs("dkim-other", $"What is published at {name} is not the DKIM key of this server; was a part of it lost when it was copied?", $"По имени {name} опубликован не ключ DKIM этого сервера; не потерялась ли часть при копировании?", wanted);
            else if (found.Count > 1) // RFC 6376 3.6.2.2
                Differs("dkim-several", $"There are {found.Count} records at {name}, where one key must stand: remove the others", $"По имени {name} записей: {found.Count}, а должен стоять один ключ: удалите остальные", wanted);
            else if (DkimRecord.Parse(same, out _) is { } record) DkimKey(name, record, wanted);
        }
    }

    void DkimKey(string name, DkimRecord record, ZoneRecord wanted)
    {
        if (record.Testing) // RFC 6376 3.6.1
            Differs("dkim-testing", $"The DKIM key {name} is marked as a test (t=y), and receivers treat signed mail as if it were not: take t=y away", $"Ключ DKIM {name} помечен как пробный (t=y), и получатели считают подписанную почту неподписанной: уберите t=y", wanted);
        if (record.Hashes is { } hashes && !hashes.Contains("sha256", StringComparer.OrdinalIgnoreCase))
            Differs("dkim-hash", $"The record of the DKIM key {name} does not allow sha256 (h=), by which this server signs", $"Запись ключа DKIM {name} не разрешает sha256 (h=), которым подписывает этот сервер", wanted);
        if (!record.KeyType.Equals("rsa", StringComparison.OrdinalIgnoreCase)) return;
        using var key = DkimPublicKey.Read(DkimAlgorithm.RsaSha256, record.Key.Span, out var problem);
        if (key is null) Differs("dkim-key", $"The DKIM key {name} is of no use ({problem}): make another with cbamail dkim rotate {domain.Name}", $"Ключ DKIM {name} непригоден ({problem}): сделайте новый, cbamail dkim rotate {domain.Name}");
        else if (key.Bits < 2048) // RFC 8301 3.2
            Note("dkim-short", $"The DKIM key {name} has {key.Bits} bits, and 2048 are asked for: change it with cbamail dkim rotate {domain.Name}", $"В ключе DKIM {name} {key.Bits} бит, а нужно 2048: смените его, cbamail dkim rotate {domain.Name}");
    }

    async Task DmarcAsync(CancellationToken cancel)
    {
        var wanted = Wanted(RecordPurpose.Dmarc)!;
        var name = domain.Name;
        if (await TextsAsync(wanted.Name, text => text.StartsWith("v=DMARC", StringComparison.OrdinalIgnoreCase), cancel) is not { } found) return;
        if (found.Count == 0)
            Differs("dmarc-missing", $"{name} has no DMARC record: large providers refuse mail of such senders, and forged mail goes unnoticed", $"У {name} нет записи DMARC: крупные провайдеры не берут почту таких отправителей, а подделки остаются незамеченными", wanted);
        else if (found.Count > 1) // RFC 7489 6.6.3
            Differs("dmarc-several", $"{name} has {found.Count} DMARC records, and receivers take none of them then: keep one", $"У {name} записей DMARC: {found.Count}, и получатели не примут ни одну: оставьте одну", wanted);
        else if (!found[0].Split(';').Select(tag => tag.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()).Any(tag => tag is "p=none" or "p=quarantine" or "p=reject")) // RFC 7489 6.6.3
            Differs("dmarc-no-policy", $"The DMARC record of {name} names no policy (p=none, quarantine or reject): receivers do nothing then", $"В записи DMARC домена {name} нет политики (p=none, quarantine или reject): получатели ничего не сделают", wanted);
        else if (DmarcRecord.Parse(found[0], out var problem) is not { } record)
            Differs("dmarc-broken", $"The DMARC record of {name} cannot be read: {problem}", $"Запись DMARC домена {name} не читается: {problem}", wanted);
        else
        {
            DmarcPolicyOf(record, wanted);
            await DmarcReportsAsync(record, wanted, cancel);
        }
    }

    void DmarcPolicyOf(DmarcRecord record, ZoneRecord wanted)
    {
        var name = domain.Name;
        if (record.PolicyIsAssumed) Differs("dmarc-subdomains", $"The sp= of the DMARC record of {name} cannot be read, and the whole policy counts as none then", $"В записи DMARC домена {name} не читается sp=, и вся политика тогда считается none", wanted);
        var asked = (DmarcPolicy)(int)settings.Publish.Dmarc;
        if (record.Policy < asked)
            Note("dmarc-weak", $"The DMARC record of {name} asks for p={record.Policy.Word()} where publish.dmarc is {asked.Word()}: when reports have been clean for some weeks, publish the stricter one", $"Запись DMARC домена {name} просит p={record.Policy.Word()}, а publish.dmarc — {asked.Word()}: если отчёты несколько недель чистые, публикуйте более строгую", wanted);
        if (record.SubdomainPolicy < record.Policy)
            Note("dmarc-subdomains-weak", $"The DMARC record of {name} asks for less below the domain (sp={record.SubdomainPolicy!.Value.Word()}): forged mail will come from invented subdomains", $"Запись DMARC домена {name} для поддоменов мягче (sp={record.SubdomainPolicy!.Value.Word()}): подделки пойдут с выдуманных поддоменов");
        if (record.Percent < 100 && record.Policy != DmarcPolicy.None)
            Note("dmarc-percent", $"The DMARC record of {name} holds for {record.Percent} % of mail only (pct)", $"Запись DMARC домена {name} действует лишь для {record.Percent} % писем (pct)");
    }

    /// <summary>RFC 7489 7.1: who is of another organization must agree in his own zone, or gets nothing.</summary>
    async Task DmarcReportsAsync(DmarcRecord record, ZoneRecord wanted, CancellationToken cancel)
    {
        var name = domain.Name;
        if (record.AggregateUris.Count == 0)
            Note("dmarc-no-reports", $"The DMARC record of {name} names nobody to report to (rua): you will not see who sends in its name", $"В записи DMARC домена {name} некому слать отчёты (rua): вы не увидите, кто шлёт от его имени", wanted);
        foreach (var uri in record.AggregateUris)
        {
            if (uri.Address is not { } address)
            {
                Note("dmarc-uri", $"The DMARC record of {name} wants reports at {uri.Text}, and receivers send to mailto: alone", $"Запись DMARC домена {name} просит отчёты на {uri.Text}, а получатели шлют только на mailto:");
                continue;
            }
            var answer = await ReportDestinations.AggregateAsync(record with { AggregateUris = [uri] }, name, ask, PublicSuffixList.InUse, cancel);
            if (answer.AskAgain) Note("dmarc-unknown", $"DNS gives no answer whether {uri.Host} agrees to get the DMARC reports of {name}", $"DNS не отвечает, согласен ли {uri.Host} получать отчёты DMARC о {name}");
            else if (answer.Allowed.Count == 0)
                Differs("dmarc-not-agreed", $"DMARC reports about {name} are to go to {address}, but {uri.Host} does not say that it wants them, so none are sent: publish the record below in the zone of {uri.Host}",
                    $"Отчёты DMARC о {name} должны идти на {address}, но {uri.Host} не объявил, что согласен их получать, и никто их не шлёт: опубликуйте запись ниже в зоне {uri.Host}",
                    new($"{name}._report._dmarc.{uri.Host}.", "TXT", "v=DMARC1", RecordPurpose.Dmarc, false));
        }
    }
}
