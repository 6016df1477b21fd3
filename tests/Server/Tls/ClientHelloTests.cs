using System.Net.Security;
using CbaMail.Tls;
using Xunit;

namespace CbaMail.Tests.Server.Tls;

public class ClientHelloTests
{
    /// <summary>The first bytes that a real client writes.</summary>
    static async Task<byte[]> HelloAsync(string name, params string[] protocols)
    {
        var sent = new MemoryStream();
        await using var client = new SslStream(new Recording(sent));
        await Assert.ThrowsAnyAsync<Exception>(() => client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            ApplicationProtocols = [.. protocols.Select(protocol => new SslApplicationProtocol(protocol))],
        }));
        return sent.ToArray();
    }

    sealed class Recording(MemoryStream sent) : Stream
    {
        public override bool CanRead => true;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => 0;
        public override long Position { get; set; }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => 0;
        public override void Write(byte[] buffer, int offset, int count) => sent.Write(buffer, offset, count);
        public override long Seek(long offset, SeekOrigin origin) => 0;
        public override void SetLength(long value) { }
    }

    /// <summary>The same message in records of a few bytes (RFC 8446 5.1 allows it).</summary>
    static byte[] Split(byte[] hello, int size)
    {
        var body = hello.AsSpan(5, (hello[3] << 8) | hello[4]);
        var split = new List<byte>();
        for (var at = 0; at < body.Length; at += size)
        {
            var part = body.Slice(at, Math.Min(size, body.Length - at));
            split.AddRange([22, 3, 1, (byte)(part.Length >> 8), (byte)part.Length, .. part]);
        }
        return [.. split];
    }

    [Fact]
    public async Task Name_and_protocols_are_read_in_one_record_and_in_many()
    {
        var hello = await HelloAsync("Mail.Example.test", "h2", "acme-tls/1");
        foreach (var bytes in new[] { hello, Split(hello, 1), Split(hello, 7), Split(hello, 100) })
        {
            Assert.True(ClientHello.TryRead(bytes, out var read));
            Assert.Equal("mail.example.test", read!.ServerName);
            Assert.Equal(["h2", "acme-tls/1"], read.Protocols);
        }
    }

    [Fact]
    public async Task A_beginning_asks_for_more()
    {
        var hello = await HelloAsync("mail.example.test");
        for (var i = 0; i < hello.Length; i++) Assert.False(ClientHello.TryRead(hello.AsSpan(0, i), out _));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\x16HTTP")]
    [InlineData("\x16\x03\x01\x00\x00")]
    [InlineData("\x16\x03\x01\xff\xff")]
    [InlineData("\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00")]
    public void What_is_no_hello_is_known_at_once(string text)
    {
        Assert.True(ClientHello.TryRead(System.Text.Encoding.Latin1.GetBytes(text), out var hello));
        Assert.Null(hello);
    }

    [Fact]
    public async Task Changed_bytes_never_break_it_and_cut_vectors_are_no_hello()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var hello = await HelloAsync("mail.example.test", "h2", "http/1.1");
        for (var i = 0; i < 20_000; i++)
        {
            var changed = hello.ToArray();
            for (var j = random.Next(1, 6); j > 0; j--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            ClientHello.TryRead(changed.AsSpan(0, random.Next(changed.Length + 1)), out _);
        }
    }
}
