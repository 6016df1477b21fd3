using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using CbaMail.Mailboxes;
using CbaMail.Mime;

namespace CbaMail.Imap.Commands;

/// <summary>Finds and writes sections of a message (RFC 9051 6.4.5.1). Positions count from the first byte of the row's prefix.</summary>
internal static class FetchBody
{
    /// <summary>Up to here a section is read at once; above it is streamed.</summary>
    const int Small = 32 * 1024;
    /// <summary>Bytes of header that HEADER.FIELDS looks at; whoever has more gets the rest by HEADER.</summary>
    const int MaxHeader = 1 << 20;

    /// <summary>Whether the section can be read: asked before the first byte of its message is written, since no literal can be taken back.</summary>
    /// <exception cref="Storage.Blobs.DamageError">The stored body is damaged.</exception>
    public static void Check(MessageContent content, BodySection section)
    {
        if (section.Form != SectionForm.Stored)
        {
            FetchBinary.Check(content, section);
            return;
        }
        if (Locate(content, section) is not var (position, length)) return;
        if (section.Text is SectionText.HeaderFields or SectionText.HeaderFieldsNot)
        {
            content.Check(position, Math.Min(length, MaxHeader));
            return;
        }
        var (offset, size) = Cut(section, length);
        content.Check(position + offset, size);
    }

