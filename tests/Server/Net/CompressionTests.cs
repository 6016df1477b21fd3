using System.Buffers;
using System.IO.Compression;
using System.Text;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>RFC 4978 over a connection of pipes: both directions, the end of compression, and what is kept meanwhile.</summary>
public sealed class CompressionTests
{
    static (Connection Connection, MemoryTransport Transport) Compressed()
    {
        var transport = new MemoryTransport();
        var connection = Connection.Over(transport.Server, new ListenerSettings { Protocol = Protocol.Imap });
        connection.StartCompression();
        return (connection, transport);
    }

    static byte[] Deflated(string text, bool last = false)
    {
        using var to = new MemoryStream();
        var deflate = new DeflateStream(to, CompressionLevel.Optimal, leaveOpen: true);
        deflate.Write(Encoding.UTF8.GetBytes(text));
        if (last) deflate.Dispose();
        else deflate.Flush();
        return to.ToArray();
    }

    static async Task<string> ReadAsync(Connection connection, int count)
    {
        var text = new StringBuilder();
        while (text.Length < count)
        {
            var result = await connection.ReadAsync(Wait.Patience);
            text.Append(Encoding.UTF8.GetString(result.Buffer));
            connection.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted || result.IsCanceled) break;
        }
        return text.ToString();
    }

    [Fact]
    public async Task Each_flush_can_be_read_at_once_though_the_compressor_is_given_up_between()
    {
        var all = Enumerable.Range(0, DeflatingWriter.MostKept * 3).Select(_ => Compressed()).ToList();
        var clients = all.Select(one => new DeflateStream(one.Transport.Client.Input.AsStream(), CompressionMode.Decompress)).ToList();
        for (var round = 0; round < 5; round++)
            for (var i = 0; i < all.Count; i++)
            {
                var text = string.Concat(Enumerable.Repeat($"* {round} FETCH (FLAGS (\\Seen) UID {i})\r\n", round * round * 20 + 1));
                await all[i].Connection.Output.WriteAsync(Encoding.ASCII.GetBytes(text));
                var read = new byte[text.Length];
                await clients[i].ReadExactlyAsync(read);
                Assert.Equal(text, Encoding.ASCII.GetString(read));
            }
        Assert.InRange(all.Count(one => ((DeflatingWriter)one.Connection.Output).HoldsCompressor), 0, DeflatingWriter.MostKept);
    }

    // who selects a mailbox and waits costs no compressor
    [Fact]
    public async Task Short_answers_need_no_compressor()
    {
        var (connection, transport) = Compressed();
        var client = new DeflateStream(transport.Client.Input.AsStream(), CompressionMode.Decompress);
        foreach (var length in new[] { 1, 255, 256, 1023 })
        {
            var text = Encoding.ASCII.GetBytes(new string((char)('a' + length % 26), length));
            await connection.Output.WriteAsync(text);
            var read = new byte[length];
            await client.ReadExactlyAsync(read);
            Assert.Equal(text, read);
        }
        Assert.False(((DeflatingWriter)connection.Output).HoldsCompressor);
    }

    [Fact]
    public async Task A_line_that_stays_unread_is_there_with_the_next_piece()
    {
        var (connection, transport) = Compressed();
        await transport.Client.Output.WriteAsync(Deflated("a NO"));
        var result = await connection.ReadAsync(Wait.Patience);
        connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(connection.HasBufferedInput());
        await transport.Client.Output.WriteAsync(Deflated("OP\r\n"));
        result = await connection.ReadAsync(Wait.Patience);
        Assert.Equal("a NOOP\r\n", Encoding.ASCII.GetString(result.Buffer));
        connection.Input.AdvanceTo(result.Buffer.End);
        Assert.InRange(((InflatingReader)connection.Input).Kept, 1, 256);
    }

    [Fact]
    public async Task Time_that_is_over_ends_a_wait()
    {
        var (connection, _) = Compressed();
        Assert.True((await connection.ReadAsync(TimeSpan.FromMilliseconds(20))).IsCanceled);
    }

    // 50 MB of zeros are 50 KB: a reader that wants no more than a line sees no more of them
    [Fact]
    public async Task A_bomb_is_inflated_as_it_is_read()
    {
        var (connection, transport) = Compressed();
        var bomb = Deflated(new string('0', 50 << 20));
        Assert.True(bomb.Length < 100 << 10);
        _ = transport.Client.Output.WriteAsync(bomb).AsTask();
        for (var read = 0; read < 50; read++)
        {
            var result = await connection.ReadAsync(Wait.Patience);
            Assert.InRange(result.Buffer.Length, 1, 64 << 10);
            connection.Input.AdvanceTo(result.Buffer.End);
        }
        Assert.InRange(((InflatingReader)connection.Input).Kept, 1, 64 << 10);
    }

    [Fact]
    public async Task What_is_no_stream_is_the_end_of_the_input()
    {
        var (connection, transport) = Compressed();
        await transport.SendAsync("a NOOP\r\nb NOOP\r\n\xff\xff\xff");
        Assert.Equal("", await ReadAsync(connection, 1));
        Assert.True(connection.IsInputBroken);
    }

    // RFC 8437 4.1: what follows in the same packet is read as it is
    [Theory]
    [InlineData(true, true)]   // the client ends its stream with a last block
    [InlineData(false, true)]  // or stops after a flush
    [InlineData(true, false)]  // and what follows may come later
    [InlineData(false, false)]
    public async Task Compression_ends_where_the_client_has_ended_it(bool last, bool together)
    {
        var (connection, transport) = Compressed();
        byte[] ends = Deflated("a UNAUTHENTICATE\r\n", last), next = [.. "b LOGIN anna secret\r\n"u8];
        await transport.Client.Output.WriteAsync(together ? [.. ends, .. next] : ends);
        Assert.Equal("a UNAUTHENTICATE\r\n", await ReadAsync(connection, 18));
        await connection.Output.WriteAsync("a OK\r\n"u8.ToArray());
        connection.EndCompression();
        await connection.Output.WriteAsync("* PLAIN\r\n"u8.ToArray());
        if (!together) await transport.Client.Output.WriteAsync(next);
        Assert.Equal("b LOGIN anna secret\r\n", await ReadAsync(connection, next.Length));

        // the client reads the server's stream up to its last block, and finds the rest as it is
        var (inflater, plain, sent) = (new Inflater(), new byte[100], (await transport.Client.Input.ReadAtLeastAsync(10)).Buffer.ToArray());
        var given = 0;
        var at = 0;
        for (var stop = InflateStop.Flushed; stop == InflateStop.Flushed;)
        {
            stop = inflater.Inflate(sent.AsSpan(at), plain.AsSpan(given), out var taken, out var more);
            (at, given) = (at + taken, given + more);
            Assert.NotEqual(InflateStop.Broken, stop);
        }
        Assert.Equal("a OK\r\n", Encoding.ASCII.GetString(plain, 0, given));
        Assert.Equal("* PLAIN\r\n", Encoding.ASCII.GetString(sent, at, sent.Length - at));

        // and it may begin again
        connection.StartCompression();
        await transport.Client.Output.WriteAsync(Deflated("c NOOP\r\n"));
        Assert.Equal("c NOOP\r\n", await ReadAsync(connection, 8));
    }

    // a flush, and the last block of its own behind it
    [Fact]
    public async Task An_empty_last_block_after_the_flush_is_no_command()
    {
        var (connection, transport) = Compressed();
        await transport.Client.Output.WriteAsync(Deflated("a UNAUTHENTICATE\r\n"));
        Assert.Equal("a UNAUTHENTICATE\r\n", await ReadAsync(connection, 18));
        connection.EndCompression();
        await transport.Client.Output.WriteAsync((byte[])[3, 0, .. "b NOOP\r\n"u8]);
        Assert.Equal("b NOOP\r\n", await ReadAsync(connection, 8));
    }

    [Fact]
    public async Task Compressed_commands_behind_the_end_are_refused()
    {
        var (connection, transport) = Compressed();
        await transport.Client.Output.WriteAsync(Deflated("a UNAUTHENTICATE\r\nb NOOP\r\n"));
        var result = await connection.ReadAsync(Wait.Patience);
        connection.Input.AdvanceTo(result.Buffer.GetPosition(18));
        connection.EndCompression();
        Assert.Equal("", await ReadAsync(connection, 1));
        Assert.True(connection.IsInputBroken);
    }
}
