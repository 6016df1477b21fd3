using System.Text;
using CbaMail.Text;

namespace CbaMail.Delivery;

/// <summary>Says on top of a message why it lies in Junk: who finds a good one there must be able to see whom to ask.</summary>
static class JunkField
{
    public const string Name = "X-Junk-Reason";
    const int Longest = 500, Width = 78; // RFC 5322 2.1.1

    /// <summary>The field with its line end; words of hooks and milters in other alphabets are encoded.</summary>
    public static string Write(string verdict)
    {
        var plain = LineFolding.Squeeze(verdict.Length > Longest ? verdict.AsSpan(0, char.IsHighSurrogate(verdict[Longest - 1]) ? Longest - 1 : Longest) : verdict);
        var field = new StringBuilder(Name).Append(':');
        var column = field.Length;
        foreach (var word in EncodedWord.EncodeIfNeeded(plain.Length > 0 ? plain : "not said").Split(' '))
        {
            if (column + 1 + word.Length > Width && column > Name.Length + 1)
            {
                field.Append("\r\n");
                column = 0;
            }
            field.Append(' ').Append(word);
            column += 1 + word.Length;
        }
        return field.Append("\r\n").ToString();
    }
}
