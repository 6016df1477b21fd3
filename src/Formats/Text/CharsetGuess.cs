using System.Text;

namespace CbaMail.Text;

/// <summary>What <see cref="Charset.Guess"/> takes bytes for, of bytes that come in pieces.</summary>
public sealed class CharsetGuess
{
    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly Decoder utf8 = Strict.GetDecoder();
    readonly char[] nowhere = new char[1024];
    Charset.LetterTally tally;
    bool isOther;

    /// <summary>Adds the next bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        tally.Add(bytes);
        while (!isOther && !bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(bytes.Length, nowhere.Length - 8)];
            bytes = bytes[piece.Length..];
            isOther = !IsUtf8(piece, isEnd: false);
        }
    }

    /// <summary>The guess, when all have come.</summary>
    public Encoding Encoding
    {
        get
        {
            if (!isOther && IsUtf8([], isEnd: true)) return Charset.Page(65001)!;
            // one that only its end cuts in two is UTF-8 where it does not look like Cyrillic
            return Charset.Page(tally.Page ?? (isOther ? 1252 : 65001))!;
        }
    }

    bool IsUtf8(ReadOnlySpan<byte> bytes, bool isEnd)
    {
        try
        {
            utf8.GetChars(bytes, nowhere, isEnd);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
