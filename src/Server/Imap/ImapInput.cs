using System.Buffers;
using System.IO.Pipelines;
using CbaMail.Net;

namespace CbaMail.Imap;

/// <summary>How reading a line or a literal ended.</summary>
internal enum InputStatus { Ok, TooLong, BareLineEnd, Ended, TimedOut, Stopping }

/// <summary>The text of one command, in a rented buffer that grows as its lines and literals come and goes back when it is done.</summary>
internal sealed class CommandText
{
    byte[] buffer = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => buffer.AsSpan(0, Length);

    /// <summary>The same; until the text is changed.</summary>
    public ReadOnlyMemory<byte> Memory => buffer.AsMemory(0, Length);

    public Span<byte> Grow(int count)
    {
        if (Length + count > buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, Length + count));
            Span.CopyTo(larger);
            Return();
            buffer = larger;
        }
        Length += count;
        return buffer.AsSpan(Length - count, count);
    }

    /// <summary>An idle connection holds no buffer.</summary>
    public void Clear()
    {
        Return();
        buffer = [];
        Length = 0;
    }

    void Return()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer, clearArray: true); // may have held a password
    }
}

/// <summary>
/// Lines and literals from the connection. Output is flushed only when the peer must be waited for,
/// so that pipelined commands are answered together (RFC 9051 5.5).
/// </summary>
internal sealed class ImapInput(Connection connection, ImapWriter writer)
{
    /// <summary>What is read over at most before the connection is given up.</summary>
    const long MostSkipped = 1 << 20;

    const int LinesATurn = 64, MillisecondsATurn = 10;

    int lines;
    long turn = Environment.TickCount64;

    /// <summary>How long the peer may be silent; changes with the sign-in.</summary>
    public TimeSpan Patience { get; set; }

    async ValueTask<ReadResult> MoreAsync()
    {
        if (connection.Input.TryRead(out var result)) return result;
        await writer.FlushAsync(CancellationToken.None);
        var read = connection.ReadAsync(Patience);
        if (read.IsCompleted) return await read;
        result = await read;
        (lines, turn) = (0, Environment.TickCount64);
        return result;
    }

    /// <summary>
    /// A thread that goes on with what has been received, a million lines if it was compressed, would keep others from theirs: who sends faster than he is
    /// served goes behind them now and then. Who waits for his answers never does.
    /// </summary>
    ValueTask TakeTurnsAsync()
    {
        if (++lines < LinesATurn && Environment.TickCount64 - turn < MillisecondsATurn) return default;
        return GoBehindAsync();

        async ValueTask GoBehindAsync()
        {
            await new PoolHop(always: true);
            (lines, turn) = (0, Environment.TickCount64);
        }
    }

    InputStatus? Over(in ReadResult result) =>
        result.IsCanceled ? connection.Closed.IsCancellationRequested ? InputStatus.Stopping : InputStatus.TimedOut
        : result.IsCompleted ? InputStatus.Ended : null;

    /// <summary>Forgets what has come and has not been read: commands that somebody slipped in before the handshake.</summary>
    public void ThrowAway()
    {
        if (connection.Input.TryRead(out var result)) connection.Input.AdvanceTo(result.Buffer.End);
    }

    /// <summary>Waits until something has come, or the peer has gone or been silent too long; takes nothing.</summary>
    public async Task<InputStatus> WaitAsync()
    {
        var result = await connection.ReadAsync(Patience);
        connection.Input.AdvanceTo(result.Buffer.Start);
        return !result.Buffer.IsEmpty ? InputStatus.Ok : Over(result) ?? InputStatus.Ok;
    }

    /// <summary>Adds the next line, without its CRLF, to the text.</summary>
    public async ValueTask<InputStatus> ReadLineAsync(CommandText text, int limit)
    {
        long skipped = 0;
        await TakeTurnsAsync();
        while (true)
        {
            var result = await MoreAsync();
            var buffer = result.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var fits = skipped + line.Length <= limit + 1;
                if (!fits && skipped == 0) TakeHead(line, text);
                var status = fits ? TakeLine(line, text) : InputStatus.TooLong;
                connection.Input.AdvanceTo(buffer.GetPosition(1, end));
                return status;
            }
            if (buffer.Length > limit)
            {
                if (skipped == 0) TakeHead(buffer, text);
                skipped += buffer.Length;
                connection.Input.AdvanceTo(buffer.End);
                if (skipped > MostSkipped) return InputStatus.Ended;
            }
            else
            {
                connection.Input.AdvanceTo(buffer.Start, buffer.End);
                // the peer may hold back the rest until what it has sent is acknowledged (Nagle), and we the acknowledgement
                if (!buffer.IsEmpty) connection.AcknowledgeAtOnce();
            }
            if (Over(result) is { } over) return over;
        }
    }

    // Of a line that is too long the beginning is kept: its tag names the answer.
    static void TakeHead(in ReadOnlySequence<byte> line, CommandText text)
    {
        var head = line.Slice(0, Math.Min(line.Length, 300));
        head.CopyTo(text.Grow((int)head.Length));
    }

    // RFC 9051 2.2: lines end with CRLF. Whoever sends LF alone is told so at once instead of being left to wait.
    static InputStatus TakeLine(in ReadOnlySequence<byte> line, CommandText text)
    {
        var length = (int)line.Length;
        if (length == 0 || line.Slice(length - 1).FirstSpan[0] != '\r') return InputStatus.BareLineEnd;
        var taken = text.Grow(length - 1);
        line.Slice(0, length - 1).CopyTo(taken);
        return taken.Contains((byte)'\r') ? InputStatus.BareLineEnd : InputStatus.Ok;
    }

    /// <summary>Adds a literal's announcement's CRLF and its bytes to the text.</summary>
    public async ValueTask<InputStatus> ReadLiteralAsync(CommandText text, int count)
    {
        "\r\n"u8.CopyTo(text.Grow(2));
        return await CopyAsync(count, text, static (piece, to) => piece.CopyTo(to.Grow((int)piece.Length)));
    }

    /// <summary>Hands out the next bytes piece by piece.</summary>
    public async ValueTask<InputStatus> CopyAsync<T>(long count, T target, Action<ReadOnlySequence<byte>, T> take)
    {
        while (count > 0)
        {
            var result = await MoreAsync();
            var piece = result.Buffer.Slice(0, Math.Min(count, result.Buffer.Length));
            if (!piece.IsEmpty) take(piece, target);
            count -= piece.Length;
            var none = piece.IsEmpty;
            connection.Input.AdvanceTo(piece.End);
            if (none && Over(result) is { } over) return over;
        }
        if (!connection.HasBufferedInput()) connection.AcknowledgeAtOnce(); // the end of the line is still to come
        return InputStatus.Ok;
    }

    /// <summary>Reads over bytes that nobody wants.</summary>
    public ValueTask<InputStatus> SkipAsync(long count) => CopyAsync<object?>(count, null, static (_, _) => { });
}
