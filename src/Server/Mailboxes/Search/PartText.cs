using System.Buffers;
using System.Text;
using CbaMail.Mime;
using CbaMail.Text;

namespace CbaMail.Mailboxes.Search;

/// <summary>
/// The text of a part, decoded piece by piece: what it takes does not depend on the part's size. Where only the whole tells what the bytes mean
/// it is not for that (<see cref="TryCreate"/>).
/// </summary>
sealed class PartText : IBodyTaker, IDisposable
{
    const int Piece = 16 << 10, Room = Piece + 4096; // what the decoder has not consumed comes again

    readonly Action<IBodyTaker> again;
    readonly TransferDecoder begun;
    byte[] input = [], decoded = [];
    char[] chars = [];
    TransferDecoder transfer;
    Decoder? text; // none yet where the set has to be guessed, and there was nothing but ASCII
    ITextTaker? taker;
    CharsetGuess? guess;
    int held;
    bool isFirst, dropsMark, wants = true;

    PartText(TransferDecoder transfer, Encoding? encoding, Action<IBodyTaker> again)
    {
        (this.transfer, begun, this.again) = (transfer, transfer, again);
        text = encoding?.GetDecoder();
        isFirst = dropsMark = encoding is UTF8Encoding; // as Charset.Decode has it
    }

    /// <param name="again">Gives all bytes of the part to another taker.</param>
    /// <returns>Null where the part has to be decoded as a whole.</returns>
    public static PartText? TryCreate(string encoding, string? charset, Action<IBodyTaker> again)
    {
        if (!Charset.IsReadInPieces(charset, out var known)) return null;
        // RFC 2045 6.4: what nobody knows is taken as it stands
        if (!TransferDecoder.TryCreate(encoding, out var decoder) && encoding.Contains("uu", StringComparison.Ordinal)) return null;
        return new PartText(decoder, known, again);
    }

    /// <summary>Gives the text.</summary>
    /// <returns>Whether the taker wants another one.</returns>
    public bool Give(ITextTaker to)
    {
        taker = to;
        Run();
        return wants;
    }

    void Run()
    {
        (input, decoded, chars) = (ArrayPool<byte>.Shared.Rent(Room), ArrayPool<byte>.Shared.Rent(Room + 4), ArrayPool<char>.Shared.Rent(Room + 64));
        again(this);
        if (!wants) return;
        if (!transfer.Ended) Give(decoded.AsSpan(0, transfer.Decode(input.AsSpan(0, held), decoded, final: true, out _)));
        if (wants && text is not null && text.GetChars([], chars, flush: true) is > 0 and var last) wants = taker!.Take(chars.AsSpan(0, last));
    }

    bool IBodyTaker.IsFull => false;

    ValueTask IBodyTaker.FlushAsync(CancellationToken cancel) => default;

    bool IBodyTaker.Take(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty && wants && !transfer.Ended)
        {
            if (held == 0 && piece.Length <= Piece)
            {
                Give(decoded.AsSpan(0, transfer.Decode(piece, decoded, final: false, out var taken)));
                piece[taken..].CopyTo(input);
                held = piece.Length - taken;
                break;
            }
            var count = Math.Min(piece.Length, Room - held);
            piece[..count].CopyTo(input.AsSpan(held));
            piece = piece[count..];
            Give(decoded.AsSpan(0, transfer.Decode(input.AsSpan(0, held + count), decoded, final: false, out var used)));
            held += count - used;
            input.AsSpan(used, held).CopyTo(input);
        }
        return wants && !transfer.Ended;
    }

    void Give(ReadOnlySpan<byte> bytes)
    {
        if (guess is not null)
        {
            guess.Add(bytes);
            return;
        }
        if (text is null)
        {
            var plain = bytes.IndexOfAnyExceptInRange((byte)0, (byte)127);
            if (plain < 0) plain = bytes.Length;
            Encoding.ASCII.GetChars(bytes[..plain], chars);
            if (plain > 0) wants = taker!.Take(chars.AsSpan(0, plain));
            bytes = bytes[plain..];
            if (bytes.IsEmpty || !wants) return;
            text = Guessed().GetDecoder(); // ASCII is the same in all that it may be
        }
        var length = text.GetChars(bytes, chars, flush: false);
        var given = chars.AsSpan(0, length);
        if (dropsMark && isFirst && length > 0)
        {
            isFirst = false;
            if (given[0] == '\ufeff') given = given[1..];
        }
        if (!given.IsEmpty) wants = taker!.Take(given);
    }

    // the bytes are read once more, to their end
    Encoding Guessed()
    {
        using var other = new PartText(begun, null, again) { guess = new CharsetGuess() };
        other.Run();
        return other.guess.Encoding;
    }

    public void Dispose()
    {
        if (input.Length == 0) return;
        ArrayPool<byte>.Shared.Return(input);
        ArrayPool<byte>.Shared.Return(decoded);
        ArrayPool<char>.Shared.Return(chars);
        (input, decoded, chars) = ([], [], []);
    }
}
