using System.Buffers;
using System.Diagnostics;
using CbaMail.Mime;

namespace CbaMail.Bench.Fuzz;

/// <summary>What must hold for every message whatsoever. A breach is an <see cref="InvalidOperationException"/> that says which one.</summary>
internal static class MimeInvariants
{
    /// <summary>Everything that the server does with a message's MIME, and what must be so afterwards.</summary>
    public static void Check(byte[] message)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var root = MimeTree.Parse(message);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        // a part takes five bytes at least and some hundred in memory; addresses of inner envelopes alike
        Must(allocated <= 512 * 1024 + 400L * message.Length, $"the tree of {message.Length} bytes took {allocated} bytes of memory");
        Must(root.HeaderOffset == 0 && root.BodyOffset + root.BodyLength == message.Length, "the root does not hold the whole message");
        var parts = 0;
        Nests(message, root, 0, ref parts);
        Must(parts <= MimeReader.MaxParts, "there are more parts than there may be");
        var encoded = Structure.Encode(root);
        Must(Structure.Encode(Structure.Decode(encoded)).AsSpan().SequenceEqual(encoded), "the structure does not read back as it was written");
        Must(Structure.Encode(MimeTree.Parse(message)).AsSpan().SequenceEqual(encoded), "the same message gives two structures");

        var output = new ArrayBufferWriter<byte>();
        foreach (var extended in new[] { false, true }) ImapStructure.Write(output, root, extended);
        Imap(output.WrittenSpan);
        Imap(ImapStructure.Envelope(message));
        Must(Preview.Of(message, root, 200).Length <= 200, "the preview is too long");
        Headers(message);
        foreach (var part in root.Walk())
        {
            if (part.Children.Count > 0) continue;
            var body = part.Body(message);
            Must(ContentDecoder.Bytes(message, part).Length <= body.Length, "decoded content is longer than it was encoded");
            if (part.Type == "text") Must(ContentDecoder.Text(message, part).Length <= body.Length + 16, "a text is longer than its bytes");
            if (part.Type == "text" && part.Subtype == "html") _ = HtmlText.ToPlainText(ContentDecoder.Text(message, part, 128 * 1024), 4000);
        }
    }

    /// <summary>The time that a message may take. Whoever else runs here takes time too: the best of four counts.</summary>
    public static void CheckTime(byte[] message)
    {
        var allowed = TimeSpan.FromMilliseconds(100) + TimeSpan.FromMicroseconds(2.0 * message.Length);
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 4 && best > allowed; i++)
        {
            var clock = Stopwatch.StartNew();
            Check(message);
            if (clock.Elapsed < best) best = clock.Elapsed;
        }

        Must(best <= allowed, $"{message.Length} bytes took {best.TotalMilliseconds:0} ms");
    }

    static void Nests(byte[] message, MimePart part, int depth, ref int parts)
    {
        parts++;
        Must(depth <= MimeReader.MaxDepth, "parts nest too deep");
        Must(part.HeaderOffset <= part.BodyOffset && part.BodyLength >= 0 && part.BodyOffset + part.BodyLength <= message.Length, "a part's offsets lie outside of the message");
        var body = part.Body(message);
        Must(part.BodyLines == body.Count((byte)'\n') + (body.Length > 0 && body[^1] != '\n' ? 1 : 0), "a part's lines are miscounted");
        var from = part.BodyOffset;
        var end = part.BodyOffset + part.BodyLength;
        foreach (var child in part.Children)
        {
            Must(child.HeaderOffset >= from && child.HeaderOffset <= end, "a part begins outside of its parent");
            Nests(message, child, depth + 1, ref parts);
            from = child.BodyOffset + child.BodyLength;
            Must(from <= end, "a part ends outside of its parent");
        }
    }

    static void Headers(byte[] message)
    {
        foreach (var field in HeaderList.Parse(message))
        {
            Must(field.Value.AsSpan().IndexOfAny("\r\n\0") < 0, "a decoded field holds a line end");
            if (field.Is("From") || field.Is("To") || field.Is("Cc"))
                foreach (var mailbox in AddressList.Parse(field.Raw.Span).Mailboxes) Must(mailbox.Address.AsSpan().IndexOfAny("\r\n") < 0, "an address holds a line end");
            if (field.Is("Date")) MailDate.TryParse(field.Raw.Span, out _);
        }
    }

    /// <summary>ASCII, balanced, quoted strings closed (RFC 9051 9).</summary>
    static void Imap(ReadOnlySpan<byte> wire)
    {
        var depth = 0;
        var quoted = false;
        for (var i = 0; i < wire.Length; i++)
        {
            var b = wire[i];
            Must(b is >= 1 and <= 127 and not ((byte)'\n' or (byte)'\r'), "IMAP's form holds a byte that IMAP forbids");
            if (quoted && b == '\\') i++;
            else if (b == '"') quoted = !quoted;
            else if (!quoted) depth += b == '(' ? 1 : b == ')' ? -1 : 0;
            Must(depth >= 0, "IMAP's form closes what it did not open");
        }

        Must(depth == 0 && !quoted, "IMAP's form is not closed");
    }

    static void Must(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException(otherwise);
    }
}
