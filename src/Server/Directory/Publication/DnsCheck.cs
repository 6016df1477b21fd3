using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;
using CbaMail.MailAuth.Sts;
using CbaMail.Net.Dns;
using CbaMail.Tls.Acme;

namespace CbaMail.Directory.Publication;

/// <summary>Something that is not as it should be.</summary>
/// <param name="Sentence">What, and what it costs.</param>
/// <param name="Publish">The line of a zone file that mends it; null where none does.</param>
/// <param name="Note">Worth knowing, and nothing is wrong.</param>
public sealed record DnsDifference(string Sentence, string? Publish, bool Note = false);

/// <summary>What came out.</summary>
public sealed record DnsCheckReport(string Domain, bool Ok, int Records, bool Signed, IReadOnlyList<DnsDifference> Differences);

/// <summary>Compares what a domain should publish with what it does, record by record, as those see it who send mail to it and get mail from it.</summary>
/// <param name="ask">Whom; nothing that we remember is taken for an answer.</param>
public sealed class DnsCheck(Settings settings, Domain domain, IReadOnlyList<ZoneRecord> records, DnsAsk ask, AcmeRenewals acme, TimeProvider time)
{
    readonly List<DnsDifference> differences = [];
    readonly HashSet<IPAddress> ours = [];
    bool signed;

    string Host => settings.Hostname;

    public async Task<DnsCheckReport> RunAsync(CancellationToken cancel)
    {
        if (!ask.HasServers)
            Differs("There is no DNS server to ask: name one with --server, or in the settings as dns.servers", null);
        else if ((await ask.FindAsync(domain.Name, DnsType.Soa, cancel)).Status is var status && status == DnsStatus.Failed)
            Differs($"DNS gives no answer about {domain.Name}: its name servers are out of reach or refuse, or its DNSSEC signatures are broken", null);
        else if (status == DnsStatus.NoSuchName)
            Differs($"The domain {domain.Name} does not exist in DNS: register it, or publish its zone", null);
        else
        {
            await HostAsync(cancel);
            await MxAsync(cancel);
            await SpfAsync(cancel);
            await DkimAsync(cancel);
            await DmarcAsync(cancel);
            await MtaStsAsync(cancel);
            await TlsReportsAsync(cancel);
            await TlsaAsync(cancel);
            foreach (var record in records.Where(record => record.Type == "SRV")) await ServiceAsync(record, cancel);
            foreach (var record in records.Where(record => record.Type == "CNAME" && record.Purpose != RecordPurpose.MtaStsHost)) await LeadsHereAsync(record, cancel);
            await CaaAsync(cancel);
            if (!signed) Note($"The zone of {domain.Name} is not signed (DNSSEC), or the server that was asked does not check signatures: DANE does not protect mail to it");
        }
        return new(domain.Name, differences.TrueForAll(one => one.Note), records.Count, signed, differences);
    }

    void Differs(string sentence, ZoneRecord? publish) => differences.Add(new(sentence, publish?.Line));

    void Note(string sentence, ZoneRecord? publish = null) => differences.Add(new(sentence, publish?.Line, Note: true));

    ZoneRecord? Wanted(RecordPurpose purpose) => records.FirstOrDefault(record => record.Purpose == purpose);

    static string Plain(string name) => name.TrimEnd('.');

    async Task<List<IPAddress>> AddressesAsync(string name, CancellationToken cancel) =>
        [.. (await ask.AddressesAsync(name, v6: false, cancel)).Records, .. (await ask.AddressesAsync(name, v6: true, cancel)).Records];

