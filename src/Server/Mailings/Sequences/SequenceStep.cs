using System.Globalization;
using System.Text.RegularExpressions;

namespace CbaMail.Mailings.Sequences;

/// <summary>A step of a sequence: a mailing, how long after the step before, for whom, and where the others go on.</summary>
/// <param name="Delay">After the step before; with <paramref name="Hour"/> whole days.</param>
/// <param name="Hour">By the clock of the run; null: at any.</param>
/// <param name="Condition">An audience that names mailings by numbers or as "step 1"; null: for everybody.</param>
/// <param name="Otherwise">Where those go on to whom it does not apply: a later step; <see cref="Next"/> or <see cref="Stop"/>.</param>
/// <param name="Text">As it was written.</param>
public sealed partial record SequenceStep(long Mailing, TimeSpan Delay, TimeOnly? Hour, string? Condition, int Otherwise, string Text)
{
    public const int Next = 0, Stop = -1;
    const int Longest = 500;

    /// <summary>Of a line as in <c>mailing 13, after 3 days at 08:00, if not opened step 1, else step 4</c>; null: it is none.</summary>
    public static SequenceStep? Parse(string text)
    {
        text = text.Trim();
        if (text.Length > Longest) return null;
        var (head, condition, otherwise) = (text, (string?)null, Next);
        if (head.LastIndexOf(", else ", StringComparison.Ordinal) is var last and > 0)
        {
            var words = head[(last + 7)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["stop"]) otherwise = Stop;
            else if (words is ["step", var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place > 0) otherwise = place;
            else if (words is not ["skip"]) return null;
            head = head[..last];
        }
        if (head.IndexOf(", if ", StringComparison.Ordinal) is var first and > 0) (head, condition) = (head[..first], head[(first + 5)..].Trim());
        if (condition is null ? otherwise != Next : condition.Length == 0) return null;
        if (Form().Match(head) is not { Success: true } match || !long.TryParse(match.Groups["mailing"].ValueSpan, CultureInfo.InvariantCulture, out var mailing)) return null;
        var (delay, hour) = (TimeSpan.Zero, (TimeOnly?)null);
        if (match.Groups["count"].Success)
        {
            var count = int.Parse(match.Groups["count"].ValueSpan, CultureInfo.InvariantCulture);
            delay = match.Groups["unit"].Value[0] switch { 'm' => TimeSpan.FromMinutes(count), 'h' => TimeSpan.FromHours(count), _ => TimeSpan.FromDays(count) };
        }
        if (match.Groups["hour"].Success)
        {
            if (match.Groups["unit"].Value[0] != 'd' || !TimeOnly.TryParseExact(match.Groups["hour"].Value, ["HH:mm", "H:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)) return null;
            hour = at;
        }
        return new(mailing, delay, hour, condition, otherwise, text);
    }

    /// <summary>Its condition with steps written as their mailings; null where it names one that is not before it.</summary>
    /// <param name="mailings">Of the steps before it.</param>
    public string? Rule(IReadOnlyList<long> mailings)
    {
        var good = true;
        var rule = Named().Replace(Condition ?? "", match =>
        {
            var known = int.TryParse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture, out var place) && place >= 1 && place <= mailings.Count;
            good &= known;
            return known ? string.Create(CultureInfo.InvariantCulture, $"{match.Groups[1].Value} mailing {mailings[place - 1]}") : match.Value;
        });
        return good ? rule : null;
    }

    /// <summary>When it is due to somebody who was done with the step before then.</summary>
    public DateTimeOffset Due(DateTimeOffset since, TimeZoneInfo zone)
    {
        if (Hour is not { } hour) return since + Delay;
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(since, zone).DateTime).AddDays((int)Delay.TotalDays);
        var due = At(day);
        return due < since ? At(day.AddDays(1)) : due;

        DateTimeOffset At(DateOnly date) => new Schedules.Occasion("", date.ToDateTime(hour), null).In(zone);
    }

    [GeneratedRegex(@"^mailing (?<mailing>[0-9]{1,18})(?:,? +(?:at once|after (?<count>[0-9]{1,4}) ?(?<unit>min|minutes?|h|hours?|days?)(?: at (?<hour>[0-9]{1,2}:[0-9]{2}))?))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();

    [GeneratedRegex(@"\b(sent|delivered|bounced|opened|clicked|replied) step ([0-9]{1,4})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Named();
}
