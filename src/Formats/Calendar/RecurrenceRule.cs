using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CbaMail.Calendar;

public enum RecurrenceFrequency { Daily, Weekly, Monthly, Yearly }

/// <summary>RRULE (RFC 5545 3.3.10), in days and what is longer: what recurs by the hour, or by number of week or day in the year, is not read.</summary>
public sealed record RecurrenceRule
{
    public required RecurrenceFrequency Frequency { get; init; }
    /// <summary>From 1.</summary>
    public int Interval { get; init; } = 1;
    public int? Count { get; init; }
    public CalendarTime? Until { get; init; }
    /// <summary>Nth is 0 for each such day of the period; below 0 it counts from its end.</summary>
    public IReadOnlyList<(int Nth, DayOfWeek Day)> Days { get; init; } = [];
    public IReadOnlyList<int> MonthDays { get; init; } = [];
    public IReadOnlyList<int> Months { get; init; } = [];
    public IReadOnlyList<int> Positions { get; init; } = [];
    public DayOfWeek WeekStart { get; init; } = DayOfWeek.Monday;

    /// <summary>Periods that are gone through at most: a rule that never fits comes to its end.</summary>
    const int MostPeriods = 100_000;

    /// <param name="problem">What of it is not understood.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out RecurrenceRule? rule, [NotNullWhen(false)] out string? problem)
    {
        rule = null;
        RecurrenceFrequency? frequency = null;
        var read = new RecurrenceRule { Frequency = default };
        foreach (var part in text.Trim().ToUpperInvariant().Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            problem = part.Length > 60 ? part[..60] : part;
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) return false;
            var value = part[(equals + 1)..];
            switch (part[..equals])
            {
                case "FREQ":
                    frequency = value switch { "DAILY" => RecurrenceFrequency.Daily, "WEEKLY" => RecurrenceFrequency.Weekly, "MONTHLY" => RecurrenceFrequency.Monthly, "YEARLY" => RecurrenceFrequency.Yearly, _ => null };
                    if (frequency is null) return false;
                    break;
                case "INTERVAL" when Number(value) is > 0 and <= 10_000 and var interval: read = read with { Interval = interval }; break;
                case "COUNT" when Number(value) is > 0 and var count: read = read with { Count = count }; break;
                case "UNTIL" when CalendarTime.TryParse(value, null, out var until): read = read with { Until = until }; break;
                case "WKST" when Day(value) is { } start: read = read with { WeekStart = start }; break;
                case "BYDAY":
                    var days = value.Split(',').Select(NthDay).ToList();
                    if (days.Count > 400 || days.Contains(null)) return false;
                    read = read with { Days = [.. days.Select(day => day!.Value)] };
                    break;
                case "BYMONTHDAY" when Numbers(value, 31, negative: true) is { } numbers: read = read with { MonthDays = numbers }; break;
                case "BYMONTH" when Numbers(value, 12, negative: false) is { } numbers: read = read with { Months = numbers }; break;
                case "BYSETPOS" when Numbers(value, 366, negative: true) is { } numbers: read = read with { Positions = numbers }; break;
                default: return false;
            }
        }
        problem = "no FREQ";
        if (frequency is not { } known) return false;
        problem = null;
        rule = read with { Frequency = known };
        return true;

