using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Directory.Publication;

/// <summary>Everything that a domain should publish for this server, as rows and as a zone file with explanations.</summary>
public sealed class DomainZone(Settings settings, SigningKeys dkim, Certificates certificates, AcmeRenewals acme)
{
    string Host => settings.Hostname;

    public async Task<IReadOnlyList<ZoneRecord>> RecordsAsync(Domain domain, CancellationToken cancel)
    {
        await dkim.EnsureAsync(domain, cancel);
        var name = domain.Name + ".";
        string Reports(IReadOnlyList<string> names) =>
            $"mailto:{(settings.Publish.Reports.Length > 0 ? settings.Publish.Reports : settings.Reports.Receive && names.Count > 0 ? names[0] : "postmaster")}@{domain.Name}";
        List<ZoneRecord> records = [];
        if (IsBelow(Host, domain.Name)) records.AddRange(PublicAddresses().Select(address => new ZoneRecord(Host + ".", address.AddressFamily == AddressFamily.InterNetworkV6 ? "AAAA" : "A", address.ToString(), RecordPurpose.Address, true)));
        records.Add(new(name, "MX", $"10 {Host}.", RecordPurpose.Mx, true)); // RFC 5321 5.1
        records.Add(new(name, "TXT", "v=spf1 mx -all", RecordPurpose.Spf, true)); // RFC 7208 4.5
        if (Host != domain.Name && IsBelow(Host, domain.Name)) records.Add(new(Host + ".", "TXT", "v=spf1 a -all", RecordPurpose.HostSpf, false)); // RFC 7208 2.3
        records.AddRange(dkim.List(domain).Where(key => key.Problem is null).Select(key => new ZoneRecord($"{key.Selector}._domainkey.{name}", "TXT", key.Record, RecordPurpose.Dkim, true))); // RFC 6376 3.6.2.1
        records.Add(new("_dmarc." + name, "TXT", $"v=DMARC1; p={settings.Publish.Dmarc.ToString().ToLowerInvariant()}; rua={Reports(settings.Reports.DmarcNames)}", RecordPurpose.Dmarc, true)); // RFC 7489 6.3
        if (settings.Publish.MtaSts != MtaStsMode.None && Offers(Protocol.Https))
        {
            records.Add(new("_mta-sts." + name, "TXT", $"v=STSv1; id={MtaStsPolicy.Id(settings)}", RecordPurpose.MtaSts, false)); // RFC 8461 3.1
            records.Add(new("mta-sts." + name, "CNAME", Host + ".", RecordPurpose.MtaStsHost, false)); // RFC 8461 3.3
        }
        records.Add(new("_smtp._tls." + name, "TXT", $"v=TLSRPTv1; rua={Reports(settings.Reports.TlsNames)}", RecordPurpose.TlsReports, false)); // RFC 8460 3
        if (IsBelow(Host, domain.Name)) records.AddRange(Tlsa());
        records.AddRange(Services(name));
        if (Offers(Protocol.Https))
        {
            if (Host != "autoconfig." + domain.Name) records.Add(new("autoconfig." + name, "CNAME", Host + ".", RecordPurpose.Autoconfig, false));
            if (Host != "autodiscover." + domain.Name) records.Add(new("autodiscover." + name, "CNAME", Host + ".", RecordPurpose.Autodiscover, false));
            records.Add(new("_autodiscover._tcp." + name, "SRV", $"0 1 {PortOf(Protocol.Https)} {Host}.", RecordPurpose.Autodiscover, false));
        }
        if (IsBelow(Host, domain.Name) && acme.Issuer is { } issuer) // at the host alone: the domain's web site may have another authority
            records.Add(new(Host + ".", "CAA", $"0 issue \"{issuer}{(acme.Account() is { } account ? "; accounturi=" + account : "")}\"", RecordPurpose.Caa, false)); // RFC 8657 3
        return records;
    }

    static bool IsBelow(string host, string domain) => host == domain || host.EndsWith("." + domain, StringComparison.Ordinal);

    bool Offers(Protocol protocol) => settings.Listeners.Any(listener => listener.Protocol == protocol);

    // as the world sees them: an offset is for trying out beside another server
    static int PortOf(Protocol protocol) => WellKnownPorts.PortOf(protocol);

