using System.Globalization;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>Somebody whom an audience leaves out, and by which of its terms.</summary>
public sealed record LeftOut(string Address, string Name, string Why);

/// <summary>Who is in an audience.</summary>
/// <param name="People">In the order in which they came into the course.</param>
/// <param name="Out">Who else is or was in the course.</param>
public sealed record AudienceView(AudienceRule Rule, IReadOnlyList<Participant> People, IReadOnlyList<LeftOut> Out);

/// <summary>
/// An audience, evaluated over the people of one course in memory: 2,500 of them take a few milliseconds. Somebody is in it where one of his
/// enrolments fits; only those of today count, unless the rule speaks of former people.
/// </summary>
sealed class Audience
{
    const int DeepestAudience = 5, MostAudiences = 50;

    readonly ReadTransaction read;
    readonly Course course;
    readonly List<Enrolment> everybody;
    readonly Dictionary<long, (DateOnly Day, bool Over)> runs;
    readonly Dictionary<(long, CopyFate), HashSet<long>> fates = [];
    readonly Dictionary<string, HashSet<long>> audiences = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<string, Dictionary<string, string>> values = new(StringComparer.Ordinal);

    Audience(ReadTransaction read, Course course, TimeProvider time)
    {
        (this.read, this.course) = (read, course);
        everybody = PersonTable.OfCourse(read, course.Id);
        runs = RunTable.List(read, course.Id).ToDictionary(run => run.Id, run => (run.Today(time), run.IsOver(run.Today(time))));
    }

    /// <summary>Who is in it now; refused where it names an audience, a run or a mailing that the course has not.</summary>
    public static Result<AudienceView> Evaluate(ReadTransaction read, Course course, AudienceRule rule, TimeProvider time)
    {
        var audience = new Audience(read, course, time);
        if (audience.Prepare(rule, 0) is { } refusal) return refusal;
        var (people, outside) = (new Dictionary<long, Enrolment>(), new Dictionary<long, LeftOut>());
        var former = SpeaksOfFormer(rule);
        foreach (var one in audience.everybody)
            if ((former || audience.IsActive(one)) && audience.Fits(rule, one)) people[one.Person.Id] = one;
            else outside[one.Person.Id] = new(one.Person.Address, one.Person.Name, !former && !audience.IsActive(one) ? "not active" : audience.Why(rule, one));
        return new AudienceView(rule,
            [.. people.Values.OrderBy(one => one.Id).Select(one => CourseTable.Seen(one))],
            [.. outside.Where(pair => !people.ContainsKey(pair.Key)).Select(pair => pair.Value)]);
    }

    /// <summary>A rule of its text; where that is the name of a saved audience, that one.</summary>
    public static Result<AudienceRule> Parse(ReadTransaction read, Course course, string text)
    {
        if (text.Trim() is { Length: > 0 and <= AudienceText.LongestName } name && AudienceTable.Find(read.Prepare, course.Domain, course.Id, name) is { } saved) return new AudienceRule.InAudience(saved.Name);
        return AudienceText.TryParse(text, out var rule, out var error) ? rule! : Refusal.Invalid.Because($"The audience is not understood: {error}").At("to");
    }

    static bool SpeaksOfFormer(AudienceRule rule) => rule.Terms().Any(one => one is AudienceRule.Standing { Former: true });

    bool IsActive(Enrolment one) => runs.TryGetValue(one.RunId, out var run) && !run.Over && one.IsActive(run.Day);

    /// <summary>Brings what the rule names, once.</summary>
    Refusal? Prepare(AudienceRule rule, int depth)
    {
        foreach (var term in rule.Terms())
            switch (term)
            {
                case AudienceRule.InRun run when RunTable.Find(read, course.Id, run.Run) is null: return RunBook.NoRun(course, run.Run);
                case AudienceRule.Copy copy when !fates.ContainsKey((copy.Mailing, copy.Fate)):
                    if (MailingTable.Get(read, copy.Mailing)?.CourseId != course.Id) return Refusal.NoSuchThing.Because($"The course {course.Slug} has no mailing {copy.Mailing}").At("to");
                    fates[(copy.Mailing, copy.Fate)] = AudienceTable.With(read, course.Id, copy.Mailing, copy.Fate);
                    break;
                case AudienceRule.InAudience named when !audiences.ContainsKey(named.Name):
                    if (depth >= DeepestAudience || audiences.Count >= MostAudiences) return Refusal.Invalid.Because($"Audiences name each other more than {DeepestAudience} deep, or in a circle").At("to");
                    if (AudienceTable.Find(read.Prepare, course.Domain, course.Id, named.Name) is not { } saved) return Refusal.NoSuchThing.Because($"There is no audience \"{named.Name}\"; cbamail audience list {course.Slug} shows those there are").At("to");
                    if (!AudienceText.TryParse(saved.Rule, out var inner, out var error)) return Refusal.Invalid.Because($"The audience is not understood: {error}").At("to");
                    if (Prepare(inner!, depth + 1) is { } refusal) return refusal;
                    var former = SpeaksOfFormer(inner!);
                    audiences[named.Name] = [.. everybody.Where(one => (former || IsActive(one)) && Fits(inner!, one)).Select(one => one.Person.Id)];
                    break;
            }
        return null;
    }

