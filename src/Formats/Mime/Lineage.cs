using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CbaMail.Mime;

/// <summary>
/// What a message says of its place in a conversation, as numbers: its own Message-ID, then those of its ancestors, the eldest first
/// (RFC 5256 4 (1)). A number stands for an identifier; the same identifier has the same number wherever it is written.
/// </summary>
public static class Lineage
{
    /// <summary>Ancestors that are kept: of more the first and the last of them.</summary>
    const int MaxAncestors = 200;

    /// <summary>The numbers of a message's header, eight octets each; the first is 0 where it has no Message-ID. Empty where it names nothing.</summary>
    public static byte[] Of(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> own = default, references = default, inReplyTo = default;
        var reader = new HeaderReader(message, top: true);
        while (reader.Next(out var field))
        {
            var name = message.Slice(field.Start, field.NameLength);
            var value = message[field.ValueStart..field.End];
            if (name.Length == 10 && own.IsEmpty && Ascii.EqualsIgnoreCase(name, "Message-ID"u8)) own = value;
            else if (name.Length == 10 && references.IsEmpty && Ascii.EqualsIgnoreCase(name, "References"u8)) references = value;
            else if (name.Length == 11 && inReplyTo.IsEmpty && Ascii.EqualsIgnoreCase(name, "In-Reply-To"u8)) inReplyTo = value;
        }
        var ancestors = Numbers(references, MessageIds);
        // RFC 5256 4 (1): without References the first of In-Reply-To
        if (ancestors.Count == 0) ancestors = Numbers(inReplyTo, 1);
        if (ancestors.Count > MaxAncestors) ancestors.RemoveRange(1, ancestors.Count - MaxAncestors);
        var id = Numbers(own, 1) is [var first] ? first : 0;
        if (id == 0 && ancestors.Count == 0) return [];
        var bytes = new byte[8 * (1 + ancestors.Count)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, id);
        for (var i = 0; i < ancestors.Count; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8 * (i + 1)), ancestors[i]);
        return bytes;
    }

    const int MessageIds = 1000;

    /// <summary>What <see cref="Of"/> has written.</summary>
    /// <returns>The message's own number, 0 where it has none, and those of its ancestors.</returns>
    public static (long Own, long[] Ancestors) Read(ReadOnlySpan<byte> lineage)
    {
        if (lineage.Length < 8) return (0, []);
        var ancestors = new long[lineage.Length / 8 - 1];
        for (var i = 0; i < ancestors.Length; i++) ancestors[i] = BinaryPrimitives.ReadInt64LittleEndian(lineage[(8 * (i + 1))..]);
        return (BinaryPrimitives.ReadInt64LittleEndian(lineage), ancestors);
    }

    static List<long> Numbers(ReadOnlySpan<byte> value, int most)
    {
        var numbers = new List<long>();
        if (value.IsEmpty) return numbers;
        foreach (var id in MessageId.ParseList(value))
        {
            if (numbers.Count == most) break;
            if (Normal(id) is { } known) numbers.Add(Number(known));
        }
        return numbers;
    }

    static long Number(string id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id), hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash) is not 0 and var number ? number : 1;
    }

    /// <summary>The one form of a Message-ID: quotes that are not needed are no part of it (RFC 5256 3, REFERENCES); null where it is none.</summary>
    public static string? Normal(string id)
    {
        if (!id.Contains('@')) return null;
        if (!id.Contains('"') && !id.Contains('\\')) return id;
        var plain = new StringBuilder(id.Length);
        var quoted = false;
        for (var i = 0; i < id.Length; i++)
        {
            if (id[i] == '"') { quoted = !quoted; continue; }
            if (id[i] == '\\' && quoted && i + 1 < id.Length) i++;
            plain.Append(id[i]);
        }
        return plain.ToString();
    }
}
