using System.Buffers.Binary;

namespace CbaMail.Milter;

/// <summary>How cutting the next packet out of received bytes ended.</summary>
public enum PacketStatus
{
    Whole,
    /// <summary>More bytes must come.</summary>
    Partial,
    /// <summary>The length is 0 or above <see cref="MilterPacket.MaxLength"/>: this is no milter, or it has lost its place.</summary>
    Bad,
}

/// <summary>Packets as they come from a milter.</summary>
public static class MilterPacket
{
    /// <summary>Length of the length.</summary>
    public const int HeadLength = 4;

    /// <summary>The longest packet that is taken: 1 MiB of data (the largest size that can be agreed on) and room to spare.</summary>
    public const int MaxLength = (1 << 20) + 4096;

    /// <summary>Looks for a packet at the start of <paramref name="bytes"/>.</summary>
    /// <param name="data">What stands behind the answer's letter.</param>
    /// <param name="taken">Bytes of the whole packet; where it is partial, how many must be there for the next look.</param>
    public static PacketStatus Read(ReadOnlySpan<byte> bytes, out MilterAnswer answer, out ReadOnlySpan<byte> data, out int taken)
    {
        (answer, taken) = (MilterAnswer.None, HeadLength);
        data = default;
        if (bytes.Length < HeadLength) return PacketStatus.Partial;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (length is 0 or > MaxLength) return PacketStatus.Bad;
        taken = HeadLength + (int)length;
        if (bytes.Length < taken) return PacketStatus.Partial;
        answer = (MilterAnswer)bytes[HeadLength];
        data = bytes[(HeadLength + 1)..taken];
        return PacketStatus.Whole;
    }
}
