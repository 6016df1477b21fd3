using System.Buffers;
using System.Text;
using CbaMail.Courses;
using CbaMail.Mailings;
using CbaMail.Mime;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>A teacher whose address is of a domain elsewhere: its DMARC would refuse what we write in its name.</summary>
public class OwnFromTests
{
    static async Task<(Mailing Mailing, HeaderList Header)> WriteAsync(MailingFixture house, Course course, string from)
    {
        var mailing = Ok(await house.Press.CreateAsync(new(course.Slug, from, "Hello", null, "Yours, {{from.name}} <{{from.address}}>", []), default));
        var output = new ArrayBufferWriter<byte>();
        Ok(house.Press.ComposerOf(mailing.Id)).Compose(new LedgerWork(1, 1, "u1@example.test", "One", "{}", 0, "m@example.test"), output);
        Assert.Contains(from.Contains("prof@", StringComparison.Ordinal) ? "prof@elsewhere.test>" : "u1@example.test>", Encoding.UTF8.GetString(output.WrittenSpan), StringComparison.Ordinal);
        return (mailing, HeaderList.Parse(output.WrittenSpan));
    }

    [Fact]
    public async Task Copies_come_from_the_course_with_his_name_and_answers_go_to_him()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        var (mailing, header) = await WriteAsync(house, course, "Prof <prof@elsewhere.test>");
        Assert.Equal(("Prof", $"{course.Slug}@example.test"), (mailing.FromName, mailing.FromAddress));
        Assert.Equal($"Prof <{course.Slug}@example.test>", header.Value("From"));
        Assert.Equal("Prof <prof@elsewhere.test>", header.Value("Reply-To"));
        Assert.Equal("<mailto:prof@elsewhere.test>", header.Value("List-Owner")); // RFC 2369 3.5: who answers for it
        var report = Ok(house.Press.Check(mailing.Id));
        Assert.True(report.IsGood);
        Assert.Contains(report.Notes, note => note.Contains("answers go to Prof", StringComparison.Ordinal));
        Assert.DoesNotContain(report.Notes, note => note.Contains("no mailbox", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_address_that_teachers_of_the_course_write_to_goes_before()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var addresses = new CourseAddresses(house.Store, house.Users, house.Press, house.Runs, house.Mail, house.Queue, house.Settings, TimeProvider.System);
        Ok(await addresses.PutAsync(course, Ok(house.Runs.Find(course, "default")), "spring@example.test", null, null, default));
        Assert.Equal(("prof", "spring@example.test"), (await WriteAsync(house, course, "prof@elsewhere.test")).Mailing is var made ? (made.FromName, made.FromAddress) : default);
    }

    [Fact]
    public async Task Who_has_an_address_here_writes_in_his_own_name()
    {
        await using var house = new MailingFixture();
        var (mailing, header) = await WriteAsync(house, await house.CourseAsync(1), "Uma <u1@example.test>");
        Assert.Null(mailing.ReplyTo);
        Assert.Null(header.Value("Reply-To"));
        Assert.Equal("Uma <u1@example.test>", header.Value("From"));
    }
}
