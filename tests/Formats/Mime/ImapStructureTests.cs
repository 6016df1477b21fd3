using System.Buffers;
using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

public class ImapStructureTests
{
    static string Envelope(string text) => Encoding.ASCII.GetString(ImapStructure.Envelope(MimeTreeTests.Bytes(text)));

    static string Body(string text, bool extended)
    {
        var output = new ArrayBufferWriter<byte>();
        ImapStructure.Write(output, MimeTree.Parse(MimeTreeTests.Bytes(text)), extended);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }

    [Fact]
    public void Envelope_of_an_ordinary_message() => Assert.Equal(
        """("Mon, 1 Jan 2024 10:00:00 +0300" "=?utf-8?B?0J8=?= x" (("Ivan \"I\" P" NIL "ivan" "example.test")) (("Ivan \"I\" P" NIL "ivan" "example.test")) ((NIL NIL "list" "example.test")) ((NIL NIL "a" "x.test")("B" NIL "b" "x.test")) NIL NIL "<1@x>" "<2@x>")""",
        Envelope("Date: Mon, 1 Jan 2024 10:00:00 +0300\nSubject: =?utf-8?B?0J8=?=\n x\nFrom: \"Ivan \\\"I\\\" P\" <ivan@example.test>\nReply-To: list@example.test\nTo: a@x.test,\n\tB <b@x.test>\nIn-Reply-To: <1@x>\nMessage-ID: <2@x>\n\n"));

    [Fact]
    public void Absent_is_NIL_and_empty_is_empty() =>
        Assert.Equal("""(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)""", Envelope("Subject:\nTo:\nSender:\n\n"));

    // RFC 9051 7.5.2
    [Fact]
    public void Groups_routes_and_lone_names() => Assert.Equal(
        """(NIL NIL ((NIL NIL "root" "")) ((NIL NIL "root" "")) ((NIL NIL "root" "")) ((NIL NIL "The team" NIL)(NIL NIL "a" "x")("N" "@r,@s" "b" "y")(NIL NIL NIL NIL)(NIL NIL "c" "z")) ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)""",
        Envelope("From: root\nTo: The team: a@x, N <@r,@s:b@y>;, c@z\nCc: undisclosed-recipients:;\n\n"));

    [Fact]
    public void Raw_8_bit_becomes_encoded_words() => Assert.Equal(
        """(NIL "=?utf-8?B?0J/RgNC40LLQtdGC?=" (("=?utf-8?B?0JjQstCw0L0=?=" NIL "i" "xn--e1afmkfd.xn--p1ai")) (("=?utf-8?B?0JjQstCw0L0=?=" NIL "i" "xn--e1afmkfd.xn--p1ai")) (("=?utf-8?B?0JjQstCw0L0=?=" NIL "i" "xn--e1afmkfd.xn--p1ai")) NIL NIL NIL NIL NIL)""",
        Encoding.ASCII.GetString(ImapStructure.Envelope(Encoding.UTF8.GetBytes("Subject: Привет\r\nFrom: Иван <i@пример.рф>\r\n\r\n"))));

    // RFC 6855 3
    [Fact]
    public void Raw_8_bit_stands_as_it_is_for_who_takes_UTF_8() => Assert.Equal(
        """(NIL "При\"вет" (("Иван" NIL "я" "пример.рф")) (("Иван" NIL "я" "пример.рф")) (("Иван" NIL "я" "пример.рф")) (("=?utf-8?B?0K8=?=" NIL "b" "x")) NIL NIL NIL NIL)""",
        Encoding.UTF8.GetString(ImapStructure.Envelope(Encoding.UTF8.GetBytes("Subject: При\"вет\r\nFrom: Иван <я@пример.рф>\r\nTo: =?utf-8?B?0K8=?= <b@x>\r\n\r\n"), utf8: true)));

    [Fact]
    public void A_plain_text_tells_its_charset()
    {
        Assert.Equal("""("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1)""", Body("Subject: x\n\nx\n", false));
        Assert.Equal("""("text" "html" ("charset" "utf-8") "<i>" "d" "base64" 3 1 "m" ("inline" NIL) ("en" "ru") "u")""",
            Body("Content-Type: text/html; charset=utf-8\nContent-ID: <i>\nContent-Description: d\nContent-Transfer-Encoding: BASE64\nContent-MD5: m\nContent-Disposition: inline\nContent-Language: en, ru\nContent-Location: u\n\nx\n", true));
    }

    [Fact]
    public void Multiparts_and_messages_nest() => Assert.Equal(
        """(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 1 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 16 3 NIL NIL NIL NIL)"mixed" ("boundary" "b") NIL NIL NIL)"""
            .Replace("\"7bit\" 16 3", "\"7bit\" 16 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 1 NIL NIL NIL NIL) 3").Replace(")\"mixed", ") \"mixed").Replace("7bit\" 16", "7bit\" 16"),
        Body("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\ny\n--b--\n", true));

    [Fact]
    public void A_multipart_without_parts_is_still_legal() =>
        Assert.Equal("""(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed")""", Body("Content-Type: multipart/mixed\n\n", false));

    [Fact]
    public void Parameters_stay_as_they_stood_and_are_ASCII() => Assert.Equal(
        """("application" "pdf" ("name" "=?utf-8?B?0J8=?=.pdf") NIL NIL "7bit" 0 NIL ("attachment" ("filename*" "utf-8''%D0%9F.pdf" "size" "1")) NIL NIL)""",
        Body("Content-Type: application/pdf; name=\"=?utf-8?B?0J8=?=.pdf\"\nContent-Disposition: attachment; filename*0*=utf-8''%D0%9F; filename*1=.pdf; size=1\n\n", true));
}
