using System.Buffers;
using System.IO.Pipelines;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Net;

namespace CbaMail.Imap.Commands;

/// <summary>Finds and writes sections of a message (RFC 9051 6.4.5.1). Positions count from the first byte of the row's prefix.</summary>
internal static class FetchBody
{
    /// <summary>Up to here a section is read at once; above it is streamed.</summary>
    const int Small = 32 * 1024;
    /// <summary>What is gathered before it is sent where memory is tight: a buffer of half the size or less.</summary>
    const int Little = 12 * 1024;
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
        if (content.Fields is not null && section.IsKept) return;
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
            WithoutNul(chosen.Span);
            writer.Literal(chosen.Span);
            return;
        }
        var (position, size) = (found.Position, found.Length);
        if (size <= Small)
        {
            var rented = ArrayPool<byte>.Shared.Rent(Math.Max(1, (int)size));
            var bytes = rented.AsSpan(0, (int)size);
            bytes = bytes[..content.Read(position, bytes)];
            WithoutNul(bytes);
            writer.Literal(bytes);
            ArrayPool<byte>.Shared.Return(rented);
            return;
        }
        writer.Write("{"u8).Write(size).Write("}\r\n"u8);
        writer.InLiteral = true;
        using var late = writer.Limit(size);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, session.Cancel);
        await content.ReadToAsync(new Sending(writer.Output, session.Context.Memory), position, size, either.Token);
        writer.InLiteral = false;
    }

    // RFC 9051 4.3.1: no NUL in a literal. Mail that has come by SMTP may have some; BINARY gives them as they are
    static void WithoutNul(Span<byte> bytes) => bytes.Replace((byte)0, (byte)0x80);

    /// <summary>What is gathered of a large section before it is sent.</summary>
    public static int MostGathered(MemoryGate? memory) => memory is { IsTight: true } ? Little : Small;

    sealed class Sending(PipeWriter output, MemoryGate? memory) : IBodyTaker
    {
        public bool IsFull => output.UnflushedBytes >= MostGathered(memory);
        public bool IsSparing => memory is { IsTight: true };

        public bool Take(ReadOnlySpan<byte> piece)
        {
            var room = output.GetSpan(piece.Length)[..piece.Length];
            piece.CopyTo(room);
            WithoutNul(room);
            output.Advance(piece.Length);
            return true;
        }

        public async ValueTask FlushAsync(CancellationToken cancel) => ImapWriter.Check(await output.FlushAsync(cancel));
    }

    /// <summary>The octets of a section: where they are, or those chosen out of a header; null where the message has no such part.</summary>
    public static Found? Find(MessageContent content, BodySection section)
    {
        if (content.Fields is { } kept && section.IsKept) return Chosen(section, content.Prefix.Span, kept.Span);
        if (Locate(content, section) is not var (position, length)) return null;
        if (section.Text is SectionText.HeaderFields or SectionText.HeaderFieldsNot)
            return Chosen(section, default, content.Read(position, (int)Math.Min(length, MaxHeader)));
        var (offset, size) = Cut(section, length);
        return new(position + offset, size, null);
    }

    /// <param name="Bytes">Where the octets do not stand in the message as one piece.</param>
    public readonly record struct Found(long Position, long Length, Memory<byte>? Bytes);

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

    // the fields of a header in two parts, each as it stands, and the empty line (RFC 9051 6.4.5.1)
    static Found Chosen(BodySection section, ReadOnlySpan<byte> before, ReadOnlySpan<byte> header)
    {
        var named = section.Text == SectionText.HeaderFields;
        var chosen = new byte[before.Length + header.Length + 6];
        var length = FieldChoice.Copy(before, section.Fields, named, chosen);
        length += FieldChoice.Copy(header, section.Fields, named, chosen.AsSpan(length));
        "\r\n"u8.CopyTo(chosen.AsSpan(length));
        var (from, count) = Cut(section, length + 2);
        return new(0, count, chosen.AsMemory((int)from, (int)count));
    }
}