        static int? Number(string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

        static List<int>? Numbers(string value, int most, bool negative)
        {
            var list = new List<int>();
            foreach (var word in value.Split(','))
            {
                if (!int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) || number == 0 || number > most || number < (negative ? -most : 1) || list.Count > 400) return null;
                list.Add(number);
            }
            return list;
        }
    }

    static DayOfWeek? Day(ReadOnlySpan<char> word) => word switch
    {
        "SU" => DayOfWeek.Sunday,
        "MO" => DayOfWeek.Monday,
        "TU" => DayOfWeek.Tuesday,
        "WE" => DayOfWeek.Wednesday,
        "TH" => DayOfWeek.Thursday,
        "FR" => DayOfWeek.Friday,
        "SA" => DayOfWeek.Saturday,
        _ => null,
    };

    static (int, DayOfWeek)? NthDay(string word)
    {
        word = word.Trim();
        if (word.Length < 2 || Day(word.AsSpan()[^2..]) is not { } day) return null;
        if (word.Length == 2) return (0, day);
        return int.TryParse(word.AsSpan()[..^2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var nth) && nth is not 0 and >= -53 and <= 53 ? (nth, day) : null;
    }

    /// <summary>The times it makes, in order, the start always the first (RFC 5545 3.8.5.3); they end by the rule, or never.</summary>
    /// <param name="until">The last local time that counts, or null.</param>
    public IEnumerable<DateTime> From(DateTime start, DateTime? until)
    {
        yield return start;
        var made = 1;
        for (var n = 0; n < MostPeriods && (Count is null || made < Count); n++)
        {
            if (Period(start.Date, n) is not { } days || (until is { } end && days.First > end.Date)) yield break;
            foreach (var day in Chosen(days.All))
            {
                var time = day + start.TimeOfDay;
                if (time <= start) continue;
                if (time > until || made++ == Count) yield break;
                yield return time;
            }
        }
    }

    IEnumerable<DateTime> Chosen(List<DateTime> days)
    {
        days.Sort();
        if (Positions.Count == 0) return days.Distinct();
        var all = days.Distinct().ToList();
        return Positions.Select(position => position > 0 ? position - 1 : all.Count + position).Where(at => at >= 0 && at < all.Count).Distinct().Order().Select(at => all[at]);
    }

    /// <summary>The days of the nth period, and its first day; null beyond the end of time.</summary>
    (DateTime First, List<DateTime> All)? Period(DateTime start, int n)
    {
        var step = (long)n * Interval;
        var found = new List<DateTime>();
        switch (Frequency)
        {
            case RecurrenceFrequency.Daily:
                if (step > 3_000_000 || start.AddDays(step) is not { Year: < 9000 } day) return null;
                if (FitsMonth(day) && FitsMonthDay(day) && FitsDay(day)) found.Add(day);
                return (day, found);
            case RecurrenceFrequency.Weekly:
                if (step > 400_000) return null;
                var week = start.AddDays(-(((int)start.DayOfWeek - (int)WeekStart + 7) % 7)).AddDays(step * 7);
                if (week.Year >= 9000) return null;
                for (var i = 0; i < 7; i++)
                {
                    var one = week.AddDays(i);
                    if (FitsMonth(one) && FitsMonthDay(one) && (Days.Count > 0 ? FitsDay(one) : one.DayOfWeek == start.DayOfWeek)) found.Add(one);
                }
                return (week, found);
            case RecurrenceFrequency.Monthly:
                if (step > 100_000 || new DateTime(start.Year, start.Month, 1).AddMonths((int)step) is not { Year: < 9000 } month) return null;
                if (FitsMonth(month)) OfMonth(month, start, found);
                return (month, found);
            default:
                if (start.Year + step >= 9000) return null;
                var year = new DateTime((int)(start.Year + step), 1, 1);
                if (Days.Count > 0 && Months.Count == 0 && MonthDays.Count == 0) OfWeekdays(year, year.AddYears(1), found);
                else
                    for (var i = 1; i <= 12; i++)
                        if (Months.Count > 0 ? Months.Contains(i) : MonthDays.Count > 0 || i == start.Month) OfMonth(new(year.Year, i, 1), start, found);
                return (year, found);
        }
    }

    void OfMonth(DateTime month, DateTime start, List<DateTime> found)
    {
        if (MonthDays.Count == 0 && Days.Count > 0)
        {
            OfWeekdays(month, month.AddMonths(1), found);
            return;
        }
        var length = DateTime.DaysInMonth(month.Year, month.Month);
        foreach (var number in MonthDays.Count > 0 ? MonthDays : [start.Day])
        {
            var at = number > 0 ? number : length + 1 + number;
            if (at < 1 || at > length) continue; // RFC 5545 3.3.10: a date that is not there is passed over
            var day = month.AddDays(at - 1);
            if (FitsDay(day)) found.Add(day);
        }
    }

    void OfWeekdays(DateTime first, DateTime end, List<DateTime> found)
    {
        foreach (var (nth, weekday) in Days)
        {
            if (nth >= 0)
            {
                var day = first.AddDays(((int)weekday - (int)first.DayOfWeek + 7) % 7).AddDays(nth > 0 ? 7 * (nth - 1) : 0);
                for (; day < end; day = day.AddDays(7))
                {
                    found.Add(day);
                    if (nth > 0) break;
                }
            }
            else
            {
                var last = end.AddDays(-1);
                var day = last.AddDays(-(((int)last.DayOfWeek - (int)weekday + 7) % 7)).AddDays(7 * (nth + 1));
                if (day >= first) found.Add(day);
            }
        }
    }

    bool FitsMonth(DateTime day) => Months.Count == 0 || Months.Contains(day.Month);

    bool FitsMonthDay(DateTime day) => MonthDays.Count == 0 || MonthDays.Contains(day.Day) || MonthDays.Contains(day.Day - DateTime.DaysInMonth(day.Year, day.Month) - 1);

    bool FitsDay(DateTime day)
    {
        if (Days.Count == 0) return true;
        foreach (var (_, weekday) in Days)
            if (weekday == day.DayOfWeek) return true;
        return false;
    }
}