    bool Fits(AudienceRule rule, Enrolment one) => rule switch
    {
        AudienceRule.Several several => several.All ? several.Rules.All(inner => Fits(inner, one)) : several.Rules.Any(inner => Fits(inner, one)),
        AudienceRule.Not not => !Fits(not.Rule, one),
        AudienceRule.Everybody => true,
        AudienceRule.Standing standing => standing.Former != IsActive(one),
        AudienceRule.InRole role => one.Role == role.Role,
        AudienceRule.InRun run => string.Equals(one.Run, run.Run, StringComparison.OrdinalIgnoreCase),
        AudienceRule.InGroup group => one.Groups.Contains(group.Group, StringComparer.OrdinalIgnoreCase),
        AudienceRule.Speaks speaks => (one.Person.Language ?? course.Language) == speaks.Language,
        AudienceRule.Value value => Compares(value, Find(value.OfPerson ? one.Person.Attributes : one.Fields, value.Name)),
        AudienceRule.Enrolled enrolled => (one.From ?? Day(one)) is var day && !(day < enrolled.From) && !(day > enrolled.To),
        AudienceRule.Copy copy => fates[(copy.Mailing, copy.Fate)].Contains(one.Person.Id),
        AudienceRule.InAudience named => audiences[named.Name].Contains(one.Person.Id),
        _ => false,
    };

    static DateOnly Day(Enrolment one) => DateOnly.FromDateTime(one.Created.UtcDateTime);

    string Find(string json, string name)
    {
        if (!values.TryGetValue(json, out var read)) values[json] = read = MergeJson.Read(json);
        return read.GetValueOrDefault(name, "");
    }

    /// <summary>As numbers where both are; else as words, so that dates written as 2027-02-01 follow each other too.</summary>
    static bool Compares(AudienceRule.Value rule, string value)
    {
        switch (rule.Test)
        {
            case AudienceTest.Empty: return value.Length == 0;
            case AudienceTest.Contains: return value.Contains(rule.Text, StringComparison.OrdinalIgnoreCase);
            case AudienceTest.Equal when string.Equals(value, rule.Text, StringComparison.OrdinalIgnoreCase): return true;
        }
        if (value.Length == 0 && rule.Test != AudienceTest.Equal) return false;
        var order = TryNumber(value, out var his) && TryNumber(rule.Text, out var asked) ? his.CompareTo(asked) : string.Compare(value, rule.Text, StringComparison.OrdinalIgnoreCase);
        return rule.Test switch { AudienceTest.Equal => order == 0, AudienceTest.Less => order < 0, AudienceTest.AtMost => order <= 0, AudienceTest.More => order > 0, _ => order >= 0 };
    }

    static bool TryNumber(string text, out decimal number) => decimal.TryParse(text.Replace(',', '.'), NumberStyles.Number & ~NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out number);

    /// <summary>The first term that keeps him out.</summary>
    string Why(AudienceRule rule, Enrolment one) => rule is AudienceRule.Several { All: true } several
        ? several.Rules.FirstOrDefault(inner => !Fits(inner, one)) is { } inner ? Why(inner, one) : ""
        : rule is AudienceRule.Not not ? not.Rule.ToString() : $"not {(rule is AudienceRule.Several ? $"({rule})" : rule.ToString())}";

    /// <summary>Who came and who went between two times, by numbers of persons.</summary>
    public static (int Joined, int Gone) Difference(long[] before, IEnumerable<Participant> after)
    {
        var was = before.ToHashSet();
        var now = after.Select(person => person.Id).ToHashSet();
        return (now.Count(id => !was.Contains(id)), was.Count(id => !now.Contains(id)));
    }
}
