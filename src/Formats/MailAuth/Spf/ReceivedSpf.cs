using System.Text;

namespace CbaMail.MailAuth.Spf;

/// <summary>The Received-SPF field (RFC 7208 9.1).</summary>
public static class ReceivedSpf
{
    const int MaxValue = 320;

    /// <summary>The whole field, folded, with its line end.</summary>
    public static string Field(SpfQuery query, SpfResult result)
    {
        var client = new SpfAddress(query.Client).ToString();
        var field = new StringBuilder("Received-SPF: ").Append(result.Result.Word());
        field.Append(" (").Append(Comment(query.Receiver)).Append(": ").Append(Comment(Sentence(query, result, client))).Append(')');
        Pair(field, "client-ip", client);
        if (query.MailFrom.Length > 0) Pair(field, "envelope-from", query.MailFrom);
        Pair(field, "helo", query.Helo);
        if (result.Problem is { } problem) Pair(field, "problem", problem);
        Pair(field, "receiver", query.Receiver);
        Pair(field, "identity", result.Identity == SpfIdentity.Helo ? "helo" : "mailfrom");
        // RFC 7208 9.1: "default" where none matched
        if (result.Result is not (AuthResult.None or AuthResult.TempError or AuthResult.PermError)) Pair(field, "mechanism", result.Mechanism ?? "default");
        return field.Append("\r\n").ToString();
    }

    static string Sentence(SpfQuery query, SpfResult result, string client)
    {
        var whose = result.Identity == SpfIdentity.Helo ? "host " + query.Helo : "domain of " + query.MailFrom;
        return result.Result switch
        {
            AuthResult.Pass => $"{whose} designates {client} as permitted sender",
            AuthResult.Fail => $"{whose} does not designate {client} as permitted sender",
            AuthResult.SoftFail => $"{whose} does not designate {client} as permitted sender, but is in transition",
            AuthResult.Neutral => $"{whose} says nothing of {client}",
            AuthResult.None => $"{whose} does not publish SPF",
            _ => $"{whose} cannot be checked",
        };
    }

    static void Pair(StringBuilder field, string key, string value)
    {
        if (field[^1] != ')') field.Append(';');
        field.Append("\r\n\t").Append(key).Append('=');
        value = Clean(value);
        if (IsDotAtom(value)) field.Append(value);
        else field.Append('"').Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
    }

    // RFC 5322 3.2.3
    static bool IsDotAtom(string value)
    {
        if (value.Length == 0 || value[0] == '.' || value[^1] == '.' || value.Contains("..", StringComparison.Ordinal)) return false;
        foreach (var c in value)
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal)) return false;
        return true;
    }

    // RFC 5322 3.2.2: no bracket and no backslash of a stranger may end the comment
    static string Comment(string text) =>
        Clean(text).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("(", "\\(", StringComparison.Ordinal).Replace(")", "\\)", StringComparison.Ordinal);

    // RFC 7208 9.1: no invalid characters, not excessively long; UTF-8 is in order (RFC 6532 3.2)
    static string Clean(string text)
    {
        if (text.Length > MaxValue) text = text[..MaxValue];
        return string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(source[i]) || char.IsSurrogate(source[i]) ? '?' : source[i];
        });
    }
}
