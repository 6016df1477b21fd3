using System.Buffers;
using System.IO.Pipelines;
using CbaMail.Mime;
using CbaMail.Storage.Blobs;

namespace CbaMail.Mailboxes;

/// <summary>
/// One stored message: the row's prefix and the shared content. Positions given to the reading methods count from the prefix' first byte;
/// those inside <see cref="Structure"/> count from the content's first byte: add <c>Prefix.Length</c>.
/// </summary>
public sealed class MessageContent
{
    readonly ContentRow row;
    readonly Bodies bodies;
    readonly Lock opening = new();
    MimePart? structure;
    PackReader? open;
    PackReader? prepared;
    volatile bool isTaken; // who reads it has come to it

    internal MessageContent(ContentRow row, byte[] prefix, Bodies bodies)
    {
        (this.row, this.bodies) = (row, bodies);
        Prefix = prefix;
    }

    public long ContentId => row.Id;
    public ReadOnlyMemory<byte> Prefix { get; }
    /// <summary>Prefix and content.</summary>
    public long Size => Prefix.Length + row.Size;
    /// <summary>IMAP ENVELOPE, ready for the wire.</summary>
    public ReadOnlyMemory<byte> Envelope => row.Envelope;
    /// <summary>The tree of parts, decoded on first use.</summary>
    public MimePart Structure => structure ??= Mime.Structure.Decode(row.Structure);
    public string Preview => row.Preview;
    /// <summary>What of the content's header stands in its row (<see cref="KeptFields"/>); null where that was not read, or is not there.</summary>
    public ReadOnlyMemory<byte>? Fields => row.Fields is { } fields ? fields : default(ReadOnlyMemory<byte>?);
    /// <summary>The Date field, or null.</summary>
    public DateTimeOffset? Sent => row.Sent;
    public string? MessageId => row.MessageId;

    /// <summary>
    /// Writes a range to the pipe in pieces, flushing as it goes; memory does not depend on the size. Once it has begun it comes to its end, however
    /// slowly the pipe is read, and even if the message is expunged and its pack removed meanwhile.
    /// </summary>
    /// <exception cref="DamageError">The pack is damaged.</exception>
    public async ValueTask CopyToAsync(PipeWriter output, long position, long count, CancellationToken cancel)
    {
        if (position < 0 || count > Size - position) throw new ArgumentOutOfRangeException(nameof(count), "The range is outside of the message.");
        using var source = new Source(this);
        if (count > 32 * 1024) source.Hold(position, count);
        var unflushed = 0;
        while (count > 0)
        {
            var written = source.CopyTo(output, position, count);
            if (written == 0) throw new DamageError($"Content {ContentId} ends early; run 'cbamail verify'.");
            position += written;
            count -= written;
            unflushed += written;
            if (unflushed < 32 * 1024) continue;
            unflushed = 0;
            var flush = await output.FlushAsync(cancel);
            if (flush.IsCompleted) return; // the reader has gone
        }
    }

    /// <summary>Gives a range to a taker in pieces; memory does not depend on the size. Once it has begun it comes to its end, as <see cref="CopyToAsync"/> does.</summary>
    /// <exception cref="DamageError">The pack is damaged.</exception>
    public async ValueTask ReadToAsync(IBodyTaker taker, long position, long count, CancellationToken cancel)
    {
        using var source = new Source(this);
        if (count > 0) source.Hold(position, count);
        while (count > 0)
        {
            var given = source.GiveTo(taker, position, count, out var more);
            if (given == 0) throw new DamageError($"Content {ContentId} ends early; run 'cbamail verify'.");
            if (!more) return;
            position += given;
            count -= given;
            if (!taker.IsFull) continue;
            var flush = taker.FlushAsync(cancel);
            if (!flush.IsCompleted && taker.IsSparing) source.Spare();
            await flush;
        }
    }

    /// <summary>Gives a range to a taker that keeps up; less where the message ends.</summary>
    /// <exception cref="DamageError">The pack is damaged.</exception>
    public void ReadTo(IBodyTaker taker, long position, long count)
    {
        using var source = new Source(this);
        for (var more = true; count > 0 && more;)
        {
            var given = source.GiveTo(taker, position, count, out more);
            if (given == 0) return;
            position += given;
            count -= given;
        }
    }

    /// <summary>A range as one array, for headers and small parts; shorter where the message ends.</summary>
    /// <exception cref="DamageError">The pack is damaged.</exception>
    public byte[] Read(long position, int count)
    {
        var bytes = new byte[(int)Math.Clamp(Size - position, 0, count)];
        var read = Read(position, bytes);
        return read == bytes.Length ? bytes : bytes[..read];
    }

    /// <summary>Reads into a place of that length; less where the message ends.</summary>
    /// <returns>Octets read.</returns>
    /// <exception cref="DamageError">The pack is damaged.</exception>
    public int Read(long position, Span<byte> bytes)
    {
        using var source = new Source(this);
        var at = 0;
        while (at < bytes.Length)
        {
            var piece = source.At(position + at);
            if (piece.IsEmpty) break;
            if (piece.Length > bytes.Length - at) piece = piece[..(bytes.Length - at)];
            piece.CopyTo(bytes[at..]);
            at += piece.Length;
        }
        return at;
    }

