using System.Globalization;

namespace CbaMail.Imap;

/// <summary>The two date formats of IMAP (RFC 9051 9: date, date-time).</summary>
internal static class ImapDate
{
    static readonly string[] Months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// <summary>1-Feb-1994; the day may have one or two digits.</summary>
    public static bool TryParseDate(ReadOnlySpan<byte> text, out DateOnly date)
    {
        date = default;
        if (text.Length is < 10 or > 11 || text[^5] != '-' || text[^9] != '-') return false;
        var day = Digits(text[..^9].TrimStart((byte)' '));
        var month = Month(text[^8..^5]);
        var year = Digits(text[^4..]);
        if (year < 1 || month < 1 || day < 1 || day > DaysInMonth(year, month)) return false;
        date = new DateOnly(year, month, day);
        return true;
    }

    /// <summary>17-Jul-1996 02:44:25 -0700; a day of one digit has a space or nothing before it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length is < 25 or > 26 || text[^15] != ' ' || text[^6] != ' ') return false;
        if (!TryParseDate(text[..^15], out var date)) return false;
        var clock = text[^14..^6];
        if (clock[2] != ':' || clock[5] != ':') return false;
        int hour = Digits(clock[..2]), minute = Digits(clock[3..5]), second = Digits(clock[6..]);
        int zoneHour = Digits(text[^4..^2]), zoneMinute = Digits(text[^2..]);
        if (hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60 || zoneHour is < 0 or > 14 || zoneMinute is < 0 or > 59) return false;
        if (text[^5] is not ((byte)'+' or (byte)'-')) return false;
        var offset = new TimeSpan(zoneHour, zoneMinute, 0);
        if (offset > TimeSpan.FromHours(14)) return false;
        if (text[^5] == '-') offset = -offset;
        var local = date.ToDateTime(new TimeOnly(hour, minute, Math.Min(second, 59)));
        if (local.Ticks - offset.Ticks < 0 || local.Ticks - offset.Ticks > System.DateTime.MaxValue.Ticks) return false;
        time = new DateTimeOffset(local, offset);
        return true;
    }

    /// <summary>"17-Jul-1996 02:44:25 +0000", with the quotes, 28 bytes.</summary>
    public static int Write(Span<byte> target, DateTimeOffset time)
    {
        time = time.ToUniversalTime();
        target[0] = (byte)'"';
        Two(target[1..], time.Day, (byte)' '); // RFC 9051 9, date-day-fixed
        target[3] = (byte)'-';
        System.Text.Encoding.ASCII.GetBytes(Months[time.Month - 1], target[4..]);
        target[7] = (byte)'-';
        Two(target[8..], time.Year / 100, (byte)'0');
        Two(target[10..], time.Year % 100, (byte)'0');
        target[12] = (byte)' ';
        Two(target[13..], time.Hour, (byte)'0');
        target[15] = (byte)':';
        Two(target[16..], time.Minute, (byte)'0');
        target[18] = (byte)':';
        Two(target[19..], time.Second, (byte)'0');
        " +0000\""u8.CopyTo(target[21..]);
        return 28;
    }

    static void Two(Span<byte> target, int value, byte pad)
    {
        target[0] = value < 10 ? pad : (byte)('0' + value / 10);
        target[1] = (byte)('0' + value % 10);
    }

    static int Digits(ReadOnlySpan<byte> text)
    {
        var value = 0;
        foreach (var b in text)
        {
            if (!char.IsAsciiDigit((char)b)) return -1;
            value = value * 10 + (b - '0');
        }
        return text.IsEmpty ? -1 : value;
    }

    static int Month(ReadOnlySpan<byte> text)
    {
        for (var i = 0; i < 12; i++)
            if (System.Text.Ascii.EqualsIgnoreCase(text, Months[i])) return i + 1;
        return 0;
    }

    static int DaysInMonth(int year, int month) => year > 9999 ? 0 : CultureInfo.InvariantCulture.Calendar.GetDaysInMonth(year, month);
}
