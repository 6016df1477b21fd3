using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CbaMail.Config;

/// <summary>Whose mail a filter sees.</summary>
public enum FilteredMail
{
    /// <summary>Mail of strangers, on port 25.</summary>
    Smtp,
    /// <summary>Mail of our own people, on ports 587 and 465.</summary>
    Submission,
    /// <summary>Mail that a program brings by LMTP.</summary>
    Lmtp,
}

/// <summary>What becomes of mail while a filter cannot be asked.</summary>
public enum FilterFailure
{
    /// <summary>As if there were no such filter.</summary>
    Accept,
    /// <summary>The sender is told to try again (451).</summary>
    Tempfail,
    /// <summary>Refused for good (550).</summary>
    Reject,
    /// <summary>Accepted, and put into the junk mailbox.</summary>
    Quarantine,
}

/// <summary>One milter: a filter program that is asked about each message (docs: filters). Order in the list is the order in which they are asked.</summary>
public sealed record MilterSettings : IChecked
{
    /// <summary>For the log. Default: the address.</summary>
    public string Name { get; init; } = "";

    /// <summary>Where it listens: <c>host:port</c>, <c>inet:port@host</c> as Sendmail writes it, <c>unix:/path</c>. Required.</summary>
    public string Address { get; init; } = "";

    /// <summary>Whose mail it sees: smtp (strangers), submission (our own people), lmtp. Default smtp and submission.</summary>
    public IReadOnlyList<FilteredMail> For { get; init; } = [FilteredMail.Smtp, FilteredMail.Submission];

    /// <summary>
    /// What becomes of mail while the milter does not answer: accept, tempfail, reject or quarantine. Default tempfail: nothing passes
    /// unseen and nothing is lost, for the senders try again.
    /// </summary>
    public FilterFailure OnFailure { get; init; } = FilterFailure.Tempfail;

    /// <summary>
    /// Whether it hears of a client as soon as it connects. Default no: it hears of the client with the first MAIL, which spares it those
    /// that never send anything; the verdict about the client then answers MAIL.
    /// </summary>
    public bool FromConnect { get; init; }

    /// <summary>How long a connection to it may take. Default 5 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it may take for each answer before the end of the message. Default 30 seconds.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long it may take over the whole message, from its last word; it may ask for more time by "progress", ten minutes in all. Default 2 minutes:
    /// virus scanners take seconds, and senders wait ten minutes (RFC 5321 4.5.3.2.6).
    /// </summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The newest version of the protocol that is offered, 2 to 6. Default 6; a milter that knows only older ones says so by itself.</summary>
    public int Protocol { get; init; } = MostProtocol;

    /// <summary>The largest piece of a message that is offered: 64K, 256K or 1M. Default 64K, which every milter takes.</summary>
    public long PacketSize { get; init; } = 64 << 10;

    /// <summary>
    /// Whether a connection to it is used for the next client too (version 6). Default no: most mail servers make a new one for each
    /// client, so that is what milters are tested with.
    /// </summary>
    public bool KeepConnections { get; init; }

    /// <summary>
    /// Fields by which the milter says that mail of strangers is junk: it then goes into the junk mailbox. Only fields that the milter itself has put in count,
    /// and their values must begin so. Default <c>X-Spam: Yes</c> (Rspamd) and <c>X-Spam-Flag: YES</c>; an empty list for none.
    /// </summary>
    public IReadOnlyList<string> JunkFields { get; init; } = ["X-Spam: Yes", "X-Spam-Flag: YES"];

    internal const int MostProtocol = 6;

    internal string Title => Name.Length > 0 ? Name : Address;

    string? IChecked.Problem() => Problem();

    /// <summary>What is wrong with it, in a sentence, or null.</summary>
    internal string? Problem() =>
        EndPoint() is null ? $"\"{Address}\" is no address of a milter: write host:port, inet:port@host or unix:/path"
        : Protocol is < 2 or > MostProtocol ? $"the milter {Title} has protocol {Protocol}; write 2 to {MostProtocol}"
        : PacketSize is not (64 << 10 or 256 << 10 or 1 << 20) ? $"the milter {Title} has a packet-size that there is not; write 64K, 256K or 1M"
        : ConnectTimeout <= TimeSpan.Zero || CommandTimeout <= TimeSpan.Zero || MessageTimeout <= TimeSpan.Zero ? $"the milter {Title} has a time of nothing; leave the key out for the default"
        : JunkFields.FirstOrDefault(field => field.IndexOf(':', StringComparison.Ordinal) <= 0) is { } wrong ? $"\"{wrong}\" in junk-fields of the milter {Title} is no field; write as in \"X-Spam: Yes\""
        : null;

    /// <summary>Null where <see cref="Address"/> is none.</summary>
    internal EndPoint? EndPoint()
    {
        var text = Address.Trim();
        if (text.StartsWith('/')) text = "unix:" + text;
        foreach (var scheme in (ReadOnlySpan<string>)["unix:", "local:"])
        {
            if (!text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) continue;
            var path = text[scheme.Length..];
            return path.StartsWith('/') && System.Text.Encoding.UTF8.GetByteCount(path) < 108 ? new UnixDomainSocketEndPoint(path) : null;
        }
        foreach (var scheme in (ReadOnlySpan<string>)["inet6:", "inet:", "tcp:"])
            if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                text = text[scheme.Length..];
                break;
            }
        string host, port;
        if (text.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at) (port, host) = (text[..at], text[(at + 1)..]);
        else if (text.LastIndexOf(':') is > 0 and var colon) (host, port) = (text[..colon], text[(colon + 1)..]);
        else return null;
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > 65535) return null;
        host = host.Trim('[', ']');
        if (IPAddress.TryParse(host, out var address)) return new IPEndPoint(address, number);
        return host.Length > 0 && host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') ? new DnsEndPoint(host, number) : null;
    }
}
