using System.Text;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

/// <summary>Decoding by pieces gives what decoding at once gives, wherever the pieces are cut.</summary>
public sealed class TransferDecoderTests
{
    static byte[] ByPieces(byte[] body, string encoding, Func<int> size)
    {
        Assert.True(TransferDecoder.TryCreate(encoding, out var decoder));
        var output = new List<byte>();
        var held = Array.Empty<byte>();
        for (var at = 0; at < body.Length;)
        {
            var count = Math.Min(size(), body.Length - at);
            Run([.. held, .. body.AsSpan(at, count)], final: false);
            at += count;
        }
        Run(held, final: true);
        return [.. output];

        void Run(byte[] piece, bool final)
        {
            var room = new byte[piece.Length + 4];
            var written = decoder.Decode(piece, room, final, out var consumed);
            output.AddRange(room.AsSpan(0, written));
            held = piece[consumed..];
            if (final) Assert.Empty(held);
        }
    }

    [Theory]
    [InlineData("base64", "aGVs\r\nbG8gd29y\r\nbGQ=\r\n", "hello world")]
    [InlineData("base64", "  aGVs    \r\n bG8g  \r\n   d29y  \t \r\n    bGQ= \r\n\r\n", "hello world")]
    [InlineData("base64", "aGVsbG8gd29ybGQ=\r\n-- \r\nfooter of a list\r\n", "hello world")]
    [InlineData("base64", "aGVsbG8gd29ybG", "hello worl")]
    [InlineData("base64", "", "")]
    [InlineData("quoted-printable", "a=3Db  \r\nsoft=\r\nbreak=20\r\n", "a=b\r\nsoftbreak \r\n")]
    [InlineData("quoted-printable", "soft= \t\r\nbreak=", "softbreak")]
    [InlineData("quoted-printable", "100=% and =ZZ", "100=% and =ZZ")]
    [InlineData("quoted-printable", "end  ", "end")]
    [InlineData("quoted-printable", "a\nb \n", "a\nb\n")]
    [InlineData("7bit", "as it=20is", "as it=20is")]
    public void Takes_the_encoding_off(string encoding, string body, string content)
    {
        foreach (var size in new[] { 1, 2, 3, 5, 1000 })
            Assert.Equal(content, Encoding.Latin1.GetString(ByPieces(Encoding.Latin1.GetBytes(body), encoding, () => size)));
    }

    [Theory]
    [InlineData("x-uuencode")]
    [InlineData("8-bit")]
    [InlineData("base-64")]
    public void Does_not_know_others(string encoding) => Assert.False(TransferDecoder.TryCreate(encoding, out _));

    [Theory]
    [InlineData("base64", "AQgZ+/09==\r\n\n \t-*")]
    [InlineData("quoted-printable", "=== \t \r\n\r\nabAF09\r=")]
    public void Agrees_with_the_decoder_of_whole_bodies(string encoding, string alphabet)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var body = new byte[random.Next(200)];
            for (var i = 0; i < body.Length; i++) body[i] = random.Next(12) == 0 ? (byte)random.Next(256) : (byte)alphabet[random.Next(alphabet.Length)];
            var whole = TransferEncoding.Decode(body, encoding);
            var pieces = ByPieces(body, encoding, () => 1 + random.Next(40));
            Assert.True(whole.AsSpan().SequenceEqual(pieces), $"seed {seed}, round {round}: {Convert.ToHexString(body)}\n{Convert.ToHexString(whole)}\n{Convert.ToHexString(pieces)}");
        }
    }

    [Fact]
    public void Agrees_on_what_mailers_write()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var content = new byte[random.Next(100_000)];
            random.NextBytes(content);
            var encoded = new System.Buffers.ArrayBufferWriter<byte>();
            TransferEncoding.WriteBase64(encoded, content);
            Assert.True(content.AsSpan().SequenceEqual(ByPieces(encoded.WrittenSpan.ToArray(), "base64", () => 1 + random.Next(20_000))), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void Waits_for_white_space_no_longer_than_lines_are()
    {
        var body = Encoding.Latin1.GetBytes("a" + new string(' ', 100_000) + "b");
        Assert.Equal(body, ByPieces(body, "quoted-printable", () => 4096));
    }
}
