using CbaMail.Mjml;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CbaMail.Tests.Formats.Mjml;

public class MjmlCompilerTests
{
    static string Section(string column) => $"<mjml><mj-body><mj-section><mj-column>{column}</mj-column></mj-section></mj-body></mjml>";

    static string Html(string source)
    {
        var result = MjmlCompiler.Compile(source);
        Assert.True(result.Html is not null, string.Join("; ", result.Errors));
        return result.Html!;
    }

    [Theory]
    [InlineData("<mj-text>Hi {{#if vip}}<b>{{name}}</b>{{else}}{{{raw}}}{{/if}}</mj-text>", "Hi {{#if vip}}<b>{{name}}</b>{{else}}{{{raw}}}{{/if}}</div>")]
    [InlineData("<mj-button href=\"{{default link \"https://a.example\"}}\">x</mj-button>", "href=\"{{default link \"https://a.example\"}}\"")]
    [InlineData("<mj-image src='cid:{{photo}}.png' alt='{{name}}'/>", "src=\"cid:{{photo}}.png\"")]
    [InlineData("{{#each lessons}}<mj-text>{{title}}</mj-text>{{/each}}", "{{#each lessons}}<tr>")]
    [InlineData("<mj-raw>{{#if (gt a \"1\")}}</mj-raw><mj-text>x</mj-text><mj-raw>{{/if}}</mj-raw>", "{{#if (gt a \"1\")}}<tr>")]
    [InlineData("{{!-- <mj-text> is not read here --}}<mj-text color=\"{{colour}}\">x</mj-text>", "color:{{colour}};")]
    public void Fields_of_a_template_pass_through(string column, string expected) => Assert.Contains(expected, Html(Section(column)), StringComparison.Ordinal);

