namespace CbaMail.Mime;

/// <summary>The first words of a message as plain text, for lists of messages (RFC 8970).</summary>
public static class Preview
{
    /// <summary>At most <paramref name="length"/> characters, white space folded, from text/plain or else text/html.</summary>
    public static string Of(ReadOnlySpan<byte> message, MimePart root, int length = 200) => throw new NotImplementedException();
}
