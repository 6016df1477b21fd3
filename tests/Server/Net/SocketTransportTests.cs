using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Tests.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Net;

/// <summary>The sockets of the line protocols, driven by .NET's own sockets from the other side.</summary>
public sealed partial class SocketTransportTests : IDisposable
{
    static readonly TimeSpan Soon = Wait.Patience;
    readonly EventLoop loop = new(NullLogger<EventLoop>.Instance, new Lookout(TimeProvider.System, processors: 2));
    readonly SpareDescriptor spare = new(TimeProvider.System, NullLogger<Listeners>.Instance);
    readonly ConcurrentQueue<SocketTransport> open = new();
    readonly List<IDisposable> rest = [];

    public void Dispose()
    {
        foreach (var one in rest) one.Dispose();
        foreach (var one in open) one.Close();
        loop.Dispose();
        spare.Dispose();
    }

    async Task<(Socket Client, SocketTransport Server)> ConnectAsync(bool inline = true, TimeProvider? time = null)
    {
        var arrived = new TaskCompletionSource<SocketTransport>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var acceptor = Listen((_, descriptor) => arrived.SetResult(new SocketTransport(loop, descriptor, inline, time ?? TimeProvider.System)));
        var client = await ClientAsync(acceptor);
        var server = await arrived.Task.WaitAsync(Soon);
        open.Enqueue(server);
        return (client, server);
    }

    Acceptor Listen(Action<Acceptor, int> accepted) => new(loop, spare, TimeProvider.System, new IPEndPoint(IPAddress.Loopback, 0), 512, null, (door, descriptor, _) => accepted(door, descriptor));

