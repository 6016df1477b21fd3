using System.Text;

namespace CbaMail.Mailboxes;

/// <summary>The two header fields that stand in a content's row.</summary>
static class MessageFields
{
    public static string? MessageId(ReadOnlySpan<byte> message)
    {
        var value = Value(message, "Message-ID"u8);
        var open = value.IndexOf((byte)'<');
        if (open >= 0) value = value[(open + 1)..];
        var close = value.IndexOf((byte)'>');
        if (close >= 0) value = value[..close];
        value = value.Trim(" \t\r\n"u8);
        return value.IsEmpty || value.Length > 998 ? null : Encoding.UTF8.GetString(value);
    }

    public static DateTimeOffset? Date(ReadOnlySpan<byte> message) =>
        DateTimeOffset.TryParse(Encoding.ASCII.GetString(Value(message, "Date"u8).Trim(" \t\r\n"u8)), System.Globalization.CultureInfo.InvariantCulture, out var date) ? date : null;

    static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
    {
        while (!message.IsEmpty && message[0] is not ((byte)'\r' or (byte)'\n'))
        {
            var end = 0;
            do
            {
                var line = message[end..].IndexOf((byte)'\n');
                end = line < 0 ? message.Length : end + line + 1;
            }
            while (end < message.Length && message[end] is (byte)' ' or (byte)'\t');
            var field = message[..end];
            if (field.Length > name.Length && field[name.Length] == ':' && Ascii.EqualsIgnoreCase(field[..name.Length], name)) return field[(name.Length + 1)..];
            message = message[end..];
        }
        return default;
    }
}
