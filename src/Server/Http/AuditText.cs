using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CbaMail.Http;

/// <summary>What the audit log and kept answers hold of a body: no secret, and no more than a page.</summary>
static class AuditText
{
    const int LongestRead = 256 << 10;

    /// <summary>What the log keeps of a state before or after a change, in characters; and of what a user changes of his own.</summary>
    public const int Longest = 8 << 10, LongestOwn = 2 << 10;
    const int LongestValue = 400, ShownOfValue = 100;

    /// <summary>Names of fields whose values are secrets, or pictures, whatever holds them.</summary>
    static readonly HashSet<string> Secret = new(StringComparer.OrdinalIgnoreCase) { "password", "passwordHash", "pem", "key", "secret", "token", "proof", "code", "codes", "recoveryCodes", "otpauth", "qr", "page", "link", "logo" };

    /// <returns>The JSON without the values of secrets; null where it is none, or too long.</returns>
    public static string? WithoutSecrets(byte[]? json)
    {
        if (json is null or { Length: 0 or > LongestRead }) return null;
        try
        {
            var node = JsonNode.Parse(json);
            Strike(node, 0);
            return node?.ToJsonString(Reply.Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The same for the log: long texts by their beginnings, and what is still longer by its digest, which shows whether it was another.</summary>
    public static string? Bounded(byte[]? json, int longest)
    {
        if (json is null or { Length: 0 }) return null;
        if (WithoutSecrets(json) is not { } text) return json.Length > LongestRead ? Digested(json) : null;
        if (text.Length <= longest) return text;
        var node = JsonNode.Parse(text);
        Shorten(node, 0);
        var shorter = node!.ToJsonString(Reply.Json);
        return shorter.Length <= longest ? shorter : Digested(Encoding.UTF8.GetBytes(text));
    }

    static string Digested(byte[] text) => new JsonObject { ["leftOut"] = true, ["bytes"] = text.Length, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(text)) }.ToJsonString();

    static void Shorten(JsonNode? node, int depth)
    {
        if (depth > 32) return;
        if (node is JsonArray list)
            for (var i = 0; i < list.Count; i++)
                if (Short(list[i]) is { } text) list[i] = text;
                else Shorten(list[i], depth + 1);
        else if (node is JsonObject one)
            foreach (var (name, value) in one.ToList())
                if (Short(value) is { } text) one[name] = text;
                else Shorten(value, depth + 1);
    }

    static string? Short(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > LongestValue
        ? $"{text[..ShownOfValue]}... ({text.Length} characters, sha256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))})" : null;

    static void Strike(JsonNode? node, int depth)
    {
        if (depth > 32) return;
        if (node is JsonArray list)
            foreach (var item in list) Strike(item, depth + 1);
        else if (node is JsonObject one)
            foreach (var (name, value) in one.ToList())
                if (Secret.Contains(name) && value is JsonValue or JsonArray) one[name] = value is null ? null : "***";
                else Strike(value, depth + 1);
    }
}
