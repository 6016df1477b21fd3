using System.Globalization;

namespace CbaMail.Mailings;

/// <summary>The words that templates need in Russian and in English: names of days and months, lists, plural forms, distances in days.</summary>
static class TemplateWords
{
    static readonly string[] Months = ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"];
    static readonly string[] OfMonths = ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"];
    static readonly string[] ShortMonths = ["янв.", "февр.", "мар.", "апр.", "мая", "июн.", "июл.", "авг.", "сент.", "окт.", "нояб.", "дек."];
    static readonly string[] Weekdays = ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"];
    static readonly string[] ShortWeekdays = ["вс", "пн", "вт", "ср", "чт", "пт", "сб"];

    static bool Russian(string language) => language == "ru";

    /// <param name="withDay">"5 мая", not "май".</param>
    public static string Month(int month, string language, bool withDay) =>
        !Russian(language) ? CultureInfo.InvariantCulture.DateTimeFormat.MonthNames[month - 1] : withDay ? OfMonths[month - 1] : Months[month - 1];

    public static string ShortMonth(int month, string language) => Russian(language) ? ShortMonths[month - 1] : CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedMonthNames[month - 1];

    public static string Weekday(DayOfWeek day, string language) => Russian(language) ? Weekdays[(int)day] : CultureInfo.InvariantCulture.DateTimeFormat.DayNames[(int)day];

    public static string ShortWeekday(DayOfWeek day, string language) => Russian(language) ? ShortWeekdays[(int)day] : CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedDayNames[(int)day];

    /// <summary>"a, b and c".</summary>
    public static string List(IReadOnlyList<string> items, string language) => items.Count switch
    {
        0 => "",
        1 => items[0],
        _ => $"{string.Join(", ", items.Take(items.Count - 1))} {(Russian(language) ? "и" : "and")} {items[^1]}",
    };

    /// <summary>Which form goes with a number: 0 one, 1 few, 2 many.</summary>
    /// <remarks>Unicode CLDR, plural rules of Russian.</remarks>
    public static int RussianForm(long number) => (number % 10, number % 100) switch
    {
        (1, not 11) => 0,
        ( >= 2 and <= 4, not (>= 12 and <= 14)) => 1,
        _ => 2,
    };

    public static string Days(int days, string language)
    {
        var ru = Russian(language);
        switch (days)
        {
            case 0: return ru ? "сегодня" : "today";
            case 1: return ru ? "завтра" : "tomorrow";
            case -1: return ru ? "вчера" : "yesterday";
            case 2 when ru: return "послезавтра";
            case -2 when ru: return "позавчера";
        }
        var distance = Math.Abs(days);
        var (number, forms) = distance < 14 ? (distance, ru ? ["день", "дня", "дней"] : (string[])["day", "days"])
            : distance < 60 ? ((distance + 3) / 7, ru ? ["неделю", "недели", "недель"] : ["week", "weeks"])
            : distance < 730 ? ((distance + 15) / 30, ru ? ["месяц", "месяца", "месяцев"] : ["month", "months"])
            : ((distance + 182) / 365, ru ? ["год", "года", "лет"] : ["year", "years"]);
        var words = string.Create(CultureInfo.InvariantCulture, $"{number} {forms[ru ? RussianForm(number) : number == 1 ? 0 : 1]}");
        return (ru, days > 0) switch { (true, true) => $"через {words}", (true, false) => $"{words} назад", (false, true) => $"in {words}", _ => $"{words} ago" };
    }

    /// <summary>With spaces or commas between thousands, and the language's own sign before a fraction.</summary>
    public static string Number(double number, int? digits, string language)
    {
        var text = Math.Round(number, digits ?? 6, MidpointRounding.AwayFromZero).ToString(digits is { } fixedTo ? "#,##0." + new string('0', fixedTo) : "#,##0.######", CultureInfo.InvariantCulture);
        return Russian(language) ? text.Replace(',', '\u00A0').Replace('.', ',') : text;
    }
}
