using System.Buffers;

namespace CbaMail.Smtp.Server;

/// <summary>
/// Takes the text of DATA out of the stream: removes the dots that were put before dots, and ends at CRLF.CRLF and nothing else
/// (RFC 5321 4.5.2, 4.1.1.4). Octets may come cut anywhere. A CR or LF on its own is text, and noted.
/// </summary>
sealed class DotReader(MessageSink sink)
{
    enum State { LineStart, Text, Cr, Dot, DotCr }

    State state = State.LineStart;

    /// <summary>The end mark has been read.</summary>
    public bool Ended { get; private set; }

    /// <returns>Up to where the octets have been taken: all of them unless <see cref="Ended"/>.</returns>
    public SequencePosition Feed(in ReadOnlySequence<byte> buffer)
    {
        var taken = 0L;
        foreach (var segment in buffer)
        {
            taken += Feed(segment.Span);
            if (Ended) break;
        }
        return buffer.GetPosition(taken);
    }

    internal int Feed(ReadOnlySpan<byte> span)
    {
        var (at, run) = (0, 0); // run: first octet that is not in the sink yet
        while (at < span.Length)
        {
            switch (state)
            {
                case State.LineStart when span[at] == '.':
                    sink.Write(span[run..at]);
                    run = ++at;
                    state = State.Dot;
                    break;
                case State.LineStart:
                    state = State.Text;
                    break;
                case State.Text:
                    var next = span[at..].IndexOfAny((byte)'\r', (byte)'\n');
                    if (next < 0) { at = span.Length; break; }
                    at += next + 1;
                    if (span[at - 1] == '\r') state = State.Cr; else sink.MarkBareLineEnd();
                    break;
                case State.Cr:
                    if (span[at] == '\n') { at++; state = State.LineStart; break; }
                    sink.MarkBareLineEnd();
                    state = State.Text;
                    break;
                case State.Dot:
                    if (span[at] == '\r') { run = ++at; state = State.DotCr; break; }
                    state = State.Text; // the dot was there for the one behind it
                    break;
                case State.DotCr when span[at] == '\n':
                    Ended = true;
                    return at + 1;
                case State.DotCr:
                    sink.Write("\r"u8);
                    sink.MarkBareLineEnd();
                    state = State.Text;
                    break;
            }
        }
        sink.Write(span[run..]);
        return span.Length;
    }
}
