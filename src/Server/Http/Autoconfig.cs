using System.Globalization;
using System.Security;
using System.Xml;
using System.Xml.Linq;
using CbaMail.Config;
using CbaMail.Directory;

namespace CbaMail.Http;

/// <summary>
/// How mail programs set themselves up when somebody types an address: Thunderbird and its kin (autoconfig), Outlook (autodiscover, the
/// plain XML form), Apple (a profile). Only what is offered over TLS is named; whether an address exists is told to nobody.
/// </summary>
static class Autoconfig
{
    const int LongestRequest = 16 * 1024;

    /// <summary>The settings for a domain as Thunderbird reads them.</summary>
    public static string Thunderbird(Settings settings, string domain)
    {
        var host = settings.Hostname;
        var provider = new XElement("emailProvider", new XAttribute("id", domain), new XElement("domain", domain), new XElement("displayName", Names.Show(domain)), new XElement("displayShortName", Names.Show(domain)));
        foreach (var (protocol, socket) in new[] { (Protocol.Imaps, "SSL"), (Protocol.Imap, "STARTTLS") })
            if (Offers(settings, protocol)) provider.Add(Server("incomingServer", "imap", host, PortOf(settings, protocol), socket));
        foreach (var (protocol, socket) in new[] { (Protocol.Pop3s, "SSL"), (Protocol.Pop3, "STARTTLS") }) // behind IMAP: the first that suits is taken
            if (Offers(settings, protocol)) provider.Add(Server("incomingServer", "pop3", host, PortOf(settings, protocol), socket));
        foreach (var (protocol, socket) in new[] { (Protocol.Submissions, "SSL"), (Protocol.Submission, "STARTTLS") })
            if (Offers(settings, protocol)) provider.Add(Server("outgoingServer", "smtp", host, PortOf(settings, protocol), socket));
        return Text(new XElement("clientConfig", new XAttribute("version", "1.1"), provider));
    }

    static XElement Server(string element, string type, string host, int port, string socket) => new(element, new XAttribute("type", type), new XElement("hostname", host),
        new XElement("port", port), new XElement("socketType", socket), new XElement("authentication", "password-cleartext"), new XElement("username", "%EMAILADDRESS%"));

    /// <summary>The same as Outlook reads them.</summary>
    public static string Outlook(Settings settings, string address)
    {
        XNamespace outer = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006", inner = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
        var account = new XElement(inner + "Account", new XElement(inner + "AccountType", "email"), new XElement(inner + "Action", "settings"));
        foreach (var (type, secure, plain) in new[] { ("IMAP", Protocol.Imaps, Protocol.Imap), ("SMTP", Protocol.Submissions, Protocol.Submission) })
        {
            var isImplicit = Offers(settings, secure);
            if (!isImplicit && !Offers(settings, plain)) continue;
            account.Add(new XElement(inner + "Protocol", new XElement(inner + "Type", type), new XElement(inner + "Server", settings.Hostname), new XElement(inner + "Port", PortOf(settings, isImplicit ? secure : plain)),
                new XElement(inner + "LoginName", address), new XElement(inner + "DomainRequired", "off"), new XElement(inner + "SPA", "off"), new XElement(inner + "SSL", isImplicit ? "on" : "off"),
                new XElement(inner + "Encryption", isImplicit ? "SSL" : "TLS"), new XElement(inner + "AuthRequired", "on")));
        }
        return Text(new XElement(outer + "Autodiscover", new XElement(inner + "Response", new XElement(inner + "User", new XElement(inner + "DisplayName", address)), account)));
    }

    /// <summary>The address in a request of Outlook; null where it is none.</summary>
    public static async Task<string?> AddressAsync(HttpContext context)
    {
        if (context.Request.ContentLength > LongestRequest) return null;
        using var body = new MemoryStream();
        var buffer = new byte[4096];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            body.Write(buffer, 0, count);
            if (body.Length > LongestRequest) return null;
        }
        body.Position = 0;
        return Address(body);
    }

    internal static string? Address(Stream body)
    {
        try
        {
            // no entities, no outside documents
            using var reader = XmlReader.Create(body, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = LongestRequest });
            while (reader.Read())
                if (reader is { NodeType: XmlNodeType.Element, LocalName: "EMailAddress" }) return reader.ReadElementContentAsString().Trim();
            return null;
        }
        catch (Exception e) when (e is XmlException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A profile for Apple's systems: opened on the device, it asks for the password and sets mail up.</summary>
    public static string Apple(Settings settings, string address)
    {
        var imap = Offers(settings, Protocol.Imaps) ? Protocol.Imaps : Protocol.Imap;
        var smtp = Offers(settings, Protocol.Submissions) ? Protocol.Submissions : Protocol.Submission;
        // the same profile each time replaces itself instead of standing there twice
        string Id(string what) => new Guid(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(what + " " + address))[..16]).ToString();
        var (who, host) = (SecurityElement.Escape(address), SecurityElement.Escape(settings.Hostname));
        return string.Create(CultureInfo.InvariantCulture, $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
            <plist version="1.0"><dict>
            <key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
            <key>PayloadIdentifier</key><string>{host}.mail</string><key>PayloadUUID</key><string>{Id("profile")}</string>
            <key>PayloadDisplayName</key><string>{who}</string>
            <key>PayloadContent</key><array><dict>
            <key>PayloadType</key><string>com.apple.mail.managed</string><key>PayloadVersion</key><integer>1</integer>
            <key>PayloadIdentifier</key><string>{host}.mail.account</string><key>PayloadUUID</key><string>{Id("account")}</string>
            <key>EmailAccountType</key><string>EmailTypeIMAP</string><key>EmailAddress</key><string>{who}</string>
            <key>IncomingMailServerAuthentication</key><string>EmailAuthPassword</string><key>IncomingMailServerHostName</key><string>{host}</string>
            <key>IncomingMailServerPortNumber</key><integer>{PortOf(settings, imap)}</integer><key>IncomingMailServerUseSSL</key><true/>
            <key>IncomingMailServerUsername</key><string>{who}</string>
            <key>OutgoingMailServerAuthentication</key><string>EmailAuthPassword</string><key>OutgoingMailServerHostName</key><string>{host}</string>
            <key>OutgoingMailServerPortNumber</key><integer>{PortOf(settings, smtp)}</integer><key>OutgoingMailServerUseSSL</key><true/>
            <key>OutgoingMailServerUsername</key><string>{who}</string><key>OutgoingPasswordSameAsIncomingPassword</key><true/>
            </dict></array>
            </dict></plist>

            """);
    }

    static bool Offers(Settings settings, Protocol protocol) => settings.Listeners.Any(listener => listener.Protocol == protocol);

    static int PortOf(Settings settings, Protocol protocol) => settings.Listeners.FirstOrDefault(listener => listener.Protocol == protocol)?.Port ?? WellKnownPorts.PortOf(protocol);

    static string Text(XElement root) => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + root;
}
