namespace CbaMail.Mime;

/// <summary>Builds the tree of parts over the event reader. Never throws on input; linear time.</summary>
public static class MimeTree
{
    /// <summary>Reads a whole message. Depth, parts and header bytes are bounded; what is beyond becomes opaque text.</summary>
    public static MimePart Parse(ReadOnlySpan<byte> message) => throw new NotImplementedException();
}
