using System.Globalization;
using System.Text;
using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>A person of the demonstration.</summary>
/// <param name="Name">"Фамилия Имя Отчество", all three in one gender.</param>
public sealed record DemonstrationPerson(string Address, string Name, bool Woman, IReadOnlyList<KeyValuePair<string, string>> Fields);

/// <summary>
/// Believable participants of a Russian-language course, the same for the same seed and day: names that agree in gender,
/// addresses made of them, groups with their teacher, room and dates.
/// </summary>
public static class DemonstrationPeople
{
    static readonly string[] Months = ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"];
    static readonly string[] Days = ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"];
    static readonly string[] Programmes = ["ПИ", "ИВТ", "ИБ", "ПМ", "БИ", "ФИ"];
    static readonly string[] Times = ["9:00", "11:30", "14:00", "16:30"];
    const int GroupSize = 25;

    /// <param name="today">Dates of the course follow from it.</param>
    public static IReadOnlyList<DemonstrationPerson> Make(int count, string domain, DateOnly today, int seed = 1957)
    {
        var random = new Random(seed);
        var taken = new HashSet<string>();
        var people = new List<DemonstrationPerson>(count);
        var groups = Enumerable.Range(0, (count + GroupSize - 1) / GroupSize).Select(number => Group(number, today, random)).ToArray();
        for (var i = 0; i < count; i++)
        {
            var woman = random.Next(2) == 0;
            var (last, first, patronymic) = Name(random, woman);
            var address = Address(first, patronymic, last, taken) + "@" + domain;
            people.Add(new(address, $"{last} {first} {patronymic}", woman, Fields(groups[i % groups.Length], i / groups.Length, woman, random)));
        }
        return people;
    }

    /// <summary>The people as a file that <c>course import</c> reads.</summary>
    public static byte[] Csv(IReadOnlyList<DemonstrationPerson> people)
    {
        var file = new StringBuilder("address,name");
        foreach (var (column, _) in people[0].Fields) file.Append(',').Append(column);
        foreach (var person in people)
        {
            file.Append('\n').Append(person.Address).Append(',').Append(person.Name);
            foreach (var (_, value) in person.Fields) file.Append(",\"").Append(value.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        }
        return Encoding.UTF8.GetBytes(file.Append('\n').ToString());
    }

    static (string Last, string First, string Patronymic) Name(Random random, bool woman)
    {
        var names = woman ? RussianNames.Women : RussianNames.Men;
        return (RussianNames.Surname(Pick(random, RussianNames.Surnames), woman), Pick(random, names), RussianNames.Patronymic(Pick(random, RussianNames.Men), woman));
    }

    // anna.ivanova, then anna.s.ivanova, then with a number
    static string Address(string first, string patronymic, string last, HashSet<string> taken)
    {
        var (given, middle, family) = (Transliteration.Slug(first), Transliteration.Slug(patronymic), Transliteration.Slug(last));
        foreach (var local in (string[])[$"{given}.{family}", $"{given}.{middle[0]}.{family}"])
            if (taken.Add(local)) return local;
        for (var number = 2; ; number++)
            if (taken.Add($"{given}.{family}{number}")) return $"{given}.{family}{number}";
    }

    sealed record StudyGroup(string Name, string Teacher, string Room, DateOnly Exam, string Time, DateOnly Retake);

    static StudyGroup Group(int number, DateOnly today, Random random)
    {
        var woman = random.Next(2) == 0;
        var (last, first, patronymic) = Name(random, woman);
        var exam = Workday(today.AddDays(24 + number % 10));
        return new(
            $"{Programmes[number % Programmes.Length]}-{101 + number / Programmes.Length}", $"{last} {first} {patronymic}",
            $"аудитория {100 * (1 + random.Next(4)) + 1 + random.Next(30)}", exam, Times[number % Times.Length], Workday(exam.AddDays(7)));
    }

    static List<KeyValuePair<string, string>> Fields(StudyGroup group, int place, bool woman, Random random) =>
    [
        new("group", group.Name),
        new("salutation", woman ? "Уважаемая" : "Уважаемый"),
        new("points", Math.Min(100, 55 + random.Next(24) + random.Next(24)).ToString(CultureInfo.InvariantCulture)),
        new("seat", $"ряд {1 + place / 6}, место {1 + place % 6}"),
        new("room", group.Room),
        new("examDate", Date(group.Exam)),
        new("examDay", Days[(int)group.Exam.DayOfWeek]),
        new("examTime", group.Time),
        new("consultationDate", Date(Workday(group.Exam.AddDays(-4)))),
        new("resultDate", Date(Workday(group.Exam.AddDays(3)))),
        new("retake", random.Next(3) == 0 ? "" : Date(group.Retake)),
        new("teacher", group.Teacher),
    ];

    static string Date(DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"{day.Day} {Months[day.Month - 1]}");

    static DateOnly Workday(DateOnly day) => day.DayOfWeek switch { DayOfWeek.Saturday => day.AddDays(2), DayOfWeek.Sunday => day.AddDays(1), _ => day };

    static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
