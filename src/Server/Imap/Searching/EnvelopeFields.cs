namespace CbaMail.Imap.Searching;

/// <summary>An address of an ENVELOPE (RFC 9051 7.5.2); only the first of a list is kept.</summary>
internal readonly record struct EnvelopeAddress(string? Name, string? Mailbox, string? Host);

/// <summary>What sorting and threading use of a stored ENVELOPE; texts are as they stand there, encoded-words and all, and read when they are asked for.</summary>
internal readonly ref struct EnvelopeFields
{
    readonly ReadOnlySpan<byte> date, subject, from, to, cc, inReplyTo, messageId;

    /// <summary>How much of an envelope is read: lists of addresses are long, and most who ask want what stands before them.</summary>
    public const int ToDate = 1, ToSubject = 2, ToFrom = 3, All = 10;

    // RFC 9051 9, envelope: date subject from sender reply-to to cc bcc in-reply-to message-id
    public EnvelopeFields(ReadOnlySpan<byte> envelope, int fields = All)
    {
        var at = 1;
        date = Next(envelope, ref at);
        if (fields == ToDate) return;
        subject = Next(envelope, ref at);
        if (fields == ToSubject) return;
        from = Next(envelope, ref at);
        if (fields == ToFrom) return;
        Next(envelope, ref at);
        Next(envelope, ref at);
        to = Next(envelope, ref at);
        cc = Next(envelope, ref at);
        Next(envelope, ref at);
        inReplyTo = Next(envelope, ref at);
        messageId = Next(envelope, ref at);
    }

    public string Date => Text(date);
    public string Subject => Text(subject);
    public string InReplyTo => Text(inReplyTo);
    public string MessageId => Text(messageId);
    public EnvelopeAddress? From => First(from);
    public EnvelopeAddress? To => First(to);
    public EnvelopeAddress? Cc => First(cc);

    static string Text(ReadOnlySpan<byte> value) => value.IsEmpty ? "" : new ImapReader(value).Nstring() ?? "";

    // "((name route mailbox host)...)"
    static EnvelopeAddress? First(ReadOnlySpan<byte> list)
    {
        if (list.IsEmpty || list[0] != '(') return null;
        var reader = new ImapReader(list[1..]);
        reader.Open();
        var name = reader.Nstring();
        reader.Space();
        reader.Nstring();
        reader.Space();
        var mailbox = reader.Nstring();
        reader.Space();
        return new(name, mailbox, reader.Nstring());
    }

    // a value and the space after it
    static ReadOnlySpan<byte> Next(ReadOnlySpan<byte> text, scoped ref int at)
    {
        if (at >= text.Length) return default;
        var start = at;
        var depth = 0;
        do
        {
            switch (text[at])
            {
                case (byte)'(': depth++; at++; break;
                case (byte)')': depth--; at++; break;
                case (byte)'"': at = Quoted(text, at + 1); break;
                case (byte)'{': at = Literal(text, at + 1); break;
                case (byte)' ': at++; break;
                default: at += Math.Max(1, text[at..].IndexOfAny(" ()"u8) is var end and >= 0 ? end : text.Length - at); break; // NIL
            }
        }
        while (depth > 0 && at < text.Length);
        at = Math.Min(at, text.Length);
        return text[start..at++];
    }

    static int Quoted(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length)
        {
            var end = text[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (end < 0) return text.Length + 1;
            at += end + 1;
            if (text[at - 1] == '"') return at;
            at++;
        }
        return at + 1;
    }

    static int Literal(ReadOnlySpan<byte> text, int at)
    {
        var length = 0;
        for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++) length = Math.Min(10 * length + text[at] - '0', 1 << 26);
        return at + "}\r\n".Length + length;
    }
}
