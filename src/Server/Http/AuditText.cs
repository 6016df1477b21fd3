using System.Text.Json;
using System.Text.Json.Nodes;

namespace CbaMail.Http;

/// <summary>What the audit log and kept answers hold of a body: no secret, and no more than a page.</summary>
static class AuditText
{
    const int Longest = 64 << 10;

    /// <summary>Names of fields whose values are secrets, or pictures, whatever holds them.</summary>
    static readonly HashSet<string> Secret = new(StringComparer.OrdinalIgnoreCase) { "password", "passwordHash", "pem", "key", "secret", "token", "proof", "code", "codes", "recoveryCodes", "otpauth", "qr", "page", "link", "logo" };

    /// <returns>The JSON without the values of secrets; null where it is none, or too long.</returns>
    public static string? WithoutSecrets(byte[]? json)
    {
        if (json is null or { Length: 0 or > Longest }) return null;
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
