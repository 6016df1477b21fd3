using System.Globalization;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>Dates of header fields (RFC 5322 3.3, obsolete forms 4.3) and what mailers write instead.</summary>
public static class MailDate
{
    static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    static readonly string[] Days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    static readonly string[] MonthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// <summary>The date as it is written: <c>Mon, 22 Nov 2027 10:00:00 +0300</c>.</summary>
    public static string Format(DateTimeOffset date)
    {
        var zone = (int)date.Offset.TotalMinutes;
        return string.Create(CultureInfo.InvariantCulture,
            $"{Days[(int)date.DayOfWeek]}, {date.Day} {MonthNames[date.Month - 1]} {date.Year:0000} {date.Hour:00}:{date.Minute:00}:{date.Second:00} {(zone < 0 ? '-' : '+')}{Math.Abs(zone) / 60:00}{Math.Abs(zone) % 60:00}");
    }

    /// <summary>Reads a field's raw value.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, out DateTimeOffset date) => TryParse(LineFolding.UnfoldText(value[..Math.Min(value.Length, 1000)]), out date);

    /// <summary>
    /// Reads a date: parts in nearly any order, names of days and comments skipped. Also asctime, ISO 8601, two-digit years, months
    /// in full, a missing zone (then UTC), zones as letters, "GMT+3", "+03:00", dots in the time, AM and PM.
    /// </summary>
    public static bool TryParse(string text, out DateTimeOffset date)
    {
        date = default;
        int day = 0, month = 0, year = -1;
        TimeSpan? time = null;
        int? zone = null;
        var half = 0;
        foreach (var word in Split(text))
        {
            if (time is null && Time(word, out var clock, out var clockZone))
            {
                time = clock;
                zone ??= clockZone;
            }
            else if (word.Length > 0 && char.IsAsciiLetter(word[0]))
            {
                if (word.Length >= 3 && Array.IndexOf(Months, word[..3].ToLowerInvariant()) is >= 0 and var named && month == 0 && !(day > 0 && year > 0)) month = named + 1;
                else if (word.Equals("AM", StringComparison.OrdinalIgnoreCase)) half = 1;
                else if (word.Equals("PM", StringComparison.OrdinalIgnoreCase)) half = 2;
                else if (zone is null or 0 && (time is not null || year > 0) && Zone(word) is { } lettered) zone = lettered;
            }
            else if (word[0] is '+' or '-' && Zone(word) is { } offset && time is not null) zone = offset;
            else if (Iso(word, out var y, out var m, out var d))
                (year, month, day) = (y, m, d);
            else if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                if (day == 0 && word.Length <= 2 && number is >= 1 and <= 31) day = number;
                else if (year < 0 && word.Length is 2 or 3 or 4) year = Year(number, word.Length);
                else if (word.Length == 4 && zone is null && time is not null) zone = Zone("+" + word);
            }
        }

