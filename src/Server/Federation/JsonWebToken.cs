using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace CbaMail.Federation;

/// <summary>A signed token in three parts (RFC 7519, RFC 7515), taken apart and not yet believed.</summary>
sealed record JsonWebToken(string Algorithm, string? KeyId, string Type, JsonElement Claims, byte[] Signed, byte[] Signature)
{
    const int Longest = 16 * 1024;
    // of two fields with one name programs read different ones
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Null where it is no signed token in the compact form.</summary>
    public static JsonWebToken? Parse(string text)
    {
        if (text.Length > Longest || text.Split('.') is not [var header, var claims, { Length: > 0 } signature]) return null;
        if (Json(header) is not { ValueKind: JsonValueKind.Object } head || Json(claims) is not { ValueKind: JsonValueKind.Object } body || Bytes(signature) is not { } proof) return null;
        // RFC 7515 4.1.11: what must be understood and is not
        if (head.TryGetProperty("crit", out _) || Text(head, "alg") is not { } algorithm) return null;
        return new(algorithm, Text(head, "kid"), Text(head, "typ") ?? "", body, Encoding.ASCII.GetBytes(text[..text.LastIndexOf('.')]), proof);
    }

    static byte[]? Bytes(string text) => Base64Url.IsValid(text) && !text.Contains('=', StringComparison.Ordinal) ? Base64Url.DecodeFromChars(text) : null;

    static JsonElement? Json(string part)
    {
        if (Bytes(part) is not { } bytes) return null;
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static string? Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