    public static async ValueTask WriteAsync(ImapSession session, MessageContent content, BodySection section)
    {
        if (section.Form != SectionForm.Stored)
        {
            await FetchBinary.WriteAsync(session, content, section);
            return;
        }
        var writer = session.Writer;
        writer.Write(section.Label).Space();
        if (Find(content, section) is not { } found)
        {
            writer.Write("NIL"u8); // RFC 9051 9, nstring: there is no such part
            return;
        }
        if (found.Bytes is { } chosen)
        {
            WithoutNul(chosen);
            writer.Literal(chosen);
            return;
        }
        var (position, size) = (found.Position, found.Length);
        if (size <= Small)
        {
            var bytes = content.Read(position, (int)size);
            WithoutNul(bytes);
            writer.Literal(bytes);
            return;
        }
        writer.Write("{"u8).Write(size).Write("}\r\n"u8);
        writer.InLiteral = true;
        using var late = writer.Limit(size);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, session.Cancel);
        await content.ReadToAsync(new Sending(writer.Output), position, size, either.Token);
        writer.InLiteral = false;
    }

    // RFC 9051 4.3.1: no NUL in a literal. Mail that has come by SMTP may have some; BINARY gives them as they are
    static void WithoutNul(Span<byte> bytes) => bytes.Replace((byte)0, (byte)0x80);

    sealed class Sending(PipeWriter output) : IBodyTaker
    {
        public bool IsFull => output.UnflushedBytes >= Small;

        public bool Take(ReadOnlySpan<byte> piece)
        {
            var room = output.GetSpan(piece.Length)[..piece.Length];
            piece.CopyTo(room);
            WithoutNul(room);
            output.Advance(piece.Length);
            return true;
        }

        public async ValueTask FlushAsync(CancellationToken cancel) => await output.FlushAsync(cancel);
    }

    /// <summary>The octets of a section: where they are, or those chosen out of a header; null where the message has no such part.</summary>
    public static Found? Find(MessageContent content, BodySection section)
    {
        if (Locate(content, section) is not var (position, length)) return null;
        if (section.Text is SectionText.HeaderFields or SectionText.HeaderFieldsNot)
        {
            var header = content.Read(position, (int)Math.Min(length, MaxHeader));
            var chosen = Fields(header, section.Fields, section.Text == SectionText.HeaderFields);
            var (from, count) = Cut(section, chosen.Length);
            return new(0, count, count == chosen.Length ? chosen : chosen[(int)from..(int)(from + count)]);
        }
        var (offset, size) = Cut(section, length);
        return new(position + offset, size, null);
    }

    /// <param name="Bytes">Where the octets do not stand in the message as one piece.</param>
    public readonly record struct Found(long Position, long Length, byte[]? Bytes);

    // RFC 9051 6.4.5: a part beyond the end is empty
    static (long Offset, long Count) Cut(BodySection section, long length)
    {
        if (section.Partial is not { } partial) return (0, length);
        var offset = Math.Min(partial.Offset, length);
        return (offset, Math.Min(partial.Count, length - offset));
    }

    /// <summary>Where the section's bytes are; null where the message has no such part.</summary>
    internal static (long Position, long Length)? Locate(MessageContent content, BodySection section)
    {
        long prefix = content.Prefix.Length;
        if (section.Path.Count == 0 && section.Text == SectionText.All) return (0, content.Size);
        var root = content.Structure;
        if (section.Path.Count == 0)
        {
            var body = Math.Min(prefix + root.BodyOffset, content.Size);
            return section.Text == SectionText.Text ? (body, content.Size - body) : (0, body);
        }
        if (FindPart(root, section.Path) is not { } part) return null;
        switch (section.Text)
        {
            case SectionText.All:
                return (prefix + part.BodyOffset, part.BodyLength);
            case SectionText.Mime:
                return ReferenceEquals(part, root) ? (0, prefix + part.BodyOffset) : (prefix + part.HeaderOffset, part.BodyOffset - part.HeaderOffset);
        }
        // RFC 9051 6.4.5.1: HEADER and TEXT of a part are those of the message that it encloses
        if (!part.IsMessage || part.Children.Count == 0) return null;
        var inner = part.Children[0];
        return section.Text == SectionText.Text
            ? (prefix + inner.BodyOffset, inner.BodyLength)
            : (prefix + inner.HeaderOffset, inner.BodyOffset - inner.HeaderOffset);
    }

    /// <summary>
    /// The part of that number (RFC 9051 6.4.5.1): a multipart numbers its children, a message numbers those of its multipart or,
    /// where it has none, calls its own body 1.
    /// </summary>
    internal static MimePart? FindPart(MimePart root, IReadOnlyList<uint> path)
    {
        var part = root;
        var isMessage = true;
        foreach (var number in path)
        {
            if (!isMessage && part.IsMessage && part.Children.Count > 0)
            {
                part = part.Children[0];
                isMessage = true;
            }
            if (part.IsMultipart)
            {
                if (number > Math.Max(1, part.Children.Count)) return null;
                // RFC 9051 9, body-type-mpart: BODYSTRUCTURE shows an empty text in a multipart without parts; this is it
                part = part.Children.Count > 0 ? part.Children[(int)number - 1] : EmptyText(part);
            }
            // the same stands in a message that is encoded, against RFC 2045 6.4, or too deep, and so has not been looked into
            else if (!isMessage && part.IsMessage && number == 1) part = EmptyText(part);
            else if (!isMessage || number != 1) return null;
            isMessage = false;
        }
        return part;
    }

    static MimePart EmptyText(MimePart within) => new() { HeaderOffset = within.BodyOffset, BodyOffset = within.BodyOffset };

    /// <summary>The fields named, or all others, each as it stands, and the empty line (RFC 9051 6.4.5.1).</summary>
    internal static byte[] Fields(ReadOnlySpan<byte> header, IReadOnlyList<string> names, bool named)
    {
        var chosen = new ArrayBufferWriter<byte>(256);
        var take = false;
        while (!header.IsEmpty)
        {
            var end = header.IndexOf((byte)'\n');
            var line = end < 0 ? header : header[..(end + 1)];
            header = header[line.Length..];
            if (line.Trim("\r\n"u8).IsEmpty) break;
            if (line[0] is not ((byte)' ' or (byte)'\t'))
            {
                var colon = line.IndexOf((byte)':');
                take = colon >= 0 && IsNamed(line[..colon].TrimEnd(" \t"u8), names) == named;
            }
            if (take) chosen.Write(line);
        }
        if (chosen.WrittenCount > 0 && chosen.WrittenSpan[^1] != '\n') chosen.Write("\r\n"u8);
        chosen.Write("\r\n"u8);
        return chosen.WrittenSpan.ToArray();
    }

    static bool IsNamed(ReadOnlySpan<byte> field, IReadOnlyList<string> names)
    {
        for (var i = 0; i < names.Count; i++)
            if (Ascii.EqualsIgnoreCase(field, names[i])) return true;
        return false;
    }
}
