using System.Globalization;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Mailings.Schedules;

/// <summary>
/// Schedules as one line that reads like a sentence: <c>day 3 at 08:00, school days</c>; <c>24h before each session</c>;
/// <c>every monday, friday at 09:30, own zone, if missed skip</c>.
/// </summary>
public static class ScheduleText
{
    const int Longest = 200, MostDays = 3660;

    /// <summary>What can be written, for messages.</summary>
    public const string Forms =
        "now; at 2027-09-01 08:00; day 3 at 08:00; 2 days before end at 08:00; 24h before each session; 1 day before each session at 18:00; every monday, friday at 08:00; "
        + "3 days after enrolment at 08:00; each may go on with: , school days, own zone, catch up, if missed send|skip|ask, if [not] opened|clicked|replied mailing N";

    static readonly string[] anchors = ["start", "end", "enrolment", "each session"];
    static readonly Dictionary<CopyFate, string> fates = new() { [CopyFate.Opened] = "opened", [CopyFate.Clicked] = "clicked", [CopyFate.Replied] = "replied" };
    static readonly string[] weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    public static string Of(Schedule schedule)
    {
        var text = new StringBuilder(Of(schedule.Trigger));
        if (schedule.SchoolDays) text.Append(", school days");
        if (schedule.OwnZone) text.Append(", own zone");
        if (schedule.CatchUp) text.Append(", catch up");
        if (schedule.Missed != Missed.Send) text.Append(", if missed ").Append(schedule.Missed == Missed.Skip ? "skip" : "ask");
        if (schedule.If is { } condition) text.Append(CultureInfo.InvariantCulture, $", if {(condition.Not ? "not " : "")}{fates[condition.Fate]} mailing {condition.Mailing}");
        return text.ToString();
    }

    static string Of(Trigger trigger) => trigger switch
    {
        Trigger.Now => "now",
        Trigger.At at => string.Create(CultureInfo.InvariantCulture, $"at {at.Day:yyyy-MM-dd} {at.Time:HH:mm}"),
        Trigger.RunDay day => string.Create(CultureInfo.InvariantCulture, $"day {day.Day} at {day.Time:HH:mm}"),
        Trigger.DaysFrom { Days: 0 } on => string.Create(CultureInfo.InvariantCulture, $"on {anchors[(int)on.Anchor]} at {on.Time:HH:mm}"),
        Trigger.DaysFrom from => string.Create(CultureInfo.InvariantCulture,
            $"{Math.Abs(from.Days)} {(from.Days is 1 or -1 ? "day" : "days")} {(from.Days < 0 ? "before" : "after")} {anchors[(int)from.Anchor]} at {from.Time:HH:mm}"),
        Trigger.FromSession session => $"{Span(session.Offset.Duration())} {(session.Offset < TimeSpan.Zero ? "before" : "after")} each session",
        Trigger.Weekly weekly => $"every {string.Join(", ", Enumerable.Range(0, 7).Select(i => (i + 1) % 7).Where(i => weekly.Has((DayOfWeek)i)).Select(i => weekdays[i]))} at {weekly.Time.ToString("HH:mm", CultureInfo.InvariantCulture)}",
        _ => throw new InvalidOperationException(trigger.GetType().Name),
    };

