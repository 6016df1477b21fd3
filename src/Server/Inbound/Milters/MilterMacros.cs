using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Milter;

namespace CbaMail.Inbound.Milters;

/// <summary>
/// The macros that milters know from Sendmail and Postfix, and their values here. A stage has the usual ones unless the milter asks for others;
/// what has no value is not sent.
/// </summary>
sealed class MilterMacros(Settings settings)
{
    static readonly Dictionary<MilterStage, string[]> Usual = new()
    {
        [MilterStage.Connect] = ["j", "_", "v", "{daemon_name}", "{daemon_addr}", "{daemon_port}", "{client_addr}", "{client_port}", "{client_name}", "{client_ptr}", "{client_resolve}"],
        [MilterStage.Hello] = ["{tls_version}", "{cipher}", "{cipher_bits}"],
        [MilterStage.Mail] = ["i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{mail_host}", "{mail_mailer}"],
        [MilterStage.Recipient] = ["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"],
        [MilterStage.Data] = ["i"],
        [MilterStage.EndOfHeader] = ["i"],
        [MilterStage.EndOfBody] = ["i", "{auth_type}", "{auth_authen}"],
    };

    /// <param name="refused">Why the recipient of the command was refused, or null.</param>
    public List<(string Name, string Value)> Of(MilterStage stage, MilterTerms terms, Arrival arrival, ArrivalRecipient? recipient = null, Refusal? refused = null)
    {
        var names = terms.Macros.TryGetValue(stage, out var asked) ? asked : Usual[stage];
        var values = new List<(string, string)>(names.Count);
        foreach (var name in names)
            if (Value(name.Trim('{', '}'), arrival, recipient, refused) is { } value) values.Add((name, value));
        return values;
    }

    string? Value(string name, Arrival arrival, ArrivalRecipient? recipient, Refusal? refused) => name switch
    {
        "j" or "if_name" => settings.Hostname,
        "v" => "CBA Mail",
        "_" => arrival.Visit.RemoteName is { } known ? $"{known} [{Ip(arrival.Remote)}]" : $"[{Ip(arrival.Remote)}]",
        "i" => arrival.Id.Length > 0 ? arrival.Id : null,
        "s" => arrival.Hello.Length > 0 ? arrival.Hello : null,
        "f" or "mail_addr" => arrival.Sender?.ToString() ?? "",
        "r" => arrival.Protocol == Protocol.Lmtp ? "LMTP" : "ESMTP",
        "daemon_name" => arrival.Protocol.ToString().ToLowerInvariant(),
        "daemon_addr" or "if_addr" => arrival.Visit.Local is { } local ? Ip(local.Address) : null,
        "daemon_port" => arrival.Visit.Local?.Port.ToString(CultureInfo.InvariantCulture),
        "client_addr" => Tagged(arrival.Remote),
        "client_port" => arrival.Visit.Remote?.Port.ToString(CultureInfo.InvariantCulture),
        "client_name" => arrival.Visit.RemoteName ?? "unknown",
        "client_ptr" => arrival.Visit.RemoteName ?? "unknown",
        "client_resolve" => arrival.Visit.RemoteName is null ? "FAIL" : "OK",
        "tls_version" => arrival.Visit.Tls?.Protocol,
        "cipher" => arrival.Visit.Tls?.Cipher,
        "cipher_bits" => arrival.Visit.Tls is { } tls ? tls.Cipher.Contains("128", StringComparison.Ordinal) ? "128" : "256" : null,
        "auth_type" => arrival.SignedIn is null ? null : arrival.Visit.Mechanism ?? "PLAIN",
        "auth_authen" => arrival.SignedIn?.Address.ToString(),
        "auth_author" => arrival.SignedIn is null ? null : arrival.Sender?.ToString() ?? "",
        "mail_host" => arrival.Sender?.Domain ?? "",
        "mail_mailer" => arrival.SignedIn is null ? "smtp" : "local",
        // as Sendmail and Postfix show a recipient that was refused
        "rcpt_mailer" => recipient is null ? null : refused is not null ? "error" : recipient.Targets.Any(target => target.Account is not null) ? "local" : "smtp",
        "rcpt_host" => recipient is null ? null : refused is not null ? refused.Status : recipient.Address.Domain,
        "rcpt_addr" => recipient is null ? null : refused is not null ? refused.Sentence : recipient.Address.ToString(),
        _ => null,
    };

    static string Ip(IPAddress address) => MilterWriter.Address(address).Text;

    // Sendmail's way: IPv6 addresses are marked in this macro, though not in the command
    static string Tagged(IPAddress address) =>
        address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } ? "IPv6:" + Ip(address) : Ip(address);
}