    /// <summary>The server's own name: addresses, and names of the addresses (RFC 8601 3, "iprev": many receivers ask).</summary>
    async Task HostAsync(CancellationToken cancel)
    {
        foreach (var address in await AddressesAsync(Host, cancel)) ours.Add(address);
        if (ours.Count == 0) Differs($"The server's own name {Host} has no address in DNS: nobody can reach it", Wanted(RecordPurpose.Address));
        foreach (var address in ours)
        {
            var reverse = await ask.PtrAsync(address, cancel);
            if (reverse.Status == DnsStatus.Failed) Note($"DNS gives no answer about the reverse record of {address}");
            else if (reverse.Records.Count == 0) Differs($"The address {address} has no reverse record (PTR), and many servers take no mail from such: have your hoster set it to {Host}", null);
            else if (!reverse.Records.Any(name => DnsName.Same(name, Host))) Differs($"The reverse record (PTR) of {address} is {reverse.Records[0]} and not {Host}: have your hoster change it", null);
        }
    }

    async Task MxAsync(CancellationToken cancel)
    {
        var found = await ask.FindAsync(domain.Name, DnsType.Mx, cancel);
        signed = found.Authenticated;
        var wanted = Wanted(RecordPurpose.Mx);
        var exchanges = found.Records.OfType<ExchangeRecord>().OrderBy(mx => mx.Preference).ToList();
        if (Unknown(found, domain.Name, "MX")) return;
        if (exchanges.Count == 0) Differs($"{domain.Name} has no MX record: mail for it goes to its web server, or nowhere", wanted);
        else if (exchanges.Exists(mx => Plain(mx.Exchange).Length == 0)) Differs($"{domain.Name} says that it takes no mail at all (a null MX)", wanted); // RFC 7505 3
        else if (!exchanges.Exists(mx => DnsName.Same(mx.Exchange, Host)))
        {
            var leads = new List<ExchangeRecord>();
            foreach (var mx in exchanges)
                if ((await AddressesAsync(Plain(mx.Exchange), cancel)).Exists(ours.Contains)) leads.Add(mx);
            if (leads.Count == 0) Differs($"Mail for {domain.Name} goes to {Plain(exchanges[0].Exchange)} and not to this server", wanted);
            else Note($"The MX of {domain.Name} is {Plain(leads[0].Exchange)}, another name of this server: its certificate must have that name", wanted);
        }
        else if (!DnsName.Same(exchanges[0].Exchange, Host)) Note($"Mail for {domain.Name} goes first to {Plain(exchanges[0].Exchange)}, and to this server when that one is away");
        if ((await ask.FindAsync(Host, DnsType.Cname, cancel)).Records.Count > 0 && exchanges.Exists(mx => DnsName.Same(mx.Exchange, Host)))
            Differs($"{Host} is an alias (CNAME), and the target of an MX must not be one: give it A and AAAA records", Wanted(RecordPurpose.Address)); // RFC 2181 10.3
    }

    bool Unknown(DnsFinding found, string name, string type)
    {
        if (found.Status != DnsStatus.Failed) return false;
        Differs($"DNS gives no answer about {type} of {name}: ask again later", null);
        return true;
    }

    async Task<List<string>?> TextsAsync(string name, Func<string, bool> mine, CancellationToken cancel)
    {
        var found = await ask.FindAsync(Plain(name), DnsType.Txt, cancel);
        return Unknown(found, Plain(name), "TXT") ? null : [.. found.Records.OfType<TextRecord>().Select(record => record.Text).Where(mine)];
    }