    /// <summary>Keeps what is read of the body, a few kilobytes and an open pack, until <see cref="Close"/>: it is checked first, and then sent.</summary>
    public void Open()
    {
        isTaken = true;
        if (open is not null) return;
        // where it is just being prepared, by a thread that may have lost its processor, there is no waiting for it
        if (opening.TryEnter())
        {
            (open, prepared) = (prepared, null);
            opening.Exit();
        }
        open ??= bodies.Rest(row);
    }

    public void Close()
    {
        isTaken = true;
        open?.Dispose();
        open = null;
        lock (opening)
        {
            prepared?.Dispose();
            prepared = null;
        }
    }

    internal bool IsOpen => open is not null || prepared is not null;

    /// <summary>Whether there is a body that stands in one record.</summary>
    internal bool CanBePrepared => row.Size > 0 && row.Parts.Count == 0;

    /// <summary>Opens it and decodes its beginning, beside whoever will read it and unless he has come to it. What is wrong with it he finds out himself.</summary>
    /// <param name="whole">More of it than its header will be asked for.</param>
    internal void Prepare(bool whole)
    {
        lock (opening)
        {
            if (isTaken || prepared is not null) return;
            var rest = bodies.Rest(row);
            try
            {
                if (whole) rest.FirstPiece();
                else rest.From(0);
                prepared = rest; // Close gives it back where its reader has opened another meanwhile
            }
            catch (Exception)
            {
                rest.Dispose();
            }
        }
    }

    /// <summary>Looks at the checksums of a range, cheaply and without decoding: reading it afterwards does not break off midway.</summary>
    /// <exception cref="DamageError">The pack is damaged.</exception>
    public void Check(long position, long count)
    {
        var (from, to) = (Math.Clamp(position - Prefix.Length, 0, row.Size), Math.Clamp(position + count - Prefix.Length, 0, row.Size));
        if (from == to) return;
        foreach (var cut in row.Parts)
        {
            if (cut.Position >= to || cut.Position + cut.Length <= from) continue;
            using var part = bodies.Part(cut);
            part.Check(Math.Max(0, from - cut.Position), Math.Min(cut.Length, to - cut.Position));
        }
        if (row.Base is { } basis) bodies.Base(basis.Id, basis.Location);
        var rest = open ?? bodies.Rest(row);
        try { rest.Check(from - CutBefore(from), to - CutBefore(to)); }
        finally
        {
            if (rest != open) rest.Dispose();
        }
    }

    long CutBefore(long position) => row.Parts.Sum(cut => Math.Clamp(position - cut.Position, 0, cut.Length));

    // walks prefix, rest of the body and large parts as one sequence
    sealed class Source(MessageContent message) : IDisposable
    {
        readonly PackReader rest = message.open ?? message.bodies.Rest(message.row);
        PackReader?[]? held;
        PackReader? part;
        int partIndex = -1;

        /// <summary>Opens the packs of everything that lies within a range.</summary>
        public void Hold(long position, long count)
        {
            rest.Hold();
            position -= message.Prefix.Length;
            for (var i = 0; i < message.row.Parts.Count; i++)
            {
                var cut = message.row.Parts[i];
                if (cut.Position >= position + count || cut.Position + cut.Length <= position) continue;
                held ??= new PackReader?[message.row.Parts.Count];
                held[i] = message.bodies.Part(cut);
                held[i]!.Hold();
            }
        }

        public ReadOnlySpan<byte> At(long position)
        {
            if (position < message.Prefix.Length) return message.Prefix.Span[(int)position..];
            position -= message.Prefix.Length;
            if (position >= message.row.Size) return default;
            long cutBefore = 0;
            var end = message.row.Size;
            for (var i = 0; i < message.row.Parts.Count; i++)
            {
                var cut = message.row.Parts[i];
                if (position < cut.Position) { end = cut.Position; break; }
                if (position < cut.Position + cut.Length)
                {
                    if (partIndex != i)
                    {
                        part?.Dispose();
                        part = held?[i] ?? message.bodies.Part(cut);
                        partIndex = i;
                    }
                    return part!.From((int)(position - cut.Position));
                }
                cutBefore += cut.Length;
            }
            var bytes = rest.From((int)(position - cutBefore));
            return bytes.Length > end - position ? bytes[..(int)(end - position)] : bytes;
        }

        public int GiveTo(IBodyTaker taker, long position, long count, out bool more)
        {
            var bytes = At(position);
            if (bytes.Length > count) bytes = bytes[..(int)count];
            if (bytes.Length > 16 * 1024) bytes = bytes[..(16 * 1024)];
            more = taker.Take(bytes);
            return bytes.Length;
        }

        public void Spare()
        {
            rest.Spare();
            part?.Spare();
        }

        public int CopyTo(PipeWriter output, long position, long count)
        {
            var bytes = At(position);
            if (bytes.Length > count) bytes = bytes[..(int)count];
            if (bytes.Length > 16 * 1024) bytes = bytes[..(16 * 1024)];
            output.Write(bytes);
            return bytes.Length;
        }

        public void Dispose()
        {
            if (rest != message.open) rest.Dispose();
            part?.Dispose();
            foreach (var reader in held ?? []) reader?.Dispose();
        }
    }
}
