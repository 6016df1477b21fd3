using CbaMail.Courses;
using CbaMail.Mailings;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings;

public sealed class AudienceTests
{
    static string[] Who(MailingFixture house, Course course, string to)
    {
        var rule = house.Audiences.Parse(course, to);
        Assert.True(rule.Ok, rule.Refusal?.Sentence);
        return [.. Ok(house.Audiences.Preview(course, rule.Value!)).People.Select(person => person.Address.Split('@')[0])];
    }

    /// <summary>u1 to u6 in groups Б-1, Б-2, Б-0, …; u6 is a teacher, u5 has left.</summary>
    static async Task<Course> CourseAsync(MailingFixture house)
    {
        var course = await house.CourseAsync(6, columns: "group,mark", fields: i => $"Б-{i % 3},{(i == 4 ? "" : i * 2)}");
        var run = Ok(house.Runs.Find(course, ""));
        Ok(await house.Enrolments.PutAsync(course, run, "u6@example.test", new(Role: "teacher", Language: "en"), default));
        Ok(await house.Enrolments.PutAsync(course, run, "u5@example.test", new(Status: "ended"), default));
        Ok(await house.Enrolments.PutAsync(course, run, "u1@example.test", new(From: "2020-03-01", Attributes: new Dictionary<string, string> { ["city"] = "Омск" }), default));
        return Ok(house.Courses.Find(course.Slug));
    }

    [Theory]
    [InlineData("everybody", "u1 u2 u3 u4 u6")]
    [InlineData("students", "u1 u2 u3 u4")]
    [InlineData("teachers or in group б-1", "u1 u4 u6")]
    [InlineData("students, without group \"Б-1\"", "u2 u3")]
    [InlineData("speaking en", "u6")]
    [InlineData("speaking ru in group Б-0", "u3")]
    [InlineData("former students", "u5")]
    [InlineData("students (former or active)", "u1 u2 u3 u4 u5")]
    [InlineData("field mark >= 6", "u3 u6")]
    [InlineData("field mark < 10 and field MARK != 4", "u1 u3")]
    [InlineData("field mark is empty", "u4")]
    [InlineData("attribute city contains ОМ", "u1")]
    [InlineData("enrolled before 2021-01-01", "u1")]
    [InlineData("in run default and not teachers", "u1 u2 u3 u4")]
    public async Task Terms_mean_what_they_say(string to, string people)
    {
        await using var house = new MailingFixture();
        Assert.Equal(people.Split(' '), Who(house, await CourseAsync(house), to));
    }

    [Fact]
    public async Task A_mailing_goes_to_its_audience_as_it_is_when_sent_and_tells_the_difference()
    {
        await using var house = new MailingFixture();
        var course = await CourseAsync(house);
        var run = Ok(house.Runs.Find(course, ""));
        var id = Ok(await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Hello", null, "Hello {{name}}", [], To: "students in group Б-1"), default)).Id;
        var before = Ok(await house.Audiences.PreviewAsync(course, id, default));
        Assert.Equal(2, before.People.Count);
        Assert.Contains(before.Out, one => one.Address.StartsWith("u6", StringComparison.Ordinal) && one.Why == "not students");
        Assert.Contains(before.Out, one => one.Address.StartsWith("u2", StringComparison.Ordinal) && one.Why == "not in group Б-1");
        Assert.Contains(before.Out, one => one.Address.StartsWith("u5", StringComparison.Ordinal) && one.Why == "not active");
        Ok(await house.Enrolments.PutAsync(course, run, "u1@example.test", new(Status: "ended"), default));
        foreach (var joined in new[] { "u2", "u3" }) Ok(await house.Enrolments.PutAsync(course, run, joined + "@example.test", new(Groups: ["Б-1"]), default));
        var outcome = await house.Press.SendAsync(id, false, default);
        Assert.True(outcome.Refusal is null, outcome.Refusal?.Sentence);
        Assert.Contains("since the preview of its audience: +2 joined, -1 left", outcome.Report!.Notes);
        Assert.Equal(["u2@example.test", "u3@example.test", "u4@example.test"], house.Ledger(id).Select(row => row.Address));
        Assert.Equal((2, 1), (house.Audiences.Of(id)!.Joined, house.Audiences.Of(id)!.Gone));

        // what became of it is for the next one to ask
        Assert.Empty(Who(house, course, $"delivered mailing {id}"));
        Assert.Equal(["u6"], Who(house, course, $"everybody who has not been sent mailing {id}").Except(["u2", "u3", "u4"]));
        await house.Run.RunAllAsync(default);
        Assert.Equal(["u2", "u3", "u4"], Who(house, course, $"people who have been delivered mailing {id}"));
        Assert.Empty(Who(house, course, $"students who opened mailing {id}"));
    }

    [Fact]
    public async Task Audiences_are_kept_by_name_and_name_each_other_but_not_in_a_circle()
    {
        await using var house = new MailingFixture();
        var course = await CourseAsync(house);
        AudienceRule Rule(string text) => Ok(house.Audiences.Parse(course, text));
        Ok(await house.Audiences.SaveAsync(course, "Staff", Rule("teachers or assistants"), wide: true, default));
        Ok(await house.Audiences.SaveAsync(course, "b", Rule("in group Б-1 and not in audience staff"), wide: false, default));
        Assert.Equal(["u6"], Who(house, course, "STAFF"));
        Assert.Equal(["u1", "u4"], Who(house, course, "in audience b"));
        Ok(await house.Audiences.SaveAsync(course, "staff", Rule("in audience b"), wide: false, default));
        var circle = house.Audiences.Preview(course, Rule("in audience b"));
        Assert.Contains("circle", circle.Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal(404, house.Audiences.Preview(course, Rule("in audience nowhere")).Refusal!.HttpStatus);
        Assert.Equal(404, house.Audiences.Preview(course, Rule("in run nowhere")).Refusal!.HttpStatus);
        Assert.Equal(404, house.Audiences.Preview(course, Rule("opened mailing 999")).Refusal!.HttpStatus);
        Assert.False((await house.Audiences.SaveAsync(course, "wide", Rule("in run default"), wide: true, default)).Ok);
        Assert.Null(await house.Audiences.RemoveAsync(course, Ok(house.Audiences.Find(course, "staff")), default));
        Assert.Equal(["u1", "u4"], Who(house, course, "in audience b"));
    }

    [Fact]
    public async Task A_mailing_to_nobody_and_one_to_what_is_not_understood_are_refused()
    {
        await using var house = new MailingFixture();
        var course = await CourseAsync(house);
        var made = await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Hello", null, "Hello", [], To: "studentz"), default);
        Assert.Equal((400, "to"), (made.Refusal!.HttpStatus, made.Refusal.Field));
        var id = Ok(await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Hello", null, "Hello", [], To: "assistants"), default)).Id;
        Assert.Contains("Nobody is in the audience", (await house.Press.SendAsync(id, false, default)).Refusal!.Sentence, StringComparison.Ordinal);
    }
}