    async Task SpfAsync(CancellationToken cancel)
    {
        foreach (var wanted in records.Where(record => record.Purpose is RecordPurpose.Spf or RecordPurpose.HostSpf))
        {
            var name = Plain(wanted.Name);
            if (await TextsAsync(name, IsSpf, cancel) is not { } found) continue;
            if (found.Count == 0) Differs($"{name} has no SPF record: others may send in its name, and our mail lacks a proof", wanted);
            else if (found.Count > 1) Differs($"{name} has {found.Count} SPF records, and receivers take none of them then: keep one", wanted); // RFC 7208 4.5
            else
                foreach (var address in ours) await SpfAsync(wanted, name, address, cancel);
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
        Differs($"By the SPF record of {name} mail from {address}, this server, is judged {result.Result.ToString().ToLowerInvariant()}{why}", wanted);
    }

    async Task DkimAsync(CancellationToken cancel)
    {
        foreach (var wanted in records.Where(record => record.Purpose == RecordPurpose.Dkim))
        {
            if (await TextsAsync(wanted.Name, _ => true, cancel) is not { } found) continue;
            if (found.Count == 0) Differs($"The DKIM key {Plain(wanted.Name)} is not published", wanted);
            else if (!found.Exists(text => SigningKeys.IsSame(text, wanted.Value))) Differs($"What is published at {Plain(wanted.Name)} is not the DKIM key of this server; was a part of it lost when it was copied?", wanted);
            else if (found.Count > 1) Differs($"There are {found.Count} records at {Plain(wanted.Name)}, where one key must stand: remove the others", wanted); // RFC 6376 3.6.2.2
        }
    }

    async Task DmarcAsync(CancellationToken cancel)
    {
        var wanted = Wanted(RecordPurpose.Dmarc)!;
        if (await TextsAsync(wanted.Name, text => text.StartsWith("v=DMARC", StringComparison.OrdinalIgnoreCase), cancel) is not { } found) return;
        if (found.Count == 0) Differs($"{domain.Name} has no DMARC record: large providers refuse mail of such senders, and forged mail goes unnoticed", wanted);
        else if (found.Count > 1) Differs($"{domain.Name} has {found.Count} DMARC records, and receivers take none of them then: keep one", wanted); // RFC 7489 6.6.3
        else if (!found[0].Split(';').Select(tag => tag.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()).Any(tag => tag is "p=none" or "p=quarantine" or "p=reject"))
            Differs($"The DMARC record of {domain.Name} names no policy (p=none, quarantine or reject): receivers do nothing then", wanted); // RFC 7489 6.6.3
        else if (DmarcRecord.Parse(found[0], out var problem) is null) Differs($"The DMARC record of {domain.Name} cannot be read: {problem}", wanted);
    }

    async Task MtaStsAsync(CancellationToken cancel)
    {
        if (Wanted(RecordPurpose.MtaSts) is not { } wanted || Wanted(RecordPurpose.MtaStsHost) is not { } place) return;
        if (await TextsAsync(wanted.Name, text => text.StartsWith("v=STSv1", StringComparison.Ordinal), cancel) is not { } found) return;
        if (found.Count == 0) { Differs($"{domain.Name} does not announce its policy of MTA-STS: senders do not look for it", wanted); await LeadsHereAsync(place, cancel); return; }
        if (StsRecord.Id(found) is not { } id) Differs($"The MTA-STS record of {domain.Name} cannot be read, or there are several", wanted);
        else if (id != MtaStsPolicy.Id(settings)) Differs($"The id of the MTA-STS record of {domain.Name} is {id}, but the policy has changed since: senders go on with the old one", wanted);
        if (!await LeadsHereAsync(place, cancel)) return;
        var (text, problem) = await PolicyFetch.GetAsync(domain.Name, settings, ask, time, cancel);
        if (text is null) Differs($"Senders do not get the policy of MTA-STS: {problem}", null);
        else if (!StsPolicy.TryParse(text, out var policy, out problem)) Differs($"The policy at https://mta-sts.{domain.Name}/.well-known/mta-sts.txt cannot be read: {problem}", null);
        else
            foreach (var mx in (await ask.MxAsync(domain.Name, cancel)).Records.Where(mx => policy.Mode != StsMode.None && !policy.Allows(mx.Exchange)))
                Differs($"The policy of MTA-STS does not allow {mx.Exchange}, which is an MX of {domain.Name}: senders that obey it do not deliver there", null);
    }

    async Task TlsReportsAsync(CancellationToken cancel)
    {
        var wanted = Wanted(RecordPurpose.TlsReports)!;
        if (await TextsAsync(wanted.Name, text => text.StartsWith("v=TLSRPTv1", StringComparison.Ordinal), cancel) is not { } found) return;
        if (found.Count == 0) Differs($"{domain.Name} names nobody to report failures of TLS to", wanted);
        else if (found.Count > 1) Differs($"{domain.Name} has {found.Count} records for TLS reports, and senders take none of them then: keep one", wanted); // RFC 8460 3
    }

    async Task TlsaAsync(CancellationToken cancel)
    {
        var wanted = records.Where(record => record.Purpose == RecordPurpose.Tlsa).ToList();
        if (wanted.Count == 0) return;
        var found = await ask.FindAsync("_25._tcp." + Host, DnsType.Tlsa, cancel);
        var there = found.Records.OfType<TlsaRecord>().Select(record => string.Create(CultureInfo.InvariantCulture, $"{record.Usage} {record.Selector} {record.Matching} {Convert.ToHexStringLower(record.Data.Span)}")).ToHashSet(StringComparer.Ordinal);
        if (there.Count == 0)
        {
            if (found.Authenticated) Differs($"{Host} has no TLSA record although its zone is signed: DANE could protect mail to it", wanted[0]);
            return;
        }
        if (!there.Contains(wanted[0].Value) && !there.Any(value => !value.StartsWith('3'))) Differs($"No TLSA record of {Host} fits the key that this server uses: senders with DANE deliver nothing here", wanted[0]);
        foreach (var next in wanted.Skip(1).Where(record => !there.Contains(record.Value))) Differs($"The TLSA record of the next key of {Host} is not published: do so before \"cbamail tls rotate\"", next);
    }

    async Task ServiceAsync(ZoneRecord wanted, CancellationToken cancel)
    {
        var found = await ask.FindAsync(Plain(wanted.Name), DnsType.Srv, cancel);
        if (Unknown(found, Plain(wanted.Name), "SRV")) return;
        var fields = wanted.Value.Split(' ');
        var services = found.Records.OfType<RawRecord>().Select(record => Service(record.Data.Span)).ToList();
        if (services.Count == 0) Differs($"There is no record {Plain(wanted.Name)}: mail programs do not find this service by themselves", wanted);
        else if (!services.Contains((int.Parse(fields[2], CultureInfo.InvariantCulture), Plain(fields[3])))) Differs($"{Plain(wanted.Name)} leads to {services[0].Host} port {services[0].Port} and not to this server", wanted);
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
        if (addresses.Exists(ours.Contains)) return true;
        Differs(addresses.Count == 0 ? $"{name} does not exist: {Missing(wanted.Purpose)}" : $"{name} leads to {addresses[0]} and not to this server: {Missing(wanted.Purpose)}", wanted);
        return false;
    }

    static string Missing(RecordPurpose purpose) => purpose switch
    {
        RecordPurpose.MtaStsHost => "senders cannot read the policy of MTA-STS",
        RecordPurpose.Autodiscover => "Outlook cannot set itself up",
        _ => "mail programs cannot set themselves up",
    };

    /// <summary>The nearest CAA records above the name decide (RFC 8659 3).</summary>
    async Task CaaAsync(CancellationToken cancel)
    {
        if (!acme.IsOn || acme.Issuer is not { } issuer) return;
        for (var name = Host; name.Contains('.'); name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            var found = await ask.FindAsync(name, DnsType.Caa, cancel);
            var issuers = found.Records.OfType<RawRecord>().Select(record => Issue(record.Data.Span)).OfType<string>().ToList();
            if (found.Records.Count == 0) continue;
            if (issuers.Count > 0 && !issuers.Contains(issuer, StringComparer.OrdinalIgnoreCase))
                Differs($"The CAA records of {name} do not allow {issuer} to give certificates for {Host}: the next renewal will fail", Wanted(RecordPurpose.Caa));
            return;
        }
        Note($"No CAA record says who may give certificates for {Host}: every authority may", Wanted(RecordPurpose.Caa));
    }

    /// <summary>The authority of an "issue" property (RFC 8659 4.2), without its parameters; null for other properties.</summary>
    static string? Issue(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2 || data.Length < 2 + data[1]) return null;
        var value = Encoding.ASCII.GetString(data[(2 + data[1])..]);
        return Encoding.ASCII.GetString(data.Slice(2, data[1])).Equals("issue", StringComparison.OrdinalIgnoreCase) ? value.Split(';')[0].Trim() : null;
    }
}
