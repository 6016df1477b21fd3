using System.Buffers;
using System.IO.Pipelines;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Net;
using CbaMail.Storage.Blobs;

namespace CbaMail.Imap.Commands;

/// <summary>Where decoding has come to in a part, so that the next range does not begin at its first octet.</summary>
/// <param name="Position">Of the part in its message.</param>
/// <param name="Consumed">Encoded octets.</param>
/// <param name="Decoded">Octets that they have become.</param>
internal sealed record BinaryPlace(long ContentId, long Position, TransferDecoder Decoder, long Consumed, long Decoded);

/// <summary>
/// Parts without their transfer encoding (RFC 3516 4.2, RFC 9051 6.4.5). A literal is announced with its length, so they are decoded twice: once to
/// count, once to send; of large ones nothing but a few kilobytes is in memory.
/// </summary>
internal static class FetchBinary
{
    /// <summary>Encoded, up to here a part is decoded at once.</summary>
    const int Small = 32 * 1024;

    /// <summary>Whether the section's encoding is one that can be taken off; one that is not there is (RFC 3516 4.3: NIL).</summary>
    public static bool CanDecode(MessageContent content, BodySection section) => TryCreate(content, section, out _);

    // a multipart, a message and the whole have no encoding (RFC 2045 6.4)
    static bool TryCreate(MessageContent content, BodySection section, out TransferDecoder decoder)
    {
        decoder = default;
        if (section.Path.Count == 0 || FetchBody.FindPart(content.Structure, section.Path) is not { } part) return true;
        return part.Children.Count > 0 || part.IsMultipart || TransferDecoder.TryCreate(part.Encoding, out decoder);
    }

    /// <summary>Whether the section can be read (<see cref="FetchBody.Check"/>).</summary>
    /// <exception cref="DamageError">The stored body is damaged.</exception>
    public static void Check(MessageContent content, BodySection section)
    {
        if (FetchBody.Locate(content, section) is var (position, length)) content.Check(position, length);
    }

    public static async ValueTask WriteAsync(ImapSession session, MessageContent content, BodySection section)
    {
        var writer = session.Writer;
        writer.Write(section.Label).Space();
        if (FetchBody.Locate(content, section) is not var (position, length) || !TryCreate(content, section, out var decoder))
        {
            if (section.Form == SectionForm.BinarySize) writer.Write(0);
            else writer.Write("NIL"u8); // RFC 9051 9, nstring: there is no such part
            return;
        }
        var (from, most) = section.Partial is { } partial ? (partial.Offset, partial.Count) : (0, long.MaxValue);
        if (decoder.IsIdentity)
        {
            var skipped = Math.Min(from, length);
            (position, length, from) = (position + skipped, length - skipped, 0);
        }
        // clients fetch large parts range by range
        var start = new BinaryPlace(content.ContentId, position, decoder, 0, 0);
        if (from > 0 && session.Selected?.Place is { } known && known.ContentId == content.ContentId && known.Position == position && known.Decoded <= from) start = known;
        var small = length <= Small ? Decoded(content, position, (int)length, decoder) : null;
        var counted = new Slice(start, from, most, null, null);
        if (small is null) await counted.RunAsync(content, length, session.Cancel);
        else counted.Give(small);
        if (section.Form == SectionForm.BinarySize)
        {
            writer.Write(counted.Length);
            return;
        }
        // RFC 3516 4.3: a literal8 only where there is a NUL
        if (counted.HasNul) writer.Write("~"u8);
        writer.Write("{"u8).Write(counted.Length).Write("}\r\n"u8);
        writer.InLiteral = true;
        if (small is not null) writer.Write(small.AsSpan((int)Math.Min(from, small.Length), (int)counted.Length));
        else
        {
            using var late = writer.Limit(counted.Length);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, session.Cancel);
            var sent = new Slice(start, from, most, writer.Output, session.Context.Memory);
            await sent.RunAsync(content, length, either.Token);
            if (sent.Length != counted.Length) throw new DamageError($"Content {content.ContentId} has changed while it was read.");
        }
        writer.InLiteral = false;
        if (small is null && section.Partial is not null && session.Selected is { } selected) selected.Place = counted.Place;
    }

    static byte[] Decoded(MessageContent content, long position, int length, TransferDecoder decoder)
    {
        var encoded = content.Read(position, length);
        if (decoder.IsIdentity) return encoded;
        var decoded = new byte[length + 4];
        return decoded[..decoder.Decode(encoded, decoded, final: true, out _)];
    }

    /// <summary>A range of the decoded octets: counted, or sent.</summary>
    sealed class Slice(BinaryPlace start, long from, long most, PipeWriter? output, MemoryGate? memory) : IBodyTaker
    {
        const int Piece = 16 * 1024, Room = Piece + 4096; // what the decoder has not consumed comes again

        TransferDecoder decoder = start.Decoder;
        byte[]? input, decoded;
        int held;
        readonly long origin = start.Position;
        long at = start.Decoded, consumed = start.Consumed;

        /// <summary>The last place that is not behind the range.</summary>
        public BinaryPlace Place { get; private set; } = start;

        /// <summary>Octets of the range.</summary>
        public long Length { get; private set; }
        public bool HasNul { get; private set; }

        public bool IsFull => output is not null && output.UnflushedBytes >= FetchBody.MostGathered(memory);
        public bool IsSparing => memory is { IsTight: true };

        public async ValueTask FlushAsync(CancellationToken cancel)
        {
            if (output is not null) ImapWriter.Check(await output.FlushAsync(cancel));
        }

        public async ValueTask RunAsync(MessageContent content, long length, CancellationToken cancel)
        {
            (input, decoded) = (ArrayPool<byte>.Shared.Rent(Room), ArrayPool<byte>.Shared.Rent(Room + 4));
            try
            {
                if (length > consumed) await content.ReadToAsync(this, origin + consumed, length - consumed, cancel);
                if (Wants) Decode(input.AsSpan(0, held), final: true);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(input);
                ArrayPool<byte>.Shared.Return(decoded);
            }
        }

        bool Wants => Length < most && !decoder.Ended;

        public bool Take(ReadOnlySpan<byte> piece)
        {
            while (!piece.IsEmpty && Wants)
            {
                if (held == 0 && piece.Length <= Piece)
                {
                    var taken = Decode(piece, final: false);
                    piece[taken..].CopyTo(input);
                    held = piece.Length - taken;
                    return Wants;
                }
                var count = Math.Min(piece.Length, Room - held);
                piece[..count].CopyTo(input.AsSpan(held));
                piece = piece[count..];
                var used = Decode(input.AsSpan(0, held + count), final: false);
                held += count - used;
                input.AsSpan(used, held).CopyTo(input);
            }
            return Wants;
        }

        int Decode(ReadOnlySpan<byte> bytes, bool final)
        {
            if (at - from <= most) Place = Place with { Decoder = decoder, Consumed = consumed, Decoded = at };
            Give(decoded.AsSpan(0, decoder.Decode(bytes, decoded, final, out var used)));
            consumed += used;
            return used;
        }

        /// <summary>Takes decoded octets.</summary>
        public void Give(ReadOnlySpan<byte> bytes)
        {
            var skip = (int)Math.Clamp(from - at, 0, bytes.Length);
            at += bytes.Length;
            bytes = bytes[skip..];
            if (bytes.Length > most - Length) bytes = bytes[..(int)(most - Length)];
            Length += bytes.Length;
            if (output is null) HasNul |= bytes.Contains((byte)0);
            else output.Write(bytes);
        }
    }
}
