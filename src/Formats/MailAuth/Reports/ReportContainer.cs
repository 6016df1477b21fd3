using System.IO.Compression;

namespace CbaMail.MailAuth.Reports;

/// <summary>Opens what reports are sent in: gzip (RFC 7489 7.2.1.1), zip, as several large senders do, or nothing at all. Sizes are bounded: a small file may hold gigabytes.</summary>
public static class ReportContainer
{
    /// <summary>Bytes of a report when it is open. Those of the largest senders stay below 10 MB.</summary>
    public const int MaxOpen = 32 << 20;

    // a zip file's directory is read whole, and takes several times its size
    const int MaxZip = 8 << 20;

    /// <summary>The bytes inside; false with a sentence where it is too large or damaged.</summary>
    /// <param name="extension">Of a zip the file that is wanted: ".xml" or ".json".</param>
    public static bool TryOpen(ReadOnlyMemory<byte> file, string extension, out byte[] content, out string problem, int maxOpen = MaxOpen)
    {
        content = [];
        problem = "";
        var span = file.Span;
        try
        {
            using var source = new MemoryStream(file.ToArray(), writable: false);
            if (span is [0x1f, 0x8b, ..])
            {
                using var gzip = new GZipStream(source, CompressionMode.Decompress);
                return Read(gzip, out content, out problem, maxOpen);
            }
            if (span.StartsWith("PK\x03\x04"u8))
            {
                if (span.Length > MaxZip) return Bad($"the zip file is larger than {MaxZip >> 20} MB", out problem);
                using var zip = new ZipArchive(source, ZipArchiveMode.Read);
                var entry = zip.Entries.FirstOrDefault(e => e.Name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) ?? zip.Entries.FirstOrDefault(e => e.Length > 0);
                if (entry is null) return Bad("the zip file is empty", out problem);
                using var opened = entry.Open();
                return Read(opened, out content, out problem, maxOpen);
            }
            return Read(source, out content, out problem, maxOpen);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException)
        {
            return Bad("the compressed file is damaged", out problem);
        }
    }

    static bool Read(Stream stream, out byte[] content, out string problem, int maxOpen)
    {
        problem = "";
        content = [];
        using var output = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            if (output.Length + count > maxOpen) return Bad($"the report is larger than {maxOpen >> 20} MB when it is opened", out problem);
            output.Write(buffer, 0, count);
        }
        content = output.ToArray();
        return true;
    }

    static bool Bad(string sentence, out string problem)
    {
        problem = sentence;
        return false;
    }

    /// <summary>Compresses a report that we send.</summary>
    public static byte[] Gzip(ReadOnlySpan<byte> content)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal)) gzip.Write(content);
        return output.ToArray();
    }
}
