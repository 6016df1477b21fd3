using System.Text;
using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

public class LetterCheckTests
{
    const string Russian = "Здравствуйте! Занятие переносится на вторник, девять часов утра.";

    static IEnumerable<string> Codes(string? html = "<p>x</p>", string subject = "Занятие", string text = Russian, string language = "ru", int attachments = 0, bool hasText = true) =>
        new LetterCheck(html, hasText, subject, text, language, attachments).Run().Select(found => found.Code);

    [Theory]
    [InlineData("<a href=\"https://a.example/?q=1&amp;b={{id}}\">x</a>", "")]
    [InlineData("<a href=\"{{link}}\">x</a> <a href=\"mailto:a@b.example\">m</a> <a href=\"#top\">t</a> <a name=\"top\"></a>", "")]
    [InlineData("<a href=\"\">x</a><a href=\"#\">x</a>", "link.empty link.empty")]
    [InlineData("<a href=\"www.example.org\">x</a><a href=\"https://\">x</a><a href=\"javascript:alert(1)\">x</a><a href=\"https://a b.example\">x</a>", "link.broken link.broken link.broken link.broken")]
    [InlineData("<a href=\"http://example.org\">x</a>", "link.insecure")]
    [InlineData("<a href=\"https://example.org/?who={{ email }}\">x</a>", "field.leak")]
    [InlineData("<img src=\"a.png\"><img src=\"b.png\" alt=\"\"><img alt=\"c\"><a href=\"https://a.example\"><img src=\"d.png\" alt=\"\"></a>", "image.alt image.source image.alt")]
    [InlineData("<!--[if mso]><a href=\"\"><![endif]--><style>a[href=\"\"]{}</style>{{#if x}}<b>{{/if}}", "")]
    public void Links_and_images_are_looked_at(string html, string codes) => Assert.Equal(codes, string.Join(' ', Codes(html)));

    [Theory]
    [InlineData("ВАЖНОЕ СООБЩЕНИЕ", "subject.capitals")]
    [InlineData("Скорее!!!", "subject.exclamation")]
    [InlineData("Очень длинная тема, которую ни один телефон целиком не покажет, как его ни поверни и ни держи", "subject.long")]
    [InlineData("ЕГЭ 2026", "")]
    public void So_is_the_subject(string subject, string codes) => Assert.Equal(codes, string.Join(' ', Codes(subject: subject)));

    [Fact]
    public void A_letter_in_the_wrong_language_and_a_forgotten_file_are_told()
    {
        Assert.Equal(["language.wrong"], Codes(language: "en"));
        Assert.Equal(["language.wrong"], Codes(text: "Dear students, the lesson is moved to Tuesday, nine in the morning."));
        Assert.Equal(["attachment.forgotten"], Codes(text: Russian + " План во вложении."));
        Assert.Equal(["attachment.forgotten"], Codes(text: "Please see the attached plan of our lessons in this term.", language: "en"));
        Assert.Empty(Codes(text: Russian + " План во вложении.", attachments: 1));
        Assert.Equal(["text.derived"], Codes(hasText: false));
    }

    [Fact]
    public void A_finding_has_its_place_and_both_languages()
    {
        var found = Assert.Single(new LetterCheck("<p>\n  <a href=''>x</a></p>", true, "Тема", Russian, "ru", 0).Run());
        Assert.Equal(("html", 2, 3, "problem"), (found.Part, found.Line, found.Column, found.Severity));
        Assert.Equal(("a link leads nowhere", "ссылка никуда не ведёт"), (found.English, found.Russian));
    }

    [Fact]
    public void Size_is_that_of_the_bytes()
    {
        Assert.True(LetterCheck.IsLonger(new StringBuilder(new string('ж', 60_000)), 102 * 1024));
        Assert.False(LetterCheck.IsLonger(new StringBuilder(new string('x', 100_000)), 102 * 1024));
    }

    [Fact]
    public async Task The_check_of_a_mailing_tells_them()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(3);
        var id = await house.MailingAsync(course, html: "<p>Здравствуйте, {{name}}! Во вложении план занятий на весь весенний семестр.</p><img src=\"https://a.example/x.png\">");
        var report = MailingFixture.Ok(house.Press.Check(id));
        Assert.True(report.IsGood);
        Assert.Equal(["image.alt", "text.derived", "attachment.forgotten"], report.Findings.Select(found => found.Code));
        var attached = await house.MailingAsync(course, html: "<p>Во вложении план</p>", files: new NewFile("plan.pdf", new byte[] { 1 }));
        Assert.DoesNotContain("attachment.forgotten", MailingFixture.Ok(house.Press.Check(attached)).Findings.Select(found => found.Code));
    }
}
