using System.Text;
using CbaMail.Storage.Blobs;
using Xunit;

namespace CbaMail.Tests.Server.Storage;

public sealed class PackRecordTests
{
    [Fact]
    public void A_copy_that_resembles_another_holds_no_more_memory_than_it_needs()
    {
        var words = new Random(1);
        var text = string.Concat(Enumerable.Range(0, 6000).Select(_ => words.Next(100000) + " "));
        var (one, other) = (Encoding.UTF8.GetBytes("Dear Anna, " + text), Encoding.UTF8.GetBytes("Dear Boris, " + text));
        Assert.True(Zstd.IsAvailable);
        using var record = PackRecord.Build(RecordKind.Content, other, 1, one);
        Assert.InRange(record.Held, record.Length, 4096); // 36 KB of text
    }
}
