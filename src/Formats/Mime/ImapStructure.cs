using System.Buffers;

namespace CbaMail.Mime;

/// <summary>IMAP's wire forms of what a message is: ENVELOPE, BODY, BODYSTRUCTURE (RFC 9051 7.5.2, RFC 3501 7.4.2).</summary>
public static class ImapStructure
{
    /// <summary>The parenthesised ENVELOPE of a message, from its header fields. Pure ASCII: 8-bit text is encoded (RFC 2047).</summary>
    public static byte[] Envelope(ReadOnlySpan<byte> message) => throw new NotImplementedException();

    /// <summary>Writes BODY (<paramref name="extended"/> false) or BODYSTRUCTURE (true).</summary>
    public static void Write(IBufferWriter<byte> output, MimePart root, bool extended) => throw new NotImplementedException();
}
