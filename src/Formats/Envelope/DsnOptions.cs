namespace CbaMail.Envelope;

/// <summary>The parameters of RFC 3461: what a sender wants to be told. Each reader gives null where the value is not valid.</summary>
public static class DsnOptions
{
    /// <summary>NOTIFY (RFC 3461 4.1) in capitals: "NEVER", or any mix of SUCCESS, FAILURE and DELAY.</summary>
    public static string? Notify(ReadOnlySpan<char> value)
    {
        var seen = new List<string>(3);
        foreach (var range in value.Split(','))
        {
            var word = value[range].ToString().ToUpperInvariant();
            if (word is not ("NEVER" or "SUCCESS" or "FAILURE" or "DELAY") || seen.Contains(word)) return null;
            seen.Add(word);
        }
        // RFC 3461 4.1: NEVER stands alone
        return seen.Contains("NEVER") && seen.Count > 1 ? null : string.Join(',', seen);
    }

    /// <summary>RET (RFC 3461 4.3): "FULL" or "HDRS".</summary>
    public static string? Return(ReadOnlySpan<char> value) =>
        value.Equals("FULL", StringComparison.OrdinalIgnoreCase) ? "FULL" : value.Equals("HDRS", StringComparison.OrdinalIgnoreCase) ? "HDRS" : null;

    /// <summary>ENVID (RFC 3461 4.4), as written; at most 100 characters of xtext.</summary>
    public static string? EnvelopeId(ReadOnlySpan<char> value) =>
        value.Length is > 0 and <= 100 && Xtext.Decode(value) is not null ? value.ToString() : null;

    /// <summary>ORCPT (RFC 3461 4.2, RFC 6533 3), as written: address type, ";", xtext; at most 500 characters.</summary>
    public static string? OriginalRecipient(ReadOnlySpan<char> value)
    {
        if (value.Length > 500) return null;
        var mark = value.IndexOf(';');
        if (mark <= 0 || mark == value.Length - 1) return null;
        var type = value[..mark];
        foreach (var c in type)
            if (!char.IsAsciiLetterOrDigit(c) && c != '-') return null;
        var address = value[(mark + 1)..];
        var decoded = type.Equals("utf-8", StringComparison.OrdinalIgnoreCase) ? Xtext.DecodeUtf8(address) : Xtext.Decode(address);
        return decoded is null ? null : value.ToString();
    }
}