    async Task<Socket> ClientAsync(Acceptor acceptor)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        rest.Add(client);
        await client.ConnectAsync(acceptor.Address);
        return client;
    }

    static async Task<string> ReadAsync(SocketTransport server)
    {
        var result = await server.Reader.ReadAsync().AsTask().WaitAsync(Soon);
        var text = Encoding.ASCII.GetString(result.Buffer);
        server.Reader.AdvanceTo(result.Buffer.End);
        return result.IsCompleted ? text + "<end>" : text;
    }

    static async Task<byte[]> ReadToEndAsync(Socket client)
    {
        var all = new MemoryStream();
        var buffer = new byte[65536];
        int count;
        while ((count = await client.ReceiveAsync(buffer)) > 0) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task What_is_sent_is_read_and_what_is_flushed_arrives(bool inline)
    {
        var (client, server) = await ConnectAsync(inline);
        var read = ReadAsync(server);
        await client.SendAsync("EHLO me\r\n"u8.ToArray());
        Assert.Equal("EHLO me\r\n", await read);
        server.Writer.Write("250 "u8);
        server.Writer.Write("hello\r\n"u8);
        Assert.Equal(11, server.Writer.UnflushedBytes);
        Assert.False((await server.Writer.FlushAsync()).IsCompleted);
        var buffer = new byte[100];
        Assert.Equal("250 hello\r\n", Encoding.ASCII.GetString(buffer, 0, await client.ReceiveAsync(buffer)));
    }

    [Theory, InlineData(1), InlineData(8)]
    public async Task Who_comes_while_a_thread_looks_out_for_him_is_let_in_and_whoever_comes_later(int together)
    {
        using var door = Listen((door, descriptor) => _ = ServeAsync(door, new SocketTransport(loop, descriptor, inline: true, TimeProvider.System)));
        async Task ServeAsync(Acceptor at, SocketTransport server)
        {
            open.Enqueue(server);
            var said = await server.Reader.ReadAsync();
            server.Writer.Write(said.Buffer.FirstSpan);
            server.Reader.AdvanceTo(said.Buffer.End);
            await server.Writer.FlushAsync();
            server.Close();
            loop.Afterwards(at.LookOut);
        }
        for (var round = 0; round < 200; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, together).Select(async _ =>
            {
                using var client = await ClientAsync(door).WaitAsync(Soon);
                await client.SendAsync("QUIT\r\n"u8.ToArray());
                Assert.Equal(6, (await ReadToEndAsync(client).WaitAsync(Soon)).Length);
            }));
            if (round % 10 == 0) await Task.Yield(); // now and then the look ends before the next one comes
        }
    }

    [Fact]
    public async Task What_was_looked_at_and_not_taken_comes_again_with_what_follows()
    {
        var (client, server) = await ConnectAsync();
        await client.SendAsync("NOO"u8.ToArray());
        var first = await server.Reader.ReadAsync().AsTask().WaitAsync(Soon);
        server.Reader.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        Assert.False(server.Reader.TryRead(out _));
        var second = server.Reader.ReadAsync().AsTask();
        await client.SendAsync("P\r\nQUIT\r\n"u8.ToArray());
        var both = await second.WaitAsync(Soon);
        Assert.Equal("NOOP\r\nQUIT\r\n", Encoding.ASCII.GetString(both.Buffer));
        server.Reader.AdvanceTo(both.Buffer.GetPosition(6));
        Assert.True(server.Reader.TryRead(out var left)); // unexamined: without waiting
        Assert.Equal("QUIT\r\n", Encoding.ASCII.GetString(left.Buffer));
        server.Reader.AdvanceTo(left.Buffer.End);
    }

    [Fact]
    public async Task Who_half_closes_after_his_last_word_is_answered()
    {
        var (client, server) = await ConnectAsync();
        await client.SendAsync("QUIT\r\n"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        var said = await ReadAsync(server);
        if (said == "QUIT\r\n") said += await ReadAsync(server);
        Assert.Equal("QUIT\r\n<end>", said);
        Assert.Equal("<end>", await ReadAsync(server)); // and again: it stays so
        await server.Writer.WriteAsync("221 bye\r\n"u8.ToArray());
        server.Close();
        Assert.Equal("221 bye\r\n", Encoding.ASCII.GetString(await ReadToEndAsync(client)));
    }

    [Fact]
    public async Task Last_words_arrive_although_the_client_still_talks()
    {
        var (client, server) = await ConnectAsync();
        await client.SendAsync(new byte[60_000]);
        await Wait.UntilAsync(() => client.Poll(0, SelectMode.SelectWrite), "sent");
        await server.Writer.WriteAsync("421 4.7.0 Enough\r\n"u8.ToArray());
        server.Close(); // 60,000 octets unread: a reset would take the 421 with it
        Assert.Equal("421 4.7.0 Enough\r\n", Encoding.ASCII.GetString(await ReadToEndAsync(client)));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_long_answer_waits_for_a_slow_reader_and_arrives_whole(bool inline)
    {
        var (client, server) = await ConnectAsync(inline);
        var answer = RandomNumberGenerator.GetBytes(20_000_000);
        var writing = Task.Run(async () =>
        {
            foreach (var piece in answer.Chunk(70_000)) Assert.False((await server.Writer.WriteAsync(piece)).IsCompleted);
            server.Close();
        });
        await Wait.UntilAsync(() => client.Available > 0, "something has come");
        Assert.False(writing.IsCompleted);
        Assert.Equal(answer, await ReadToEndAsync(client));
        await writing;
    }

    [Fact]
    public async Task Reading_and_writing_wait_beside_each_other()
    {
        var (client, server) = await ConnectAsync();
        var reading = ReadAsync(server);
        var writing = server.Writer.WriteAsync(new byte[20_000_000]).AsTask();
        await client.SendAsync("DONE\r\n"u8.ToArray());
        Assert.Equal("DONE\r\n", await reading); // while nobody reads what we write
        Assert.False(writing.IsCompleted);
        var received = 0;
        var buffer = new byte[1 << 20];
        while (received < 20_000_000) received += await client.ReceiveAsync(buffer);
        Assert.False((await writing.WaitAsync(Soon)).IsCompleted);
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_is_not_waited_for_without_end()
    {
        var time = new ManualTime();
        var (_, server) = await ConnectAsync(time: time);
        var writing = server.Writer.WriteAsync(new byte[20_000_000]).AsTask();
        await Wait.UntilAsync(() => time.Waiting > 0, "it waits");
        time.Advance(SocketWriter.Patience + TimeSpan.FromSeconds(1));
        Assert.True((await writing.WaitAsync(Soon)).IsCompleted);
    }

    [Fact]
    public async Task A_read_can_be_cancelled_and_goes_on_afterwards()
    {
        var (client, server) = await ConnectAsync();
        var read = server.Reader.ReadAsync().AsTask();
        server.Reader.CancelPendingRead();
        Assert.True((await read.WaitAsync(Soon)).IsCanceled);
        server.Reader.AdvanceTo(default);
        server.Reader.CancelPendingRead(); // nobody waits: the next one learns it
        Assert.True((await server.Reader.ReadAsync()).IsCanceled);
        server.Reader.AdvanceTo(default);
        using var late = new CancellationTokenSource();
        var third = server.Reader.ReadAsync(late.Token).AsTask();
        await late.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third.WaitAsync(Soon));
        await client.SendAsync("NOOP\r\n"u8.ToArray());
        Assert.Equal("NOOP\r\n", await ReadAsync(server));
    }

    [Fact]
    public async Task Abort_wakes_whoever_waits()
    {
        var (_, server) = await ConnectAsync();
        var reading = ReadAsync(server);
        var writing = server.Writer.WriteAsync(new byte[20_000_000]).AsTask();
        server.Abort();
        Assert.Equal("<end>", await reading);
        Assert.True((await writing.WaitAsync(Soon)).IsCompleted);
        server.Close();
        server.Close();
        Assert.True((await server.Writer.FlushAsync()).IsCompleted);
    }

    /// <summary>The loop may be about to go on with the flush at the very moment at which the buffer is given back.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public async Task Closing_beside_a_flush_that_was_given_up_does_no_harm(bool inline)
    {
        for (var round = 0; round < 100; round++)
        {
            var (client, server) = await ConnectAsync(inline);
            var writing = server.Writer.WriteAsync(new byte[8_000_000]).AsTask();
            Assert.False(writing.IsCompleted);
            server.Abort();
            server.Close();
            client.Dispose();
        }
    }

    /// <summary>A disk that is slow to take what arrives keeps whoever stores.</summary>
    [Fact]
    public async Task When_all_threads_are_kept_by_work_that_blocks_others_are_served_all_the_same()
    {
        using var disk = new ManualResetEvent(false);
        var storing = new List<Task>();
        for (var i = 0; i < Math.Max(4, Environment.ProcessorCount * 2) + 2; i++)
        {
            var (client, server) = await ConnectAsync();
            storing.Add(StoreAsync(server, disk));
            await client.SendAsync("DATA\r\n"u8.ToArray());
        }
        var (other, answering) = await ConnectAsync();
        var read = ReadAsync(answering);
        await other.SendAsync("NOOP\r\n"u8.ToArray());
        Assert.Equal("NOOP\r\n", await read);
        Assert.DoesNotContain(storing, task => task.IsCompleted);
        disk.Set();
        await Task.WhenAll(storing).WaitAsync(Soon);
        Assert.Equal("<end>", await Ended(other, answering)); // and the loop goes on as before
    }

    static async Task StoreAsync(SocketTransport server, ManualResetEvent disk)
    {
        await server.Reader.ReadAsync();
        disk.WaitOne(Soon);
    }

    static Task<string> Ended(Socket client, SocketTransport server)
    {
        client.Shutdown(SocketShutdown.Send);
        return ReadAsync(server);
    }

    [Fact]
    public async Task While_a_flush_waits_nothing_else_is_written_or_flushed()
    {
        var (client, server) = await ConnectAsync();
        var writing = server.Writer.WriteAsync(new byte[8_000_000]).AsTask();
        Assert.Throws<IOException>(() => server.Writer.GetMemory(1)); // the buffer is the kernel's
        Assert.True((await server.Writer.FlushAsync()).IsCompleted);
        var buffer = new byte[1 << 20];
        for (var received = 0; received < 8_000_000;) received += await client.ReceiveAsync(buffer);
        Assert.False((await writing.WaitAsync(Soon)).IsCompleted);
        Assert.False((await server.Writer.WriteAsync("250\r\n"u8.ToArray())).IsCompleted);
    }

    [Fact]
    public async Task One_who_talks_without_a_pause_lets_others_have_their_turn()
    {
        var (client, server) = await ConnectAsync();
        var sending = client.SendAsync(new byte[1_000_000]);
        var (received, atOnce, most) = (0L, 0L, 0L);
        while (received < 1_000_000)
        {
            if (!server.Reader.TryRead(out var result))
            {
                atOnce = 0;
                result = await server.Reader.ReadAsync().AsTask().WaitAsync(Soon);
            }
            (received, atOnce) = (received + result.Buffer.Length, atOnce + result.Buffer.Length);
            most = Math.Max(most, atOnce);
            server.Reader.AdvanceTo(result.Buffer.End);
        }
        Assert.True(most <= 100_000, $"{most} octets without going back to the loop");
        await sending;
    }

    [Fact]
    public async Task A_peer_that_vanishes_is_an_IO_error_to_the_reader_and_the_end_to_the_writer()
    {
        var (client, server) = await ConnectAsync();
        var reading = ReadAsync(server);
        client.LingerState = new LingerOption(true, 0);
        client.Close(); // a reset
        await Assert.ThrowsAsync<ConnectionResetException>(() => reading);
        Assert.True((await server.Writer.WriteAsync("220 hello\r\n"u8.ToArray())).IsCompleted);
    }

    [Fact]
    public async Task One_who_sends_without_end_and_is_not_taken_from_is_cut_off()
    {
        var (client, server) = await ConnectAsync();
        var sending = Task.Run(async () =>
        {
            var piece = new byte[100_000];
            try { while (true) await client.SendAsync(piece); }
            catch (SocketException) { } // it was cut off
        });
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
            {
                var result = await server.Reader.ReadAsync().AsTask().WaitAsync(Soon);
                server.Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        });
        server.Close();
        await sending.WaitAsync(Soon);
    }

    /// <summary>Who answers at once is looked out for by the thread that serves him: nobody else may wait for that, nor he himself when he pauses.</summary>
    [Fact]
    public async Task A_peer_that_answers_at_once_keeps_no_other_waiting_and_may_pause()
    {
        var sessions = new ConcurrentBag<Task>();
        using var acceptor = Listen((_, descriptor) => sessions.Add(EchoAsync(new SocketTransport(loop, descriptor, inline: true, TimeProvider.System))));
        using (var quick = await ClientAsync(acceptor))
        {
            var (said, heard) = (new byte[30], new byte[64]);
            for (var round = 0; round < 3000; round++)
            {
                said[0] = (byte)round;
                quick.Send(said); // not asynchronous: the answer is there before another thread could be
                for (var at = 0; at < said.Length;) at += quick.Receive(heard, at, said.Length - at, SocketFlags.None);
                Assert.Equal(said[0], heard[0]);
                if (round % 500 == 250) await Task.Yield();
                if (round % 200 != 100) continue;
                using var other = await ClientAsync(acceptor);
                other.Send(said);
                Assert.True(other.Receive(heard) > 0);
            }
        }
        await Task.WhenAll(sessions).WaitAsync(Soon);
    }

    /// <summary>Descriptors are used again at once: an event of the one who had the number before must reach nobody.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public async Task Many_who_come_and_go_are_each_answered_by_what_they_said(bool inline)
    {
        const int clients = 40, rounds = 50;
        var sessions = new ConcurrentBag<Task>();
        using var acceptor = Listen((_, descriptor) => sessions.Add(EchoAsync(new SocketTransport(loop, descriptor, inline, TimeProvider.System))));
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async i =>
        {
            var random = new Random(i);
            for (var round = 0; round < rounds; round++)
            {
                using var client = await ClientAsync(acceptor);
                for (var line = random.Next(4); line >= 0; line--)
                {
                    var said = new byte[random.Next(1, 40_000)];
                    random.NextBytes(said);
                    await client.SendAsync(said);
                    var heard = new byte[said.Length];
                    for (var at = 0; at < heard.Length;)
                    {
                        var count = await client.ReceiveAsync(heard.AsMemory(at));
                        Assert.NotEqual(0, count);
                        at += count;
                    }
                    Assert.Equal(said, heard);
                }
                if (random.Next(3) == 0) client.LingerState = new LingerOption(true, 0);
            }
        })).WaitAsync(TimeSpan.FromSeconds(60));
        await Task.WhenAll(sessions).WaitAsync(Soon);
        Assert.Equal(clients * rounds, sessions.Count);
    }

    static async Task EchoAsync(SocketTransport server)
    {
        try
        {
            while (true)
            {
                var result = await server.Reader.ReadAsync();
                foreach (var piece in result.Buffer) server.Writer.Write(piece.Span);
                server.Reader.AdvanceTo(result.Buffer.End);
                if ((await server.Writer.FlushAsync()).IsCompleted || result.IsCompleted) return;
            }
        }
        catch (IOException)
        {
            return; // reset
        }
        finally
        {
            server.Close();
        }
    }

    [Fact]
    public async Task Stopping_tells_who_is_connected_and_waits_for_him()
    {
        var settings = new Settings { Listeners = [new ListenerSettings { Address = "127.0.0.1", Port = FreePorts.One(), Protocol = Protocol.Smtp }] };
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listeners = new Listeners(settings, new ConnectionLimits(settings), TimeProvider.System, NullLogger<Listeners>.Instance, loop, spare, _ => async connection =>
        {
            await connection.Output.WriteAsync("220\r\n"u8.ToArray());
            var result = await connection.ReadAsync(TimeSpan.FromMinutes(1));
            Assert.True(result.IsCanceled && connection.Closed.IsCancellationRequested);
            told.SetResult();
            await mayEnd.Task;
            await connection.Output.WriteAsync("421\r\n"u8.ToArray());
        });
        await listeners.StartAsync(CancellationToken.None);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, settings.Listeners[0].Port);
        await client.ReceiveAsync(new byte[5]);
        var stop = listeners.StopAsync(CancellationToken.None);
        await told.Task.WaitAsync(Soon);
        Assert.False(stop.IsCompleted);
        mayEnd.SetResult();
        await stop.WaitAsync(Soon);
        Assert.Equal("421\r\n", Encoding.ASCII.GetString(await ReadToEndAsync(client)));
    }

    [Fact]
    public async Task Who_talks_while_the_server_stops_is_told_as_well()
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var settings = new Settings { Listeners = [new ListenerSettings { Address = "127.0.0.1", Port = FreePorts.One(), Protocol = Protocol.Smtp }] };
        var listeners = new Listeners(settings, new ConnectionLimits(settings), TimeProvider.System, NullLogger<Listeners>.Instance, loop, spare, _ => async connection =>
        {
            var said = await connection.ReadAsync(TimeSpan.FromMinutes(1));
            connection.Input.AdvanceTo(said.Buffer.Start);
            heard.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, connection.Closed).ContinueWith(_ => { }, TaskScheduler.Default);
            await Wait.UntilAsync(() => connection.Input.TryRead(out said) && said.IsCanceled, "the look that spends the cancellation");
            connection.Input.AdvanceTo(said.Buffer.End);
            Assert.True((await connection.ReadAsync(TimeSpan.FromMinutes(1))).IsCanceled);
            await connection.Output.WriteAsync("421\r\n"u8.ToArray());
        });
        await listeners.StartAsync(CancellationToken.None);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, settings.Listeners[0].Port);
        await client.SendAsync("EHLO me\r\n"u8.ToArray());
        await heard.Task.WaitAsync(Soon);
        await listeners.StopAsync(CancellationToken.None).WaitAsync(Soon);
        Assert.Equal("421\r\n", Encoding.ASCII.GetString(await ReadToEndAsync(client)));
    }

    [Fact]
    public async Task An_address_that_is_taken_is_named()
    {
        using var taken = Listen((_, _) => { });
        var settings = new Settings { Listeners = [new ListenerSettings { Address = "127.0.0.1", Port = taken.Address.Port, Protocol = Protocol.Submission }] };
        var listeners = new Listeners(settings, new ConnectionLimits(settings), TimeProvider.System, NullLogger<Listeners>.Instance, loop, spare, _ => _ => Task.CompletedTask);
        var error = await Assert.ThrowsAsync<IOException>(() => listeners.StartAsync(CancellationToken.None));
        Assert.Contains($"submission://127.0.0.1:{taken.Address.Port}: ", error.Message, StringComparison.Ordinal);
    }
}
