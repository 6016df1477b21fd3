namespace CbaMail.MailAuth.Spf;

/// <summary>Names that SPF looks up: what users, macros and other servers made of them.</summary>
static class SpfName
{
    /// <summary>RFC 7208 7.3: the longest name as text.</summary>
    const int MaxLength = 253;
    const int MaxLabel = 63;

    /// <summary>The labels of a name that can be asked for, without its final dot, or null: an empty or long label, a character that is no ASCII.</summary>
    public static string? Checked(string name)
    {
        if (name.EndsWith('.')) name = name[..^1];
        if (name.Length is 0 or > MaxLength) return null;
        var label = 0;
        foreach (var c in name)
        {
            if (c is < ' ' or > '~') return null;
            if (c != '.') label++;
            else if (label == 0) return null;
            else label = 0;
            if (label > MaxLabel) return null;
        }
        return label == 0 ? null : name;
    }

    /// <summary>RFC 7208 4.3: the domain to check is one of two labels at least; an address in brackets or without them is none.</summary>
    public static string? CheckedDomain(string name)
    {
        if (name.StartsWith('[') || name.Contains(' ') || Checked(name) is not { } domain) return null;
        var dot = domain.LastIndexOf('.');
        return dot > 0 && domain.AsSpan(dot + 1).ContainsAnyExceptInRange('0', '9') ? domain : null;
    }

    /// <summary>RFC 7208 7.3: labels go from the left until the rest fits.</summary>
    public static string Fitted(string name)
    {
        var end = name.EndsWith('.') ? name.Length - 1 : name.Length;
        var start = 0;
        while (end - start > MaxLength)
        {
            var dot = name.IndexOf('.', start, end - start);
            if (dot < 0) break;
            start = dot + 1;
        }
        return name[start..end];
    }

    /// <summary>As the resolver writes names: a backslash is a character, and begins no escape (RFC 1035 5.1).</summary>
    public static string Query(string name) => name.Contains('\\') ? name.Replace("\\", "\\\\", StringComparison.Ordinal) : name;

    /// <summary>Whether a name is the domain or lies below it (RFC 7208 5.5).</summary>
    public static bool IsWithin(string name, string domain) =>
        name.EndsWith(domain, StringComparison.OrdinalIgnoreCase) && (name.Length == domain.Length || name[name.Length - domain.Length - 1] == '.');
}
