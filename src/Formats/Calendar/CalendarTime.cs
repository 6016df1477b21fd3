using System.Globalization;

namespace CbaMail.Calendar;

/// <summary>A date, or a time in UTC, in a zone or in whatever zone the reader is in (RFC 5545 3.3.4, 3.3.5).</summary>
/// <param name="Local">As the clock on the wall shows it; at 0:00 for a date.</param>
/// <param name="Zone">TZID, or null.</param>
public readonly record struct CalendarTime(DateTime Local, bool IsDate, bool IsUtc, string? Zone)
{
    /// <summary>Reads a value of DTSTART and its like.</summary>
    public static bool TryParse(ReadOnlySpan<char> value, string? zone, out CalendarTime time)
    {
        time = default;
        value = value.Trim();
        var utc = value.EndsWith("Z", StringComparison.OrdinalIgnoreCase);
        if (utc) value = value[..^1];
        var isDate = value.Length == 8;
        if (isDate && utc) return false;
        DateTime local;
        if (isDate)
        {
            if (!DateTime.TryParseExact(value, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out local)) return false;
        }
        else
        {
            // RFC 5545 3.3.12: the second of a leap is taken as the one before
            Span<char> plain = stackalloc char[15];
            if (value.Length != 15 || value[8] is not ('T' or 't')) return false;
            value.CopyTo(plain);
            plain[8] = 'T';
            if (plain.EndsWith("60")) plain[13] = '5';
            if (value.EndsWith("60")) plain[14] = '9';
            if (!DateTime.TryParseExact(plain, "yyyyMMdd'T'HHmmss", CultureInfo.InvariantCulture, DateTimeStyles.None, out local)) return false;
        }
        // room for offsets and recurrences at both ends of what DateTime holds
        if (local.Year is < 1600 or > 8999) return false;
        time = new(local, isDate, utc, utc || isDate ? null : zone);
        return true;
    }

    /// <summary>A property with its VALUE and TZID; of several values the first.</summary>
    public static CalendarTime? Of(CalendarProperty? property) =>
        property is not null && TryParse(property.Value.AsSpan()[..(property.Value.IndexOf(',', StringComparison.Ordinal) is >= 0 and var end ? end : property.Value.Length)], property.Parameter("TZID"), out var time) ? time : null;

    /// <summary>RFC 5545 3.3.6; null where it is not one or goes beyond 10 years.</summary>
    public static TimeSpan? Duration(string text)
    {
        var rest = text.Trim().ToUpperInvariant().AsSpan();
        var negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+")) rest = rest[1..];
        if (!rest.StartsWith("P")) return null;
        rest = rest[1..];
        var (total, inTime, any) = (0L, false, false);
        while (!rest.IsEmpty)
        {
            if (rest[0] == 'T' && !inTime)
            {
                inTime = true;
                rest = rest[1..];
                continue;
            }
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9) return null;
            var number = int.Parse(rest[..digits], CultureInfo.InvariantCulture);
            long unit = (rest[digits], inTime) switch { ('W', false) => 604_800, ('D', false) => 86_400, ('H', true) => 3600, ('M', true) => 60, ('S', true) => 1, _ => 0 };
            if (unit == 0) return null;
            total += number * unit;
            rest = rest[(digits + 1)..];
            any = true;
        }
        return any && total <= 3650L * 86_400 ? TimeSpan.FromSeconds(negative ? -total : total) : null;
    }

    /// <summary>A time in UTC as it is written.</summary>
    public static string Utc(DateTimeOffset time) => time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
}
