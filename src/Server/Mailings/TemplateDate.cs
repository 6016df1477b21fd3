using System.Globalization;
using System.Text;

namespace CbaMail.Mailings;

/// <summary>Days and times in templates: read as files have them, written in the reader's language and zone.</summary>
static class TemplateDate
{
    static readonly string[] Days = ["yyyy-MM-dd", "dd.MM.yyyy", "d.M.yyyy", "yyyyMMdd"];
    static readonly string[] Times = ["yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "dd.MM.yyyy HH:mm", "d.M.yyyy H:mm", "dd.MM.yyyy, HH:mm", "yyyyMMddTHHmmss"];
    static readonly string[] Zoned = ["yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mmK", "yyyy-MM-dd HH:mm:sszzz", "yyyyMMddTHHmmssZ"];

    /// <param name="Time">On the reader's clock.</param>
    /// <param name="IsDay">No hour is given.</param>
    public readonly record struct Moment(DateTime Time, bool IsDay);

    /// <summary>A time with an offset is brought into the reader's zone; one without is taken as it is. Null where it is no time.</summary>
    public static Moment? Parse(string text, MergeData data)
    {
        text = text.Trim();
        if (text.Length is < 8 or > 40) return null;
        if (DateTime.TryParseExact(text, Days, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return new(day, true);
        if (DateTime.TryParseExact(text, Times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return new(time, false);
        return DateTimeOffset.TryParseExact(text, Zoned, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var zoned) ? new(TimeZoneInfo.ConvertTime(zoned, data.Zone).DateTime, false) : null;
    }

    /// <summary>The patterns that have names.</summary>
    static string Pattern(string name, string language, bool isDay) => (name, language) switch
    {
        ("", _) => Pattern("long", language, isDay) + (isDay ? "" : ", HH:mm"),
        ("short", "ru") => "dd.MM.yyyy",
        ("short", _) => "d MMM yyyy",
        ("long", "ru") => "d MMMM yyyy 'г.'",
        ("long", _) => "d MMMM yyyy",
        ("full", "ru") => "dddd, d MMMM yyyy 'г.'",
        ("full", _) => "dddd, d MMMM yyyy",
        ("time", _) => "HH:mm",
        ("weekday", _) => "dddd",
        ("iso", _) => "yyyy-MM-dd",
        _ => name,
    };

    /// <summary>By a pattern as in <c>d MMMM, dddd</c> or a name (short, long, full, time, weekday, iso); words between apostrophes stand as they are.</summary>
    public static string Format(Moment moment, string pattern, string language)
    {
        pattern = Pattern(pattern.Trim(), language, moment.IsDay);
        var output = new StringBuilder();
        var withDay = pattern.Contains('d', StringComparison.Ordinal);
        for (var i = 0; i < pattern.Length;)
        {
            var c = pattern[i];
            if (c == '\'')
            {
                var close = pattern.IndexOf('\'', i + 1);
                if (close < 0) close = pattern.Length;
                output.Append(pattern, i + 1, close - i - 1);
                i = close + 1;
                continue;
            }
            var run = 1;
            while (i + run < pattern.Length && pattern[i + run] == c) run++;
            output.Append(Part(moment.Time, c, run, language, withDay) ?? new string(c, run));
            i += run;
        }
        return output.ToString();
    }

    static string? Part(DateTime time, char letter, int run, string language, bool withDay) => (letter, run) switch
    {
        ('d', 1 or 2) => Digits(time.Day, run),
        ('d', 3) => TemplateWords.ShortWeekday(time.DayOfWeek, language),
        ('d', _) => TemplateWords.Weekday(time.DayOfWeek, language),
        ('M', 1 or 2) => Digits(time.Month, run),
        ('M', 3) => TemplateWords.ShortMonth(time.Month, language),
        ('M', _) => TemplateWords.Month(time.Month, language, withDay),
        ('y', <= 2) => Digits(time.Year % 100, 2),
        ('y', _) => Digits(time.Year, 4),
        ('H', _) => Digits(time.Hour, run),
        ('h', _) => Digits(time.Hour % 12 == 0 ? 12 : time.Hour % 12, run),
        ('m', _) => Digits(time.Minute, run),
        ('s', _) => Digits(time.Second, run),
        ('t', _) => time.Hour < 12 ? "AM" : "PM",
        _ => null,
    };

    static string Digits(int number, int least) => number.ToString(least >= 4 ? "0000" : least >= 2 ? "00" : "0", CultureInfo.InvariantCulture);

    /// <summary>"tomorrow", "in 3 days", "2 weeks ago": by days of the reader's calendar.</summary>
    public static string Relative(Moment moment, MergeData data)
    {
        var days = (moment.Time.Date - TimeZoneInfo.ConvertTime(data.Now, data.Zone).Date).Days;
        return TemplateWords.Days(days, data.Language);
    }
}