        if (half == 2 && time is { Hours: < 12 } afternoon) time = afternoon + TimeSpan.FromHours(12);
        if (half == 1 && time is { Hours: 12 } night) time = night - TimeSpan.FromHours(12);
        if (day == 0 || month == 0 || year is < 1 or > 9998 || day > DateTime.DaysInMonth(year, month)) return false;
        var local = new DateTime(year, month, day).Add(time ?? default);
        var minutes = zone ?? 0;
        // RFC 5322 3.3: a zone is less than a day. The type knows 14 hours: beyond them the moment is kept and the zone lost
        if (Math.Abs(minutes) >= 24 * 60) minutes = 0;
        var span = TimeSpan.FromMinutes(minutes);
        if (local.Ticks - span.Ticks < 0) return false;
        date = Math.Abs(minutes) > 14 * 60 ? new DateTimeOffset(local - span, TimeSpan.Zero) : new DateTimeOffset(local, span);
        return true;
    }

    /// <summary>Words without commas and comments; "1-Jan-2027" and "1/Jan/2027" are three.</summary>
    static List<string> Split(string text)
    {
        List<string> words = [];
        var word = new StringBuilder();
        var depth = 0;
        for (var i = 0; i <= text.Length && words.Count < 30; i++)
        {
            var c = i < text.Length ? text[i] : ' ';
            if (c == '(') depth++;
            else if (c == ')' && depth > 0) { depth--; continue; }
            if (depth > 0) continue;
            // RFC 5322 4.3: comments and white space may stand around the colons
            if (c == ':' && word.Length == 0 && words.Count > 0)
            {
                word.Append(words[^1]);
                words.RemoveAt(words.Count - 1);
            }

            if (c is ' ' or '\t' && word.Length > 0 && word[^1] == ':') continue;
            if (c is 'T' && word.Length == 10 && word[4] == '-' && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1])) c = ' ';
            var splits = c is ' ' or '\t' or ',' or ')' || c is '-' or '/' && word.Length > 0 && i + 1 < text.Length && (char.IsAsciiLetter(text[i + 1]) || char.IsAsciiLetter(word[^1]));
            // "GMT+3": the zone keeps its sign
            if (splits || c is '+' && word.Length > 0 && !IsClock(word) && !char.IsAsciiDigit(word[^1]))
            {
                if (word.Length > 0) words.Add(word.ToString());
                word.Clear();
                if (c == '+') word.Append(c);
            }
            else word.Append(c);
        }

        return words;
    }

    static bool IsClock(StringBuilder word)
    {
        for (var i = 0; i < word.Length; i++)
            if (word[i] == ':') return true;
        return false;
    }

    static int Year(int number, int digits) => digits switch
    {
        // RFC 5322 4.3: two digits below 50 are 20xx, else 19xx; three digits count from 1900
        2 => number < 50 ? 2000 + number : 1900 + number,
        3 => 1900 + number,
        _ => number,
    };

    static bool Time(string word, out TimeSpan time, out int? zone)
    {
        time = default;
        zone = null;
        var colon = word.IndexOf(':');
        var clock = word.AsSpan();
        var sign = clock[1..].IndexOfAny('+', '-');
        if (colon > 0 && sign >= 0)
        {
            zone = Zone(word[(sign + 1)..]);
            clock = clock[..(sign + 1)];
        }
        else if (colon > 0 && clock[^1] is 'Z' or 'z')
        {
            zone = 0;
            clock = clock[..^1];
        }

        if (colon is < 1 or > 2 && !(clock.Count('.') == 2 && clock.Length is 7 or 8)) return false;
        Span<Range> parts = stackalloc Range[5];
        var count = clock.SplitAny(parts, ":.");
        if (count is < 2 or > 4) return false;
        if (!Number(clock[parts[0]], 24, out var hours) || !Number(clock[parts[1]], 59, out var minutes)) return false;
        var seconds = 0;
        if (count >= 3 && !Number(clock[parts[2]], 60, out seconds)) return false;
        // RFC 5322 3.3: 60 is a leap second
        if (hours == 24) hours = 0;
        time = new TimeSpan(hours, minutes, Math.Min(seconds, 59));
        return true;
    }

    static bool Number(ReadOnlySpan<char> text, int max, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= max && text.Length <= 2;

    static bool Iso(string word, out int year, out int month, out int day)
    {
        year = month = day = 0;
        return word.Length == 10 && word[4] is '-' or '/' or '.' && word[7] == word[4]
            && int.TryParse(word.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out year)
            && int.TryParse(word.AsSpan(5, 2), NumberStyles.None, CultureInfo.InvariantCulture, out month) && month is >= 1 and <= 12
            && int.TryParse(word.AsSpan(8, 2), NumberStyles.None, CultureInfo.InvariantCulture, out day) && day is >= 1 and <= 31;
    }

    /// <summary>Minutes east of UTC, or null.</summary>
    static int? Zone(string word)
    {
        if (word.Length > 0 && word[0] is '+' or '-')
        {
            var digits = word[1..].Replace(":", "");
            if (digits.Length is 0 or > 4 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
            var minutes = digits.Length <= 2 ? number * 60 : number / 100 * 60 + number % 100;
            return word[0] == '-' ? -minutes : minutes;
        }

        // RFC 5322 4.3 obs-zone; military letters mean nothing reliable and count as UTC
        return word.ToUpperInvariant() switch
        {
            "UT" or "UTC" or "GMT" or "Z" or "WET" => 0,
            "EST" => -300,
            "EDT" => -240,
            "CST" => -360,
            "CDT" => -300,
            "MST" => -420,
            "MDT" => -360,
            "PST" => -480,
            "PDT" => -420,
            "MSK" => 180,
            "MSD" => 240,
            "CET" or "MET" or "BST" => 60,
            "CEST" or "MEST" or "EET" => 120,
            "EEST" => 180,
            "JST" or "KST" => 540,
            "IST" => 330,
            "HKT" or "SGT" or "AWST" => 480,
            "AEST" => 600,
            "AEDT" => 660,
            [>= 'A' and <= 'Z'] => 0,
            _ => null,
        };
    }
}
