using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class MimeTreeTests
{
    internal static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text.Replace("\r\n", "\n").Replace("\n", "\r\n"));

    internal static string Shape(MimePart part) =>
        part.Children.Count == 0 ? $"{part.Type}/{part.Subtype}" : $"{part.Type}/{part.Subtype}({string.Join(" ", part.Children.Select(Shape))})";

    static string Body(byte[] message, MimePart part) => Encoding.Latin1.GetString(part.Body(message));

    static (byte[] Message, MimePart Root) Read(string text)
    {
        var message = Bytes(text);
        return (message, MimeTree.Parse(message));
    }

    [Fact]
    public void A_plain_message_is_text_plain_with_its_lines()
    {
        var (message, root) = Read("Subject: x\n\none\ntwo\n");
        Assert.Equal("text/plain", Shape(root));
        Assert.Equal((0L, 14L, 10L, 2), (root.HeaderOffset, root.BodyOffset, root.BodyLength, root.BodyLines));
        Assert.Equal("one\r\ntwo\r\n", Body(message, root));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("\r\n", 0)]
    [InlineData("\r\nx", 1)]
    [InlineData("A: b", 0)]
    [InlineData("no header at all", 1)]
    public void Odd_messages_are_text(string text, int lines)
    {
        var root = MimeTree.Parse(Encoding.ASCII.GetBytes(text));
        Assert.Equal("text/plain", Shape(root));
        Assert.Equal(lines, root.BodyLines);
        Assert.Equal(text.Length, root.BodyOffset + root.BodyLength);
    }

    [Fact]
    public void Parts_end_before_the_line_end_of_the_delimiter()
    {
        var (message, root) = Read("Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n\n--b\nContent-Type: text/html\n\n<b>\n--b--\nepilogue\n--b\n\nno part\n");
        Assert.Equal("multipart/mixed(text/plain text/html)", Shape(root));
        Assert.Equal("one\r\n", Body(message, root.Children[0]));
        Assert.Equal(1, root.Children[0].BodyLines);
        Assert.Equal("<b>", Body(message, root.Children[1]));
        Assert.Equal(1, root.Children[1].BodyLines);
        Assert.EndsWith("no part\r\n", Body(message, root));
    }

    [Fact]
    public void Line_ends_may_be_LF_alone()
    {
        var message = Encoding.ASCII.GetBytes("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\r\n--b\n\ntwo\n--b--\n");
        var root = MimeTree.Parse(message);
        Assert.Equal(["one", "two"], root.Children.Select(part => Body(message, part)));
    }

    [Fact]
    public void A_boundary_may_be_the_beginning_of_another()
    {
        var (message, root) = Read("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b1\n\n--b1\n\none\n--b1--\n--b\n\ntwo\n--b--\n");
        Assert.Equal("multipart/mixed(multipart/alternative(text/plain) text/plain)", Shape(root));
        Assert.Equal("two", Body(message, root.Children[1]));
    }

    [Fact]
    public void An_outer_delimiter_ends_inner_parts_that_lack_theirs()
    {
        var (_, root) = Read("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b\n\ntwo\n");
        Assert.Equal("multipart/mixed(multipart/alternative(text/plain) text/plain)", Shape(root));
    }

    [Fact]
    public void White_space_may_follow_a_delimiter_and_headers_may_end_in_one()
    {
        var (message, root) = Read("Content-Type: multipart/mixed; boundary=\"a b\"\n\n--a b  \t\nContent-Type: text/html\n--a b\n\nx\n--a b-- \n");
        Assert.Equal("multipart/mixed(text/html text/plain)", Shape(root));
        Assert.Equal(0, root.Children[0].BodyLength);
        Assert.Equal("x", Body(message, root.Children[1]));
    }

    [Fact]
    public void A_digest_holds_messages()
    {
        // RFC 2046 5.1.5
        var (_, root) = Read("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: inner\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n");
        Assert.Equal("multipart/digest(message/rfc822(text/plain) text/plain)", Shape(root));
        Assert.Contains("\"inner\"", Encoding.ASCII.GetString(root.Children[0].Children[0].Envelope.Span));
    }

    [Fact]
    public void A_message_within_has_its_own_offsets()
    {
        var (message, root) = Read("Content-Type: message/rfc822\n\nSubject: inner\n\nx\ny\n");
        var inner = root.Children[0];
        Assert.Equal(root.BodyOffset, inner.HeaderOffset);
        Assert.Equal("x\r\ny\r\n", Body(message, inner));
        Assert.Equal((4, 2), (root.BodyLines, inner.BodyLines));
    }

    [Fact]
    public void An_encoded_message_within_stays_opaque()
    {
        // RFC 2046 5.2.1
        var (_, root) = Read("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQp4\n");
        Assert.Empty(root.Children);
    }

    [Fact]
    public void A_line_that_is_no_field_begins_the_body()
    {
        var (message, root) = Read("Subject: x\nthis is text\nmore\n");
        Assert.Equal("this is text\r\nmore\r\n", Body(message, root));
    }

    [Fact]
    public void A_From_line_of_mbox_may_stand_first()
    {
        var (message, root) = Read("From ivan@example.test Mon Jan  1 00:00:00 2024\nContent-Type: text/html\n\nx\n");
        Assert.Equal("text/html", Shape(root));
        Assert.Equal("x\r\n", Body(message, root));
    }

    [Fact]
    public void A_multipart_without_boundary_or_delimiter_has_no_parts()
    {
        Assert.Empty(Read("Content-Type: multipart/mixed\n\n--\n\nx\n").Root.Children);
        Assert.Empty(Read("Content-Type: multipart/mixed; boundary=b\n\nx\n").Root.Children);
    }

    [Fact]
    public void Depth_is_bounded()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 500; i++) text.Append($"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n");
        var root = Read(text.ToString()).Root;
        var depth = 0;
        for (var part = root; part.Children.Count > 0; part = part.Children[0]) depth++;
        Assert.Equal(MimeReader.MaxDepth, depth);
        Assert.Equal(root.Walk().Count(), Structure.Decode(Structure.Encode(root)).Walk().Count());
    }

    [Fact]
    public void The_number_of_parts_is_bounded_and_nothing_is_lost()
    {
        var text = "Content-Type: multipart/mixed; boundary=b\n\n" + string.Concat(Enumerable.Repeat("--b\n\nx\n", 12_000)) + "--b--\n";
        var (message, root) = Read(text);
        Assert.Equal(MimeReader.MaxParts, root.Walk().Count());
        Assert.Equal(message.Length, root.Children[^1].BodyOffset + root.Children[^1].BodyLength);
    }

    [Fact]
    public void Header_bytes_are_bounded()
    {
        var text = string.Concat(Enumerable.Repeat("X-Long: " + new string('x', 1000) + "\n", 2000)) + "\nbody\n";
        var root = Read(text).Root;
        Assert.InRange(root.BodyOffset, HeaderReader.MaxBytes, HeaderReader.MaxBytes + 1100);
    }

    [Fact]
    public void File_names_are_read_in_every_form()
    {
        Assert.Equal("Отчёт за май.pdf", Read("Content-Disposition: attachment; filename*=utf-8''%D0%9E%D1%82%D1%87%D1%91%D1%82%20%D0%B7%D0%B0%20%D0%BC%D0%B0%D0%B9.pdf\n\n").Root.FileName);
        Assert.Equal("Отчёт.pdf", Read("Content-Disposition: attachment; filename*1*=%91%D1%82.pdf; filename*0*=utf-8''%D0%9E%D1%82%D1%87%D1\n\n").Root.FileName);
        Assert.Equal("a b.pdf", Read("Content-Disposition: attachment; filename*0=\"a \"; filename*1=b.pdf\n\n").Root.FileName);
        Assert.Equal("Привет.txt", Read("Content-Type: text/plain; name=\"=?UTF-8?B?0J/RgNC40LLQtdGC?=\n =?utf-8?q?.txt?=\"\n\n").Root.FileName);
        Assert.Equal("a.txt", Read("Content-Type: application/x; name=a.txt (a comment; with=one) ; size=3\n\n").Root.FileName);
        Assert.Equal("My File (1).pdf", Read("Content-Type: application/pdf; name=My File (1).pdf\n\n").Root.FileName);
        Assert.Equal(@"C:\dir\x ""y"".txt", Read("Content-Disposition: attachment; filename=\"C:\\dir\\x \\\"y\\\".txt\"\n\n").Root.FileName);
    }

    [Theory]
    [InlineData(" cut\nTo: a@b\n\nx\n", "x\n", "To")]
    [InlineData(": nameless\n more\nTo: a@b\n\nx\n", "x\n", "To")]
    [InlineData("Cc: a@b\nFrom a@b Mon Jan  1\nTo: a@b\n\nx\n", "x\n", "Cc To")]
    [InlineData(" indented text\nand more\n", " indented text\nand more\n", "")]
    [InlineData("Cc: a@b\nFrom here on it is text\n\nx\n", "From here on it is text\n\nx\n", "Cc")]
    public void Lines_that_are_no_fields_are_stepped_over_where_fields_follow(string text, string body, string names)
    {
        var message = Encoding.ASCII.GetBytes(text);
        Assert.Equal(body, Encoding.ASCII.GetString(MimeTree.Parse(message).Body(message)));
        Assert.Equal(names, string.Join(' ', HeaderList.Parse(message).Select(field => field.Name)));
    }

    /// <summary>RFC 2046 5.1.1: the line end before a delimiter is its own, so that nothing stands between two adjacent lines.</summary>
    [Fact]
    public void Adjacent_delimiters_hold_no_part()
    {
        var root = Read("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\none\n--b\n--b\n--b\n\ntwo\n--b--\n").Root;
        Assert.Equal(2, root.Children.Count);
    }

    [Theory]
    [InlineData("base64", "QU*JD\n R!EVG \n", "ABCDEF")]
    [InlineData("base64", "QUI=\n_____\nfooter\n", "AB")]
    [InlineData("base64", "QU=JD\n", "ABC")]
    [InlineData("base64", "QQ=\nREVG\n", "A\u0004DT")]
    [InlineData("base64", "QUJDR\n", "ABC")]
    [InlineData("base64", "QUJDRA", "ABCD")]
    [InlineData("quoted-printable", "a \n=3D=\n==\n==41=\t\nb\n", "a\n===Ab\n")]
    [InlineData("x-uuencode", "hello\nbegin 644 a.txt\n#0V%T\n`\nend\nbye\n", "Cat")]
    [InlineData("x-uuencode", "begin with this\n#0V%T\n", "begin with this\n#0V%T\n")]
    public void Content_is_decoded_whatever_came_of_it(string encoding, string body, string content)
    {
        var message = Encoding.ASCII.GetBytes($"Content-Transfer-Encoding: {encoding}\n\n{body}");
        Assert.Equal(content, Encoding.ASCII.GetString(ContentDecoder.Bytes(message, MimeTree.Parse(message))));
    }

    [Theory]
    [InlineData("text", "text/plain")]
    [InlineData("multipart", "text/plain")]
    [InlineData("text/html/x", "text/plain")]
    [InlineData("text/html, text/plain", "text/plain")]
    [InlineData("TEXT/HTML; charset=x", "text/html")]
    [InlineData("text/html charset=utf-8", "text/html")]
    [InlineData(";charset=utf-8", "text/plain")]
    [InlineData("(comment) image / png (x)", "image/png")]
    [InlineData("te xt/html", "text/plain")]
    [InlineData("application/", "application/octet-stream")]
    public void Content_types_are_read_tolerantly(string value, string expected)
    {
        var type = ContentType.Parse(Encoding.ASCII.GetBytes(value));
        Assert.Equal(expected, $"{type.Type}/{type.Subtype}");
    }
}
