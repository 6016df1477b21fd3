using System.Text;

namespace CbaMail.Text;

/// <summary>
/// What stands for bytes that a character set has no character for: U+FFFD, as in UTF-8. Of a pair whose second byte is ASCII only
/// the first is lost (WHATWG Encoding 4.1, "prepend byte to stream"): a cut character must not swallow the space or the quote behind it.
/// </summary>
sealed class UnreadableBytes : DecoderFallback
{
    public override int MaxCharCount => 2;

    public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer();

    sealed class Buffer : DecoderFallbackBuffer
    {
        readonly char[] characters = ['\uFFFD', '\0'];
        int position, count;

        public override int Remaining => count - position;

        public override bool Fallback(byte[] bytesUnknown, int index)
        {
            if (bytesUnknown.Length == 0) return false;
            position = 0;
            count = 1;
            if (bytesUnknown.Length == 2 && bytesUnknown[1] is >= 0x20 and < 0x7F)
            {
                characters[1] = (char)bytesUnknown[1];
                count = 2;
            }

            return true;
        }

        public override char GetNextChar() => position < count ? characters[position++] : '\0';

        public override bool MovePrevious()
        {
            if (position == 0) return false;
            position--;
            return true;
        }

        public override void Reset() => position = count = 0;
    }
}
