using System.Globalization;

namespace CbaMail.Config;

/// <summary>Spans of time as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>2h</c>, <c>1d</c>, <c>1h30m</c>; a bare number is seconds.</summary>
public static class Times
{
    public static bool TryParse(string text, out TimeSpan time)
    {
        time = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.Length is 0 or > 40) return false;
        if (double.TryParse(rest, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return Add(ref time, seconds, 1);
        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.')) digits++;
            if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
            rest = rest[digits..].TrimStart();
            var letters = 0;
            while (letters < rest.Length && char.IsAsciiLetter(rest[letters])) letters++;
            double? unit = rest[..letters] switch
            {
                "ms" => 0.001,
                "s" or "sec" or "second" or "seconds" => 1,
                "m" or "min" or "minute" or "minutes" => 60,
                "h" or "hour" or "hours" => 3600,
                "d" or "day" or "days" => 86400,
                "w" or "week" or "weeks" => 604800,
                _ => null,
            };
            if (unit is null || !Add(ref time, number, unit.Value)) return false;
            rest = rest[letters..].TrimStart();
        }
        return true;
    }

    /// <summary>The same, and it names its units: of a bare number somebody may mean days, and somebody else seconds.</summary>
    public static bool TryWithUnit(string text, out TimeSpan time) => TryParse(text, out time) && char.IsAsciiLetter(text.AsSpan().Trim()[^1]);

    /// <summary>The form that is read back as the same: <c>1h30m</c>, <c>500ms</c>.</summary>
    public static string Show(TimeSpan time)
    {
        if (time == TimeSpan.Zero) return "0";
        var text = new System.Text.StringBuilder();
        foreach (var (unit, ticks) in new[] { ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond) })
            if (time.Ticks / ticks is > 0 and var count)
            {
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
                time -= new TimeSpan(count * ticks);
            }
        return text.Length == 0 ? "0" : text.ToString();
    }

    static bool Add(ref TimeSpan time, double number, double unit)
    {
        if (number * unit > TimeSpan.FromDays(36500).TotalSeconds) return false;
        time += TimeSpan.FromSeconds(number * unit);
        return time <= TimeSpan.FromDays(36500);
    }
}
