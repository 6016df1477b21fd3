using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Net;

namespace CbaMail.Smtp.Server;

/// <summary>The Received field that we put on top (RFC 5321 4.4).</summary>
static class ReceivedField
{
    public static byte[] Make(SmtpSession session, SmtpTransaction transaction)
    {
        var connection = session.Connection;
        var text = new StringBuilder(400);
        // RFC 5321 4.4 wants a from clause; whose machine it is concerns nobody but us
        if (session.Account is not null && session.Limits.HideClient) text.Append("Received: from [127.0.0.1] (signed in, address withheld)\r\n");
        else
        {
            text.Append("Received: from ").Append(Domain(transaction.Arrival.Hello)).Append(" (");
            if (transaction.Arrival.Visit.RemoteName is { } name) text.Append(name).Append(' '); // RFC 5321 4.4: TCP-info, the name that DNS agrees upon
            text.Append(Literal(connection)).Append(")\r\n");
        }
        text.Append("\tby ").Append(session.Parts.Settings.Hostname).Append(" (CBA Mail) with ").Append(With(session, transaction.SmtpUtf8));
        if (connection.Tls is { } tls) text.Append(" (").Append(tls.Protocol).Append(' ').Append(tls.Cipher).Append(')');
        text.Append("\r\n\tid ").Append(transaction.Id);
        // RFC 5321 7.2: several recipients are not shown to one another
        if (transaction.Arrival.Recipients is [var only])
        {
            var address = only.Address.ToString();
            if (address.Length < 200) text.Append("\r\n\tfor <").Append(address).Append('>');
        }
        // RFC 6710 4.1
        if (transaction.Priority != 0) text.Append(CultureInfo.InvariantCulture, $"\r\n\tPRIORITY {transaction.Priority}");
        text.Append(";\r\n\t").Append(session.Parts.Time.GetUtcNow().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)).Append("\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // the registry of "with" words: RFC 3848 2, RFC 6531 4.3
    internal static string With(SmtpSession session, bool utf8)
    {
        var lmtp = session.Connection.Listener.Protocol == Protocol.Lmtp;
        if (!session.IsExtended && !lmtp) return "SMTP";
        var word = lmtp ? "LMTP" : utf8 ? "SMTP" : "ESMTP";
        if (utf8) word = "UTF8" + word;
        if (session.Connection.IsSecure) word += "S";
        if (session.Account is not null) word += "A";
        return word;
    }

    static string Literal(Connection connection) =>
        connection.Remote.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            ? $"[IPv6:{connection.Remote.Address}]" : $"[{connection.Remote.Address}]";

    // what the client called itself must not break the field
    static string Domain(string hello)
    {
        var clean = new string([.. hello.Take(200).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '[' or ']' ? c : '?')]);
        return clean.Length == 0 ? "unknown" : clean;
    }
}
