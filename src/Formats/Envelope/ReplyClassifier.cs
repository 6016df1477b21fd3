using System.Globalization;
using System.Text;

namespace CbaMail.Envelope;

/// <summary>
/// From a reply of SMTP, or the text of a bounce, to its cause. The words decide before the codes, for providers use few codes for many
/// things (550 5.1.1 for a sender that they block, 550 5.7.1 for anything); <see cref="ReplyPatterns"/> is the table of words.
/// </summary>
/// <remarks>
/// Rules above the table: a policy code (X.7.X) never makes an address dead, nor does a storage code (552, X.2.2); a temporary reply
/// makes nothing dead, whatever it says.
/// </remarks>
public static class ReplyClassifier
{
    const int MostText = 4096;

    /// <summary>Classifies a reply as one line, codes in front as far as there are some: <c>550 5.1.1 no such user</c>.</summary>
    public static BounceVerdict Classify(string reply)
    {
        var (code, status, text) = Codes(reply);
        return Classify(code, status, text);
    }

    /// <param name="code">Reply code (RFC 5321 4.2), or 0.</param>
    /// <param name="status">Enhanced code (RFC 3463), or empty.</param>
    /// <param name="text">What else was said.</param>
    public static BounceVerdict Classify(int code, string status, string text)
    {
        var enhanced = EnhancedStatus.TryParse(status, out var parsed) ? parsed : (EnhancedStatus?)null;
        var plain = Plain(text);
        var found = ReplyPatterns.Find(plain, enhanced);
        var verdict = found ?? ByCode(code, enhanced);

        // RFC 5321 4.2.1: 4yz is worth another try; of 5yz with X.4.7 so is another message
        var temporary = code is >= 400 and < 500 || (code == 0 && enhanced is { Class: 4 });
        if (verdict.Cause == BounceCause.Dead)
        {
            if (temporary) return verdict with { Cause = BounceCause.Temporary, OfDomain = false };
            // RFC 3463 3.8: a matter of permission, so not of the address; and 3.3: of room
            if (enhanced is { Subject: 7 }) return new BounceVerdict(BounceCause.Policy, verdict.Provider);
            if (enhanced is { Subject: 2, Detail: 2 }) return new BounceVerdict(BounceCause.Full, verdict.Provider);
        }
        if (temporary && verdict.Cause == BounceCause.Unknown) return new BounceVerdict(BounceCause.Temporary, verdict.Provider);
        return verdict;
    }

    // RFC 3463 3.2-3.8, RFC 5248, RFC 7504, RFC 7505
    static BounceVerdict ByCode(int code, EnhancedStatus? status) => status switch
    {
        { Subject: 1, Detail: 1 or 3 or 6 } => new(BounceCause.Dead),
        // RFC 7505 4.2: null MX
        { Subject: 1, Detail: 10 } => new(BounceCause.Dead, OfDomain: true),
        // RFC 3463 3.2: the destination's domain; whether for good is for the time to tell
        { Subject: 1, Detail: 2 } => new(BounceCause.Dead, OfDomain: true),
        { Subject: 1, Detail: 7 or 8 or 9 } => new(BounceCause.Policy),
        { Subject: 2, Detail: 1 } => new(BounceCause.Dead),
        { Subject: 2, Detail: 2 } => new(BounceCause.Full),
        { Subject: 2, Detail: 3 } or { Subject: 3, Detail: 4 } => new(BounceCause.Content),
        { Subject: 4, Detail: 7 } => new(BounceCause.Temporary),
        { Subject: 3, Detail: 1 or 2 or 5 } => new(BounceCause.Temporary),
        { Subject: 5, Detail: 3 } => new(BounceCause.Temporary),
        { Subject: 6 } => new(BounceCause.Content),
        { Subject: 7 } => new(BounceCause.Policy),
        { Class: 4 } => new(BounceCause.Temporary),
        _ => code switch
        {
            552 => new(BounceCause.Full),
            571 => new(BounceCause.Policy),
            521 or 556 => new(BounceCause.Dead, OfDomain: true), // RFC 7504 3: it takes no mail at all
            >= 400 and < 500 => new(BounceCause.Temporary),
            _ => default,
        },
    };

    /// <summary>The codes at the front, or else the first ones within; the rest of the text.</summary>
    public static (int Code, string Status, string Text) Codes(string reply)
    {
        if (reply.Length > MostText) reply = reply[..MostText];
        var at = 0;
        int code = 0;
        string status = "";
        // at the front, or, behind what a server puts before what it was told, the first place that looks like it
        foreach (var start in Starts(reply))
        {
            var rest = reply.AsSpan(start);
            if (code == 0 && rest.Length >= 3 && rest[0] is '4' or '5' && IsDigits(rest, 3) && (rest.Length == 3 || !char.IsAsciiLetterOrDigit(rest[3])) && !(rest.Length > 4 && rest[3] == '.' && char.IsAsciiDigit(rest[4])))
            {
                code = int.Parse(rest[..3], CultureInfo.InvariantCulture);
                if (start == at) at = start + 3;
                continue;
            }
            if (status.Length == 0 && TakeStatus(rest) is { Length: > 0 } taken)
            {
                status = taken;
                if (reply.AsSpan(at, start - at).Trim(" -#(").IsEmpty) at = start + taken.Length;
            }
            if (code != 0 && status.Length > 0) break;
        }
        return (code, status, reply[Math.Min(at, reply.Length)..]);
    }

    static IEnumerable<int> Starts(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (text[i] is '4' or '5' && (i == 0 || !(char.IsLetterOrDigit(text[i - 1]) || text[i - 1] is '.' or '_' or '/' or '=' or '@'))) yield return i;
    }

    static bool IsDigits(ReadOnlySpan<char> text, int count)
    {
        for (var i = 0; i < count; i++)
            if (!char.IsAsciiDigit(text[i])) return false;
        return true;
    }

    static string TakeStatus(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length && length < 11 && (char.IsAsciiDigit(text[length]) || text[length] == '.')) length++;
        while (length > 0 && text[length - 1] == '.') length--;
        // four numbers are an address of IPv4
        return EnhancedStatus.TryParse(text[..length], out var status) && status.Class != 2 ? text[..length].ToString() : "";
    }

    /// <summary>Lower case, one space between words, typographic signs as typed ones: what the patterns are written in.</summary>
    internal static string Plain(string text)
    {
        if (text.Length > MostText) text = text[..MostText];
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            var lower = char.ToLowerInvariant(c) switch { 'ё' => 'е', '’' or '‘' or '`' => '\'', '“' or '”' or '«' or '»' => '"', '–' or '—' => '-', var other => other };
            if (char.IsWhiteSpace(lower) || char.IsControl(lower))
            {
                if (plain.Length > 0 && plain[^1] != ' ') plain.Append(' ');
            }
            else plain.Append(lower);
        }
        return plain.ToString();
    }
}
