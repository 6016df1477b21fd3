using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>
/// The parameters of MAIL about when a message goes: FUTURERELEASE (RFC 4865) and MT-PRIORITY (RFC 6710) for those who have signed in,
/// DELIVERBY (RFC 2852) for all.
/// </summary>
static class Extensions
{
    static readonly Refusal BothHolds = new(501, "5.5.4", "CLIENTBUG", 400, "HOLDFOR and HOLDUNTIL exclude each other");

    public static IEnumerable<string> Announce(SmtpSession session)
    {
        if (session.IsLmtp) yield break;
        // RFC 2852 3: without a number, any time will do
        yield return "DELIVERBY";
        if (!session.IsSubmission) yield break;
        // RFC 4865 3: for submission only; seconds, and the last moment
        if (Longest(session) is { Ticks: > 0 } longest)
            yield return string.Create(CultureInfo.InvariantCulture, $"FUTURERELEASE {(long)longest.TotalSeconds} {session.Parts.Time.GetUtcNow() + longest:yyyy-MM-dd'T00:00:00Z'}");
        yield return "MT-PRIORITY MIXER"; // RFC 6710 3, 9.2: -4, 0 and 4 and what is between
    }

    static TimeSpan Longest(SmtpSession session) => session.Limits.FutureRelease;

    public static Reply? Take(SmtpSession session, SmtpTransaction transaction, string key, string? value) => key switch
    {
        "BY" when !session.IsLmtp => By(session, transaction, value),
        "MT-PRIORITY" when session.IsSubmission => Priority(transaction, value),
        "HOLDFOR" or "HOLDUNTIL" when session.IsSubmission && Longest(session) > TimeSpan.Zero => Hold(session, transaction, key, value),
        _ => new Reply(555, "5.5.4", $"The parameter {key} is not known here"),
    };

    static Reply? Hold(SmtpSession session, SmtpTransaction transaction, string key, string? value)
    {
        if (transaction.ReleaseAt is not null) return Reply.Of(BothHolds);
        var now = session.Parts.Time.GetUtcNow();
        DateTimeOffset release;
        if (key == "HOLDFOR")
        {
            if (value is not { Length: > 0 and <= 9 } || !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds == 0) return Wrong(key);
            release = now.AddSeconds(seconds);
        }
        else if (!TryTime(value, out release)) return Wrong(key);
        // RFC 4865 5: what is too far off is refused, so that nobody believes that it will be sent
        if (release > now + Longest(session) + TimeSpan.FromSeconds(1))
            return new Reply(501, "5.5.4", $"A message is kept for {Longest(session).TotalDays:0} days at most");
        transaction.ReleaseAt = release; // one that has passed means: now
        return null;
    }

    /// <summary>RFC 3339 5.6, with its zone.</summary>
    internal static bool TryTime(string? text, out DateTimeOffset time)
    {
        time = default;
        return text is { Length: >= 20 and <= 40 } && text[10] is 'T' or 't' && (text[^1] is 'Z' or 'z' || text[^6] is '+' or '-')
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out time);
    }

    static Reply? By(SmtpSession session, SmtpTransaction transaction, string? value)
    {
        // RFC 2852 4: seconds, at most nine digits with a sign; ";R" or ";N", and "T" for a trace
        if (value is null || value.IndexOf(';') is not (> 0 and var at)) return Wrong("BY");
        var time = value.AsSpan(0, at);
        var mode = value[(at + 1)..].ToUpperInvariant();
        if (mode is not ("R" or "N" or "RT" or "NT")) return Wrong("BY");
        var digits = time[0] is '+' or '-' ? time[1..] : time;
        if (digits.Length is 0 or > 9 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return Wrong("BY");
        if (time[0] == '-') seconds = -seconds;
        // RFC 2852 4: to be returned, it must have some time
        if (mode[0] == 'R' && seconds <= 0) return Wrong("BY");
        transaction.By = new DeliverBy(session.Parts.Time.GetUtcNow().AddSeconds(seconds), mode[0] == 'R', mode.EndsWith('T'));
        return null;
    }

    static Reply? Priority(SmtpTransaction transaction, string? value)
    {
        // RFC 6710 6: "-" and one digit, or one digit
        if (value is not { Length: 1 or 2 } || !char.IsAsciiDigit(value[^1]) || (value.Length == 2 && (value[0] != '-' || value[1] == '0'))) return Wrong("MT-PRIORITY");
        transaction.Priority = int.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return null;
    }

    static Reply Wrong(string key) => new(501, "5.5.4", $"The value of {key} is not valid");
}
