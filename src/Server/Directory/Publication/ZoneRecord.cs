using System.Text;

namespace CbaMail.Directory.Publication;

/// <summary>What a record is for.</summary>
public enum RecordPurpose { Address, Mx, Spf, HostSpf, Dkim, Dmarc, MtaSts, MtaStsHost, TlsReports, Tlsa, Service, Autoconfig, Autodiscover, Caa }

/// <summary>A record to publish.</summary>
/// <param name="Name">With the final dot.</param>
/// <param name="Value">As a zone file has it; of TXT the text itself, in one piece and without quotes.</param>
/// <param name="Required">Without it mail suffers; the others are for comfort or for more safety.</param>
public sealed record ZoneRecord(string Name, string Type, string Value, RecordPurpose Purpose, bool Required)
{
    /// <summary>The value as a zone file has it: a TXT in quoted strings of at most 255 octets (RFC 1035 3.3.14).</summary>
    public string Rdata => Type == "TXT" ? Quoted(Value) : Value;

    /// <summary>The whole line.</summary>
    public string Line => $"{Name} IN {Type} {Rdata}";

    static string Quoted(string text)
    {
        const int longest = 255;
        var output = new StringBuilder();
        for (var at = 0; at < text.Length || at == 0; at += longest)
        {
            if (at > 0) output.Append(' ');
            output.Append('"').Append(text.AsSpan(at, Math.Min(longest, text.Length - at)).ToString().Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }
        return output.ToString();
    }
}

/// <summary>What a record is for, in the words of an administrator's language.</summary>
static class Purposes
{
    public static string Explain(RecordPurpose purpose, bool russian) => purpose switch
    {
        RecordPurpose.Address => russian ? "Адрес этого сервера. Обратная запись (PTR) этого адреса у хостера должна давать то же имя."
            : "The address of this server. Its reverse record (PTR), which your hoster sets, must give the same name.",
        RecordPurpose.Mx => russian ? "Кто принимает почту домена." : "Who takes mail for the domain.",
        RecordPurpose.Spf => russian ? "Кто отправляет почту от имени домена: только этот сервер. Если есть и другие отправители, добавьте их перед -all; запись SPF должна быть одна."
            : "Who sends mail in the domain's name: this server alone. If others do, add them before -all; there must be only one SPF record.",
        RecordPurpose.HostSpf => russian ? "То же для имени самого сервера: с ним он здоровается и от него уходят отчёты о недоставке."
            : "The same for the name of the server itself: it greets with it, and bounces go out in it.",
        RecordPurpose.Dkim => russian ? "Ключ, которым подписана почта домена. Сервер подписывает им, только когда увидит запись." : "A key that mail of the domain is signed with. The server signs with it when it sees the record.",
        RecordPurpose.Dmarc => russian ? "Что делать с письмами, которые лишь выдают себя за ваши, и куда слать отчёты о них." : "What to do with mail that only pretends to be yours, and where to report it.",
        RecordPurpose.MtaSts => russian ? "MTA-STS: другие серверы передают нам почту только с проверенным TLS. Номер меняется вместе с политикой."
            : "MTA-STS: other servers hand mail to us over verified TLS only. The id changes with the policy.",
        RecordPurpose.MtaStsHost => russian ? "Отсюда они берут эту политику; отвечает этот сервер." : "Where they get that policy; this server answers.",
        RecordPurpose.TlsReports => russian ? "Куда другие серверы сообщают, если TLS с нами не удался." : "Where other servers report when TLS with us fails.",
        RecordPurpose.Tlsa => russian ? "DANE: отпечаток ключа сервера. Действует, только если зона подписана (DNSSEC); вторая, если она есть, — для следующего ключа."
            : "DANE: the fingerprint of the server's key. It counts only in a signed zone (DNSSEC); a second one is for the next key.",
        RecordPurpose.Service => russian ? "По этим записям почтовые программы находят сервер сами." : "By these mail programs find the server by themselves.",
        RecordPurpose.Autoconfig => russian ? "Настройка Thunderbird и других по одному адресу." : "Setup of Thunderbird and others by the address alone.",
        RecordPurpose.Autodiscover => russian ? "Настройка Outlook по одному адресу." : "Setup of Outlook by the address alone.",
        _ => russian ? "Только этот удостоверяющий центр и только по заказу этого сервера может выдать сертификат на его имя."
            : "Only this authority, asked by this server, may give a certificate for its name.",
    };
}
