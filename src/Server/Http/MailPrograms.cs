using System.Globalization;
using CbaMail.Config;

namespace CbaMail.Http;

/// <summary>What somebody types into a mail program who has a mailbox now: name, servers, ports, and where to go from here.</summary>
static class MailPrograms
{
    static readonly (string Name, bool IsIncoming, Protocol Tls, Protocol StartTls)[] doors =
        [("IMAP", true, Protocol.Imaps, Protocol.Imap), ("POP3", true, Protocol.Pop3s, Protocol.Pop3), ("SMTP", false, Protocol.Submissions, Protocol.Submission)];

    /// <summary>The doors that are open, TLS from the first byte before STARTTLS (RFC 8314 3).</summary>
    static IEnumerable<(string Name, bool IsIncoming, IReadOnlyList<(int Port, string Way)> Ports)> Open(Settings settings)
    {
        foreach (var (name, isIncoming, tls, startTls) in doors)
        {
            var ports = new[] { (Protocol: tls, Way: "TLS"), (Protocol: startTls, Way: "STARTTLS") }
                .SelectMany(one => settings.Listeners.Where(listener => listener.Protocol == one.Protocol).Take(1).Select(listener => (listener.Port, one.Way))).ToList();
            if (ports.Count > 0) yield return (name, isIncoming, ports);
        }
    }

    /// <summary>For a page.</summary>
    public static string Html(Settings settings, string address, bool russian)
    {
        var (host, root) = (Page.Escape(settings.Admission.Host(settings)), settings.Admission.Root(settings));
        var rows = Open(settings).Select(door => string.Create(CultureInfo.InvariantCulture,
            $"<dt>{(door.IsIncoming ? russian ? "Входящая почта" : "Incoming mail" : russian ? "Исходящая почта" : "Outgoing mail")}, {door.Name}</dt><dd>{host}, {string.Join(russian ? " или " : " or ", door.Ports.Select(port => $"{(russian ? "порт" : "port")} {port.Port.ToString(CultureInfo.InvariantCulture)} ({port.Way})"))}</dd>"));
        return $"<dl><dt>{(russian ? "Адрес, он же имя для входа" : "Address, which is the name to sign in with")}</dt><dd>{Page.Escape(address)}</dd>{string.Concat(rows)}</dl>"
            + $"<p>{(russian ? "Что дальше: добавьте этот адрес в почтовую программу. Большинству хватит адреса и пароля, остальные спросят серверы и порты, что стоят выше." : "What to do next: add this address to a mail program. Most need the address and the password alone; others ask for the servers and ports above.")}</p>"
            + $"<p><a href=\"/.well-known/apple-mail.mobileconfig?email={Uri.EscapeDataString(address)}\">{(russian ? "Настроить iPhone, iPad или Mac" : "Set up an iPhone, iPad or Mac")}</a> · <a href=\"{Page.Escape(root)}/password?lang={(russian ? "ru" : "en")}\">{(russian ? "Сменить пароль" : "Change the password")}</a></p>";
    }

    /// <summary>In one line, for paper: the first way of each but POP3, which is for those who look for it.</summary>
    public static string Line(Settings settings)
    {
        var host = settings.Admission.Host(settings);
        return string.Join(", ", Open(settings).Where(door => door.Name != "POP3").Select(door => string.Create(CultureInfo.InvariantCulture, $"{door.Name} {host}:{door.Ports[0].Port} ({door.Ports[0].Way})")));
    }
}
