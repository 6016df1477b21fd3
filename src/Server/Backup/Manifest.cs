using System.Text.Encodings.Web;
using System.Text.Json;

namespace CbaMail.Backup;

/// <summary>A pack as a snapshot needs it: its first so many bytes.</summary>
/// <param name="Sha256">Of those bytes.</param>
/// <param name="Checked">When the copy was last compared with its checksum.</param>
public sealed record PackEntry(int Number, long Length, string Sha256, DateTimeOffset Checked);

/// <summary>A file of the data directory; its bytes stand in <c>files/SHA-256</c>.</summary>
/// <param name="Path">Below the data directory, with "/".</param>
/// <param name="Outside">Where it lay instead, for files outside of the data directory (the settings file, certificates).</param>
public sealed record FileEntry(string Path, long Size, string Sha256, int Mode, string? Outside = null);

/// <summary>What a snapshot consists of: <c>manifest.json</c>. With it, and only with it, the snapshot is complete.</summary>
/// <param name="Format">Of the repository: 1.</param>
/// <param name="Sequence">Rises with each snapshot, whatever the clock does.</param>
/// <param name="Program">The release that wrote it.</param>
/// <param name="Schema">Of the database.</param>
/// <param name="Began">The snapshot holds everything that was acknowledged before.</param>
/// <param name="Bytes">Of the messages, as their owners see them.</param>
/// <param name="Damage">What of the data directory was found damaged, and so is missing here; a sentence each.</param>
public sealed record Manifest(
    int Format, string Name, long Sequence, string Program, long Schema, string Host, DateTimeOffset Began, DateTimeOffset Ended,
    long Accounts, long Messages, long Bytes, bool WithKeys, long DatabaseSize, string DatabaseSha256,
    IReadOnlyList<PackEntry> Packs, IReadOnlyList<FileEntry> Files, IReadOnlyList<string> Damage)
{
    public const int ThisFormat = 1;
    public const string FileName = "manifest.json";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Null where the bytes are no whole manifest.</summary>
    public static Manifest? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<Manifest>(bytes, Json) is
            { Format: > 0, Packs: not null, Files: not null, Damage: not null, Name.Length: > 0, DatabaseSha256.Length: 64, DatabaseSize: >= 0 } manifest
                && manifest.Packs.All(pack => pack is { Number: > 0, Length: >= 0, Sha256.Length: 64 })
                && manifest.Files.All(file => file is { Path.Length: > 0, Size: >= 0, Sha256.Length: 64 } && file.Sha256.All(char.IsAsciiHexDigitLower)) ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
