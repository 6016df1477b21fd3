using CbaMail.Dns;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Sts;
using CbaMail.Smtp.Client;
using CbaMail.Tls;

namespace CbaMail.Directory.Publication;

/// <summary>What protects mail on its way here: MTA-STS, reports of TLS, the certificate, DANE, CAA, DNSSEC.</summary>
public sealed partial class DnsCheck
{
    /// <summary>A certificate that is not renewed by then has been forgotten: authorities' tools renew a month before.</summary>
    static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    async Task MtaStsAsync(CancellationToken cancel)
    {
        if (Wanted(RecordPurpose.MtaSts) is not { } wanted || Wanted(RecordPurpose.MtaStsHost) is not { } place) return;
        var name = domain.Name;
        if (await TextsAsync(wanted.Name, text => text.StartsWith("v=STSv1", StringComparison.Ordinal), cancel) is not { } found) return;
        if (found.Count == 0)
        {
            Differs("sts-missing", $"{name} does not announce its policy of MTA-STS: senders do not look for it", $"{name} не объявляет политику MTA-STS: отправители её не ищут", wanted);
            await LeadsHereAsync(place, cancel);
            return;
        }
        if (StsRecord.Id(found) is not { } id) Differs("sts-broken", $"The MTA-STS record of {name} cannot be read, or there are several", $"Запись MTA-STS домена {name} не читается, или их несколько", wanted);
        else if (id != MtaStsPolicy.Id(settings))
            Differs("sts-id", $"The id of the MTA-STS record of {name} is {id}, but the policy has changed since: senders go on with the old one", $"Номер записи MTA-STS домена {name} — {id}, но политика с тех пор изменилась: отправители живут по старой", wanted);
        if (!await LeadsHereAsync(place, cancel)) return;
        var (text, problem) = await PolicyFetch.GetAsync(name, settings, ask, time, cancel);
        if (text is null) Differs("sts-fetch", $"Senders do not get the policy of MTA-STS: {problem}", $"Отправители не могут получить политику MTA-STS: {problem}");
        else if (!StsPolicy.TryParse(text, out var policy, out problem))
            Differs("sts-policy", $"The policy at https://mta-sts.{name}/.well-known/mta-sts.txt cannot be read: {problem}", $"Политика https://mta-sts.{name}/.well-known/mta-sts.txt не читается: {problem}");
        else await PolicyAsync(policy, cancel);
    }

    async Task PolicyAsync(StsPolicy policy, CancellationToken cancel)
    {
        var name = domain.Name;
        foreach (var mx in (await ask.MxAsync(name, cancel)).Records.Where(mx => policy.Mode != StsMode.None && !policy.Allows(mx.Exchange)))
            Differs("sts-mx", $"The policy of MTA-STS does not allow {mx.Exchange}, which is an MX of {name}: senders that obey it do not deliver there", $"Политика MTA-STS не допускает {mx.Exchange}, а это MX домена {name}: кто её соблюдает, туда не доставит");
        if (StsPolicy.TryParse(MtaStsPolicy.Text(settings), out var own, out _) && !own.Lines.SequenceEqual(policy.Lines))
            Differs("sts-other", $"The policy at https://mta-sts.{name}/ is not the one of this server ({string.Join(", ", policy.Lines.Skip(1))}): another web server answers there", $"Политика https://mta-sts.{name}/ — не этого сервера ({string.Join(", ", policy.Lines.Skip(1))}): там отвечает другой веб-сервер");
        else if (policy.Mode == StsMode.Testing)
            Note("sts-testing", "MTA-STS is in its testing mode and protects nothing yet: when TLS reports have been clean for a week, set publish.mta-sts: enforce", "MTA-STS в пробном режиме и пока ничего не защищает: если отчёты TLS неделю чистые, задайте publish.mta-sts: enforce");
    }

