using System.Text;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Tests.Server.Admission;
using CbaMail.Tests.Server.Mailings;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Courses;

/// <summary>Tables of people, taken into a run or only tried.</summary>
public sealed class RosterTests
{
    static byte[] Csv(string text) => Encoding.UTF8.GetBytes(text);

    static async Task<RosterReport> TakeAsync(MailingFixture house, Course course, byte[] file, RosterOrder? order = null, string run = "") =>
        Ok(await house.Courses.ImportAsync(course.Slug, run, file, null, order ?? new(), default));

    [Theory]
    [InlineData("address,name,role,group,language,time zone,from,until,guardian of\n", "teacher,A; B,en")]
    [InlineData("Почта;ФИО;Роль;Группы;Язык;Часовой пояс;С;По;Подопечные\n", "Преподаватель;A, B;английский")]
    public async Task Columns_say_what_somebody_is_in_both_languages(string header, string words)
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var separator = header.Contains(';', StringComparison.Ordinal) && header.StartsWith('П') ? ';' : ',';
        var row = string.Join(separator, "anna@example.test", "Anna", words, "Asia/Omsk", "01.02.2027", "2027-05-31", "u1@example.test");
        var report = await TakeAsync(house, course, Csv(header + row + "\n"));
        Assert.Empty(report.Notes);
        var anna = house.Enrolments.Of(course).Single(one => one.Person.Address == "anna@example.test");
        Assert.Equal((CourseRole.Teacher, "en", "Asia/Omsk", new DateOnly(2027, 2, 1), new DateOnly(2027, 5, 31)), (anna.Role, anna.Person.Language, anna.Person.Zone, anna.From!.Value, anna.Until!.Value));
        Assert.Equal(["A", "B"], anna.Groups);
        Assert.Equal(["u1@example.test"], anna.GuardianOf);
        Assert.Equal((0, 0, 1), Counts(await TakeAsync(house, course, Csv(header + row + "\n"))));
    }

    static (int, int, int) Counts(RosterReport report) => (report.Added, report.Updated, report.Unchanged);

    [Fact]
    public async Task What_is_not_understood_stays_a_merge_field_with_a_note()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(0);
        var report = await TakeAsync(house, course, Csv("address,role,from,language\na@example.test,Backend developer,Moscow,Klingon\n"));
        Assert.Equal((1, 0, 3), (report.Added, report.Errors.Count, report.Notes.Count));
        var one = Assert.Single(house.Enrolments.Of(course));
        Assert.Equal((CourseRole.Student, null, null), (one.Role, one.From, one.Person.Language));
        Assert.Equal("Moscow", MergeJson.Read(one.Fields)["from"]);
    }

    [Fact]
    public async Task A_dry_run_names_each_difference_and_does_nothing()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(10);
        var file = Csv("address,name,group\nu1@example.test,Участник 1,Б-1\nu2@example.test,Участник 2,X\nnew@example.test,New,Y\nbad,Bad,Z\n");
        var report = await TakeAsync(house, course, file, new(IsRehearsal: true));
        Assert.Equal((1, 1, 1), Counts(report));
        Assert.Equal(5, Assert.Single(report.Errors).Line);
        Assert.Equal(["changed u2@example.test", "added new@example.test"], report.Changes.Select(change => $"{change.Deed} {change.Address}"));
        Assert.Contains(new FieldChange("groups", "Б-2", "X"), report.Changes[0].Fields);
        Assert.Equal(10, house.Enrolments.Of(course).Count);
        Assert.Equal((1, 1, 1), Counts(await TakeAsync(house, course, file)));
        Assert.Equal((0, 0, 3), Counts(await TakeAsync(house, course, file)));
    }

    [Fact]
    public async Task Who_is_not_named_any_more_leaves_only_where_that_is_asked_for_and_within_bounds()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(10);
        var run = Ok(house.Runs.Find(course, ""));
        Ok(await house.Enrolments.PutAsync(course, run, "byhand@example.test", new(), default));
        string Rows(int count) => "address\n" + string.Concat(Enumerable.Range(1, count).Select(i => $"u{i}@example.test\n"));
        Assert.Equal(0, (await TakeAsync(house, course, Csv(Rows(9)))).Ended);
        var many = await house.Courses.ImportAsync(course.Slug, "", Csv(Rows(7)), null, new(EndMissing: true), default);
        Assert.Equal(Refusal.Conflict.HttpStatus, many.Refusal!.HttpStatus);
        Assert.Contains("3 of 11", many.Refusal.Sentence, StringComparison.Ordinal);
        var unread = await house.Courses.ImportAsync(course.Slug, "", Csv(Rows(9) + "broken\n"), null, new(EndMissing: true), default);
        Assert.False(unread.Ok);
        Assert.Equal(["ended u10@example.test"], (await TakeAsync(house, course, Csv(Rows(9)), new(IsRehearsal: true, EndMissing: true))).Changes.Select(change => $"{change.Deed} {change.Address}"));
        Assert.Equal(1, (await TakeAsync(house, course, Csv(Rows(9)), new(EndMissing: true))).Ended);
        Assert.Equal(4, (await TakeAsync(house, course, Csv(Rows(5)), new(EndMissing: true, MostEnded: 50))).Ended);
        Assert.Equal(6, house.Enrolments.Of(course).Count(one => !one.Ended)); // five and the one by hand
        // and whoever is named again is back
        Assert.Equal((0, 5, 5), Counts(await TakeAsync(house, course, Csv(Rows(10)))));
    }

    [Fact]
    public async Task A_spreadsheet_is_taken_into_a_run()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        Ok(await house.Runs.AddAsync(course, new("Spring"), default));
        var report = await TakeAsync(house, course, Sheet.Of(["Почта", "Роль", "Группа"], ["u1@example.test", "ассистент"], ["x@elsewhere.test", "", "A"]), run: "spring");
        Assert.Equal((2, 0, 0), Counts(report));
        var spring = house.Enrolments.Of(course).Where(one => one.Run == "spring").ToList();
        Assert.Equal([CourseRole.Assistant, CourseRole.Student], spring.Select(one => one.Role));
        Assert.Equal(["A"], spring[1].Groups);
        Assert.Equal(404, (await house.Courses.ImportAsync(course.Slug, "autumn", Csv("address\n"), null, new(), default)).Refusal!.HttpStatus);
    }

    [Fact]
    public async Task Guardians_may_stand_before_their_wards_and_strangers_are_noted()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(0);
        var report = await TakeAsync(house, course, Csv("address,guardian of\nmother@example.test,child@example.test nobody@example.test\nchild@example.test,\n"));
        Assert.Contains("nobody@example.test", Assert.Single(report.Notes).Reason, StringComparison.Ordinal);
        var mother = house.Enrolments.Of(course)[0];
        Assert.Equal((CourseRole.Guardian, "child@example.test"), (mother.Role, mother.GuardianOf.Single()));
    }
}
