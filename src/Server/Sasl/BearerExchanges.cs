using System.Text.Json;
using CbaMail.Envelope;

namespace CbaMail.Sasl;

/// <summary>Tokens that an issuer gave a person's program (RFC 6750). A refusal is explained in JSON first, and the client says "go on" to hear it.</summary>
abstract class BearerExchange(ITokenCheck check) : SaslExchange
{
    const int LongestToken = 8192;

    // RFC 7628 3.2.2
    public override string? Explain(Refusal refusal)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("status", Status(refusal));
            if (Schemes is { } schemes) json.WriteString("schemes", schemes);
            if (check.Scope is { } scope) json.WriteString("scope", scope);
            if (check.Configuration is { } configuration) json.WriteString("openid-configuration", configuration);
            json.WriteEndObject();
        }
        return Convert.ToBase64String(buffer.ToArray());
    }

    protected virtual string? Schemes => null;

    protected abstract string Status(Refusal refusal);

    /// <summary>The token of "auth=Bearer ..." among fields that ^A ends; null where there is none or the fields are none.</summary>
    protected static string? Token(IEnumerable<string> fields)
    {
        string? token = null;
        foreach (var field in fields)
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            // RFC 7628 3.1: key = 1*(ALPHA), value = *(VCHAR / SP / HTAB / CR / LF)
            if (equals < 1 || field.AsSpan(0, equals).ContainsAnyExceptInRange('A', 'z') || field.Any(c => c is > '~' or '\x7f')) return null;
            if (!field.StartsWith("auth=", StringComparison.OrdinalIgnoreCase)) continue;
            if (token is not null) return null;
            var value = field[5..];
            token = value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? value[7..].Trim(' ') : "";
            // RFC 6750 2.1: b64token
            if (token.Length > LongestToken || token.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_' or '~' or '+' or '/' or '='))) return null;
        }
        return token;
    }
}

/// <summary>RFC 7628.</summary>
sealed class OAuthBearerExchange(ITokenCheck check) : BearerExchange(check)
{
    // RFC 7628 3.1: gs2-header kvsep *kvpair kvsep, each pair ended by kvsep (^A)
    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (Text(response) is not { } text) return default;
        // a client that only asks what is needed sends ^A alone (RFC 7628 3.2.3, 4.3)
        var end = text.IndexOf('\x01', StringComparison.Ordinal);
        if (end < 0 || !text.EndsWith("\x01\x01", StringComparison.Ordinal)) return default;
        var header = text[..end].Split(',');
        if (header is not [var flag, var authorize, ""] || flag is not ("n" or "y")) return default; // RFC 7628 3.1: no channel binding
        if (authorize.Length > 0 && !authorize.StartsWith("a=", StringComparison.Ordinal)) return default;
        var user = authorize.Length == 0 ? "" : authorize[2..].Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        var fields = text[(end + 1)..^1].Split('\x01', StringSplitOptions.RemoveEmptyEntries);
        // RFC 7628 3.1: without a token it is a question for the configuration, answered like a wrong one
        return fields.Length == 0 ? new(null, new BearerToken(user, "")) : Token(fields) is { } token ? new(null, new BearerToken(user, token)) : default;
    }

    protected override string Status(Refusal refusal) => refusal.IsTemporary ? "temporarily_unavailable" : "invalid_token";
}

/// <summary>XOAUTH2, as Google and Microsoft describe it: what came before RFC 7628 and is still sent.</summary>
sealed class XOAuth2Exchange(ITokenCheck check) : BearerExchange(check)
{
    // "user=" name ^A "auth=Bearer " token ^A ^A
    public override SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (Text(response) is not { } text || !text.EndsWith("\x01\x01", StringComparison.Ordinal)) return default;
        var fields = text[..^2].Split('\x01');
        if (!fields[0].StartsWith("user=", StringComparison.OrdinalIgnoreCase) || fields[0].Length == 5) return default;
        return Token(fields.Skip(1)) is { } token ? new(null, new BearerToken(fields[0][5..], token)) : default;
    }

    protected override string? Schemes => "bearer";

    protected override string Status(Refusal refusal) => refusal.IsTemporary ? "500" : "400";
}