    async Task TlsReportsAsync(CancellationToken cancel)
    {
        var wanted = Wanted(RecordPurpose.TlsReports)!;
        var name = domain.Name;
        if (await TextsAsync(wanted.Name, text => text.StartsWith("v=TLSRPTv1", StringComparison.Ordinal), cancel) is not { } found) return;
        if (found.Count == 0) Differs("tlsrpt-missing", $"{name} names nobody to report failures of TLS to", $"{name} не говорит, кому сообщать о сбоях TLS", wanted);
        else if (found.Count > 1) // RFC 8460 3
            Differs("tlsrpt-several", $"{name} has {found.Count} records for TLS reports, and senders take none of them then: keep one", $"У {name} записей об отчётах TLS: {found.Count}, и отправители не примут ни одну: оставьте одну", wanted);
        else if (!found[0].Split(';').Select(tag => tag.Trim()).Any(tag => tag.StartsWith("rua=", StringComparison.Ordinal) && DmarcUri.ParseList(tag[4..], limits: false).Any(uri => uri.Scheme is "mailto" or "https")))
            Differs("tlsrpt-broken", $"The record for TLS reports of {name} has no address to send them to (rua=mailto: or https:)", $"В записи об отчётах TLS домена {name} нет адреса (rua=mailto: или https:)", wanted);
    }

