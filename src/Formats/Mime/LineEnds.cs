namespace CbaMail.Mime;

/// <summary>Messages as lines that all end with CRLF (RFC 5322 2.1), which is what POP3 sends whatever is stored.</summary>
public static class LineEnds
{
    /// <summary>Octets that the message lacks so that each line, the last one too, ends with CRLF: one for a LF alone, two or one at the end. A CR alone stays.</summary>
    public static int Missing(ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty) return 0;
        var missing = 0;
        for (int at = 0, next; at < message.Length && (next = message[at..].IndexOf((byte)'\n')) >= 0; at += next + 1)
            if (at + next == 0 || message[at + next - 1] != '\r') missing++;
        return message[^1] switch
        {
            (byte)'\n' => missing,
            (byte)'\r' => missing + 1,
            _ => missing + 2,
        };
    }
}
