using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// The conversation that a message belongs to, by the message that began it: the first of References, else of In-Reply-To, else the message itself
/// (RFC 5322 3.6.4). It hangs on nothing but the header: it never changes, is the same in every mailbox, and needs no other message to be here.
/// </summary>
public static class ThreadRoot
{
    /// <summary>A number for the conversation, above zero; 0 where the header names no message.</summary>
    public static long Of(ReadOnlySpan<byte> message)
    {
        string? references = null, inReplyTo = null, own = null;
        var reader = new HeaderReader(message, top: true);
        while (references is null && reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            if (name.Length == 10 && Ascii.EqualsIgnoreCase(name, "References"u8)) references = First(message[field.ValueStart..field.End]);
            else if (name.Length == 11 && Ascii.EqualsIgnoreCase(name, "In-Reply-To"u8)) inReplyTo ??= First(message[field.ValueStart..field.End]);
            else if (name.Length == 10 && Ascii.EqualsIgnoreCase(name, "Message-ID"u8)) own ??= First(message[field.ValueStart..field.End]);
        }
        return (references ?? inReplyTo ?? own) is { } root ? Number(root) : 0;
    }

    // the whole list may be long, and only its head is asked for
    static string? First(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)'>');
        return MessageId.Parse(end < 0 ? value : value[..(end + 1)]);
    }

    static long Number(string id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id), hash);
        return Math.Max(1, BinaryPrimitives.ReadInt64BigEndian(hash) & long.MaxValue);
    }
}
