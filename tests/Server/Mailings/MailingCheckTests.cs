using CbaMail.Mailings;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings;

public class MailingCheckTests
{
    [Fact]
    public async Task An_empty_field_is_named_by_person_row_and_field()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(3, fields: i => i == 2 ? "" : "A");
        var report = Ok(house.Press.Check(await house.MailingAsync(course)));
        var problem = Assert.Single(report.Problems);
        Assert.Equal(("u2@example.test", 3, "group"), (problem.Address, problem.Line, problem.Field));
        Assert.True(Ok(house.Press.Check(await house.MailingAsync(course, html: "<p>{{default group \"none\"}}</p>"))).IsGood);
        Assert.True(Ok(house.Press.Check(await house.MailingAsync(course, html: "<p>{{#if group}}{{group}}{{/if}}</p>"))).IsGood);
    }

    [Fact]
    public async Task A_field_that_nobody_has_is_one_fault_with_a_suggestion()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(3);
        var report = Ok(house.Press.Check(await house.MailingAsync(course, html: "<p>\n {{grup}} {{grup}}</p>")));
        Assert.Empty(report.Problems);
        var fault = Assert.Single(report.Faults);
        Assert.Contains("line 2, column 4", fault, StringComparison.Ordinal);
        Assert.Contains("{{group}}", fault, StringComparison.Ordinal);
        Assert.NotNull((await house.Press.SendAsync(1, skipInvalid: true, default)).Refusal); // no flag passes over it
    }

    [Fact]
    public async Task Bad_addresses_and_duplicates_are_named_by_person_and_row()
    {
        await using var house = new MailingFixture();
        await house.Users.AddDomainAsync("example.test");
        var course = await house.CourseAsync(2, "nobody@example.test,Nobody,A\nu1+course@example.test,Again,A\nremote@elsewhere.test,Remote,A\n");
        await house.Users.AddAliasAsync("alias@example.test", ["u2@example.test"]);
        var id = await house.MailingAsync(course);
        var report = Ok(house.Press.Check(id));
        Assert.Equal([("nobody@example.test", 4), ("u1+course@example.test", 5)], report.Problems.Select(problem => (problem.Address, problem.Line)));
        Assert.Contains("row 2", report.Problems[1].Message, StringComparison.Ordinal);
        var refused = await house.Press.SendAsync(id, skipInvalid: false, default);
        Assert.Contains("2 of 5", refused.Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal(MailingState.Draft, house.State(id));

        await house.SendAsync(id, skipInvalid: true);
        await house.Run.RunAllAsync(default);
        Assert.Equal(new LedgerCounts(5, 0, 1, 2, 0, 0, 2), house.Counts(id));
        Assert.Contains(house.Ledger(id), row => row.Address == "nobody@example.test" && row.State == LedgerState.Skipped && row.Reply.Contains("no such", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Rows_that_the_import_left_out_are_named_again()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1, "broken,Somebody,A\n");
        var report = Ok(house.Press.Check(await house.MailingAsync(course)));
        Assert.True(report.IsGood);
        Assert.Contains(report.Notes, note => note.Contains("row 3", StringComparison.Ordinal) && note.Contains("broken", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{{name", null, "subject", "column 1")]
    [InlineData("ok", "<p>\n{{#if a}}", "HTML", "line 2")]
    public async Task A_template_that_does_not_parse_is_refused_at_once(string subject, string? html, string what, string where)
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var refusal = (await house.Press.CreateAsync(new(course.Slug, "school@example.test", subject, html, "text", []), default)).Refusal!;
        Assert.Contains(what, refusal.Sentence, StringComparison.Ordinal);
        Assert.Contains(where, refusal.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no address")]
    [InlineData("A <b> <c>")]
    public async Task A_mailing_needs_a_sender_a_text_a_course_and_its_images(string from)
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        Assert.False((await house.Press.CreateAsync(new(course.Slug, from, "x", null, "text", []), default)).Ok);
        Assert.False((await house.Press.CreateAsync(new(course.Slug, "a@example.test", "x", null, null, []), default)).Ok);
        Assert.False((await house.Press.CreateAsync(new(course.Slug, "a@example.test", "x", "<img src=\"cid:logo.png\">", null, []), default)).Ok);
        Assert.False((await house.Press.CreateAsync(new("nowhere", "a@example.test", "x", null, "text", []), default)).Ok);
    }

    [Fact]
    public async Task A_preview_shows_one_persons_copy()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        var id = await house.MailingAsync(course);
        var preview = Ok(house.Press.Preview(id, "U2@example.test"));
        Assert.Equal(("Для Участник 2", "<p>Здравствуйте, Участник 2! Группа Б-2.</p>"), (preview.Subject, preview.Html));
        Assert.Contains("Участник 2", preview.Text, StringComparison.Ordinal);
        Assert.Equal("u1@example.test", Ok(house.Press.Preview(id, null)).Address);
        Assert.False(house.Press.Preview(id, "nobody@example.test").Ok);
    }
}
