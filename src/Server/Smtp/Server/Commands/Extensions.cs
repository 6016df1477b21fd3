using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Smtp.Server.Commands;

/// <summary>
/// The parameters of MAIL about when a message goes: FUTURERELEASE (RFC 4865) for those who have signed in; DELIVERBY (RFC 2852) and MT-PRIORITY
/// (RFC 6710) for all, where only those who have signed in may be preferred.
/// </summary>
static class Extensions
{
    static readonly Refusal BothHolds = new(501, "5.5.4", "CLIENTBUG", 400, "HOLDFOR and HOLDUNTIL exclude each other");

    public static IEnumerable<string> Announce(SmtpSession session)
    {
        if (session.IsLmtp) yield break;
        // RFC 2852 3: without a number, any time will do
        yield return "DELIVERBY";
        // RFC 6710 3, 9.2: the policy whose levels are -4, 0 and 4; ours has all between and beyond
        yield return "MT-PRIORITY MIXER";
        // RFC 4865 3, 4.2: on submission ports only; seconds, and the last moment
        if (session.IsSubmission && Longest(session) is > 0 and var longest)
        {
            session.LastRelease = session.Parts.Time.GetUtcNow().AddSeconds(longest);
            yield return string.Create(CultureInfo.InvariantCulture, $"FUTURERELEASE {longest} {session.LastRelease:yyyy-MM-dd'T'HH:mm:ss'Z'}");
        }
    }

    // RFC 4865 3: an integer of nine digits at most
    static long Longest(SmtpSession session) => Math.Min((long)session.Limits.FutureRelease.TotalSeconds, 999_999_999);

    public static Reply? Take(SmtpSession session, SmtpTransaction transaction, string key, string? value) => key switch
    {
        "BY" when !session.IsLmtp => By(session, transaction, value),
        "MT-PRIORITY" when !session.IsLmtp => Priority(session, transaction, value),
        "HOLDFOR" or "HOLDUNTIL" when session.IsSubmission && Longest(session) > 0 => Hold(session, transaction, key, value),
        _ => new Reply(555, "5.5.4", $"The parameter {key} is not known here"),
    };

    static Reply? Hold(SmtpSession session, SmtpTransaction transaction, string key, string? value)
    {
        if (transaction.HoldRequest is not null) return Reply.Of(BothHolds);
        var now = session.Parts.Time.GetUtcNow();
        DateTimeOffset release;
        if (key == "HOLDFOR")
        {
            // RFC 4865 3: 1 to 999999999, no zero before it
            if (value is not { Length: > 0 and <= 9 } || value[0] == '0' || !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return Wrong(key);
            if (seconds > Longest(session)) return TooFar(session);
            release = now.AddSeconds(seconds);
        }
        else
        {
            if (!TryTime(value, out release)) return Wrong(key);
            // RFC 4865 4.2: not later than was announced; who never asked for that is held to what it would be
            if (release > (session.LastRelease ?? now.AddSeconds(Longest(session)))) return TooFar(session);
        }
        transaction.ReleaseAt = release; // one that has passed means: now
        transaction.HoldRequest = $"{(key == "HOLDFOR" ? "for" : "until")};{value.ToUpperInvariant()}";
        return null;
    }

    static Reply TooFar(SmtpSession session) => new(501, "5.5.4", string.Create(CultureInfo.InvariantCulture, $"A message is kept for {Longest(session)} seconds at most"));

    /// <summary>RFC 4865 5.2.2: what is to be there before it may leave.</summary>
    public static Reply? Contradiction(SmtpTransaction transaction) =>
        transaction.ReleaseAt > transaction.By?.Deadline ? new Reply(501, "5.5.4", "The message is to leave later than it is to be there: HOLDFOR or HOLDUNTIL contradicts BY") : null;

    /// <summary>RFC 3339 5.6 in UTC, as RFC 4865 3 wants it: another zone is as good as a wrong one.</summary>
    internal static bool TryTime([NotNullWhen(true)] string? text, out DateTimeOffset time)
    {
        time = default;
        return text is { Length: >= 20 and <= 34 } && text[10] is 'T' or 't' && text[^1] is 'Z' or 'z'
            && (text.Length == 20 || (text[19] == '.' && text.Length > 21 && text.AsSpan(20, text.Length - 21).IndexOfAnyExceptInRange('0', '9') < 0))
            // RFC 3339 5.7: a leap second is as good as the one before it
            && DateTimeOffset.TryParseExact($"{text.AsSpan(0, 10)}T{text.AsSpan(11, 6)}{(text.AsSpan(17, 2) is "60" ? "59" : text.AsSpan(17, 2))}", "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
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

    static Reply? Priority(SmtpSession session, SmtpTransaction transaction, string? value)
    {
        // RFC 6710 7: "-" and one digit, or one digit
        if (value is not { Length: 1 or 2 } || !char.IsAsciiDigit(value[^1]) || (value.Length == 2 && (value[0] != '-' || value[1] == '0')))
            return new Reply(501, "5.5.2", "The value of MT-PRIORITY is a number from -9 to 9"); // RFC 6710 4.1
        var asked = int.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        // RFC 6710 4.1: a stranger may step back, but not forward
        transaction.IsLowered = asked > 0 && session.Account is null;
        transaction.Priority = transaction.IsLowered ? 0 : asked;
        SmtpTelemetry.Priority(session.Parts.Log, session.Connection.Id, transaction.Id, transaction.Priority, value);
        return null;
    }

    static Reply Wrong(string key) => new(501, "5.5.4", $"The value of {key} is not valid");
}