    [Fact]
    public void Inline_rules_leave_fields_alone()
    {
        var html = Html("<mjml><mj-head><mj-style inline=\"inline\">.a { color: {{colour}}; margin: 0 } @media print { .a { color: red } } .a:hover { top: 0 }</mj-style></mj-head><mj-body><mj-section><mj-column><mj-text><i class=\"a\" title=\"{{t \"x\"}}\" style=\"top:1px\">x</i></mj-text></mj-column></mj-section></mj-body></mjml>");
        Assert.Contains("<i class=\"a\" title=\"{{t \"x\"}}\" style=\"color:{{colour}};margin:0;top:1px;\">", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Outlook_gets_tables_of_fixed_width_and_images_by_vml()
    {
        var html = Html("<mjml><mj-body><mj-section background-url=\"https://a.example/b.png\" background-size=\"cover\" background-repeat=\"no-repeat\"><mj-column><mj-text>a</mj-text></mj-column><mj-column width=\"30%\" css-class=\"k\"><mj-text>b</mj-text></mj-column></mj-section></mj-body></mjml>");
        Assert.Contains("<v:fill origin=\"0, -0.5\" position=\"0, -0.5\" src=\"https://a.example/b.png\" type=\"frame\" size=\"1,1\" aspect=\"atleast\">", html, StringComparison.Ordinal);
        Assert.Contains("<!--[if mso | IE]></td><td class=\"k-outlook\" style=\"vertical-align:top;width:180px;\"><![endif]-->", html, StringComparison.Ordinal);
        Assert.Contains(".mj-column-per-30 { width:30% !important; max-width:30%; }", html, StringComparison.Ordinal);
        Assert.Equal(Count(html, "<!--[if mso | IE]>") + Count(html, "<!--[if mso]>") + Count(html, "<!--[if lte mso 11]>"), Count(html, "<![endif]-->") - Count(html, "<!--<![endif]-->"));
    }

    static int Count(string text, string part) => text.Split(part).Length - 1;

    [Fact]
    public void Nothing_is_fetched_that_the_document_does_not_name() =>
        Assert.DoesNotContain("http", Html(Section("<mj-text>x</mj-text>")).Replace("http-equiv", "").Replace("http://www.w3.org/1999/xhtml", ""), StringComparison.Ordinal);

    [Theory]
    [InlineData("", 1, 1, "begins with <mjml>")]
    [InlineData("<mjml>\n  <mj-body>\n</mjml>", 3, 1, "</mj-body> is needed, for the element of line 2")]
    [InlineData("<mjml><mj-body><mj-section>", 1, 16, "add </mj-section>")]
    [InlineData("<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>", 1, 16, "put it into mj-column or mj-hero")]
    [InlineData("<mjml><mj-body>\n<mj-section>loose</mj-section></mj-body></mjml>", 2, 13, "put it into <mj-text>")]
    [InlineData("<mjml><mj-body><mj-include path=\"/etc/passwd\"/></mj-body></mjml>", 1, 16, "reads no files")]
    [InlineData("<mjml><mj-body><mj-sektion/></mj-body></mjml>", 1, 16, "There is no element <mj-sektion>")]
    [InlineData("<mjml><mj-body><div>x</div></mj-body></mjml>", 1, 16, "HTML stands in <mj-text> or <mj-raw>")]
    [InlineData("<mjml><mj-head></mj-head></mjml>", 1, 1, "no <mj-body>")]
    [InlineData("<mjml><mj-body><mj-section padding=\"0></mj-section></mj-body></mjml>", 1, 28, "never closed")]
    [InlineData("<mjml><mj-body width=\"1\" width=\"2\"></mj-body></mjml>", 1, 26, "twice")]
    [InlineData("<html></html>", 1, 1, "begins with <mjml>")]
    public void A_mistake_is_named_with_its_place(string source, int line, int column, string sentence)
    {
        var result = MjmlCompiler.Compile(source);
        Assert.Null(result.Html);
        Assert.Equal((line, column), (result.Errors[0].Line, result.Errors[0].Column));
        Assert.Contains(sentence, result.Errors[0].Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<mj-text colour=\"red\">x</mj-text>", "<mj-text> has no attribute colour")]
    [InlineData("<mj-image src=\"a\" width=\"wide\"/>", "width=\"wide\" of <mj-image> is no length")]
    public void What_means_nothing_is_warned_of(string column, string sentence) =>
        Assert.Contains(sentence, Assert.Single(MjmlCompiler.Compile(Section(column)).Warnings).Sentence, StringComparison.Ordinal);

    [Fact]
    public void Sizes_are_bounded()
    {
        Assert.Contains("more than", MjmlCompiler.Compile(new string('x', MjmlCompiler.MaxLength + 1)).Errors[0].Sentence, StringComparison.Ordinal);
        Assert.Contains("inside each other", MjmlCompiler.Compile("<mjml>" + string.Concat(Enumerable.Repeat("<mj-body>", 100))).Errors[0].Sentence, StringComparison.Ordinal);
        Assert.Contains("elements", MjmlCompiler.Compile("<mjml><mj-body>" + string.Concat(Enumerable.Repeat("<mj-raw/>", 30_000))).Errors[0].Sentence, StringComparison.Ordinal);
        var many = string.Concat(Enumerable.Range(0, 3000).Select(i => $"b i, i b .c{i} {{ color: red }}"));
        var deep = string.Concat(Enumerable.Repeat("<b><i class='c'>", 5000));
        Assert.Contains("too many", MjmlCompiler.Compile($"<mjml><mj-head><mj-style inline=\"inline\">{many}</mj-style></mj-head><mj-body><mj-section><mj-column><mj-text>{deep}</mj-text></mj-column></mj-section></mj-body></mjml>").Errors[0].Sentence, StringComparison.Ordinal);
    }

    static readonly string[] Pieces =
    [
        "<mjml>", "</mjml>", "<mj-head>", "</mj-head>", "<mj-body width=\"300px\">", "</mj-body>", "<mj-section padding=\"1px 2px\" gutter=\"3%\">", "</mj-section>", "<mj-column width=\"50%\">", "</mj-column>",
        "<mj-text>", "</mj-text>", "<mj-group>", "</mj-group>", "<mj-hero mode=\"fluid-height\">", "</mj-hero>", "<mj-accordion>", "</mj-accordion>", "<mj-accordion-element/>", "<mj-social>", "</mj-social>",
        "<mj-social-element name=\"x\" href=\"y\">z</mj-social-element>", "<mj-image width=\"\" border=\" \"/>", "<mj-button width=\"px\"/>", "<mj-divider width=\"%\" padding=\"\"/>", "<mj-attributes>", "</mj-attributes>",
        "<mj-all padding=\"99999999999999999999px\"/>", "<mj-class name=\"a\"/>", "<mj-style inline=\"inline\">", "</mj-style>", "a{b:c}", "<!--", "-->", "{{", "}}", "{{#if x}}", "\"", "'", "<", ">", "/", "=", "\u0000", "ё", "\n", "<mj-raw>", "</mj-raw>", "<mj-wrapper gap=\"-\">", "</mj-wrapper>",
    ];

    [Fact]
    public void Whatever_it_reads_it_neither_throws_nor_hangs() => Prop.ForAll(
        Gen.Elements(Pieces).ListOf().Select(string.Concat).ToArbitrary(), text =>
        {
            foreach (var source in (string[])[text, "<mjml><mj-body>" + text + "</mj-body></mjml>", Section(text), $"<mjml><mj-head>{text}</mj-head><mj-body/></mjml>"])
            {
                var result = MjmlCompiler.Compile(source);
                Assert.Equal(result.Html is null, result.Errors.Count > 0);
            }
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(1000));
}
