using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

public class MjmlMailingTests
{
    const string Letter = """
        <mjml><mj-body><mj-section><mj-column>
          <mj-text>Здравствуйте, {{name}}!</mj-text>
          {{#if group}}<mj-text>Группа {{group}}</mj-text>{{/if}}
          <mj-raw>{{> Подпись}}</mj-raw>
        </mj-column></mj-section></mj-body></mjml>
        """;

    [Fact]
    public async Task A_mailing_in_mjml_is_compiled_and_has_the_blocks_of_the_book()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(2);
        var book = new TemplateBook(house.Store, house.Users, house.Settings, TimeProvider.System);
        var wanted = new NewMailing(course.Slug, "school@example.test", "Тема", null, null, [], Letter);
        Assert.Contains("no block \"Подпись\"", (await house.Press.CreateAsync(wanted, default)).Refusal!.Sentence, StringComparison.Ordinal);

        MailingFixture.Ok(await book.AddAsync("example.test", new("Подпись", "ru", "-", "<tr><td>Школа, {{course.name}}</td></tr>"), default));
        var id = MailingFixture.Ok(await house.Press.CreateAsync(wanted, default)).Id;
        var seen = MailingFixture.Ok(house.Press.Preview(id, null));
        Assert.Contains("class=\"mj-column-per-100 mj-outlook-group-fix\"", seen.Html, StringComparison.Ordinal);
        Assert.Contains("lang=\"ru\"", seen.Html, StringComparison.Ordinal);
        Assert.Contains("Здравствуйте, Участник 1!", seen.Text, StringComparison.Ordinal);
        Assert.Contains("Группа Б-1", seen.Text, StringComparison.Ordinal);
        Assert.Contains("Школа, Основы", seen.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", seen.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_mjml_is_told_with_its_place()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var refused = await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Тема", null, null, [], "<mjml>\n<mj-body><mj-text>x</mj-text></mj-body></mjml>"), default);
        Assert.Contains("line 2, column 10: <mj-text> may not stand in <mj-body>", refused.Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("not both", (await house.Press.CreateAsync(new(course.Slug, "school@example.test", "Тема", "<p>", null, [], Letter), default)).Refusal!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_keeps_its_mjml_and_the_html_of_it()
    {
        await using var house = new MailingFixture();
        await house.CourseAsync(1);
        var book = new TemplateBook(house.Store, house.Users, house.Settings, TimeProvider.System);
        var kept = MailingFixture.Ok(await book.AddAsync("example.test", new("Письмо", "ru", "Тема", Mjml: Letter), default));
        Assert.Equal(Letter, kept.Mjml);
        Assert.Contains("<!doctype html>", kept.Html, StringComparison.Ordinal);
        var found = MailingFixture.Ok(book.Find(kept.Id));
        Assert.Equal((kept.Mjml, kept.Html), (found.Mjml, found.Html));
        var plain = MailingFixture.Ok(await book.ChangeAsync(kept.Id, new(Html: "<p>{{name}}</p>"), default));
        Assert.Equal((null, "<p>{{name}}</p>"), (plain.Mjml, plain.Html));
        Assert.Contains("mistake at line 1", (await book.ChangeAsync(kept.Id, new(Mjml: "<mjml>"), default)).Refusal!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_that_leads_to_itself_ends()
    {
        Assert.Equal(("a b c", null), SharedBlocks.Expand("a {{> x}} c", 1000, name => name == "x" ? "b" : null));
        Assert.Equal("x", SharedBlocks.Expand("{{> x}}", 1000, _ => "{{~> \"x\" ~}}").Missing);
        Assert.NotNull(SharedBlocks.Expand("{{> x}}{{> x}}", 1000, _ => new string('y', 900) + "{{> x}}{{> x}}").Missing);
    }
}
