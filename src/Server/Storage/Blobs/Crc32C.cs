using System.Buffers.Binary;
using System.Numerics;

namespace CbaMail.Storage.Blobs;

/// <summary>CRC-32C (Castagnoli), by the processor's own instruction; about 7 GB/s.</summary>
static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> data)
    {
        var crc = 0xffffffffu;
        while (data.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        foreach (var b in data) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
