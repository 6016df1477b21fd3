using System.Buffers;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>IMAP's wire forms of what a message is: ENVELOPE, BODY, BODYSTRUCTURE (RFC 9051 7.5.2, RFC 3501 7.4.2).</summary>
public static class ImapStructure
{
    static readonly byte[] NoEnvelope = [.. "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"u8];

    /// <summary>The parenthesised ENVELOPE of a message, from its header fields.</summary>
    /// <param name="utf8">8-bit text stands as UTF-8 in quoted strings (RFC 6855 3); else all is ASCII, and such text encoded (RFC 2047).</param>
    public static byte[] Envelope(ReadOnlySpan<byte> message, bool utf8 = false)
    {
        FieldSpan date = default, subject = default, from = default, sender = default, replyTo = default, inReplyTo = default, id = default;
        List<AddressGroup>? to = null, cc = null, bcc = null;
        var reader = new HeaderReader(message, 0, top: true);
        while (reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            switch (name.Length)
            {
                case 2 when Names.Equal(name, "to"u8): Join(ref to, message, field); break;
                case 2 when Names.Equal(name, "cc"u8): Join(ref cc, message, field); break;
                case 3 when Names.Equal(name, "bcc"u8): Join(ref bcc, message, field); break;
                case 4 when Names.Equal(name, "date"u8): First(ref date, field); break;
                case 4 when Names.Equal(name, "from"u8): First(ref from, field); break;
                case 6 when Names.Equal(name, "sender"u8): First(ref sender, field); break;
                case 7 when Names.Equal(name, "subject"u8): First(ref subject, field); break;
                case 8 when Names.Equal(name, "reply-to"u8): First(ref replyTo, field); break;
                case 10 when Names.Equal(name, "message-id"u8): First(ref id, field); break;
                case 11 when Names.Equal(name, "in-reply-to"u8): First(ref inReplyTo, field); break;
            }
        }

        var output = new ArrayBufferWriter<byte>(512);
        output.Write("("u8);
        FieldText(output, message, date, utf8);
        output.Write(" "u8);
        FieldText(output, message, subject, utf8);
        output.Write(" "u8);
        var fromStart = output.WrittenCount;
        FieldAddresses(output, message, from, utf8);
        var fromBytes = output.WrittenSpan[fromStart..].ToArray();
        // RFC 9051 7.5.2: absent or empty Sender and Reply-To are From
        foreach (var field in (ReadOnlySpan<FieldSpan>)[sender, replyTo])
        {
            output.Write(" "u8);
            if (!FieldAddresses(output, message, field, utf8, orNil: false)) output.Write(fromBytes);
        }

        foreach (var list in (ReadOnlySpan<List<AddressGroup>?>)[to, cc, bcc])
        {
            output.Write(" "u8);
            if (!Addresses(output, list, utf8)) output.Write("NIL"u8);
        }

        output.Write(" "u8);
        FieldText(output, message, inReplyTo, utf8);
        output.Write(" "u8);
        FieldText(output, message, id, utf8);
        output.Write(")"u8);
        return output.WrittenSpan.ToArray();
    }

    static void First(ref FieldSpan kept, FieldSpan field)
    {
        if (kept.End == 0) kept = field;
    }

    static void Join(ref List<AddressGroup>? list, ReadOnlySpan<byte> message, FieldSpan field) =>
        (list ??= []).AddRange(AddressList.Parse(message[field.ValueStart..field.End]).Groups);

    // RFC 9051 7.5.2: NIL where the field is absent, "" where it is empty
    static void FieldText(IBufferWriter<byte> output, ReadOnlySpan<byte> message, FieldSpan field, bool utf8)
    {
        if (field.End == 0) output.Write("NIL"u8);
        else String(output, MimeTree.WireText(message[field.ValueStart..field.End], utf8), utf8);
    }

    static bool FieldAddresses(IBufferWriter<byte> output, ReadOnlySpan<byte> message, FieldSpan field, bool utf8, bool orNil = true)
    {
        if (field.End > 0 && Addresses(output, AddressList.Parse(message[field.ValueStart..field.End]).Groups, utf8)) return true;
        if (orNil) output.Write("NIL"u8);
        return false;
    }

    static bool Addresses(IBufferWriter<byte> output, IReadOnlyList<AddressGroup>? groups, bool utf8)
    {
        if (groups is null || groups.Count == 0) return false;
        output.Write("("u8);
        foreach (var group in groups)
        {
            // RFC 9051 7.5.2: a group begins with its name as mailbox and no host, and ends with both absent
            if (group.Name is not null)
            {
                output.Write("(NIL NIL "u8);
                Text(group.RawName!, group.Name);
                output.Write(" NIL)"u8);
            }

            foreach (var member in group.Members)
            {
                output.Write("("u8);
                if (member.RawName.Length == 0) output.Write("NIL"u8);
                else Text(member.RawName, member.Name);
                output.Write(" "u8);
                if (member.Route.Length == 0) output.Write("NIL"u8);
                else Text(member.Route, member.Route);
                output.Write(" "u8);
                // A missing part is "": NIL would make a group of it
                Text(member.LocalPart, member.LocalPart);
                output.Write(" "u8);
                if (!utf8 && Idna.TryToAscii(member.Domain, out var domain)) String(output, domain);
                else Text(member.Domain, member.Domain);
                output.Write(")"u8);
            }

            if (group.Name is not null) output.Write("(NIL NIL NIL NIL)"u8);
        }

        output.Write(")"u8);
        return true;

        // the raw form where it may stand, so that clients decode it as it was sent; else the text encoded anew
        void Text(string raw, string text) => String(output, utf8 || Ascii.IsValid(raw) ? raw : EncodedWord.Encode(text), utf8);
    }

