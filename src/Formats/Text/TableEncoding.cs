using System.Text;

namespace CbaMail.Text;

/// <summary>The parts of ISO 8859 that the framework does not know: Nordic, Celtic and South-Eastern European.</summary>
sealed class TableEncoding(string name, string upper) : Encoding
{
    static readonly TableEncoding Latin6 = new("iso-8859-10",
        "\u00A0ĄĒĢĪĨĶ§ĻĐŠŦŽ\u00ADŪŊ°ąēģīĩķ·ļđšŧž―ūŋĀÁÂÃÄÅÆĮČÉĘËĖÍÎÏÐŅŌÓÔÕÖŨØŲÚÛÜÝÞßāáâãäåæįčéęëėíîïðņōóôõöũøųúûüýþĸ");
    static readonly TableEncoding Latin8 = new("iso-8859-14",
        "\u00A0Ḃḃ£ĊċḊ§Ẁ©ẂḋỲ\u00AD®ŸḞḟĠġṀṁ¶ṖẁṗẃṠỳẄẅṡÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏŴÑÒÓÔÕÖṪØÙÚÛÜÝŶßàáâãäåæçèéêëìíîïŵñòóôõöṫøùúûüýŷÿ");
    static readonly TableEncoding Latin10 = new("iso-8859-16",
        "\u00A0ĄąŁ€„Š§š©Ș«Ź\u00ADźŻ°±ČłŽ”¶·žčș»ŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ");

    /// <summary>The encoding of that part of ISO 8859, or null where the framework has it or nobody does.</summary>
    public static TableEncoding? Iso8859(int part) => part switch { 10 => Latin6, 14 => Latin8, 16 => Latin10, _ => null };

    public override string WebName => name;

    public override string EncodingName => name;

    public override int CodePage => 0;

    public override bool IsSingleByte => true;

    public override int GetByteCount(char[] chars, int index, int count) => count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
    {
        for (var i = 0; i < charCount; i++)
        {
            var c = chars[charIndex + i];
            var place = c < First ? c : upper.IndexOf(c) is >= 0 and var found ? First + found : '?';
            bytes[byteIndex + i] = (byte)place;
        }

        return charCount;
    }

    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        for (var i = 0; i < byteCount; i++)
        {
            var b = bytes[byteIndex + i];
            chars[charIndex + i] = b < First ? (char)b : upper[b - First];
        }

        return byteCount;
    }

    public override int GetMaxByteCount(int charCount) => charCount;

    public override int GetMaxCharCount(int byteCount) => byteCount;

    /// <summary>Up to here the bytes are ASCII and control characters.</summary>
    const int First = 0xA0;
}
