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
}