    /// <summary>RFC 6186 3.1, 3.2; RFC 8314 5.1: implicit TLS is what clients shall find first.</summary>
    IEnumerable<ZoneRecord> Services(string name)
    {
        (string Service, Protocol Protocol, int Priority)[] all = [("_submissions", Protocol.Submissions, 0), ("_submission", Protocol.Submission, 10), ("_imaps", Protocol.Imaps, 0), ("_imap", Protocol.Imap, 10)];
        return all.Where(one => Offers(one.Protocol)).Select(one => new ZoneRecord($"{one.Service}._tcp.{name}", "SRV",
            string.Create(CultureInfo.InvariantCulture, $"{one.Priority} 1 {PortOf(one.Protocol)} {Host}."), RecordPurpose.Service, false));
    }

    /// <summary>DANE-EE, the key, SHA-256 (RFC 7671 5.1): of the key in use and of the one that comes after it.</summary>
    public IReadOnlyList<ZoneRecord> Tlsa()
    {
        if (acme.IsOn && certificates.Select(Host).Source == CertificateSource.SelfSigned) return []; // the authority's will be for another key
        var shown = SHA256.HashData(certificates.Select(Host).Leaf.PublicKey.ExportSubjectPublicKeyInfo());
        List<byte[]> keys = [shown];
        if (acme.Keys(Host) is { } ahead && certificates.Select(Host).Source == CertificateSource.Acme) keys.Add(ahead.Next);
        return [.. keys.Select(key => new ZoneRecord($"_25._tcp.{Host}.", "TLSA", "3 1 1 " + Convert.ToHexStringLower(key), RecordPurpose.Tlsa, false))];
    }

    static IEnumerable<IPAddress> PublicAddresses() => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address).Where(IsPublic).Distinct();

    internal static bool IsPublic(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6) return (address.GetAddressBytes()[0] & 0xe0) == 0x20; // 2000::/3
        var bytes = address.GetAddressBytes();
        return !IPAddress.IsLoopback(address) && bytes[0] is not (0 or 10 or >= 224) && !(bytes[0] == 172 && bytes[1] is >= 16 and < 32)
            && !(bytes[0] == 192 && bytes[1] == 168) && !(bytes[0] == 169 && bytes[1] == 254) && !(bytes[0] == 100 && bytes[1] is >= 64 and < 128); // RFC 6890 2.2.2
    }

    /// <summary>A zone file, each kind of record below a line that says what it is for.</summary>
    public string ZoneFile(Domain domain, IReadOnlyList<ZoneRecord> records, bool russian)
    {
        var text = new StringBuilder();
        text.Append(russian ? $"; Записи DNS для {domain.Name} на почтовом сервере {Host}.\n" : $"; DNS records for {domain.Name} at the mail server {Host}.\n");
        text.Append(russian ? $"; Проверить опубликованное: cbamail check dns {domain.Name}\n" : $"; To compare with what is published: cbamail check dns {domain.Name}\n");
        if (!IsBelow(Host, domain.Name)) text.Append(russian ? $"; Записи самого сервера ({Host}) публикуются в его зоне.\n" : $"; The records of the server itself ({Host}) belong into its own zone.\n");
        else if (!records.Any(record => record.Purpose == RecordPurpose.Address))
            text.Append(russian ? $"; Здесь нет публичного адреса этого сервера: добавьте запись A (и AAAA) для {Host}.\n" : $"; The public address of this server is not known here: add an A (and AAAA) record for {Host}.\n");
        RecordPurpose? last = null;
        foreach (var record in records)
        {
            if (record.Purpose != last) text.Append("\n; ").Append(Purposes.Explain(record.Purpose, russian)).Append('\n');
            last = record.Purpose;
            text.Append(record.Line).Append('\n');
        }
        if (domain.Name.Count(c => c == '.') > 1)
            text.Append(russian ? $"\n; Если {domain.Name} — не своя зона, а часть зоны выше, впишите эти записи в неё; если зона своя, выше нужны её записи NS.\n"
                : $"\n; Where {domain.Name} is no zone of its own, these records go into the zone above; where it is one, the zone above needs its NS records.\n");
        return text.ToString();
    }
}
