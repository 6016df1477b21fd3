using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Queue;

/// <summary>
/// Which queued mail is meant: every field that is given must fit. Addresses and texts: "*" stands for anything, "@example.org" is a domain,
/// a text without "@" and "*" may stand anywhere within.
/// </summary>
public sealed record QueueFilter
{
    public long? Id { get; init; }
    public string? From { get; init; }
    public string? To { get; init; }
    /// <summary>The recipient's domain.</summary>
    public string? Domain { get; init; }
    public string? Subject { get; init; }
    public string? MessageId { get; init; }
    /// <summary>waiting, scheduled, deferred, active or held.</summary>
    public string? State { get; init; }
    /// <summary>Queued before.</summary>
    public DateTimeOffset? Before { get; init; }
    /// <summary>Queued at or after.</summary>
    public DateTimeOffset? Since { get; init; }
    public long? Least { get; init; }
    public long? Most { get; init; }
    public long? Mailing { get; init; }
    /// <summary>In the last reply.</summary>
    public string? Reply { get; init; }
    public MailClass? Class { get; init; }
    public long? Rule { get; init; }

    public static readonly IReadOnlyList<string> States = ["waiting", "scheduled", "deferred", "active", "held"];

    /// <summary>The fields as verbs and the API name them.</summary>
    public static readonly IReadOnlyList<string> Fields =
        ["id", "from", "to", "domain", "subject", "message-id", "state", "older", "newer", "size", "mailing", "reply", "class", "rule"];

    public bool IsEmpty => this == new QueueFilter();

    /// <summary>Reads the fields that are given; times are ages ("2h", "3d") or points in time, sizes "10M", "&gt;10M" or "&lt;1M".</summary>
    public static Result<QueueFilter> Parse(Func<string, string?> value, DateTimeOffset now)
    {
        var filter = new QueueFilter();
        foreach (var field in Fields)
        {
            if (value(field) is not { } text) continue;
            if (text.Length is 0 or > 500) return Refusal.Invalid.Because($"The value of {field} is empty or too long");
            var next = Take(filter, field, text, now);
            if (!next.Ok) return next.Refusal;
            filter = next.Value;
        }
        return filter;
    }

    static Result<QueueFilter> Take(QueueFilter filter, string field, string text, DateTimeOffset now) => field switch
    {
        "from" => filter with { From = text },
        "to" => filter with { To = text },
        "domain" => filter with { Domain = Directory.Names.TryDomain(text, out var key) ? key : text.ToLowerInvariant() },
        "subject" => filter with { Subject = text },
        "message-id" => filter with { MessageId = text.Trim('<', '>', ' ') },
        "reply" => filter with { Reply = text },
        "state" => States.Contains(text) ? filter with { State = text } : Wrong(field, text, "one of " + string.Join(", ", States)),
        "class" => Enum.TryParse<MailClass>(text, ignoreCase: true, out var one) && !char.IsDigit(text[0]) ? filter with { Class = one } : Wrong(field, text, "interactive, transactional or bulk"),
        "older" => TryTime(text, now, out var time) ? filter with { Before = time } : Wrong(field, text, "an age such as 2h or 3d, or a time such as 2026-03-02T09:00Z"),
        "newer" => TryTime(text, now, out var time) ? filter with { Since = time } : Wrong(field, text, "an age such as 2h or 3d, or a time such as 2026-03-02T09:00Z"),
        "size" => Size(filter, text),
        _ when !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => Wrong(field, text, "a number"),
        "id" => filter with { Id = long.Parse(text, CultureInfo.InvariantCulture) },
        "mailing" => filter with { Mailing = long.Parse(text, CultureInfo.InvariantCulture) },
        _ => filter with { Rule = long.Parse(text, CultureInfo.InvariantCulture) },
    };

    static Result<QueueFilter> Size(QueueFilter filter, string text)
    {
        var most = text[0] == '<';
        if (!Sizes.TryParse(text.AsSpan().TrimStart("<>"), out var bytes)) return Wrong("size", text, "a size such as 10M or <1M");
        return most ? filter with { Most = bytes - 1 } : filter with { Least = bytes };
    }