    /// <summary>The certificate that the doors show for the server's own name.</summary>
    void Certificate()
    {
        var (shown, now) = (certificates.Select(Host), time.GetUtcNow());
        if (shown.Source == CertificateSource.SelfSigned)
        {
            const string english = "The certificate of this server is made by itself: mail programs warn, and senders with MTA-STS deliver nothing; set tls.acme.agree-terms: yes, or tls.certificate";
            const string russian = "Сертификат этого сервера самоподписанный: почтовые программы предупреждают, а отправители с MTA-STS ничего не доставят; задайте tls.acme.agree-terms: yes или tls.certificate";
            if (settings.Evaluation) Note("certificate-own", english, russian);
            else Differs("certificate-own", english, russian);
        }
        else if (!shown.IsFor(Host))
            Differs("certificate-name", $"The certificate of this server has not its name {Host}: get one that has", $"В сертификате этого сервера нет его имени {Host}: получите другой");
        var (ends, days) = (shown.Expires.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), (int)(shown.Expires - now).TotalDays);
        if (now < shown.Begins) Differs("certificate-early", $"The certificate of {Host} is not valid before {shown.Begins:yyyy-MM-dd}; is the clock of this machine right?", $"Сертификат {Host} действует только с {shown.Begins:yyyy-MM-dd}; верны ли часы этой машины?");
        else if (now >= shown.Expires) Differs("certificate-over", $"The certificate of {Host} expired on {ends}: renew it now", $"Сертификат {Host} истёк {ends}: обновите его сейчас");
        else if (shown.Source == CertificateSource.File && shown.Expires - now < Soon)
            Differs("certificate-soon", $"The certificate of {Host} expires on {ends}, in {days} days, and nobody has renewed its file yet", $"Сертификат {Host} истекает {ends}, через {days} дн., а его файл ещё никто не обновил");
        foreach (var late in acme.List().Where(one => one.Urgent && (one.Group == Host || one.Group == domain.Name)))
            Differs("certificate-acme", $"The authority gives no certificate for {late.Group}: {late.Problem}", $"Удостоверяющий центр не выдаёт сертификат для {late.Group}: {late.Problem}");
    }

    async Task TlsaAsync(CancellationToken cancel)
    {
        var wanted = records.Where(record => record.Purpose == RecordPurpose.Tlsa).ToList();
        if (wanted.Count == 0) return;
        var found = await ask.FindAsync("_25._tcp." + Host, DnsType.Tlsa, cancel);
        var there = found.Records.OfType<TlsaRecord>().ToList();
        if (there.Count == 0)
        {
            if (found.Authenticated) Differs("tlsa-missing", $"{Host} has no TLSA record although its zone is signed: DANE could protect mail to it", $"У {Host} нет записи TLSA, хотя его зона подписана: DANE защитил бы почту к нему", wanted[0]);
            return;
        }
        var shown = certificates.Select(Host);
        var usable = Tlsa.Usable(there);
        bool Fits(TlsaRecord record) => Tlsa.Fits(record, shown.Leaf) || (record.Usage == Tlsa.Anchor && shown.Issuers.Any(issuer => Tlsa.Fits(record, issuer)));
        var next = wanted.Skip(1).Select(record => record.Value).ToHashSet(StringComparer.Ordinal);
        if (!usable.Any(Fits))
            Differs("tlsa-none", $"No TLSA record of {Host} fits the key that this server uses: senders with DANE deliver nothing here", $"Ни одна запись TLSA имени {Host} не подходит к ключу этого сервера: отправители с DANE сюда ничего не доставят", wanted[0]);
        foreach (var record in there.Where(record => !usable.Contains(record))) // RFC 7672 3.1.3
            Note("tlsa-useless", $"The TLSA record {Short(record)} of {Host} means nothing for mail: only usages 2 and 3 with a whole digest count", $"Запись TLSA {Short(record)} имени {Host} для почты ничего не значит: считаются только виды 2 и 3 с целым отпечатком");
        foreach (var record in usable.Where(record => !Fits(record) && !next.Contains(Tlsa.Text(record))))
            Note("tlsa-old", $"The TLSA record {Short(record)} of {Host} fits neither the present key nor the next: take it away", $"Запись TLSA {Short(record)} имени {Host} не подходит ни к нынешнему ключу, ни к следующему: уберите её");
        var values = there.Select(Tlsa.Text).ToHashSet(StringComparer.Ordinal);
        foreach (var ahead in wanted.Skip(1).Where(record => !values.Contains(record.Value)))
            Differs("tlsa-next", $"The TLSA record of the next key of {Host} is not published: do so before \"cbamail tls rotate\"", $"Запись TLSA следующего ключа {Host} не опубликована: сделайте это до \"cbamail tls rotate\"", ahead);
        if (!found.Authenticated) Note("tlsa-unsigned", $"The TLSA records of {Host} are not signed (DNSSEC), or the server that was asked does not check: unsigned ones count for nobody", $"Записи TLSA имени {Host} не подписаны (DNSSEC), или опрошенный сервер не проверяет: без подписи они ни для кого не существуют");
    }

    static string Short(TlsaRecord record) => $"{record.Usage} {record.Selector} {record.Matching} {Convert.ToHexStringLower(record.Data.Span[..Math.Min(4, record.Data.Length)])}...";

    /// <summary>The nearest CAA records above the name decide (RFC 8659 3).</summary>
    async Task CaaAsync(CancellationToken cancel)
    {
        if (!acme.IsOn || acme.Issuer is not { } issuer) return;
        var bare = false;
        foreach (var host in acme.List().Where(one => one.Group == Host || one.Group == domain.Name).SelectMany(one => one.Names).Append(Host).Distinct())
            bare |= !await CaaAsync(host, issuer, cancel) && host == Host;
        if (bare) Note("caa-missing", $"No CAA record says who may give certificates for {Host}: every authority may", $"Ни одна запись CAA не говорит, кто может выдавать сертификаты для {Host}: может любой центр", Wanted(RecordPurpose.Caa));
    }

    async Task<bool> CaaAsync(string host, string issuer, CancellationToken cancel)
    {
        for (var name = host; name.Contains('.'); name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            var found = await ask.FindAsync(name, DnsType.Caa, cancel);
            if (found.Records.Count == 0) continue;
            var properties = found.Records.OfType<RawRecord>().Select(record => CaaProperty.Read(record.Data.Span)).ToList();
            if (CaaProperty.Refusal(properties, issuer, acme.Account(), settings.Tls.Acme.Challenge) is { } why)
                Differs("caa", $"The CAA records of {name} do not allow {issuer} to give certificates for {host}: the next renewal will fail ({why.English})", $"Записи CAA имени {name} не позволяют {issuer} выдать сертификат для {host}: следующее обновление не удастся ({why.Russian})", Wanted(RecordPurpose.Caa));
            return true;
        }
        return false;
    }

    async Task SignedAsync(CancellationToken cancel)
    {
        if (signed) return;
        var name = domain.Name;
        if ((await ask.FindAsync(name, DnsType.Dnskey, cancel)).Records.Count == 0)
            Note("unsigned", $"The zone of {name} is not signed (DNSSEC), or the server that was asked does not check signatures: DANE does not protect mail to it", $"Зона {name} не подписана (DNSSEC), или опрошенный сервер не проверяет подписи: DANE не защищает почту к ней");
        else
            Note("unchecked", $"The zone of {name} has DNSSEC keys, but the answer is not marked as checked: either its registrar has no DS record yet, or the server that was asked does not check signatures", $"У зоны {name} есть ключи DNSSEC, но ответ не отмечен как проверенный: либо у регистратора ещё нет записи DS, либо опрошенный сервер не проверяет подписи");
    }
}
