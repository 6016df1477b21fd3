using CbaMail.Queue;
using CbaMail.Smtp.Client;

namespace CbaMail.Delivery.Remote;

/// <summary>
/// What a server's temporary refusal says of our pace: by the words of the large operators, as they publish them, and by the code where
/// the words are nobody's. A refusal of one mailbox, of a greylist or of a full disk says nothing.
/// </summary>
internal static class PaceSignals
{
    // in lower case; the first that stands in the reply counts
    static readonly (string Words, PaceSignal? Signal)[] Table =
    [
        // greylisting asks for a second attempt, not for fewer
        ("greylist", null), ("graylist", null), ("grey-list", null), ("gray-list", null),
        // one mailbox is over its limit: Gmail 4.2.1, and mailbox full anywhere
        ("the user you are trying to contact is receiving mail", null), ("mailbox full", null), ("over quota", null), ("quota exceeded", null),
        // many messages over one connection: Exim, Postfix with anvil, Mail.ru
        ("too many messages in this connection", PaceSignal.Session), ("too many messages in one session", PaceSignal.Session),
        ("too many messages on this connection", PaceSignal.Session), ("too many mails in one session", PaceSignal.Session),
        ("too many messages this session", PaceSignal.Session), ("session limit exceeded", PaceSignal.Session), ("max message per connection", PaceSignal.Session),
        // connections: Postfix anvil 4.7.0, Exim, Outlook, Orange OFR004, Free, GMX/Web.de
        ("too many concurrent", PaceSignal.Connections), ("too many connections", PaceSignal.Connections), ("too much connections", PaceSignal.Connections),
        ("concurrent connections", PaceSignal.Connections), ("connection limit", PaceSignal.Connections), ("maximum number of connections", PaceSignal.Connections),
        ("trop de connexions", PaceSignal.Connections), ("too many sessions", PaceSignal.Connections),
        // rates: Gmail 4.7.28 (by address, domain, DKIM identity), 4.7.0 "unsolicited mail ... rate limited"
        ("4.7.28", PaceSignal.Rate), ("rate limit", PaceSignal.Rate), ("rate-limit", PaceSignal.Rate), ("ratelimit", PaceSignal.Rate), ("unusual rate", PaceSignal.Rate),
        // Outlook and Exchange Online: S77719, S775, RP-001..3, 4.7.500-699, 4.3.2 storage throttling
        ("s77719", PaceSignal.Rate), ("s775", PaceSignal.Rate), ("throttl", PaceSignal.Rate), ("rp-00", PaceSignal.Rate), ("server busy", PaceSignal.Rate), ("access denied, traffic not accepted", PaceSignal.Rate),
        // Yahoo and AOL: TSS04, TSS05, TSS09, [TS01] "temporarily deferred due to user complaints / unexpected volume"
        ("tss0", PaceSignal.Rate), ("[ts0", PaceSignal.Rate), ("unexpected volume", PaceSignal.Rate), ("temporarily deferred", PaceSignal.Rate),
        // Mail.ru: "Too many messages", "Ratelimit exceeded"; Yandex: 4.7.1 "Sorry, the service is currently unavailable", "policy rejection"
        ("too many messages", PaceSignal.Rate), ("too many mails", PaceSignal.Rate), ("policy rejection", PaceSignal.Rate), ("the service is currently unavailable", PaceSignal.Rate),
        // others: T-Online, GMX "mail rate", iCloud, Comcast RL000001, Orange OFR, Rambler, Postfix "4.7.1 Error: too much mail"
        ("too much mail", PaceSignal.Rate), ("rl0000", PaceSignal.Rate), ("ofr", PaceSignal.Rate), ("too fast", PaceSignal.Rate), ("slow down", PaceSignal.Rate), ("sending rate", PaceSignal.Rate),
        ("messages per hour", PaceSignal.Rate), ("limit exceeded", PaceSignal.Rate), ("too many recipients", PaceSignal.Rate), ("too many emails", PaceSignal.Rate), ("temporarily rate", PaceSignal.Rate),
    ];

    /// <summary>Null where it says nothing of our pace.</summary>
    /// <param name="connected">The refusal came to a command, not to the connection.</param>
    public static PaceSignal? Of(ClientReply reply, bool connected)
    {
        if (reply.IsPositive) return PaceSignal.Taken;
        var said = reply.Said ?? (reply.IsLocal ? null : reply);
        // a 5xx to the connection is as temporary as a 4xx: the next one may be welcome
        if (said is null || (connected && !said.IsTemporary)) return null;
        var text = $"{said.Status} {said.Text}".ToLowerInvariant();
        foreach (var (words, signal) in Table)
            if (text.Contains(words, StringComparison.Ordinal)) return said is { Code: 452, Status: "4.5.3" } ? null : signal;
        if (!connected) return PaceSignal.Connections;
        // RFC 5321 4.2.3: 421 "service not available"; RFC 3463 3.8: X.7.* is about policy
        return said switch
        {
            { Code: 421 } => PaceSignal.Busy,
            { Code: 450 or 451 } when said.Status.StartsWith("4.7.", StringComparison.Ordinal) => PaceSignal.Busy,
            { Code: 451, Status: "4.3.2" or "4.4.5" } => PaceSignal.Busy,
            { Code: 452, Status: "4.3.2" } => PaceSignal.Busy,
            _ => null,
        };
    }
}
