using System.Text;
using CbaMail.Mailings;
using CbaMail.Tests.Server.Mailings;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Courses;

public class CourseRegisterTests
{
    static byte[] Csv(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task A_course_gets_a_short_name_of_its_own()
    {
        await using var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        Assert.Equal("osnovy", Ok(await house.Courses.AddAsync("Основы", "example.test", null, default)).Slug);
        var second = Ok(await house.Courses.AddAsync(" Основы ", "Example.TEST", "en", default));
        Assert.Equal(("osnovy-2", "en", "example.test"), (second.Slug, second.Language, second.Domain));
        Assert.Equal("course", Ok(await house.Courses.AddAsync("日本語", "example.test", "en", default)).Slug);
        Assert.Equal("course-2026", Ok(await house.Courses.AddAsync("2026", "example.test", "en", default)).Slug);
        Assert.Equal("ru", Ok(house.Courses.Find("OSNOVY")).Language);
        Assert.Equal(404, (await house.Courses.AddAsync("X", "elsewhere.test", null, default)).Refusal!.HttpStatus);
        Assert.Equal(400, (await house.Courses.AddAsync(" ", "example.test", null, default)).Refusal!.HttpStatus);
        Assert.Equal(400, (await house.Courses.AddAsync("X", "example.test", "de", default)).Refusal!.HttpStatus);
        Assert.Equal(4, house.Courses.List().Count);
    }

    [Fact]
    public async Task Importing_twice_changes_nothing_and_fields_are_updated()
    {
        await using var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        var course = Ok(await house.Courses.AddAsync("Course", "example.test", "en", default)).Slug;
        var file = Csv("address,name,Group\nAnna@example.test,Anna,A\nboris@elsewhere.test,Boris,B\n");
        var first = Ok(await house.Courses.ImportAsync(course, file, default));
        Assert.Equal((2, 0, 0), (first.Added, first.Updated, first.Unchanged));
        var second = Ok(await house.Courses.ImportAsync(course, file, default));
        Assert.Equal((0, 0, 2), (second.Added, second.Updated, second.Unchanged));
        var third = Ok(await house.Courses.ImportAsync(course, Csv("\uFEFFgroup;address;exam\nC;ANNA@Example.test;5 May\nB;boris@elsewhere.test;6 May\n"), default));
        Assert.Equal((0, 2, 0), (third.Added, third.Updated, third.Unchanged));
        var found = Ok(house.Courses.Find(course));
        Assert.Equal(["Group", "exam"], found.Columns);
        var people = house.Courses.Participants(found, 0, 10);
        Assert.Equal(["Anna", "Boris"], people.Select(person => person.Name)); // a file without names takes none away
        Assert.Equal("""{"Group":"C","exam":"5 May"}""", people[0].Fields);
    }

    [Fact]
    public async Task Bad_rows_and_duplicates_are_named_by_line_and_the_rest_is_taken()
    {
        await using var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        var course = Ok(await house.Courses.AddAsync("Course", "example.test", "en", default)).Slug;
        var report = Ok(await house.Courses.ImportAsync(course, Csv("address,name\na@example.test,A\nnot an address,B\n,C\nA@EXAMPLE.test,D\nshort@example.test\ne@example.test,\"E\nf\"\n"), default));
        Assert.Equal(2, report.Added);
        Assert.Equal([3, 4, 5, 6], report.Errors.Select(error => error.Line));
        Assert.Contains("not a valid address", report.Errors[0].Reason, StringComparison.Ordinal);
        Assert.Contains("missing", report.Errors[1].Reason, StringComparison.Ordinal);
        Assert.Contains("line 2", report.Errors[2].Reason, StringComparison.Ordinal);
        Assert.Equal("E f", house.Courses.Participants(Ok(house.Courses.Find(course)), 0, 10)[1].Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("name,group\nAnna,A\n")]
    [InlineData("address,name,name\na@example.test,A,B\n")]
    [InlineData("address,,name\na@example.test,A,B\n")]
    public async Task A_file_without_a_usable_header_is_refused(string file)
    {
        await using var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        var course = Ok(await house.Courses.AddAsync("Course", "example.test", "en", default)).Slug;
        Assert.Equal(400, (await house.Courses.ImportAsync(course, Csv(file), default)).Refusal!.HttpStatus);
        Assert.Equal(404, (await house.Courses.ImportAsync("nowhere", Csv("address\n"), default)).Refusal!.HttpStatus);
    }

    [Fact]
    public async Task A_course_is_removed_with_everything_but_not_under_a_running_mailing()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(3);
        var id = await house.MailingAsync(course);
        await house.SendAsync(id);
        Assert.Equal(409, (await house.Courses.RemoveWithMailingsAsync(course.Slug, default))!.HttpStatus);
        await house.Run.RunAllAsync(default);
        Assert.Null(await house.Courses.RemoveParticipantAsync(course.Slug, "U2@example.test", default));
        Assert.Equal(404, (await house.Courses.RemoveParticipantAsync(course.Slug, "u2@example.test", default))!.HttpStatus);
        Assert.Null(await house.Courses.RemoveWithMailingsAsync(course.Slug, default));
        Assert.False(house.Courses.Find(course.Slug).Ok);
        Assert.False(house.Press.Find(id).Ok);
        Assert.Single(house.Inbox("u1@example.test")); // what was delivered belongs to the people
    }
}