    /// <summary>Writes BODY (<paramref name="extended"/> false) or BODYSTRUCTURE (true).</summary>
    public static void Write(IBufferWriter<byte> output, MimePart root, bool extended)
    {
        output.Write("("u8);
        if (root.IsMultipart) Multipart(output, root, extended);
        else Single(output, root, extended);
        output.Write(")"u8);
    }

    static void Multipart(IBufferWriter<byte> output, MimePart part, bool extended)
    {
        foreach (var child in part.Children) Write(output, child, extended);
        // RFC 9051 9: body-type-mpart has at least one body; a multipart without any shows an empty text
        if (part.Children.Count == 0) EmptyText(output, extended);
        output.Write(" "u8);
        String(output, part.Subtype);
        if (!extended) return;
        output.Write(" "u8);
        Pairs(output, part.WireParameters);
        Extension(output, part);
    }

    static void Single(IBufferWriter<byte> output, MimePart part, bool extended)
    {
        String(output, part.Type);
        output.Write(" "u8);
        String(output, part.Subtype);
        output.Write(" "u8);
        // RFC 2045 5.2: text without a charset is US-ASCII, and clients wish to be told
        if (part.Type == "text" && MimePart.Parameter(part.Parameters, "charset") is null) Pairs(output, [new("charset", "us-ascii"), .. part.WireParameters]);
        else Pairs(output, part.WireParameters);
        output.Write(" "u8);
        Nstring(output, part.ContentId);
        output.Write(" "u8);
        Nstring(output, part.Description);
        output.Write(" "u8);
        String(output, part.Encoding);
        output.Write(" "u8);
        Number(output, part.BodyLength);
        if (part.IsMessage)
        {
            output.Write(" "u8);
            if (part.Children.Count > 0)
            {
                output.Write(part.Children[0].Envelope.Length > 0 ? part.Children[0].Envelope.Span : NoEnvelope);
                output.Write(" "u8);
                Write(output, part.Children[0], extended);
            }
            else
            {
                // Encoded or too deep: opaque, but the grammar (RFC 9051 9, body-type-msg) wants both
                output.Write(NoEnvelope);
                output.Write(" "u8);
                EmptyText(output, extended);
            }
        }

        // RFC 9051 9: body-type-text and body-type-msg end in the number of lines
        if (part.IsMessage || part.Type == "text")
        {
            output.Write(" "u8);
            Number(output, part.BodyLines);
        }

        if (!extended) return;
        output.Write(" "u8);
        Nstring(output, part.Md5);
        Extension(output, part);
    }

    static void EmptyText(IBufferWriter<byte> output, bool extended)
    {
        output.Write("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"u8);
        if (extended) output.Write(" NIL NIL NIL NIL"u8);
        output.Write(")"u8);
    }

    // RFC 9051 9: body-fld-dsp, body-fld-lang, body-fld-loc
    static void Extension(IBufferWriter<byte> output, MimePart part)
    {
        if (part.Disposition is null) output.Write(" NIL "u8);
        else
        {
            output.Write(" ("u8);
            String(output, part.Disposition);
            output.Write(" "u8);
            Pairs(output, part.WireDispositionParameters);
            output.Write(") "u8);
        }

        if (part.Language.Count == 0) output.Write("NIL"u8);
        else
        {
            for (var i = 0; i < part.Language.Count; i++)
            {
                output.Write(i == 0 ? "("u8 : " "u8);
                String(output, part.Language[i]);
            }

            output.Write(")"u8);
        }

        output.Write(" "u8);
        Nstring(output, part.Location);
    }

    static void Pairs(IBufferWriter<byte> output, IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        if (pairs.Count == 0)
        {
            output.Write("NIL"u8);
            return;
        }

        for (var i = 0; i < pairs.Count; i++)
        {
            output.Write(i == 0 ? "("u8 : " "u8);
            String(output, pairs[i].Key);
            output.Write(" "u8);
            String(output, pairs[i].Value);
        }

        output.Write(")"u8);
    }

    static void Nstring(IBufferWriter<byte> output, string? text)
    {
        if (text is null) output.Write("NIL"u8);
        else String(output, text);
    }

    /// <summary>
    /// A quoted string, or a literal where a quoted one may not hold the characters: CR, LF and 8-bit (RFC 9051 9, QUOTED-CHAR).
    /// NUL is legal in neither, and dropped.
    /// </summary>
    static void String(IBufferWriter<byte> output, string text, bool utf8 = false)
    {
        if (text.Contains('\0')) text = text.Replace("\0", "");
        if (utf8 && !Ascii.IsValid(text) && text.AsSpan().IndexOfAny('\r', '\n') < 0)
        {
            output.Write(Encoding.UTF8.GetBytes($"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\""));
            return;
        }

        if (!Ascii.IsValid(text) || text.AsSpan().IndexOfAny('\r', '\n') >= 0)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            output.Write(Encoding.ASCII.GetBytes($"{{{bytes.Length}}}\r\n"));
            output.Write(bytes);
            return;
        }

        var span = output.GetSpan(text.Length * 2 + 2);
        var length = 0;
        span[length++] = (byte)'"';
        foreach (var c in text)
        {
            if (c is '"' or '\\') span[length++] = (byte)'\\';
            span[length++] = (byte)c;
        }

        span[length++] = (byte)'"';
        output.Advance(length);
    }

    static void Number(IBufferWriter<byte> output, long number)
    {
        var span = output.GetSpan(20);
        System.Buffers.Text.Utf8Formatter.TryFormat(number, span, out var written);
        output.Advance(written);
    }
}
