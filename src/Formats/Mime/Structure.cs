namespace CbaMail.Mime;

/// <summary>The compact binary form of a <see cref="MimePart"/> tree that the vault keeps beside each body.</summary>
public static class Structure
{
    public static byte[] Encode(MimePart root) => throw new NotImplementedException();
    public static MimePart Decode(ReadOnlyMemory<byte> encoded) => throw new NotImplementedException();
}