    static string Span(TimeSpan span) => span.Minutes == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalHours}h")
        : string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMinutes}min");

    /// <summary>Reads one line; case and the width of white space do not matter.</summary>
    public static Result<Schedule> Parse(string text)
    {
        if (text.Length > Longest) return Refusal.TooLarge.Because($"A schedule has at most {Longest} characters");
        var pieces = text.ToLowerInvariant().Split(',').Select(piece => piece.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        var used = 1;
        if (pieces[^1] is [.. var before, "while", "active"] && before.Length > 0) pieces[^1] = before;
        if (pieces[0] is ["every", ..])
            while (used < pieces.Count && Weekday(pieces[used].FirstOrDefault()) is not null) used++;
        if (ReadTrigger(pieces.Take(used).SelectMany(piece => piece).ToArray()) is not { } trigger) return Wrong(text);
        var schedule = new Schedule(trigger);
        foreach (var piece in pieces.Skip(used))
        {
            if (Modified(schedule, piece) is not { } next) return Wrong(text);
            schedule = next;
        }
        if (schedule.SchoolDays && trigger is (Trigger.Now or Trigger.At or Trigger.FromSession)) return Refusal.Invalid.Because("\"school days\" goes with schedules that count days or weeks");
        if (schedule.OwnZone && trigger is (Trigger.Now or Trigger.FromSession)) return Refusal.Invalid.Because("\"own zone\" goes with schedules that name a time of day");
        return schedule;
    }

    static Refusal Wrong(string text) => Refusal.Invalid.Because($"\"{(text.Length > 100 ? text[..100] + "…" : text)}\" is not a schedule; write one of: {Forms}");

    static Schedule? Modified(Schedule schedule, string[] words) => words switch
    {
        ["school", "days"] => schedule with { SchoolDays = true },
        ["own", "zone"] => schedule with { OwnZone = true },
        ["catch", "up"] => schedule with { CatchUp = true },
        ["if", "missed", "send"] => schedule with { Missed = Missed.Send },
        ["if", "missed", "skip"] => schedule with { Missed = Missed.Skip },
        ["if", "missed", "ask"] => schedule with { Missed = Missed.Ask },
        ["if", "not", var fate, "mailing", var number] when FateOf(fate) is { } kind && Number(number) is { } mailing => schedule with { If = new(true, kind, mailing) },
        ["if", var fate, "mailing", var number] when FateOf(fate) is { } kind && Number(number) is { } mailing => schedule with { If = new(false, kind, mailing) },
        ["while", "active"] when schedule.Repeats => schedule, // it always is so
        _ => null,
    };

    static CopyFate? FateOf(string word) => fates.FirstOrDefault(pair => pair.Value == word) is { Value: not null } found ? found.Key : null;

    static long? Number(string word) => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    static Trigger? ReadTrigger(string[] words)
    {
        switch (words)
        {
            case ["now"]:
                return new Trigger.Now();
            case ["at", var day, var time] when Day(day) is { } date && Time(time) is { } at:
                return new Trigger.At(date, at);
            case ["day", var number, "at", var time] when Count(number) is > 0 and var count && Time(time) is { } at:
                return new Trigger.RunDay(count, at);
            case ["every", .. var named, var time] when Time(time) is { } at && (named is [.. var before, "at"] ? before : named) is { Length: > 0 } days:
                var bits = 0;
                foreach (var day in days)
                {
                    if (Weekday(day) is not { } one) return null;
                    bits |= 1 << one;
                }
                return new Trigger.Weekly(bits, at);
            case ["on", .. var anchor, "at", var time] when AnchorOf(anchor) is { } from && Time(time) is { } at:
                return new Trigger.DaysFrom(from, 0, at);
            case [var number, "day" or "days", "before" or "after", .. var anchor, "at", var time] when Count(number) is { } days && AnchorOf(anchor) is { } from && Time(time) is { } at:
                return days > 0 && from == Anchor.Enrolment && words[2] == "before" ? null : new Trigger.DaysFrom(from, words[2] == "before" ? -days : days, at);
            case [var number, "h" or "min", "before" or "after", "each", "session"]:
                return FromSession(number + words[1], words[2]);
            case [var span, "before" or "after", "each", "session"]:
                return FromSession(span, words[1]);
            default:
                return null;
        }
    }

    static Trigger.FromSession? FromSession(string span, string side)
    {
        var unit = span.EndsWith("min", StringComparison.Ordinal) ? 3 : span.EndsWith('h') ? 1 : 0;
        if (unit == 0 || Count(span[..^unit]) is not { } count) return null;
        var offset = unit == 1 ? TimeSpan.FromHours(count) : TimeSpan.FromMinutes(count);
        return new(side == "before" ? -offset : offset);
    }

    static Anchor? AnchorOf(string[] words)
    {
        var index = Array.IndexOf(anchors, string.Join(' ', words));
        return index < 0 ? null : (Anchor)index;
    }

    static int? Weekday(string? word)
    {
        var index = word is null ? -1 : Array.IndexOf(weekdays, word);
        return index < 0 ? null : index;
    }

    static int? Count(string word) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= MostDays ? count : null;

    static DateOnly? Day(string word) => DateOnly.TryParseExact(word, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= 1900 and <= 9000 ? day : null;

    static TimeOnly? Time(string word) => TimeOnly.TryParseExact(word, ["HH:mm", "H:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;
}
