using CbaMail.Storage.Search;
using CbaMail.Tests.Server.Storage.Cuts;
using Xunit;

namespace CbaMail.Tests.Server.Storage.Search;

public sealed class SegmentBuilderTests
{
    static byte[] Written(Func<int, bool> isCancelled, bool keepsCancelled)
    {
        var disk = new SimulatedDisk(1);
        disk.CreateDirectory(disk.Data);
        using var index = AccountIndex.Open(disk, disk.Data + "/1.index");
        var (builder, random) = (new SegmentBuilder(), new Random(3));
        for (var document = 0; document < 60; document++)
        {
            var words = Enumerable.Range(0, random.Next(200)).Select(_ => "W" + random.Next(700)).ToList();
            if (isCancelled(document) && !keepsCancelled) continue;
            builder.Begin(new DocumentId(document, 0));
            foreach (var word in words) builder.Add(word.EndsWith('1') ? Section.Header : Section.Body, word);
            if (isCancelled(document)) builder.Cancel();
        }
        index.Add(builder, [], []);
        using var file = disk.Open(disk.Data + "/1.index", create: false)!;
        var bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return bytes;
    }

    [Fact]
    public void A_document_that_is_taken_out_again_leaves_nothing()
    {
        static bool IsCancelled(int document) => document % 3 == 1 || document is 0 or 58 or 59;
        Assert.Equal(Written(IsCancelled, keepsCancelled: false), Written(IsCancelled, keepsCancelled: true));
    }
}
