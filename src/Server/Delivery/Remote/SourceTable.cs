using CbaMail.Storage;

namespace CbaMail.Delivery.Remote;

/// <summary>Messages that left from addresses that warm up, by day.</summary>
internal static class SourceTable
{
    public static long Used(ReadTransaction read, string address, long day) =>
        read.Prepare("SELECT messages FROM source_use WHERE address=? AND day=?").Bind(1, address).Bind(2, day).Scalar() ?? 0;

    /// <summary>A lower number than the one that stands there is out of date.</summary>
    public static void Save(WriteTransaction write, string address, long day, long messages) =>
        write.Prepare("INSERT INTO source_use (address, day, messages) VALUES (?,?,?) ON CONFLICT (address, day) DO UPDATE SET messages=max(messages,excluded.messages)")
            .Bind(1, address).Bind(2, day).Bind(3, messages).Run();
}
