using System.Text;
using CbaMail.Config;
using CbaMail.Storage;
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

    [Fact]
    public void A_header_is_read_without_the_rest_and_both_are_one_message_to_whoever_reads_all()
    {
        var header = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 40).Select(i => $"X-Field-{i}: a value of the header\r\n")) + "\r\n");
        byte[] message = [.. header, .. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 900).Select(i => $"Line {i} of the body\r\n")))];
        var folder = System.IO.Directory.CreateTempSubdirectory("packs-");
        using var disk = new RealDisk();
        using var packs = new Packs(folder.FullName, new StorageSettings(), disk);
        packs.Recover(default, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var record = PackRecord.Build(RecordKind.Content, message, null, [], header.Length);
        var place = packs.Append(record.Finish(7));
        packs.WriteOut();

        using (var reader = packs.Open(place))
        {
            Assert.Equal(header, reader.From(0));
            Assert.Equal(header[100..], reader.From(100));
            Assert.Equal(message[header.Length..], reader.From(header.Length));
            Assert.Equal(message[100..], reader.From(100)); // by now both are there
        }
        using (var reader = packs.Open(place))
        {
            Assert.Equal(message[(header.Length + 5)..], reader.From(header.Length + 5));
            Assert.Equal(message, reader.From(0));
            reader.Spare();
            Assert.Equal(message, reader.FirstPiece());
            Assert.Equal(0, reader.From(message.Length).Length);
        }
        var (bytes, whole) = (new byte[place.Stored], new byte[message.Length]);
        Assert.True(packs.TryRead(place.Pack, place.Position, bytes));
        Zstd.Decompress(bytes.AsSpan(PackRecord.HeaderBytes + 8), default, whole); // as a reader that knows nothing of two frames
        Assert.Equal(message, whole);
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_large_record_takes_nothing_of_the_heap_and_comes_back_whole(bool compressible)
    {
        var message = new byte[5_000_000];
        if (compressible) message.AsSpan().Fill((byte)'x');
        else new Random(1).NextBytes(message);
        var folder = System.IO.Directory.CreateTempSubdirectory("packs-");
        using var disk = new RealDisk();
        using var packs = new Packs(folder.FullName, new StorageSettings(), disk);
        packs.Recover(default, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var small = PackRecord.Build(RecordKind.Content, message.AsSpan(0, 1000), null, []);
        packs.Append(small.Finish(6)); // waits in memory when the large one comes

        var before = GC.GetAllocatedBytesForCurrentThread();
        var record = PackRecord.Build(RecordKind.Content, message, null, []);
        var place = packs.Append(record.Finish(7));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000); // a piece and its compression
        record.Dispose();
        record.Dispose(); // is nothing
        packs.WriteOut();

        bool Read(long position, Span<byte> bytes) => packs.TryRead(place.Pack, position, bytes);
        Assert.Equal(RecordKind.Content, RecordReader.Head(Read, place.Position - small.Length, out _)?.Kind);
        var head = RecordReader.Head(Read, place.Position, out var fault);
        Assert.True(head is not null, fault);
        Assert.Equal(message.Length, head.Raw);
        var whole = new byte[message.Length];
        before = GC.GetAllocatedBytesForCurrentThread();
        for (var (i, at) = (0, 0); i < head.Pieces; at += head.PieceLength(i++))
            Assert.True(RecordReader.TryRaw(Read, head, place.Position, i, [], whole.AsSpan(at, head.PieceLength(i)), out fault), fault);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Equal(message, whole);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void One_that_is_kept_for_others_outlives_its_maker()
    {
        var part = new byte[3_000_000];
        new Random(1).NextBytes(part);
        var record = PackRecord.Build(RecordKind.Object, part, null, []);
        var before = record.Finish(3).ToArray();
        var kept = record.Kept();
        record.Dispose();
        Assert.Equal(before, kept.Finish(3).ToArray());
    }
}
