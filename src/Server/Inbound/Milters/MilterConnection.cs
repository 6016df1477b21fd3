using System.Buffers;
using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Milter;

namespace CbaMail.Inbound.Milters;

/// <summary>A socket to a milter with the terms that were agreed on: packets out, answers in, each wait with its limit.</summary>
sealed class MilterConnection : IDisposable
{
    readonly Socket socket;
    readonly TimeProvider time;
    readonly ArrayBufferWriter<byte> output = new(4096);
    byte[] input = ArrayPool<byte>.Shared.Rent(4096);
    int start, end;

    MilterConnection(Socket socket, TimeProvider time)
    {
        (this.socket, this.time) = (socket, time);
        Writer = new MilterWriter(output);
    }

    public MilterTerms Terms { get; private set; } = MilterTerms.For(MilterTerms.Newest);

    /// <summary>What is written goes out with the next flush.</summary>
    public MilterWriter Writer { get; }

    /// <summary>Bytes that wait for a flush.</summary>
    public int Pending => output.WrittenCount;

    /// <summary>Nothing has come unasked, the end of the connection included.</summary>
    public bool IsStillOpen
    {
        get
        {
            try { return end == start && !socket.Poll(0, SelectMode.SelectRead); }
            catch (SocketException) { return false; }
        }
    }

    public static async ValueTask<MilterConnection> OpenAsync(EndPoint address, MilterSettings settings, TimeProvider time, CancellationToken cancel)
    {
        var socket = address is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var connection = new MilterConnection(socket, time);
        try
        {
            using var timeout = new CancellationTokenSource(settings.ConnectTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
            try { await socket.ConnectAsync(address, both.Token); }
            catch (OperationCanceledException e) when (!cancel.IsCancellationRequested) { throw new MilterTrouble($"no connection within {settings.ConnectTimeout.TotalSeconds:0.#} seconds", e); }
            catch (SocketException e) { throw new MilterTrouble("no connection: " + e.Message, e); }
            await connection.NegotiateAsync(settings, cancel);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    async ValueTask NegotiateAsync(MilterSettings settings, CancellationToken cancel)
    {
        var sizes = settings.PacketSize switch { > 256 << 10 => MilterSteps.Packets1M, > 64 << 10 => MilterSteps.Packets256K, _ => MilterSteps.None };
        var offer = MilterTerms.For(settings.Protocol, sizes);
        Writer.Negotiate(offer);
        await FlushAsync(settings.ConnectTimeout, cancel);
        var (answer, data) = await PacketAsync(settings.ConnectTimeout, cancel);
        if (answer != MilterAnswer.Negotiate) throw new MilterTrouble("it does not speak the milter protocol");
        if (!offer.TryAgree(data.Span, out var terms, out var problem)) throw new MilterTrouble(problem);
        Terms = terms;
        Writer.PacketSize = terms.PacketSize;
    }

    public async ValueTask FlushAsync(TimeSpan limit, CancellationToken cancel)
    {
        if (output.WrittenCount == 0) return;
        using var timeout = new CancellationTokenSource(limit, time);
        using var registration = cancel.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), timeout);
        try
        {
            for (var rest = output.WrittenMemory; rest.Length > 0;) rest = rest[await socket.SendAsync(rest, timeout.Token)..];
            output.ResetWrittenCount();
        }
        catch (Exception e) when (Trouble(e, limit, cancel) is { } trouble) { throw trouble; }
    }

    /// <summary>The next answer.</summary>
    public async ValueTask<MilterReply> ReadAsync(TimeSpan limit, CancellationToken cancel)
    {
        var (answer, data) = await PacketAsync(limit, cancel);
        return MilterReply.Read(answer, data.Span) ?? throw new MilterTrouble($"its answer '{Shown(answer)}' with {data.Length} bytes has no such form");
    }

    async ValueTask<(MilterAnswer Answer, ReadOnlyMemory<byte> Data)> PacketAsync(TimeSpan limit, CancellationToken cancel)
    {
        CancellationTokenSource? timeout = null;
        CancellationTokenRegistration registration = default;
        try
        {
            while (true)
            {
                switch (MilterPacket.Read(input.AsSpan(start, end - start), out var answer, out var data, out var taken))
                {
                    case PacketStatus.Whole:
                        var at = start + taken - data.Length;
                        start += taken;
                        return (answer, input.AsMemory(at, start - at));
                    case PacketStatus.Bad:
                        throw new MilterTrouble("it does not speak the milter protocol");
                }
                MakeRoom(taken);
                if (timeout is null)
                {
                    timeout = new CancellationTokenSource(limit, time);
                    registration = cancel.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), timeout);
                }
                var count = await socket.ReceiveAsync(input.AsMemory(end), timeout.Token);
                if (count == 0) throw new MilterTrouble("it closed the connection") { IsGone = true };
                end += count;
            }
        }
        catch (Exception e) when (Trouble(e, limit, cancel) is { } trouble) { throw trouble; }
        finally
        {
            await registration.DisposeAsync();
            timeout?.Dispose();
        }
    }

    void MakeRoom(int needed)
    {
        if (start > 0)
        {
            input.AsSpan(start, end - start).CopyTo(input);
            (start, end) = (0, end - start);
        }
        if (needed <= input.Length && end < input.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, input.Length));
        input.AsSpan(0, end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(input);
        input = larger;
    }

    static MilterTrouble? Trouble(Exception e, TimeSpan limit, CancellationToken cancel) => e switch
    {
        OperationCanceledException when !cancel.IsCancellationRequested => new MilterTrouble($"no answer within {limit.TotalSeconds:0.#} seconds", e),
        SocketException => new MilterTrouble("the connection was lost: " + e.Message, e) { IsGone = true },
        _ => null,
    };

    static char Shown(MilterAnswer answer) => answer is > (MilterAnswer)32 and < (MilterAnswer)127 ? (char)answer : '?';

    public void Dispose()
    {
        socket.Dispose();
        if (input.Length > 0) ArrayPool<byte>.Shared.Return(input);
        input = [];
    }
}
