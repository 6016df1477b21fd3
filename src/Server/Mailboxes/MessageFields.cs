using System.Text;
using CbaMail.Mime;

namespace CbaMail.Mailboxes;

/// <summary>The two header fields that stand in a content's row.</summary>
static class MessageFields
{
    const int MaxIdBytes = 998; // RFC 5322 2.1.1: no line is longer

    public static (string? MessageId, DateTimeOffset? Sent) Of(ReadOnlySpan<byte> message)
    {
        string? id = null;
        DateTimeOffset? sent = null;
        var reader = new HeaderReader(message, top: true);
        while (reader.Next(out var field) && (id is null || sent is null))
        {
            var name = message.Slice(field.Start, field.NameLength);
            var value = message[field.ValueStart..field.End];
            if (id is null && Ascii.EqualsIgnoreCase(name, "Message-ID"u8) && value.Length <= MaxIdBytes) id = MessageId.Parse(value);
            else if (sent is null && Ascii.EqualsIgnoreCase(name, "Date"u8) && MailDate.TryParse(value, out var date)) sent = date;
        }
        return (id, sent);
    }
}