    static Refusal Wrong(string field, string text, string expected) => Refusal.Invalid.Because($"\"{text}\" is not right for {field}: expected {expected}");

    /// <summary>An age or a point in time; of a day in this machine's zone the beginning.</summary>
    /// <param name="isEnd">Something ends then: of a day it is the end.</param>
    public static bool TryTime(string text, DateTimeOffset now, out DateTimeOffset time, bool isEnd = false)
    {
        if (Days.TryParse(text, TimeZoneInfo.Local, out var begin, out var end))
        {
            time = isEnd ? end : begin;
            return true;
        }
        if (Times.TryParse(text, out var age) && age >= TimeSpan.Zero && age < TimeSpan.FromDays(36500))
        {
            time = now - age;
            return true;
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }

    /// <summary>Whether it fits mail that is about to be queued; a state or a reply it does not have.</summary>
    public bool Fits(NewQueueEntry entry, MailAddress recipient) =>
        (From is null || Fits(From, entry.ReversePath?.ToString() ?? ""))
        && (To is null || Fits(To, recipient.ToString()))
        && (Domain is null || Domain == recipient.DomainKey)
        && (Subject is null || Fits(Subject, entry.Subject ?? ""))
        && (MessageId is null || Fits(MessageId, entry.MessageId ?? ""))
        && (Least is null || entry.Content.Size >= Least) && (Most is null || entry.Content.Size <= Most)
        && (Mailing is null || Mailing == entry.Mailing) && (Class is null || Class == entry.Class);

    /// <summary>The pattern for LIKE with "\" as its escape.</summary>
    internal static string? Like(string? text)
    {
        if (text is null) return null;
        if (text.Length == 0) return "%";
        if (text == "<>") return "";
        var pattern = new StringBuilder();
        foreach (var c in text) pattern.Append(c switch { '*' => "%", '%' or '_' or '\\' => "\\" + c, _ => c.ToString() });
        if (text.Contains('*')) return pattern.ToString();
        if (text[^1] == '@') return pattern + "%";
        return text[0] == '@' ? "%" + pattern : text.Contains('@') ? pattern.ToString() : "%" + pattern + "%";
    }

    // as LIKE does it, so that a rule means what a search shows
    internal static bool Fits(string wanted, string text)
    {
        if (wanted == "<>") return text.Length == 0;
        if (wanted.Length == 0) return true;
        if (!wanted.Contains('*'))
            return wanted[^1] == '@' ? text.StartsWith(wanted, StringComparison.OrdinalIgnoreCase)
                : wanted[0] == '@' ? text.EndsWith(wanted, StringComparison.OrdinalIgnoreCase)
                : wanted.Contains('@') ? text.Equals(wanted, StringComparison.OrdinalIgnoreCase) : text.Contains(wanted, StringComparison.OrdinalIgnoreCase);
        var pieces = wanted.Split('*');
        if (!text.StartsWith(pieces[0], StringComparison.OrdinalIgnoreCase)) return false;
        var at = pieces[0].Length;
        foreach (var piece in pieces.AsSpan(1..^1))
        {
            var found = text.IndexOf(piece, at, StringComparison.OrdinalIgnoreCase);
            if (found < 0) return false;
            at = found + piece.Length;
        }
        return text.Length - at >= pieces[^1].Length && text.EndsWith(pieces[^1], StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The fields that are given, for people.</summary>
    public override string ToString()
    {
        var words = new List<string>();
        void Add(string name, object? value) { if (value is not null) words.Add(string.Create(CultureInfo.InvariantCulture, $"{name} {value}")); }
        Add("id", Id); Add("from", From); Add("to", To); Add("domain", Domain); Add("subject", Subject); Add("message-id", MessageId); Add("state", State);
        Add("before", Before?.ToString("u", CultureInfo.InvariantCulture)); Add("since", Since?.ToString("u", CultureInfo.InvariantCulture));
        Add("at least", Least); Add("at most", Most); Add("mailing", Mailing); Add("reply", Reply); Add("class", Class?.ToString().ToLowerInvariant()); Add("rule", Rule);
        return string.Join(", ", words);
    }
}
