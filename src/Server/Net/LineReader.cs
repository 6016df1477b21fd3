using System.Buffers;

namespace CbaMail.Net;

/// <summary>How a read of a line ended.</summary>
public enum LineStatus
{
    /// <summary>A whole line is in <see cref="LineReader.Line"/>.</summary>
    Line,
    /// <summary>The line was longer than allowed; it has been read over.</summary>
    TooLong,
    /// <summary>A CR or LF stood alone; everything to the next line end has been read over.</summary>
    BareLineEnd,
    /// <summary>The peer has said all.</summary>
    Ended,
    TimedOut,
    /// <summary>The server stops.</summary>
    Stopping,
    /// <summary>The peer sent more without a line end than anybody would read over.</summary>
    Flood,
}

/// <summary>
/// Bounded lines ended by CRLF and nothing else: a CR or LF on its own is an error, never a line end, for what one server
/// takes as a line and the next does not is how mail is smuggled (RFC 5321 2.3.8). Flushes the output only when it must wait for the peer,
/// so that pipelined commands are answered in one packet (RFC 2920 3.2).
/// </summary>
/// <param name="flush">Sends what waits in the output, where that is not to wait for a slow reader without end.</param>
public sealed class LineReader(Connection connection, int limit, Func<ValueTask>? flush = null)
{
    const int MostSkipped = 1 << 20;
    readonly byte[] line = new byte[limit];
    int length;

    /// <summary>The last line without its CRLF; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Line => line.AsMemory(0, length);

    public async ValueTask<LineStatus> ReadAsync(TimeSpan timeout)
    {
        var skipped = 0L;
        while (true)
        {
            if (!connection.Input.TryRead(out var result))
            {
                if (flush is not null) await flush(); else await connection.Output.FlushAsync(CancellationToken.None);
                result = await connection.ReadAsync(timeout);
            }
            var buffer = result.Buffer;
            var status = Take(ref buffer, ref skipped);
            connection.Input.AdvanceTo(buffer.Start, status is null ? buffer.End : buffer.Start);
            if (status is { } ready) return ready;
            if (skipped > MostSkipped) return LineStatus.Flood;
            if (result.IsCanceled) return connection.Closed.IsCancellationRequested ? LineStatus.Stopping : LineStatus.TimedOut;
            if (result.IsCompleted) return LineStatus.Ended;
        }
    }

    /// <summary>Null: more is needed.</summary>
    LineStatus? Take(ref ReadOnlySequence<byte> buffer, ref long skipped)
    {
        var reader = new SequenceReader<byte>(buffer);
        if (skipped == 0 && reader.TryReadTo(out ReadOnlySequence<byte> taken, "\r\n"u8))
        {
            buffer = buffer.Slice(reader.Position);
            if (taken.Length > limit) return LineStatus.TooLong;
            length = (int)taken.Length;
            taken.CopyTo(line);
            return line.AsSpan(0, length).IndexOfAny((byte)'\r', (byte)'\n') >= 0 ? LineStatus.BareLineEnd : LineStatus.Line;
        }
        if (skipped > 0 && reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n"u8))
        {
            buffer = buffer.Slice(reader.Position);
            return LineStatus.TooLong;
        }
        // somebody at a terminal sends LF alone: tell at once instead of waiting for a CRLF that never comes
        if (skipped == 0 && !buffer.IsEmpty && buffer.Length <= limit && EndsInBareLineFeed(buffer))
        {
            buffer = buffer.Slice(buffer.End);
            return LineStatus.BareLineEnd;
        }
        if (buffer.Length > limit + 1)
        {
            var keep = buffer.Slice(buffer.Length - 1); // may be the CR of the CRLF
            skipped += buffer.Length - 1;
            buffer = keep;
        }
        return null;
    }

    static bool EndsInBareLineFeed(in ReadOnlySequence<byte> buffer) =>
        buffer.Slice(buffer.Length - 1).FirstSpan[0] == (byte)'\n';
}
