namespace CbaMail.Courses;

/// <summary>What somebody is in a run.</summary>
public enum CourseRole { Student, Teacher, Assistant, Guardian }

/// <summary>Somebody whom courses of a domain know: the owner of an account here, or of an address elsewhere.</summary>
/// <param name="Address">As written.</param>
/// <param name="Language">"ru", "en", or null: not known.</param>
/// <param name="Zone">IANA name, or null: not known.</param>
/// <param name="Attributes">JSON object: name to text. His in every course of the domain.</param>
public sealed record Person(long Id, string Domain, string Address, string Name, string? Language, string? Zone, string Attributes, DateTimeOffset Created);

/// <summary>A person in a run.</summary>
/// <param name="From">First day; null: open. Dates are days of the run's zone.</param>
/// <param name="Until">Last day; null: open.</param>
/// <param name="Ended">He has left, and is kept for what was sent to him.</param>
/// <param name="Groups">Names, sorted.</param>
/// <param name="Fields">JSON object: column of the file to text.</param>
/// <param name="Line">Of the file that brought him; 0: none did.</param>
/// <param name="GuardianOf">Addresses of those whom he looks after in this run.</param>
/// <param name="Source">The roster source that brought him; 0: a file, or nobody.</param>
public sealed record Enrolment(
    long Id, long CourseId, long RunId, string Run, Person Person, CourseRole Role, DateOnly? From, DateOnly? Until, bool Ended,
    IReadOnlyList<string> Groups, string Fields, int Line, DateTimeOffset Created, IReadOnlyList<string> GuardianOf, long Source = 0)
{
    /// <summary>Whether he is in the run on that day.</summary>
    public bool IsActive(DateOnly today) => !Ended && !(From > today) && !(Until < today);
}

/// <summary>What is asked of a person in a run; null leaves it as it is, "" takes it away.</summary>
/// <param name="Role">student, teacher, assistant or guardian.</param>
/// <param name="Status">active or ended.</param>
/// <param name="Fields">Columns to set; the others stay.</param>
/// <param name="Attributes">To set; the others stay, and "" takes one away.</param>
/// <param name="GuardianOf">Addresses of people in the run.</param>
public sealed record EnrolmentWish(
    string? Name = null, string? Role = null, string? From = null, string? Until = null, string? Status = null, IReadOnlyList<string>? Groups = null,
    string? Language = null, string? Zone = null, IReadOnlyDictionary<string, string>? Fields = null, IReadOnlyDictionary<string, string>? Attributes = null,
    IReadOnlyList<string>? GuardianOf = null);

/// <summary>The words for roles and states, in tables and answers.</summary>
public static class CourseWords
{
    static readonly string[] roles = ["student", "teacher", "assistant", "guardian"];

    static readonly (CourseRole Role, string[] Words)[] known =
    [
        (CourseRole.Student, ["student", "learner", "pupil", "participant", "студент", "студентка", "ученик", "ученица", "слушатель", "слушательница", "учащийся", "учащаяся", "участник", "участница"]),
        (CourseRole.Teacher, ["teacher", "instructor", "lecturer", "tutor", "преподаватель", "преподавательница", "учитель", "учительница", "педагог", "лектор"]),
        (CourseRole.Assistant, ["assistant", "ta", "teaching assistant", "ассистент", "ассистентка", "помощник", "помощница", "тьютор", "куратор"]),
        (CourseRole.Guardian, ["guardian", "parent", "relative", "mother", "father", "родитель", "опекун", "законный представитель", "мать", "отец"]),
    ];

    public static string Of(CourseRole role) => roles[(int)role];

    public static CourseRole Role(string word) => (CourseRole)Math.Max(0, Array.IndexOf(roles, word));

    /// <summary>A role as people write it in English or Russian.</summary>
    public static bool TryRole(string text, out CourseRole role)
    {
        var word = text.Trim().ToLowerInvariant();
        foreach (var (known, words) in known)
            if (words.Contains(word, StringComparer.Ordinal)) { role = known; return true; }
        role = default;
        return false;
    }

    /// <summary>"ru" or "en" as people write it.</summary>
    public static string? Language(string text) => text.Trim().ToLowerInvariant() switch
    {
        "ru" or "rus" or "ru-ru" or "russian" or "русский" or "рус" => "ru",
        "en" or "eng" or "en-us" or "en-gb" or "english" or "английский" or "англ" => "en",
        _ => null,
    };
}
