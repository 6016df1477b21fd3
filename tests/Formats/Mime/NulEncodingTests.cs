using System.Buffers;
using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

/// <summary>RFC 3516 4.4, 6: content with NUL is kept in an encoding that every client can be given.</summary>
public sealed class NulEncodingTests
{
    static string? Written(string message)
    {
        var output = new ArrayBufferWriter<byte>();
        return NulEncoding.TryWrite(Encoding.Latin1.GetBytes(message), output) ? Encoding.Latin1.GetString(output.WrittenSpan) : null;
    }

    [Fact]
    public void Encodes_the_body_and_says_so_in_place_of_what_stood_there() =>
        Assert.Equal("Subject: x\r\nX-Last: y\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi\r\n",
            Written("Subject: x\r\ncontent-transfer-encoding:\r\n binary\r\nX-Last: y\r\n\r\na\0b"));

    [Fact]
    public void Leaves_other_parts_octet_by_octet() =>
        Assert.Equal("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\n\x7f\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n\r\n--b--\r\nepilogue",
            Written("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\n\x7f\r\n--b\r\n\r\n\0\r\n--b--\r\nepilogue"));

    [Fact]
    public void Finds_them_in_messages_within() =>
        Assert.Equal("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Transfer-Encoding: base64\r\n\r\nAAE=\r\n",
            Written("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n\0\x01"));

    [Theory]
    [InlineData("Subject: a\0b\r\n\r\nx")]                                                       // a header has no encoding
    [InlineData("Content-Transfer-Encoding: base64\r\n\r\nQU\0FB")]                              // it has one, and this is not it
    [InlineData("Content-Transfer-Encoding: x-own\r\n\r\n\0")]
    [InlineData("Content-Type: multipart/mixed; boundary=b\r\n\r\n\0\r\n--b\r\n\r\nx\r\n--b--")]  // between the parts
    [InlineData("Content-Type: multipart/mixed; boundary=b\r\n\r\n\0")]
    public void Gives_up_where_no_encoding_can_be_given(string message) => Assert.Null(Written(message));

    [Fact]
    public void Loses_nothing()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var content = new byte[1 + random.Next(300)];
            for (var i = 0; i < content.Length; i++) content[i] = (byte)random.Next(random.Next(3) == 0 ? 2 : 256);
            content[random.Next(content.Length)] = 0;
            byte[] message = [.. "Content-Type: application/x\r\n\r\n"u8, .. content];
            var output = new ArrayBufferWriter<byte>();
            Assert.True(NulEncoding.TryWrite(message, output), $"seed {seed}, round {round}");
            var written = output.WrittenSpan.ToArray();
            Assert.DoesNotContain((byte)0, written);
            Assert.Equal(content, ContentDecoder.Bytes(written, MimeTree.Parse(written)));
        }
    }
}
