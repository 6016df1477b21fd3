using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class HtmlTextTests
{
    [Theory]
    [InlineData("<p>One</p><p>Two</p>", "One\n\nTwo")]
    [InlineData("a<br>b<br/>c", "a\nb\nc")]
    [InlineData("a <b>bold</b>  and\n<i>it</i>.", "a bold and it.")]
    [InlineData("<h1>Title</h1>Text", "Title\n\nText")]
    [InlineData("<ul><li>one<li>two</ul>after", "- one\n- two\n\nafter")]
    [InlineData("<ol><li>one</li><li>two<ul><li>deep</li></ul></li></ol>", "1. one\n2. two\n  - deep")]
    [InlineData("<ul><li><p>one</p></li><li><div>two</div></li></ul>", "- one\n\n- two")]
    [InlineData("<a href=\"https://x.test/a?b=1&amp;c=2\">Site</a>.", "Site (https://x.test/a?b=1&c=2).")]
    [InlineData("<a href='https://x.test/'>x.test</a> <a href=\"mailto:a@x.test\">a@x.test</a> <a href=\"#top\">top</a> <a href=javascript:x>y</a>", "x.test a@x.test top y")]
    [InlineData("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a b\nc d")]
    [InlineData("<blockquote>quoted<br>twice</blockquote>mine", "> quoted\n> twice\n\nmine")]
    [InlineData("<style>p{color:red}</style><script>if (a<b) x('</p>')</script><title>t</title>Text", "Text")]
    [InlineData("&lt;tag&gt; &amp; &nbsp;&eacute;&#1055;&#x41F;&unknown; &copy", "<tag> & éПП&unknown; &copy")]
    [InlineData("1 < 2 and <3", "1 < 2 and <3")]
    [InlineData("a<!-- hidden <b> -->b<![endif]>c", "abc")]
    [InlineData("<pre>a\n  b</pre>", "a\n  b")]
    [InlineData("<img src=x alt=\"Logo &amp; name\"><img src=y>", "Logo & name")]
    [InlineData("<div style=\"display:none\">pre<div>x</div>header</div>Text", "Text")]
    [InlineData("<a title=\"a > b\">x</a>", "x")]
    [InlineData("<p>never closed <b", "never closed")]
    [InlineData("a<hr>b", "a\n----------------------------------------\nb")]
    [InlineData("", "")]
    public void Reads_well(string html, string text) => Assert.Equal(text, HtmlText.ToPlainText(html));

    [Fact]
    public void Junk_neither_throws_nor_takes_long()
    {
        string[] bits = ["<", ">", "</", "<a href=\"", "\"", "'", "=", "<p>", "<li>", "<!--", "-->", "&", "&#", ";", "<script", "</script>", "display:none", "<td", " ", "x", "<blockquote>"];
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            HtmlText.ToPlainText(string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => bits[random.Next(bits.Length)])));
        }

        var watch = System.Diagnostics.Stopwatch.StartNew();
        foreach (var bit in bits.Append("<a =\"").Append("<a ='>").Append("<div style=display:none>").Append("<a href=x>y"))
            HtmlText.ToPlainText(string.Concat(Enumerable.Repeat(bit, 200_000 / bit.Length)));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }
}
