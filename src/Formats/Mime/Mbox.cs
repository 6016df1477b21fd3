namespace CbaMail.Mime;

/// <summary>
/// Messages one behind the other in a file, as Mailman, mutt and Python write them: a line that begins with "From " behind an empty one begins the
/// next, and a line of a text that would look so has a ">" before it.
/// </summary>
public static class Mbox
{
    /// <summary>The messages in their order, with CRLF. What stands before the first "From " is none.</summary>
    public static List<byte[]> Read(ReadOnlySpan<byte> file)
    {
        var messages = new List<byte[]>();
        MemoryStream? now = null;
        for (var empty = true; file.Length > 0;)
        {
            var end = file.IndexOf((byte)'\n');
            var line = end < 0 ? file : file[..end];
            file = end < 0 ? default : file[(end + 1)..];
            if (line.EndsWith("\r"u8)) line = line[..^1];
            if (empty && line.StartsWith("From "u8))
            {
                if (now is not null) messages.Add(Whole(now));
                (now, empty) = (new MemoryStream(), false);
                continue;
            }
            empty = line.Length == 0;
            var text = line.TrimStart((byte)'>');
            now?.Write(text.Length < line.Length && text.StartsWith("From "u8) ? line[1..] : line);
            now?.Write("\r\n"u8);
        }
        if (now is not null) messages.Add(Whole(now));
        return messages;
    }

    // the empty line before the next "From " is none of its own
    static byte[] Whole(MemoryStream message)
    {
        var bytes = message.ToArray();
        return bytes.AsSpan().EndsWith("\r\n\r\n"u8) ? bytes[..^2] : bytes;
    }

    /// <summary>Writes a message behind those before it.</summary>
    public static void Write(Stream file, ReadOnlySpan<byte> message)
    {
        file.Write("From - Thu Jan  1 00:00:00 1970\n"u8);
        while (message.Length > 0)
        {
            var end = message.IndexOf((byte)'\n');
            var line = end < 0 ? message : message[..end];
            message = end < 0 ? default : message[(end + 1)..];
            if (line.EndsWith("\r"u8)) line = line[..^1];
            if (line.TrimStart((byte)'>').StartsWith("From "u8)) file.Write(">"u8);
            file.Write(line);
            file.Write("\n"u8);
        }
        file.Write("\n"u8);
    }
}
