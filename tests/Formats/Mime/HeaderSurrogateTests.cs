using System.Text;
using CbaMail.Mime;
using CbaMail.Text;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

/// <summary>RFC 6856 2.1: what a program gets that does not know UTF-8 in a header.</summary>
public class HeaderSurrogateTests
{
    private static string? Of(string header) => HeaderSurrogate.Make(Encoding.UTF8.GetBytes(header)) is { } made ? Encoding.UTF8.GetString(made) : null;

    [Theory]
    [InlineData("")]
    [InlineData("Subject: plain\r\nTo: a@b\r\n\r\n")]
    public void Ascii_needs_none(string header) => Assert.Null(Of(header));

    [Fact]
    public void Other_charsets_stay_as_they_are() => Assert.Null(HeaderSurrogate.Make([.. "Subject: "u8, 0xcf, 0xf0, 0xe8, .. "\r\n\r\n"u8]));

    [Fact]
    public void Only_the_fields_that_need_it_change()
    {
        var made = Of("Received: from x\r\n\tby y\r\nSubject: Привет\r\nX-A:  two  spaces\r\n\r\n")!;
        Assert.StartsWith("Received: from x\r\n\tby y\r\nSubject: =?utf-8?", made);
        Assert.EndsWith("\r\nX-A:  two  spaces\r\n\r\n", made);
    }

    [Theory]
    [InlineData("Привет, мир")]
    [InlineData("Re: ответ (2) на письмо о курсе for beginners и ещё одно длинное предложение, которое не помещается на одной строке")]
    [InlineData("=?utf-8?Q?=D0=B0?= ещё")]
    public void Text_reads_back_the_same(string subject)
    {
        var made = Of($"Subject: {subject}\r\n\r\n")!;
        Assert.True(Ascii.IsValid(made));
        Assert.All(made.Split("\r\n"), line => Assert.True(line.Length <= 78, line));
        var value = made["Subject:".Length..made.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        Assert.Equal(EncodedWord.Decode(subject).Replace("а ещё", "аещё"), EncodedWord.Decode(Encoding.ASCII.GetBytes(value)).Replace("а ещё", "аещё"));
    }

    [Theory]
    [InlineData("From: Анна <anna@example.test>", "Анна", "anna@example.test")]
    [InlineData("To: b@пример.рф", "", "b@xn--e1afmkfd.xn--p1ai")]
    [InlineData("Cc: \"Иванов, Пётр\" <p@example.test>", "Иванов, Пётр", "p@example.test")]
    [InlineData("Reply-To: Имя <имя@пример.рф>", "Имя имя@пример.рф", "invalid@internationalized-address.invalid")]
    public void Addresses_stay_usable_or_become_nobodys(string field, string name, string address)
    {
        var made = Of(field + "\r\n\r\n")!;
        Assert.True(Ascii.IsValid(made));
        var one = Assert.Single(AddressList.Parse(Encoding.ASCII.GetBytes(made[(made.IndexOf(':') + 1)..])).Mailboxes);
        Assert.Equal((name, address), (one.Name, one.Address));
    }

    [Fact]
    public void Return_path_keeps_its_brackets() => Assert.Equal("Return-Path: <b@xn--e1afmkfd.xn--p1ai>\r\n", Of("Return-Path: <b@пример.рф>\r\n"));

    [Fact]
    public void File_names_stay_in_their_quotes()
    {
        var made = Of("Content-Disposition: attachment; filename=\"отчёт.pdf\"\r\n\r\n")!;
        Assert.StartsWith("Content-Disposition: attachment; filename=\"=?utf-8?", made);
    }

    [Fact]
    public void The_header_ends_at_the_empty_line()
    {
        Assert.Equal(8, HeaderSurrogate.LengthOf("A: b\r\n\r\nbody"u8));
        Assert.Equal(6, HeaderSurrogate.LengthOf("A: b\n\nbody"u8));
        Assert.Equal(6, HeaderSurrogate.LengthOf("A: b\r\n"u8));
        Assert.Equal(2, HeaderSurrogate.LengthOf("\r\nbody"u8));
        Assert.Equal(0, HeaderSurrogate.LengthOf(new byte[HeaderSurrogate.Longest + 1]));
    }

    [Fact]
    public void Whatever_comes_the_result_is_ascii_or_as_it_was()
    {
        var random = new Random(11);
        string[] pieces = ["From: ", "Subject: ", "To:", "Content-Type: ", "й", "€", "😀", "\r\n", "\r\n ", "\n", ":", ";", "<", ">", "@", "\"", "(", ")", ",", "=?utf-8?Q?x?=", " ", "a", "Return-Path: ", "\0", "\\"];
        for (var round = 0; round < 5000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => pieces[random.Next(pieces.Length)]));
            var bytes = Encoding.UTF8.GetBytes(text);
            if (random.Next(4) == 0 && bytes.Length > 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            _ = HeaderSurrogate.Growth(bytes);
            if (HeaderSurrogate.Make(bytes) is not { } made) continue;
            // another pass changes nothing
            Assert.True(HeaderSurrogate.Make(made) is not { } again || again.AsSpan().SequenceEqual(made), "seed 11: " + text);
        }
    }
}
