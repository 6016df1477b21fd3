using System.Text;
using CbaMail.Mime;
using CbaMail.Queue;

namespace CbaMail.Submission;

/// <summary>Whether what our people submit is a letter or goes to many: the latter waits behind letters.</summary>
public static class MailClasses
{
    /// <summary>More recipients than this and it is no letter.</summary>
    public const int LetterRecipients = 50;

    /// <summary>Bulk where the message says so itself (Precedence; RFC 2369 3.2 List-Unsubscribe), or where it has many recipients.</summary>
    public static MailClass Of(ReadOnlySpan<byte> message, int recipients)
    {
        if (recipients > LetterRecipients) return MailClass.Bulk;
        var reader = new HeaderReader(message);
        while (reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            if (Ascii.EqualsIgnoreCase(name, "List-Unsubscribe"u8)) return MailClass.Bulk;
            if (!Ascii.EqualsIgnoreCase(name, "Precedence"u8)) continue;
            var value = message[field.ValueStart..field.End].Trim(" \t\r\n"u8);
            if (Ascii.EqualsIgnoreCase(value, "bulk"u8) || Ascii.EqualsIgnoreCase(value, "list"u8) || Ascii.EqualsIgnoreCase(value, "junk"u8)) return MailClass.Bulk;
        }
        return MailClass.Interactive;
    }
}
