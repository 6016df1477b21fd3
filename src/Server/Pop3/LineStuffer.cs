using CbaMail.Mailboxes;

namespace CbaMail.Pop3;

/// <summary>
/// A stored message as lines on their way to the client: a dot at the start of a line is doubled (RFC 1939 3), LF alone becomes CRLF, and the last
/// line is ended where it is not. Takes the message in pieces of any size and keeps nothing of them.
/// </summary>
/// <param name="lines">Lines of the body that are wanted (TOP, RFC 1939 7), or null: the whole message.</param>
internal sealed class LineStuffer(Pop3Writer writer, long? lines = null) : IBodyTaker
{
    bool atStart = true, inBody;
    byte last;
    long length, left = lines ?? long.MaxValue; // of the line so far; of lines

    public bool IsFull => writer.IsFull;

    public ValueTask FlushAsync(CancellationToken cancel) => writer.FlushAsync(cancel);

    public bool Take(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty) return true;
        var (written, at) = (0, 0);
        while (at < piece.Length)
        {
            if (atStart)
            {
                if (inBody && left == 0)
                {
                    writer.Write(piece[written..at]);
                    return false;
                }
                if (piece[at] == '.')
                {
                    writer.Write(piece[written..at]).Write("."u8);
                    written = at;
                }
                atStart = false;
            }
            var end = piece[at..].IndexOf((byte)'\n');
            if (end < 0)
            {
                length += piece.Length - at;
                break;
            }
            length += end;
            end += at;
            var afterCr = (end > 0 ? piece[end - 1] : last) == '\r';
            if (!afterCr)
            {
                // many clients take LF alone for a line end: what follows must not pass for ours
                writer.Write(piece[written..end]).Write("\r\n"u8);
                written = end + 1;
            }
            if (inBody) left--;
            else inBody = length == (afterCr ? 1 : 0);
            (length, atStart, at) = (0, true, end + 1);
        }
        writer.Write(piece[written..]);
        last = piece[^1];
        return true;
    }

    /// <summary>Ends the last line, and the answer.</summary>
    public void Finish()
    {
        if (!atStart) writer.Write(last == '\r' ? "\n"u8 : "\r\n"u8);
        writer.Write(".\r\n"u8);
    }
}
