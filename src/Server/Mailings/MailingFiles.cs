using System.Collections.Frozen;
using System.Security.Cryptography;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>The bytes of attachments and inline images: <c>DATA/mailings/SHA-256</c>, written once and durable before a row names them.</summary>
public sealed class MailingFiles(Store store)
{
    readonly string folder = Path.Combine(store.Path, "mailings");

    static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".pdf"] = "application/pdf",
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".webp"] = "image/webp",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain",
        [".csv"] = "text/csv",
        [".html"] = "text/html",
        [".ics"] = "text/calendar",
        [".vcf"] = "text/vcard",
        [".md"] = "text/markdown",
        [".zip"] = "application/zip",
        [".gz"] = "application/gzip",
        [".doc"] = "application/msword",
        [".xls"] = "application/vnd.ms-excel",
        [".ppt"] = "application/vnd.ms-powerpoint",
        [".docx"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [".pptx"] = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        [".odt"] = "application/vnd.oasis.opendocument.text",
        [".ods"] = "application/vnd.oasis.opendocument.spreadsheet",
        [".mp3"] = "audio/mpeg",
        [".mp4"] = "video/mp4",
        [".json"] = "application/json",
        [".rtf"] = "application/rtf",
        [".epub"] = "application/epub+zip",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The content type that a file's name suggests. Text is sent as opaque bytes: its charset is not known.</summary>
    public static string TypeOf(string name)
    {
        var type = Types.GetValueOrDefault(Path.GetExtension(name), "application/octet-stream");
        return type.StartsWith("text/", StringComparison.Ordinal) && type != "text/calendar" ? type + "; charset=utf-8" : type;
    }

    /// <summary>Keeps the bytes and returns their name. The same bytes are kept once.</summary>
    public async Task<string> KeepAsync(ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(content.Span));
        var path = Path.Combine(folder, hash);
        if (!File.Exists(path) || new FileInfo(path).Length != content.Length) await WriteAsync(path, content, cancel);
        Posix.FlushDirectory(folder); // also where it was there already: its writer may have been killed before he had flushed the name
        Posix.FlushDirectory(store.Path);
        return hash;
    }

    async Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        System.IO.Directory.CreateDirectory(folder);
        var unfinished = $"{path}.{Guid.NewGuid():n}.new";
        await using (var file = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write))
        {
            await file.WriteAsync(content, cancel);
            file.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Whether these bytes are kept; false also for what is no name of theirs.</summary>
    public bool Has(string? hash) => hash is { Length: 64 } && hash.All(char.IsAsciiHexDigitLower) && File.Exists(Path.Combine(folder, hash));

    /// <summary>Bytes of a file that is there.</summary>
    public long Size(string hash) => new FileInfo(Path.Combine(folder, hash)).Length;

    /// <exception cref="IOException">The file is gone or is not what was kept.</exception>
    public byte[] Read(MailingFile file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(folder, file.Hash));
        if (!string.Equals(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.Hash, StringComparison.Ordinal))
            throw new IOException($"DATA/mailings/{file.Hash} ({file.Name}) is damaged");
        return bytes;
    }

    /// <summary>Removes files that no mailing names. Called when nothing can be in the middle of creating one: at start.</summary>
    public void Sweep()
    {
        if (!System.IO.Directory.Exists(folder)) return;
        HashSet<string> used;
        using (var read = store.Read()) used = MailingTable.UsedFiles(read);
        foreach (var path in System.IO.Directory.EnumerateFiles(folder))
            if (!used.Contains(Path.GetFileName(path))) File.Delete(path);
    }
}
